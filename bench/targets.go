package main

import (
	"fmt"
	"os"
	"strings"
)

// targetRows is the number of organisations that the ratios have targets for.
const targetRows = 1000

// The targets beside the ratios, which operations have.
const (
	mostGrowth      = 1.5  // of the one client's p50, but for those that allowance names
	mostMoreMiddle  = 10.0 // milliseconds, for the page in the middle
	mostStart       = 100.0
	mostManyMatches = 2.0 // of the one client's p50, for as many matches among more organisations
	importRows      = 100_000
	mostImport      = 60.0 // seconds, for so many organisations
)

// mostMemory is what our server may hold resident, in MiB.
var mostMemory = map[string]float64{sqlite: 150, postgres: 80}

// verdict is a target and whether it was met.
type verdict struct {
	text string
	met  bool
}

// summary prints our server as a whole, and which targets are met.
func (b *benchmark) summary() {
	fmt.Println("\nOur server as a whole")
	var all []verdict
	for _, e := range b.engines {
		most := max(e.idle, e.loaded)
		fmt.Printf("%-9s %7d organisations: %.0f MiB resident idle, %.0f MiB at most under load; first answer %.0f ms after the start\n",
			title(e.name), e.rows, e.idle, e.loaded, e.start)
		all = append(all,
			verdict{fmt.Sprintf("%s: %.0f MiB resident, at most %.0f", title(e.name), most, mostMemory[e.name]), most <= mostMemory[e.name]},
			verdict{fmt.Sprintf("%s: first answer after %.0f ms, at most %.0f", title(e.name), e.start, mostStart), e.start <= mostStart})
		if e.imported > 0 {
			text := fmt.Sprintf("%s: an import of %d organisations takes %.1f s", title(e.name), importRows, e.imported)
			fmt.Println(text)
			all = append(all, verdict{fmt.Sprintf("%s, less than %.0f", text, mostImport), e.imported < mostImport})
		}
		if m := e.manyMatches; m.more > 0 {
			text := fmt.Sprintf("%s: one client's p50 for a keyword with %d matches is %.1f ms with %d organisations, %.1f ms with %d", title(e.name), manyMatches, m.from, manyMatchesRows, m.to, m.more)
			fmt.Println(text)
			all = append(all, verdict{fmt.Sprintf("%s, %.2f×, at most %.1f×", text, m.to/m.from, mostManyMatches), m.to <= mostManyMatches*m.from})
		}
	}
	if info, err := os.Stat(opencalls); err == nil {
		fmt.Printf("the program has %.1f MiB\n", float64(info.Size())/(1<<20))
	}

	fmt.Printf("\nTargets, of the ratios: least → aim\n%-19s", "operation")
	for _, engine := range b.settings.engines {
		fmt.Printf(" │ %-11s %8s %8s %9s", title(engine), "req/s", "CPU", "growth")
	}
	fmt.Println()
	for _, op := range b.operations {
		all = append(all, b.operationTargets(op)...)
	}
	for _, r := range b.records {
		if r.quality > 0 {
			text := fmt.Sprintf("%s on %s: THE BASELINE IS TOO SLOW: it reaches %.2f of what is possible, at least %.2f", r.Operation, title(r.Engine), r.quality, leastQuality)
			if r.reachable > 0 {
				text += fmt.Sprintf("; a server that does nothing but its statements reaches %.2f", r.reachable)
			}
			all = append(all, verdict{text, r.quality >= leastQuality})
		}
	}
	var missed []string
	for _, v := range all {
		if !v.met {
			missed = append(missed, "  "+v.text)
		}
	}
	fmt.Printf("\n%d of %d targets are met", len(all)-len(missed), len(all))
	if len(missed) > 0 {
		fmt.Printf("; these are not:\n%s", strings.Join(missed, "\n"))
	}
	fmt.Println()
	fmt.Print(b.aims())
}

// aims says how many of the ratios are what they are meant to become, and which are not. No target
// is missed by that.
func (b *benchmark) aims() string {
	if b.rows[0] != targetRows {
		return ""
	}
	all, short := 2*len(b.settings.engines)*len(b.operations), 0
	var lists []string
	for _, engine := range b.settings.engines {
		for i, column := range []string{"req/s", "CPU"} {
			var names []string
			for _, op := range b.operations {
				r, _ := b.recordOf(op.name, engine, targetRows)
				if [2]float64{r.Ratio, r.CPURatio}[i] < op.aim.on(engine) {
					names = append(names, op.name)
				}
			}
			if len(names) > 0 {
				short += len(names)
				lists = append(lists, title(engine)+" "+column+": "+strings.Join(names, ", "))
			}
		}
	}
	text := fmt.Sprintf("%d of %d aims are reached\n", all-short, all)
	if short > 0 {
		text += "not yet: " + strings.Join(lists, "; ") + "\n"
	}
	return text
}

// operationTargets prints an operation's line of the table and returns its verdicts.
func (b *benchmark) operationTargets(op operation) []verdict {
	smallest, largest := b.rows[0], b.rows[len(b.rows)-1]
	var all []verdict
	fmt.Printf("%-19s", op.name)
	for _, engine := range b.settings.engines {
		must := op.must.on(engine)
		small, _ := b.recordOf(op.name, engine, smallest)
		fmt.Printf(" │ %.2f → %.2f %8s %8s", must, op.aim.on(engine), mark(small.Ratio >= must || smallest != targetRows, "%.2f", small.Ratio), mark(small.CPURatio >= must || smallest != targetRows, "%.2f", small.CPURatio))
		if smallest == targetRows {
			all = append(all,
				verdict{fmt.Sprintf("%s on %s: requests/s %.2f of the baseline's, at least %.2f", op.name, title(engine), small.Ratio, must), small.Ratio >= must},
				verdict{fmt.Sprintf("%s on %s: CPU ratio %.2f, at least %.2f", op.name, title(engine), small.CPURatio, must), small.CPURatio >= must})
		}
		large, _ := b.recordOf(op.name, engine, largest)
		if large.growth == 0 {
			fmt.Printf(" %9s", "")
			continue
		}
		v, has := growthVerdict(engine, small, large)
		if has {
			all = append(all, v)
		}
		fmt.Printf(" %9s", mark(v.met || !has, "%.2f×", large.growth))
	}
	fmt.Println()
	return all
}

// growthVerdict says whether an operation has a target of growth, and whether it is met.
func growthVerdict(engine string, small, large record) (verdict, bool) {
	switch name := large.Operation; {
	case name == "list_middle": // the walk to it grows
		more := large.OneClientP50 - small.OneClientP50
		return verdict{fmt.Sprintf("%s on %s: %.1f ms more with %d organisations, at most %.0f", name, title(engine), more, large.Rows, mostMoreMiddle), more <= mostMoreMiddle}, true
	case strings.HasPrefix(name, "list_keyword") && engine == sqlite: // a scan of one column
		return verdict{}, false
	case name == "list_keyword_common": // the matches grow with the rows
		return verdict{}, false
	default:
		return verdict{fmt.Sprintf("%s on %s: one client's p50 grows %.2f× with %d organisations, at most %.1f×", name, title(engine), large.growth, large.Rows, mostGrowth), large.growth <= mostGrowth}, true
	}
}

func mark(met bool, format string, value float64) string {
	if met {
		return fmt.Sprintf(format, value) + " ✓"
	}
	return fmt.Sprintf(format, value) + " ✗"
}
