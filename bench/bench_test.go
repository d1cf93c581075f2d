package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/bench/baseline"
	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// fill imports the data that is measured.
func fill(t testing.TB, s *store.Store, organisations int) workload {
	t.Helper()
	var file bytes.Buffer
	known, err := dataset.Write(&file, dataset.Config{Organisations: organisations, Seed: seed, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	err = s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
		source := &fixture.File{Name: "dataset.jsonl", Content: &file}
		_, err := fixture.Import(ctx, tx, []*fixture.File{source}, images.Limits{MaxBytes: 1, MaxPixels: 1}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return workload{Known: known, Rows: organisations, Salt: "test"}
}

// serveOurs returns our server, logging as in production.
func serveOurs(t testing.TB, s *store.Store) http.Handler {
	t.Helper()
	handler, err := server.New(server.Config{Store: s, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// The baseline runs the statements of our server in the same order, and gives the same answers.
func TestBaselineDoesTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		url := storetest.MigratedURL(t, engine)
		var ours, theirs storetest.Statements
		s := storetest.OpenURL(t, url, ours.Use)
		w := fill(t, s, 40)
		d, err := baseline.Open(url, theirs.Wrap)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		address := func(handler http.Handler) string {
			web := httptest.NewServer(handler)
			t.Cleanup(web.Close)
			return web.Listener.Addr().String()
		}
		ourAddress, theirAddress := address(serveOurs(t, s)), address(baseline.Handler(d))
		for _, op := range operations {
			ours.Reset()
			theirs.Reset()
			want, err := op.answers(ourAddress, w)
			if err != nil {
				t.Fatalf("%s: %v", op.name, err)
			}
			got, err := op.answers(theirAddress, w)
			if err != nil {
				t.Fatalf("%s, baseline: %v", op.name, err)
			}
			if err := compare(op, want, got); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(normalised(ours.All()), normalised(theirs.All())); diff != "" {
				t.Errorf("%s: statements of ours (-) and of the baseline (+):\n%s", op.name, diff)
			}
		}
	})
}

func normalised(statements []string) []string {
	for i, statement := range statements {
		statements[i] = strings.Join(strings.Fields(statement), " ")
	}
	return statements
}

// BenchmarkOperations is the whole path of a request through our server and through the
// baseline, without the network: time and allocations of each operation, on SQLite.
func BenchmarkOperations(b *testing.B) {
	url := storetest.MigratedURL(b, storetest.SQLite)
	s := storetest.OpenURL(b, url)
	w := fill(b, s, 1000)
	d, err := baseline.Open(url, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close() })
	servers := map[string]http.Handler{"ours": serveOurs(b, s), "baseline": baseline.Handler(d)}
	for _, op := range operations {
		for _, name := range []string{"ours", "baseline"} {
			b.Run(op.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				w.Salt = name + strconv.Itoa(b.N)
				send := func(n int) {
					sent, want := op.requests(w, 0, n)
					r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent.text)))
					if err != nil {
						b.Fatal(err)
					}
					answer := httptest.NewRecorder()
					servers[name].ServeHTTP(answer, r)
					if answer.Code != want {
						b.Fatalf("status %d, not %d: %s", answer.Code, want, answer.Body)
					}
				}
				n := 0
				for b.Loop() {
					send(n)
					n++
				}
				if op.pairs() && n%2 == 1 { // take back what was given last
					send(n)
				}
			})
		}
	}
}
