package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The limits. Those of processor time are against the revision that is compared with.
const (
	mostCPU         = 1.25
	mostCPUMean     = 1.10 // geometric
	mostGrowth      = 2.0
	mostMemory      = 150.0 // MiB
	mostFirstAnswer = 100.0 // ms
	// An import of limitedRows organisations.
	limitedRows       = 100_000
	mostImportSeconds = 60.0
	mostImportMiB     = 300.0
)

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

// limits returns each limit with its figures, the highest first. Some have none.
func limits(records []record, engines []engineRecord) []limit {
	cpu := limit{name: "CPU per request, of the base's", format: "%.2f ×", most: mostCPU}
	mean := limit{name: "the same, geometric mean", format: "%.3f ×", most: mostCPUMean}
	growth := limit{name: "growth of one client's p50", format: "%.2f ×", most: mostGrowth}
	memory := limit{name: "memory under load", format: "%.0f MiB", most: mostMemory}
	first := limit{name: "first answer", format: "%.0f ms", most: mostFirstAnswer}
	seconds := limit{name: "import, time", format: "%.1f s", most: mostImportSeconds}
	mib := limit{name: "import, memory", format: "%.0f MiB", most: mostImportMiB}

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
			mib.add(e.importMiB, title(e.name))
		}
	}
	all := []limit{cpu, mean, growth, memory, first, seconds, mib}
	for _, l := range all {
		slices.SortStableFunc(l.figures, func(a, b figure) int { return int(math.Copysign(1, b.value-a.value)) })
	}
	return all
}

// checkLimits prints which limits hold. One that does not is an error.
func checkLimits(w io.Writer, records []record, engines []engineRecord) error {
	fmt.Fprintln(w, "\nLimits")
	broken := false
	for _, l := range limits(records, engines) {
		for i, f := range l.figures {
			verdict := "holds "
			if f.value > l.most {
				verdict = "BROKEN"
				broken = true
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
