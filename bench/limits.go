package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// limitedRows is how many organisations an import has whose time and memory are limited.
const limitedRows = 100_000

// limit is what some figures must not exceed.
type limit struct {
	name, format string
	most         float64
	figures      map[string]float64 // by what they are of
}

// limits returns each limit with its figures. Some have none.
func limits(records []record, engines []engineRecord) []limit {
	// Those of processor time are against the revision that is compared with.
	cpu := limit{"CPU per request, of the base's", "%.2f ×", 1.25, map[string]float64{}}
	mean := limit{"the same, geometric mean", "%.3f ×", 1.10, map[string]float64{}}
	growth := limit{"growth of one client's p50", "%.2f ×", 2, map[string]float64{}}
	memory := limit{"memory under load", "%.0f MiB", 150, map[string]float64{}}
	first := limit{"first answer", "%.0f ms", 100, map[string]float64{}}
	seconds := limit{"import, time", "%.1f s", 60, map[string]float64{}}
	mib := limit{"import and export, memory", "%.0f MiB", 300, map[string]float64{}}

	logarithms := 0.0
	for _, r := range records {
		if r.CPURatio > 0 {
			cpu.figures[fmt.Sprintf("%s on %s, %d", r.Operation, titles[r.Engine], r.Rows)] = r.CPURatio
			logarithms += math.Log(r.CPURatio)
		}
		i := slices.IndexFunc(operations, func(o operation) bool { return o.name == r.Operation })
		if r.growth > 0 && !operations[i].grows {
			growth.figures[r.Operation+" on "+titles[r.Engine]] = r.growth
		}
	}
	if n := len(cpu.figures); n > 0 {
		mean.figures[fmt.Sprint(n, " figures")] = math.Exp(logarithms / float64(n))
	}
	for _, e := range engines {
		engine := titles[e.name]
		memory.figures[engine] = e.memory
		first.figures[engine] = e.firstAnswer
		if e.importSeconds > 0 {
			seconds.figures[engine] = e.importSeconds
			mib.figures["import on "+engine] = e.importMiB
			mib.figures["export on "+engine] = e.exportMiB
		}
	}
	return []limit{cpu, mean, growth, memory, first, seconds, mib}
}

// checkLimits prints which limits hold. One that does not is an error.
func checkLimits(w io.Writer, records []record, engines []engineRecord) error {
	fmt.Fprintln(w, "\nLimits")
	broken := false
	for _, l := range limits(records, engines) {
		worstFirst := func(a, b string) int { return cmp.Compare(l.figures[b], l.figures[a]) }
		for i, of := range slices.SortedFunc(maps.Keys(l.figures), worstFirst) {
			verdict, value := "holds ", l.figures[of]
			if value > l.most {
				verdict, broken = "BROKEN", true
			} else if i > 0 {
				break
			}
			text, most := fmt.Sprintf(l.format, value), fmt.Sprintf(l.format, l.most)
			fmt.Fprintf(w, "%s  %-30s %-9s at most %-9s %s\n", verdict, l.name, text, most, of)
		}
	}
	if broken {
		return errors.New("a limit is broken")
	}
	return nil
}
