package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The engines, as BENCH_ENGINES and the JSON call them.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

// settings are what a run measures.
type settings struct {
	duration   time.Duration // of one measurement: BENCH_SECONDS
	rounds     int           // paired, at the smallest number of rows: BENCH_ROUNDS
	rows       []int         // ascending: BENCH_ROWS
	engines    []string      // BENCH_ENGINES
	operations []operation   // BENCH_OPERATIONS
	json       string        // file, or "": BENCH_JSON
	chart      string        // file, or "": BENCH_CHART
	postgres   string        // URL of the server's database to begin from
	narrowed   bool          // it is not the whole default run
}

// wholeChart is where the whole default run draws its chart.
const wholeChart = "docs/performance-growth.svg"

// readSettings reads the environment.
func readSettings() (settings, error) {
	s := settings{duration: 800 * time.Millisecond, rounds: 5, rows: []int{1000, 100_000}, engines: []string{sqlite, postgres}, operations: operations}
	var errs []error
	set := func(name string, read func(string) error) {
		text := os.Getenv(name)
		if text == "" {
			return
		}
		s.narrowed = true
		if err := read(text); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", name, text, err))
		}
	}
	set("BENCH_SECONDS", func(text string) error {
		seconds, err := strconv.ParseFloat(text, 64)
		if err == nil && (seconds < 0.1 || seconds > 600) {
			err = errors.New("want 0.1 to 600")
		}
		s.duration = time.Duration(seconds * float64(time.Second))
		return err
	})
	set("BENCH_ROUNDS", func(text string) (err error) {
		s.rounds, err = number(text, 1)
		return err
	})
	set("BENCH_ROWS", func(text string) (err error) {
		s.rows, err = readRows(text)
		return err
	})
	set("BENCH_ENGINES", func(text string) error {
		s.engines = strings.Split(text, ",")
		for _, engine := range s.engines {
			if engine != sqlite && engine != postgres {
				return fmt.Errorf("%q is neither %s nor %s", engine, sqlite, postgres)
			}
		}
		return nil
	})
	set("BENCH_OPERATIONS", func(text string) (err error) {
		s.operations, err = readOperations(text)
		return err
	})
	s.json, s.chart, s.postgres = os.Getenv("BENCH_JSON"), os.Getenv("BENCH_CHART"), os.Getenv("OPENCALLS_TEST_POSTGRES_URL")
	if s.chart == "" && !s.narrowed {
		s.chart = wholeChart
	}
	if s.postgres == "" && slices.Contains(s.engines, postgres) {
		errs = append(errs, errors.New("OPENCALLS_TEST_POSTGRES_URL is not set: run `make bench`, or set BENCH_ENGINES=sqlite"))
	}
	return s, errors.Join(errs...)
}

// readRows reads numbers with commas between them, and returns each once, ascending.
func readRows(text string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		rows, err := number(part, clients)
		if err != nil {
			return nil, err
		}
		list = append(list, rows)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func readOperations(text string) ([]operation, error) {
	var list []operation
	for part := range strings.SplitSeq(text, ",") {
		op, err := operationByName(part)
		if err != nil {
			return nil, err
		}
		list = append(list, op)
	}
	return list, nil
}

func number(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && n < least {
		err = fmt.Errorf("want at least %d", least)
	}
	return n, err
}
