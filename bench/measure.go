package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"
)

const (
	// otherRounds is how many paired rounds there are at most at further numbers of rows.
	otherRounds = 3
	// growthRounds is how often one client alone is measured at each number of rows, for a quarter
	// of the time that a round takes: rather often than long, since how fast it is answered depends
	// on which processors it and the server come to run on.
	growthRounds = 9
	// qualityRounds is how often the baseline is held against what is possible, for half as
	// long as a round takes.
	qualityRounds = 3
	// warmUp is how long requests are sent before an operation is measured.
	warmUp = 200 * time.Millisecond
)

// measure is the whole benchmark.
func measure(ctx context.Context, s settings) error {
	if err := checkSystem(); err != nil {
		return err
	}
	if _, err := os.Stat(opencalls); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "opencalls-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &benchmark{settings: s, dir: dir, begin: time.Now()}
	b.announce()
	for _, engine := range s.engines {
		if err := b.engine(ctx, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	b.summary()
	return b.files()
}

// benchmark is a run under way and what it has measured.
type benchmark struct {
	settings
	dir     string
	begin   time.Time
	records []record
	engines []engineRecord
	run     int // makes texts new
}

// contest is our server and the baseline on the same database.
type contest struct {
	*database
	ours, baseline *process
}

// announce says how long it will take.
func (b *benchmark) announce() {
	each := time.Duration(0)
	for i := range b.rows {
		each += time.Duration(2*b.roundsAt(i))*(b.duration+lead) + 2*(warmUp+lead)
		if len(b.rows) > 1 {
			each += growthRounds * (b.duration/4 + lead)
		}
	}
	each += qualityRounds * (4*(b.duration/2+lead) + 3*(warmUp+lead))
	whole := time.Duration(len(b.settings.engines)*len(b.operations)) * (each + time.Second)
	making := func(rows int) time.Duration { return time.Duration(3+rows*60/100_000) * time.Second } // the data
	for _, engine := range b.settings.engines {
		for _, rows := range b.rows {
			whole += making(rows)
		}
		for _, op := range b.operations {
			if hasManyMatches(op, engine, b.rows[len(b.rows)-1]) {
				whole += making(manyMatchesRows)
			}
		}
	}
	fmt.Printf("This takes about %d minutes: %d operations on %v with %v organisations, %d paired rounds of %v each.\n",
		int(whole.Minutes())+1, len(b.operations), b.settings.engines, b.rows, b.settings.rounds, b.duration)
	fmt.Printf("%d clients on this machine of %d processors, beside the servers and the database. %s.\n", clients, runtime.NumCPU(), runtime.Version())
}

func (b *benchmark) roundsAt(i int) int {
	if i == 0 {
		return b.rounds
	}
	return min(b.rounds, otherRounds)
}

func (b *benchmark) progress(format string, arguments ...any) {
	fmt.Printf("%s  %s\n", clock(time.Since(b.begin)), fmt.Sprintf(format, arguments...))
}

// engine measures everything on one engine.
func (b *benchmark) engine(ctx context.Context, engine string) (err error) {
	fmt.Printf("\n%s\n", title(engine))
	var contests []contest
	defer func() {
		for _, c := range contests {
			err = errors.Join(err, c.end())
		}
	}()
	e := engineRecord{name: engine, rows: b.rows[len(b.rows)-1]}
	for _, rows := range b.rows {
		d, err := makeDatabase(ctx, b.settings, b.dir, engine, rows, 0)
		if d != nil {
			contests = append(contests, contest{database: d})
		}
		if err != nil {
			return err
		}
		if rows == importRows {
			e.imported = d.imported.Seconds()
		}
		b.progress("%d organisations imported in %.1f s", rows, d.imported.Seconds())
	}
	largest := &contests[len(contests)-1]
	if e.start, err = b.startTime(largest.database); err != nil {
		return err
	}
	for i := range contests {
		if err := b.start(&contests[i]); err != nil {
			return err
		}
	}
	if err := b.checkAnswers(contests); err != nil {
		return err
	}
	if e.idle, _, err = largest.ours.memory(); err != nil {
		return err
	}
	if err := b.operationsOn(ctx, contests, &e); err != nil {
		return err
	}
	if _, e.loaded, err = largest.ours.memory(); err != nil {
		return err
	}
	b.engines = append(b.engines, e)
	return nil
}

// operationsOn measures every operation.
func (b *benchmark) operationsOn(ctx context.Context, contests []contest, e *engineRecord) (err error) {
	largest := contests[len(contests)-1]
	printHead()
	for _, op := range b.operations {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.operation(ctx, op, contests); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		if hasManyMatches(op, largest.engine, largest.rows) {
			if e.manyMatches, err = b.manyMatches(ctx, op, largest); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
		}
	}
	return nil
}

func (b *benchmark) start(c *contest) (err error) {
	log := filepath.Join(b.dir, c.engine+"-"+c.name)
	serve := append([]string{"serve", "--database-url", c.url, "--listen", "127.0.0.1:0"}, limitFlags()...)
	c.ours, err = startServer(log+"-ours.log", nil, opencalls, serve...)
	if err != nil {
		return err
	}
	c.baseline, err = startServer(log+"-baseline.log", nil, self, "baseline", c.url)
	return err
}

func (c contest) end() error {
	var errs []error
	for _, p := range []*process{c.ours, c.baseline} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(append(errs, c.close())...)
}

// workload is the data of a contest, with new texts, from anywhere in it.
func (b *benchmark) workload(d *database) workload {
	b.run++
	return workload{Known: d.known, Rows: d.rows, First: rand.New(rand.NewPCG(seed, uint64(b.run))).IntN(d.rows), Salt: strconv.FormatInt(b.begin.Unix(), 36) + "-" + strconv.Itoa(b.run)}
}

// checkAnswers holds the baseline's answers to every operation against ours.
func (b *benchmark) checkAnswers(contests []contest) error {
	for _, c := range contests {
		for _, op := range b.operations {
			w := b.workload(c.database)
			ours, err := op.answers(c.ours.address, w)
			if err != nil {
				return err
			}
			baseline, err := op.answers(c.baseline.address, w)
			if err != nil {
				return err
			}
			if err := compare(op, ours, baseline); err != nil {
				return err
			}
		}
	}
	b.progress("both servers give the same answers to %d operations", len(b.operations))
	return nil
}

// startTime is how long our server takes from its start to its first answer, the median of five.
func (b *benchmark) startTime(d *database) (float64, error) {
	w := b.workload(d)
	retrieve, err := operationByName("retrieve")
	if err != nil {
		return 0, err
	}
	var took []float64
	for range 5 {
		begin := time.Now()
		p, err := startServer(filepath.Join(b.dir, "start.log"), nil, opencalls, "serve", "--database-url", d.url, "--listen", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		_, err = retrieve.answers(p.address, w)
		took = append(took, milliseconds(time.Since(begin)))
		if err := errors.Join(err, p.stop()); err != nil {
			return 0, err
		}
	}
	return median(took), nil
}

// operation measures one operation on every number of rows.
func (b *benchmark) operation(ctx context.Context, op operation, contests []contest) error {
	records := make([]record, len(contests))
	for i, c := range contests {
		r, err := b.pairedRounds(op, c, b.roundsAt(i))
		if err != nil {
			return err
		}
		records[i] = r
	}
	var err error
	if records[0].quality, records[0].reachable, err = b.baselineQuality(op, contests[0]); err != nil {
		return err
	}
	if err := b.oneClient(op, contests, records); err != nil {
		return err
	}
	for i := range records {
		records[i].print(time.Since(b.begin))
	}
	b.records = append(b.records, records...)
	if op.changes {
		for _, c := range contests {
			if err := c.tidy(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// sample is a server under load, once.
type sample struct {
	measured
	cpu float64 // microseconds a request
}

func (b *benchmark) sample(op operation, d *database, p *process, duration time.Duration) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	m, err := load{p.address, op.name, b.workload(d), clients, duration}.run()
	if err != nil {
		return sample{}, err
	}
	after, err := p.cpu()
	return sample{m, float64((after - before).Microseconds()) / float64(m.All)}, err
}

// pairedRounds measures both servers in pairs, of which each begins with the other one.
func (b *benchmark) pairedRounds(op operation, c contest, rounds int) (record, error) {
	servers := []*process{c.ours, c.baseline}
	for _, p := range servers {
		if _, err := b.sample(op, c.database, p, warmUp); err != nil {
			return record{}, err
		}
	}
	samples := make([][]sample, 2) // of ours, of the baseline
	for round := range rounds {
		for turn := range servers {
			which := (round + turn) % 2
			s, err := b.sample(op, c.database, servers[which], b.duration)
			if err != nil {
				return record{}, err
			}
			samples[which] = append(samples[which], s)
		}
	}
	return newRecord(op, c.database, samples[0], samples[1]), nil
}

// oneClient measures how long one client alone waits for our answers, at each number of rows in
// turn.
func (b *benchmark) oneClient(op operation, contests []contest, records []record) error {
	p50s, err := b.oneClientP50s(op, contests)
	if err != nil {
		return err
	}
	for i := range records {
		records[i].OneClientP50 = p50s[i]
		if i > 0 && records[0].OneClientP50 > 0 {
			records[i].growth = records[i].OneClientP50 / records[0].OneClientP50
		}
	}
	return nil
}

// oneClientP50s measures in turns, and returns the median of each.
func (b *benchmark) oneClientP50s(op operation, contests []contest) ([]float64, error) {
	took := make([][]float64, len(contests))
	for range growthRounds {
		for i, c := range contests {
			m, err := load{c.ours.address, op.name, b.workload(c.database), 1, b.duration / 4}.run()
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], m.P50)
		}
	}
	p50s := make([]float64, len(contests))
	for i := range took {
		p50s[i] = median(took[i])
	}
	return p50s, nil
}

func title(engine string) string {
	if engine == sqlite {
		return "SQLite"
	}
	return "Postgres"
}

// recordOf returns the record of an operation on an engine at a number of rows.
func (b *benchmark) recordOf(operation, engine string, rows int) (record, bool) {
	i := slices.IndexFunc(b.records, func(r record) bool { return r.Operation == operation && r.Engine == engine && r.Rows == rows })
	if i < 0 {
		return record{}, false
	}
	return b.records[i], true
}
