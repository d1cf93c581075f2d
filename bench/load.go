package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// clients is how many send requests at the same time.
const clients = 16

// load is what the process that sends requests is told: each client sends its next request as
// soon as the last one is answered.
type load struct {
	Address   string // of the server, host:port
	Operation string
	Workload  workload
	Clients   int
	Duration  time.Duration // that is measured, or longer where little is answered
}

// measured is what it tells.
type measured struct {
	All      int     // requests, those before and after the window too
	Rate     float64 // answers a second
	P50, P99 float64 // milliseconds
}

// run has a process of its own send the requests.
func (l load) run() (measured, error) {
	var m measured
	err := inProcess("load", l, &m)
	return m, err
}

// inProcess runs a subcommand of this program, which reads what it is to do from its standard
// input and writes what came of it to its standard output.
func inProcess(subcommand string, todo, done any) error {
	command := exec.Command(self, subcommand)
	in, out := io.Pipe()
	command.Stdin, command.Stderr = in, os.Stderr
	go func() { _ = out.CloseWithError(json.NewEncoder(out).Encode(todo)) }()
	text, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", subcommand, err)
	}
	return json.Unmarshal(text, done)
}

// asProcess is the other side of inProcess.
func asProcess[T, R any](do func(T) (R, error)) error {
	var todo T
	if err := json.NewDecoder(os.Stdin).Decode(&todo); err != nil {
		return err
	}
	done, err := do(todo)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(done)
}

// send is what the process does.
func (l load) send() (measured, error) {
	op, err := operationByName(l.Operation)
	if err != nil {
		return measured{}, err
	}
	connections := make([]*connection, l.Clients)
	for i := range connections {
		if connections[i], err = dial(l.Address); err != nil {
			return measured{}, err
		}
		defer connections[i].Close()
	}
	w := newWindow(l.Duration, l.Clients)
	all := make([]int, l.Clients)
	took := make([][]time.Duration, l.Clients)
	errs := make([]error, l.Clients)
	var group sync.WaitGroup
	for i, c := range connections {
		group.Go(func() {
			all[i], took[i], errs[i] = l.client(op, c, i, w)
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return measured{}, err
	}
	if w.count.Load() == 0 {
		return measured{}, fmt.Errorf("%s: nothing was answered in time: raise BENCH_SECONDS", op.name)
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	m := measured{Rate: w.rate(), P50: milliseconds(quantile(sorted, 0.5)), P99: milliseconds(quantile(sorted, 0.99))}
	for _, n := range all {
		m.All += n
	}
	return m, nil
}

// client sends requests on one connection until the window is over, and returns how many, and
// how long those took that were answered in it. A status that is not what is expected is an
// error.
func (l load) client(op operation, c *connection, number int, w *window) (int, []time.Duration, error) {
	var took []time.Duration
	for n := 0; ; n++ {
		if (!op.pairs() || n%2 == 0) && w.over() {
			return n, took, nil
		}
		r, want := op.requests(l.Workload, number, n)
		sent := time.Now()
		status, err := c.do(r, nil)
		if err != nil {
			return n, nil, err
		}
		if status != want {
			return n, nil, fmt.Errorf("%s: status %d, not %d, to %q", op.name, status, want, r.text)
		}
		if answered := time.Now(); w.done(answered) {
			took = append(took, answered.Sub(sent))
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile returns the smallest value of a sorted list that at least the fraction q of it does
// not exceed (the nearest rank), or zero of an empty list.
func quantile[T cmp.Ordered](sorted []T, q float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median returns the middle of a list in any order: of an even number, the mean of the two.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
