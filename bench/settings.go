package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// The engines, as BENCH_ENGINES and the JSON call them.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

// settings say what a run measures.
type settings struct {
	Base       string   `env:"BENCH_BASE" xor:"other" help:"A revision to compare with, or none; else the last tag."`
	Peer       *url.URL `env:"BENCH_PEER" xor:"other" help:"A server to compare with in place of a revision."`
	PeerToken  string   `env:"BENCH_PEER_TOKEN" help:"The peer's token of a user who is staff."`
	Operations []string `env:"BENCH_OPERATIONS" default:"${operations}" enum:"${operations}" help:"What is measured."`
	Engines    []string `env:"BENCH_ENGINES" default:"sqlite,postgres" enum:"sqlite,postgres" help:"On which engines."`
	Rows       []int    `env:"BENCH_ROWS" help:"Numbers of organisations: 1000 and 100000; with a peer 1000."`
	Rounds     int      `env:"BENCH_ROUNDS" default:"5" help:"How often each server is measured."`
	Seconds    float64  `env:"BENCH_SECONDS" default:"0.8" help:"How long each server is measured."`
	JSON       string   `env:"BENCH_JSON" help:"A file for the figures."`
	Postgres   string   `env:"OPENCALLS_TEST_POSTGRES_URL" help:"The server of Postgres."`
}

// Validate fills the rows and refuses what can't be measured.
func (s *settings) Validate() error {
	if len(s.Rows) == 0 {
		s.Rows = []int{1000, 100_000}
		if s.Peer != nil {
			s.Rows = s.Rows[:1]
		}
	}
	slices.Sort(s.Rows)
	s.Rows = slices.Compact(s.Rows)
	switch {
	case s.Rows[0] < 10*clients:
		return fmt.Errorf("BENCH_ROWS: want at least %d", 10*clients)
	case s.Rounds < 1:
		return errors.New("BENCH_ROUNDS: want at least 1")
	case s.Seconds < 0.1:
		return errors.New("BENCH_SECONDS: want at least 0.1")
	case s.Postgres == "" && slices.Contains(s.Engines, postgres):
		return errors.New("OPENCALLS_TEST_POSTGRES_URL is not set: use `make bench` or BENCH_ENGINES=sqlite")
	case s.Peer != nil && (s.Peer.Scheme != "http" || s.Peer.Host == ""):
		return errors.New("BENCH_PEER: want http://HOST:PORT")
	case s.Peer != nil && len(s.Rows) > 1:
		return errors.New("BENCH_PEER holds one data set: name its size alone in BENCH_ROWS")
	}
	return nil
}

// complete says that nothing was narrowed, so that the figures go into docs/.
func (s *settings) complete() bool {
	return s.Peer == nil && s.Rounds >= 5 && s.Seconds >= 0.8 && slices.Equal(s.Engines, []string{sqlite, postgres}) &&
		len(s.Operations) == len(operations) && slices.Equal(s.Rows, []int{1000, 100_000})
}

func (s *settings) duration() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }
