package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencalls/opencalls/bench/baseline"
)

// leastQuality is the part of what is possible that the baseline must reach.
const leastQuality = 0.8

// quality says how good the baseline is. It does two things for each request: HTTP and
// statements. Where HTTP alone is done a times a second and the statements alone b times, both
// are done 1/(1/a + 1/b) times; quality is the part of that which the baseline reaches.
func quality(rate, a, b float64) float64 { return rate * (1/a + 1/b) }

// baselineQuality is the quality of the baseline, and that of a server that does nothing but both:
// it runs the statements and answers from memory. No server that runs these statements does much
// better on this machine, where what is measured apart has the processors and their caches to itself.
func (b *benchmark) baselineQuality(op operation, c contest) (reached, reachable float64, err error) {
	answers, err := op.answers(c.baseline.address, b.workload(c.database))
	if err != nil {
		return 0, 0, err
	}
	duration := b.duration / 2
	baseline, least := make([]float64, qualityRounds), make([]float64, qualityRounds)
	for i := range qualityRounds {
		alone, err := memory{Answers: answers}.rate(b.dir, op, b.workload(c.database), duration)
		if err != nil {
			return 0, 0, err
		}
		statements, err := loop{c.url, op.name, b.workload(c.database), duration}.statementsAlone()
		if err != nil {
			return 0, 0, err
		}
		both, err := b.sample(op, c.database, c.baseline, duration)
		if err != nil {
			return 0, 0, err
		}
		baseline[i] = quality(both.Rate, alone, statements)
		if op.pairs() {
			continue // the two have to come in turn for each client, whom that server doesn't know
		}
		w := b.workload(c.database)
		rate, err := memory{answers, &loop{URL: c.url, Operation: op.name, Workload: w}}.rate(b.dir, op, w, duration)
		if err != nil {
			return 0, 0, err
		}
		least[i] = quality(rate, alone, statements)
	}
	return median(baseline), median(least), nil
}

// rate is how many of the answers net/http serves a second from memory.
func (m memory) rate(dir string, op operation, w workload, duration time.Duration) (rate float64, err error) {
	text, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	server, err := startServer(filepath.Join(dir, "memory.log"), bytes.NewReader(text), self, "memory")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if _, err := (load{server.address, op.name, w, clients, warmUp}).run(); err != nil {
		return 0, err
	}
	measured, err := load{server.address, op.name, w, clients, duration}.run()
	return measured.Rate, err
}

// loop is what the process that runs statements is told.
type loop struct {
	URL       string
	Operation string
	Workload  workload
	Duration  time.Duration
}

// statementsAlone is how many times a second the baseline's statements for an operation run
// without HTTP, by as many goroutines as there are clients otherwise.
func (l loop) statementsAlone() (float64, error) {
	var rate float64
	err := inProcess("statements", l, &rate)
	return rate, err
}

// run is what the process does.
func (l loop) run() (float64, error) {
	d, err := baseline.Open(l.URL, nil)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	// The servers are warm when they are measured: connections are open, statements prepared.
	if err := l.all(d, newWindow(warmUp, clients)); err != nil {
		return 0, err
	}
	l.Workload.Salt += "-measured" // texts of PATCH are new each time
	w := newWindow(l.Duration, clients)
	err = l.all(d, w)
	return w.rate(), err
}

// all runs statements by as many goroutines as there are clients otherwise, until a window is over.
func (l loop) all(d *baseline.Database, w *window) error {
	errs := make([]error, clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for n := 0; l.Operation == pairsOperation && n%2 == 1 || !w.over(); n++ {
				if errs[i] = l.once(d, i, n); errs[i] != nil {
					return
				}
				w.done(time.Now())
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// once does what is behind the nth request of a client, in a context of its own as requests have:
// the drivers watch those, and one for all would be fought for.
func (l loop) once(d *baseline.Database, client, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), baseline.TimeLimit)
	defer cancel()
	w := l.Workload
	token := baseline.Digest(w.Known.StaffToken)
	id := w.organisation(client, n).String()
	var err error
	switch l.Operation {
	case "list":
		_, _, err = d.List(ctx, token, "", 1, pageSize)
	case "list_last":
		_, _, err = d.List(ctx, token, "", w.lastPage(), pageSize)
	case "list_middle":
		_, _, err = d.List(ctx, token, "", w.middlePage(), pageSize)
	case "list_keyword_rare":
		_, _, err = d.List(ctx, token, w.Known.Keyword.Rare, 1, pageSize)
	case "list_keyword_common":
		_, _, err = d.List(ctx, token, w.Known.Keyword.Common, 1, pageSize)
	case "list_count":
		_, err = d.Count(ctx, token)
	case "retrieve":
		_, err = d.Retrieve(ctx, token, id)
	case "stats":
		_, err = d.Stats(ctx, token, w.Known.Organisation.String())
	case "list_users":
		_, _, err = d.ListUsers(ctx, token, w.Known.Organisation.String(), 1, pageSize)
	case "list_users_5000":
		_, _, err = d.ListUsers(ctx, token, w.Known.Crowded.String(), 1, pageSize)
	case "partial_update":
		_, err = d.PartialUpdate(ctx, token, id, w.description(client, n))
	case pairsOperation:
		organisation, user := w.newcomer(client)
		change := d.AddUser
		if n%2 == 1 {
			change = d.DeleteUser
		}
		err = change(ctx, token, organisation.String(), grantedRole, user.String())
	default:
		err = fmt.Errorf("no statements of %q", l.Operation)
	}
	return err
}
