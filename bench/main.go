// The program measures opencalls beside the hand-written server of bench/baseline, on the same
// data. `make bench` runs it; docs/performance.md says how to read what it prints.
//
// It starts itself again as the baseline and as the process that sends requests:
//
//	bench                run the benchmark, as the environment's BENCH_… say
//	bench baseline URL   serve the database at a URL
//	bench memory         serve answers from memory
//	bench load           send requests
//	bench statements     run the baseline's statements without HTTP
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
)

// garbage is how much of it may gather, in per cent of what is in use, in all that our server is
// measured beside: as much as opencalls serve lets gather.
const garbage = 400

// The programs: this one, and ours beside it.
var self, opencalls string

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	var err error
	if self, err = os.Executable(); err != nil {
		return err
	}
	opencalls = filepath.Join(filepath.Dir(self), "opencalls")
	ctx := context.Background()
	switch {
	case len(arguments) == 0:
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
		defer stop()
		s, err := readSettings()
		if err != nil {
			return err
		}
		return measure(ctx, s)
	}
	debug.SetGCPercent(garbage)
	switch {
	case len(arguments) == 2 && arguments[0] == "baseline":
		return serveBaseline(ctx, arguments[1])
	case arguments[0] == "memory":
		return serveFromMemory(ctx)
	case arguments[0] == "load":
		return asProcess(load.send)
	case arguments[0] == "statements":
		return asProcess(loop.run)
	}
	return errors.New("usage: bench [baseline URL | memory | load | statements]")
}
