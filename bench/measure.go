package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/opencalls/opencalls/bench/dataset"
)

const (
	// looks is how often one client alone is measured at each number of rows, for a quarter of the time
	// that a round takes: how fast it is answered depends on which processors it and the server run on.
	looks = 9
	// starts is how often the time to the first answer is measured.
	starts = 5
	// warmUp is how long requests are sent before an operation is measured.
	warmUp = 200 * time.Millisecond
)

// side is a server that is measured, with the data that it serves.
type side struct {
	target
	rows     int
	known    dataset.Known
	process  *process  // nil for a peer
	database *database // nil for a peer
}

// benchmark is a run and what it has measured.
type benchmark struct {
	settings
	dir      string
	programs []string // this program's, then the base's if there is one
	datasets []dataset.Known
	records  []record
	engines  []engineRecord
	runs     int // of workloads
}

// measure is the whole benchmark.
func measure(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "opencalls-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &benchmark{settings: s, dir: dir}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, engine := range s.engines {
		if err := b.engine(ctx, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	if err := b.writeFiles(ctx); err != nil {
		return err
	}
	return checkLimits(os.Stdout, b.records, b.engines)
}

// prepare builds the program to compare with and writes the data.
func (b *benchmark) prepare(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.programs = []string{filepath.Join(filepath.Dir(self), "opencalls")}
	switch {
	case b.peer != nil:
		fmt.Printf("Compared with the server at %s.\n", b.peer.Host)
	case b.base == "none":
	default:
		if b.base == "" {
			b.base = defaultRevision(ctx)
		}
		fmt.Printf("Compared with revision %s, which is built first.\n", b.base)
		program, err := buildRevision(ctx, b.dir, b.base)
		if err != nil {
			return fmt.Errorf("revision %s (BENCH_BASE=none compares with nothing): %w", b.base, err)
		}
		b.programs = append(b.programs, program)
	}
	for _, rows := range b.rows {
		file, err := os.Create(b.dataset(rows))
		if err != nil {
			return err
		}
		known, err := writeDataset(file, rows)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		b.datasets = append(b.datasets, known)
	}
	return nil
}

func (b *benchmark) dataset(rows int) string {
	return filepath.Join(b.dir, strconv.Itoa(rows)+".jsonl")
}

// engine measures everything on one engine.
func (b *benchmark) engine(ctx context.Context, engine string) (err error) {
	fmt.Printf("\n%s\n", title(engine))
	e := engineRecord{name: engine, rows: b.rows[len(b.rows)-1]}
	pairs := make([][]*side, len(b.rows)) // of each number of rows, this program's server and the other one
	defer func() {
		for _, pair := range pairs {
			for _, s := range pair {
				err = errors.Join(err, s.close())
			}
		}
	}()
	for i, rows := range b.rows {
		for j, program := range b.programs {
			s := &side{rows: rows, known: b.datasets[i]}
			pairs[i] = append(pairs[i], s)
			if err := b.start(ctx, s, program, engine, fmt.Sprintf("%d_%d", rows, j)); err != nil {
				return err
			}
		}
		if b.peer != nil {
			peer := &side{target: target{b.peer.Host, b.peer.Host, b.peerToken}, rows: rows, known: b.datasets[i]}
			pairs[i] = append(pairs[i], peer)
		}
		for _, s := range pairs[i] {
			if err := s.check(); err != nil {
				return err
			}
		}
		fmt.Printf("%d organisations imported in %.1f s\n", rows, pairs[i][0].database.importTime.Seconds())
	}
	largest := pairs[len(pairs)-1][0]
	if e.firstAnswer, err = b.firstAnswer(largest); err != nil {
		return err
	}
	if e.rows == limitedRows {
		e.importSeconds, e.importMiB = largest.database.importTime.Seconds(), largest.database.importMemory
	}
	printHead()
	for _, op := range b.operations {
		if err := b.operation(ctx, engine, op, pairs); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	if e.memory, err = largest.process.peakMemory(); err != nil {
		return err
	}
	b.engines = append(b.engines, e)
	return nil
}

// start fills a database and serves it.
func (b *benchmark) start(ctx context.Context, s *side, program, engine, name string) (err error) {
	s.database, err = fill(ctx, b.settings, program, engine, b.dir, name, b.dataset(s.rows))
	if err != nil {
		return err
	}
	s.process, err = startServer(program, s.database.url, filepath.Join(b.dir, engine+name+".log"))
	if err != nil {
		return err
	}
	s.target = target{s.process.address, s.process.address, s.known.StaffToken}
	return nil
}

func (s *side) close() error {
	var errs []error
	if s.process != nil {
		errs = append(errs, s.process.stop())
	}
	if s.database != nil {
		errs = append(errs, s.database.drop())
	}
	return errors.Join(errs...)
}

// check makes sure that the server holds the data.
func (s *side) check() error {
	c, err := dial(s.target)
	if err != nil {
		return err
	}
	defer c.Close()
	header, err := c.do(request{"HEAD", organisations, "", 200})
	if err != nil {
		return err
	}
	if count := header.Get("X-Result-Count"); count != strconv.Itoa(s.rows) {
		return fmt.Errorf("the server at %s has %s organisations, want %d", s.address, count, s.rows)
	}
	return nil
}

// firstAnswer is how long this program takes from its start to its first answer, in milliseconds.
func (b *benchmark) firstAnswer(s *side) (float64, error) {
	var took []float64
	for range starts {
		begin := time.Now()
		p, err := startServer(b.programs[0], s.database.url, filepath.Join(b.dir, "start.log"))
		if err != nil {
			return 0, err
		}
		again := &side{target: target{p.address, p.address, s.token}, rows: s.rows}
		err = again.check()
		took = append(took, milliseconds(time.Since(begin)))
		if err := errors.Join(err, p.stop()); err != nil {
			return 0, err
		}
	}
	return median(took), nil
}

// operation measures one operation at every number of rows.
func (b *benchmark) operation(ctx context.Context, engine string, op operation, pairs [][]*side) error {
	first := len(b.records)
	for _, pair := range pairs {
		samples, err := b.alternate(ctx, op, pair)
		if err != nil {
			return err
		}
		r := newRecord(samples)
		r.Operation, r.Engine, r.Rows = op.name, engine, pair[0].rows
		b.records = append(b.records, r)
	}
	alone := make([][]float64, len(pairs))
	for range looks {
		for i, pair := range pairs {
			r, err := send(pair[0].target, op, b.workload(pair[0]), 1, b.duration/4)
			if err != nil {
				return err
			}
			alone[i] = append(alone[i], r.p50)
		}
	}
	for i := range pairs {
		r := &b.records[first+i]
		r.OneClientP50 = median(alone[i])
		if i > 0 {
			r.growth = r.OneClientP50 / b.records[first].OneClientP50
		}
		r.print()
	}
	return nil
}

// alternate measures the servers of a pair in rounds, of which each begins with the other server, so
// that whatever else the machine does falls on both.
func (b *benchmark) alternate(ctx context.Context, op operation, pair []*side) ([][]sample, error) {
	for _, s := range pair {
		if _, err := send(s.target, op, b.workload(s), clients, warmUp); err != nil {
			return nil, err
		}
	}
	samples := make([][]sample, len(pair))
	for round := range b.rounds {
		for turn := range pair {
			which := (round + turn) % len(pair)
			s, err := b.sample(ctx, op, pair[which])
			if err != nil {
				return nil, err
			}
			samples[which] = append(samples[which], s)
		}
	}
	return samples, nil
}

// sample is a server under load, once.
type sample struct {
	result
	serverCPU, databaseCPU float64 // microseconds a request; 0 for a peer
}

func (s sample) cpu() float64 { return s.serverCPU + s.databaseCPU }

func (b *benchmark) sample(ctx context.Context, op operation, s *side) (sample, error) {
	w := b.workload(s)
	if s.process == nil {
		r, err := send(s.target, op, w, clients, b.duration)
		return sample{result: r}, err
	}
	serverBefore, databaseBefore, err := s.cpuTimes(ctx)
	if err != nil {
		return sample{}, err
	}
	r, err := send(s.target, op, w, clients, b.duration)
	if err != nil {
		return sample{}, err
	}
	serverAfter, databaseAfter, err := s.cpuTimes(ctx)
	if err != nil {
		return sample{}, err
	}
	var database time.Duration
	for pid, used := range databaseAfter {
		database += used - databaseBefore[pid]
	}
	each := func(used time.Duration) float64 {
		return float64(used.Microseconds()) / float64(r.all)
	}
	return sample{r, each(serverAfter - serverBefore), each(database)}, nil
}

// cpuTimes is the processor time of the server, and of each backend of its database.
func (s *side) cpuTimes(ctx context.Context) (time.Duration, map[int]time.Duration, error) {
	server, err := cpuTime(s.process.command.Process.Pid)
	if err != nil {
		return 0, nil, err
	}
	database, err := s.database.cpuTimes(ctx)
	return server, database, err
}

// workload is about a server's data, with new texts, and begins somewhere else in it each time.
func (b *benchmark) workload(s *side) workload {
	b.runs++
	salt := fmt.Sprintf("%x-%d", os.Getpid(), b.runs)
	return workload{Known: s.known, rows: s.rows, first: b.runs * stride % s.rows, salt: salt}
}

func title(engine string) string {
	if engine == sqlite {
		return "SQLite"
	}
	return "Postgres"
}
