package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// limitedRows is how many organisations an import has whose time and memory are limited.
const limitedRows = 100_000

// limit is what some figures must not exceed.
type limit struct {
	name, format string
	most         float64
	figures      []figure
}

type figure struct {
	of    string
	value float64
}

func (l *limit) add(value float64, of ...any) {
	l.figures = append(l.figures, figure{fmt.Sprint(of...), value})
}

// limits returns each limit with its figures. Some have none.
func limits(records []record, engines []engineRecord) []limit {
	// Those of processor time are against the revision that is compared with.
	cpu := limit{name: "CPU per request, of the base's", format: "%.2f ×", most: 1.25}
	mean := limit{name: "the same, geometric mean", format: "%.3f ×", most: 1.10}
	growth := limit{name: "growth of one client's p50", format: "%.2f ×", most: 2}
	memory := limit{name: "memory under load", format: "%.0f MiB", most: 150}
	first := limit{name: "first answer", format: "%.0f ms", most: 100}
	seconds := limit{name: "import, time", format: "%.1f s", most: 60}
	mib := limit{name: "import and export, memory", format: "%.0f MiB", most: 300}

	logarithms := 0.0
	for _, r := range records {
		if r.CPURatio > 0 {
			cpu.add(r.CPURatio, r.Operation, " on ", title(r.Engine), ", ", r.Rows)
			logarithms += math.Log(r.CPURatio)
		}
		i := slices.IndexFunc(operations, func(o operation) bool { return o.name == r.Operation })
		if r.growth > 0 && !operations[i].grows {
			growth.add(r.growth, r.Operation, " on ", title(r.Engine))
		}
	}
	if n := len(cpu.figures); n > 0 {
		mean.add(math.Exp(logarithms/float64(n)), n, " figures")
	}
	for _, e := range engines {
		memory.add(e.memory, title(e.name))
		first.add(e.firstAnswer, title(e.name))
		if e.importSeconds > 0 {
			seconds.add(e.importSeconds, title(e.name))
			mib.add(e.importMiB, "import on ", title(e.name))
			mib.add(e.exportMiB, "export on ", title(e.name))
		}
	}
	return []limit{cpu, mean, growth, memory, first, seconds, mib}
}

// checkLimits prints which limits hold. One that does not is an error.
func checkLimits(w io.Writer, records []record, engines []engineRecord) error {
	fmt.Fprintln(w, "\nLimits")
	broken := false
	for _, l := range limits(records, engines) {
		slices.SortStableFunc(l.figures, func(a, b figure) int { return cmp.Compare(b.value, a.value) })
		for i, f := range l.figures {
			verdict := "holds "
			if f.value > l.most {
				verdict, broken = "BROKEN", true
			} else if i > 0 {
				break
			}
			value, most := fmt.Sprintf(l.format, f.value), fmt.Sprintf(l.format, l.most)
			fmt.Fprintf(w, "%s  %-28s %-9s at most %-9s %s\n", verdict, l.name, value, most, f.of)
		}
	}
	if broken {
		return errors.New("a limit is broken")
	}
	return nil
}
