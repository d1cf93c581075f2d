package main

import (
	"errors"
	"fmt"
	"net/url"
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

// settings say what a run measures.
type settings struct {
	duration   time.Duration // BENCH_SECONDS: of one measurement
	rounds     int           // BENCH_ROUNDS: how often each server is measured
	rows       []int         // BENCH_ROWS: numbers of organisations, ascending
	engines    []string      // BENCH_ENGINES
	operations []operation   // BENCH_OPERATIONS
	base       string        // BENCH_BASE: a revision, "none", or "" for the last tag or HEAD~1
	peer       *url.URL      // BENCH_PEER: a server to compare with in place of a revision
	peerToken  string        // BENCH_PEER_TOKEN
	json       string        // BENCH_JSON: a file for the figures
	postgres   string        // OPENCALLS_TEST_POSTGRES_URL
	whole      bool          // nothing was narrowed, so the figures go into docs/
}

// readRows returns numbers of organisations, ascending.
func readRows(text string) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		rows, err := number(part, 10*clients)
		if err != nil {
			return nil, err
		}
		all = append(all, rows)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func readEngines(text string) ([]string, error) {
	engines := strings.Split(text, ",")
	for _, engine := range engines {
		if engine != sqlite && engine != postgres {
			return nil, fmt.Errorf("%q must be one of %s, %s", engine, sqlite, postgres)
		}
	}
	return engines, nil
}

// readSettings reads the environment.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{
		duration:   800 * time.Millisecond,
		rounds:     5,
		rows:       []int{1000, 100_000},
		engines:    []string{sqlite, postgres},
		operations: operations,
		base:       getenv("BENCH_BASE"),
		peerToken:  getenv("BENCH_PEER_TOKEN"),
		json:       getenv("BENCH_JSON"),
		postgres:   getenv("OPENCALLS_TEST_POSTGRES_URL"),
		whole:      true,
	}
	var errs []error
	set := func(name string, read func(text string) error) {
		text := getenv(name)
		if text == "" {
			return
		}
		s.whole = false
		if err := read(text); err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", name, text, err))
		}
	}
	set("BENCH_PEER", func(text string) (err error) {
		s.rows = s.rows[:1]
		s.peer, err = readPeer(text)
		return err
	})
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
	set("BENCH_ENGINES", func(text string) (err error) {
		s.engines, err = readEngines(text)
		return err
	})
	set("BENCH_OPERATIONS", func(text string) (err error) {
		s.operations, err = operationsByName(strings.Split(text, ","))
		return err
	})
	if s.peer != nil && s.base != "" {
		errs = append(errs, errors.New("set one of BENCH_PEER and BENCH_BASE"))
	}
	if s.peer != nil && len(s.rows) > 1 {
		errs = append(errs, errors.New("BENCH_PEER holds one data set: name its size alone in BENCH_ROWS"))
	}
	if s.postgres == "" && slices.Contains(s.engines, postgres) {
		errs = append(errs, errors.New("OPENCALLS_TEST_POSTGRES_URL is not set: use `make bench` or BENCH_ENGINES=sqlite"))
	}
	return s, errors.Join(errs...)
}

func readPeer(text string) (*url.URL, error) {
	peer, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if peer.Scheme != "http" || peer.Host == "" || strings.Trim(peer.Path, "/") != "" {
		return nil, errors.New("want http://HOST:PORT")
	}
	if peer.Port() == "" {
		peer.Host += ":80"
	}
	return peer, nil
}

func number(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && n < least {
		err = fmt.Errorf("want at least %d", least)
	}
	return n, err
}
