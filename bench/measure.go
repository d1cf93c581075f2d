package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
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
)

// data is what servers hold.
type data struct {
	rows  int
	file  string
	known dataset.Known
}

// side is a server that is measured.
type side struct {
	target
	data
	process  *process  // nil for a peer
	database *database // nil for a peer
}

// benchmark is a run and what it has measured.
type benchmark struct {
	*settings
	dir      string
	programs []string // this program's, then the base's if there is one
	data     []data
	records  []record
	engines  []engineRecord
	runs     int // of workloads
}

// Run is the whole benchmark.
func (s *settings) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "opencalls-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &benchmark{settings: s, dir: dir}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, engine := range s.Engines {
		if err := b.engine(ctx, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	if err := b.writeFiles(); err != nil {
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
	case b.Peer != nil:
		fmt.Printf("Compared with the server at %s.\n", b.Peer.Host)
	case b.Base != "none":
		b.Base = cmp.Or(b.Base, defaultRevision(ctx))
		fmt.Printf("Compared with revision %s, which is built first.\n", b.Base)
		program, err := buildRevision(ctx, b.dir, b.Base)
		if err != nil {
			return fmt.Errorf("revision %s (BENCH_BASE=none compares with nothing): %w", b.Base, err)
		}
		b.programs = append(b.programs, program)
	}
	for _, rows := range b.Rows {
		file, err := os.Create(filepath.Join(b.dir, strconv.Itoa(rows)+".jsonl"))
		if err != nil {
			return err
		}
		known, err := writeDataset(file, rows)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		b.data = append(b.data, data{rows, file.Name(), known})
	}
	return nil
}

// engine measures everything on one engine.
func (b *benchmark) engine(ctx context.Context, engine string) (err error) {
	fmt.Printf("\n%s\n", titles[engine])
	var pairs [][]*side // of each number of rows, this program's server and the other one
	defer func() {
		for _, s := range slices.Concat(pairs...) {
			err = errors.Join(err, s.process.stop(), s.database.drop())
		}
	}()
	for i, d := range b.data {
		pairs = append(pairs, nil)
		for j, program := range b.programs {
			s := &side{data: d}
			pairs[i] = append(pairs[i], s)
			name := fmt.Sprintf("%s%d_%d", engine, d.rows, j)
			if s.database, err = fill(ctx, b.Postgres, program, engine, b.dir, name, d.file); err != nil {
				return err
			}
			if s.process, err = startServer(program, s.database.url, filepath.Join(b.dir, name+".log")); err != nil {
				return err
			}
			s.target = target{s.process.address, d.known.StaffToken}
		}
		if b.Peer != nil {
			address := net.JoinHostPort(b.Peer.Hostname(), cmp.Or(b.Peer.Port(), "80"))
			pairs[i] = append(pairs[i], &side{target: target{address, b.PeerToken}, data: d})
		}
		for _, s := range pairs[i] {
			if err := s.check(); err != nil {
				return err
			}
		}
		fmt.Printf("%d organisations imported in %.1f s\n", d.rows, pairs[i][0].database.importTime.Seconds())
	}
	fmt.Print(tableHead)
	for _, op := range operations {
		if !slices.Contains(b.Operations, op.name) {
			continue
		}
		if err := b.operation(ctx, engine, op, pairs); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return b.whole(ctx, engine, pairs[len(pairs)-1][0])
}

// whole measures what is no operation, on the server with the most rows.
func (b *benchmark) whole(ctx context.Context, engine string, s *side) error {
	if err := s.process.stop(); err != nil {
		return err
	}
	e := engineRecord{name: engine, memory: peakMemory(s.process.command), version: s.database.version}
	s.process = nil
	var took []float64
	for range starts {
		begin := time.Now()
		p, err := startServer(b.programs[0], s.database.url, filepath.Join(b.dir, "start.log"))
		if err != nil {
			return err
		}
		again := &side{target: target{p.address, s.token}, data: s.data}
		err = again.check()
		took = append(took, milliseconds(time.Since(begin)))
		if err := errors.Join(err, p.stop()); err != nil {
			return err
		}
	}
	e.firstAnswer = median(took)
	if s.rows == limitedRows {
		_, memory, err := run(ctx, b.dir, b.programs[0], "export", "--output", os.DevNull, "--database-url", s.database.url)
		if err != nil {
			return err
		}
		e.importSeconds, e.importMiB, e.exportMiB = s.database.importTime.Seconds(), s.database.importMemory, memory
	}
	b.engines = append(b.engines, e)
	return nil
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
			r, err := send(pair[0].target, op, b.workload(pair[0]), 1, b.duration()/4)
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
// that whatever else the machine does falls on both. The first round warms them up and does not count.
func (b *benchmark) alternate(ctx context.Context, op operation, pair []*side) ([][]sample, error) {
	samples := make([][]sample, len(pair))
	for round := range b.Rounds + 1 {
		for turn := range pair {
			which := (round + turn) % len(pair)
			s, err := b.sample(ctx, op, pair[which])
			if err != nil {
				return nil, err
			}
			if round > 0 {
				samples[which] = append(samples[which], s)
			}
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
	before, err := s.cpuTimes(ctx)
	if err != nil {
		return sample{}, err
	}
	r, err := send(s.target, op, b.workload(s), clients, b.duration())
	if err != nil {
		return sample{}, err
	}
	after, err := s.cpuTimes(ctx)
	sum := sample{result: r}
	for pid, used := range after {
		each := float64((used - before[pid]).Microseconds()) / float64(r.all)
		if pid == s.process.command.Process.Pid {
			sum.serverCPU += each
		} else {
			sum.databaseCPU += each
		}
	}
	return sum, err
}

// cpuTimes is the processor time of the server and of each backend of its database, by process. A peer
// may run anywhere: it has none.
func (s *side) cpuTimes(ctx context.Context) (map[int]time.Duration, error) {
	if s.process == nil {
		return nil, nil
	}
	times, err := s.database.cpuTimes(ctx)
	if err == nil {
		times[s.process.command.Process.Pid], err = cpuTime(s.process.command.Process.Pid)
	}
	return times, err
}

// workload is about a server's data, with new texts, and begins somewhere else in it each time.
func (b *benchmark) workload(s *side) workload {
	b.runs++
	salt := fmt.Sprintf("%x-%d", os.Getpid(), b.runs)
	return workload{s.known, s.rows, b.runs * stride % s.rows, salt}
}

// titles are the engines' names in the report.
var titles = map[string]string{sqlite: "SQLite", postgres: "Postgres"}
