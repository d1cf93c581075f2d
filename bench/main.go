// The program measures opencalls under load. `make bench` runs it; docs/performance.md says how to
// read what it prints.
//
//	bench               run the benchmark, as the BENCH_… variables say
//	bench dataset ROWS  write the data that is measured, as an import file
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/opencalls/opencalls/bench/dataset"
)

// seed makes the data the same in every run.
const seed = 20270131

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 2 && arguments[0] == "dataset" {
		rows, err := strconv.Atoi(arguments[1])
		if err != nil {
			return err
		}
		_, err = writeDataset(os.Stdout, rows)
		return err
	}
	if len(arguments) > 0 {
		return errors.New("usage: bench [dataset ROWS]")
	}
	s, err := readSettings(os.Getenv)
	if err != nil {
		return err
	}
	return measure(ctx, s)
}

func writeDataset(file *os.File, rows int) (dataset.Known, error) {
	out := bufio.NewWriter(file)
	known, err := dataset.Write(out, dataset.Config{Organisations: rows, Seed: seed, Now: time.Now()})
	if err != nil {
		return known, err
	}
	return known, out.Flush()
}
