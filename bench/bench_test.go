package main

import (
	"encoding/xml"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/bench/dataset"
)

func TestQuantile(t *testing.T) {
	var hundred []int
	for i := range 100 {
		hundred = append(hundred, i+1)
	}
	got := []int{
		quantile([]int{7}, 0.5), quantile([]int{1, 2}, 0.5), quantile([]int{1, 2, 3}, 0.5),
		quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred[:10], 0.99), int(median([]float64{9, 1, 5})),
	}
	if want := []int{7, 1, 2, 50, 99, 10, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The ratios are those of each round, not of the medians.
func TestRecord(t *testing.T) {
	sampled := func(rps, server, database float64) sample {
		return sample{result{rps: rps}, server, database}
	}
	this := []sample{sampled(50, 10, 10), sampled(90, 5, 5), sampled(80, 30, 10)}
	base := []sample{sampled(100, 5, 5), sampled(100, 5, 5), sampled(200, 5, 5)}
	peer := []sample{sampled(100, 0, 0), sampled(100, 0, 0), sampled(200, 0, 0)}
	want := record{Clients: clients, RPS: 80, CPU: 20, serverCPU: 10, databaseCPU: 10}
	check := func(other ...[]sample) {
		t.Helper()
		got := newRecord(append([][]sample{this}, other...))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(record{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	check()
	want.BaseRPS, want.Ratio, want.ratios = 100, 0.5, []float64{0.4, 0.5, 0.9}
	check(peer)
	want.BaseCPU, want.CPURatio, want.cpuRatios = 10, 2, []float64{1, 2, 4}
	check(base)
}

func TestLimits(t *testing.T) {
	records := []record{
		{Operation: "list", Engine: sqlite, Rows: 1000, CPURatio: 1.25},
		{Operation: "list", Engine: sqlite, Rows: 100_000, CPURatio: 0.8, growth: 1.9},
		{Operation: "list_middle", Engine: sqlite, Rows: 100_000, growth: 20},
	}
	engines := []engineRecord{{sqlite, "", 100, 150, 60, 300, 300}}
	var printed strings.Builder
	if err := checkLimits(&printed, records, engines); err != nil || strings.Count(printed.String(), "holds ") != 7 {
		t.Errorf("%v:\n%s", err, &printed)
	}
	records = append(records, record{Operation: "stats", Engine: postgres, CPURatio: 1.3},
		record{Operation: "retrieve", CPURatio: 1.26})
	printed.Reset()
	if err := checkLimits(&printed, records, engines); err == nil {
		t.Error("no error")
	}
	for _, text := range []string{"1.30 ×", "1.26 ×", "1.131 ×"} { // the last is the mean
		if strings.Count(printed.String(), "BROKEN") != 3 || !strings.Contains(printed.String(), text) {
			t.Errorf("no %s in\n%s", text, &printed)
		}
	}
}

// Two clients never change the same organisation, and each visits its whole share.
func TestClientsShareNothing(t *testing.T) {
	const rows = 1000
	w := workload{rows: rows, first: 77}
	owner := map[any]int{}
	for client := range clients {
		for n := range 500 {
			organisation := w.organisation(client, n)
			if other, known := owner[organisation]; known && other != client {
				t.Fatalf("clients %d and %d both change %s", client, other, organisation)
			}
			owner[organisation] = client
		}
	}
	if len(owner) != rows || owner[dataset.Organisation(seed, 17)] != 1 {
		t.Errorf("%d organisations, want %d", len(owner), rows)
	}
}

func TestSend(t *testing.T) {
	var got []string
	var delay time.Duration
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.Header.Get("Authorization")+" "+string(body))
		time.Sleep(delay)
		_, _ = io.WriteString(w, strings.Repeat("x", 70_000))
	}))
	defer web.Close()
	server := target{web.Listener.Addr().String(), "t"}
	op := operation{pairs: true, request: func(_ workload, _, n int) request {
		return []request{{"HEAD", "/", "", 200}, {"PATCH", "/", `{"a":1}`, 200}}[n%2]
	}}
	r, err := send(server, op, workload{}, 1, lead)
	if err != nil || r.all != len(got) || r.all%2 != 0 || r.rps <= 0 || r.p99 < r.p50 || r.p50 <= 0 {
		t.Fatalf("%v: %+v, %d requests", err, r, len(got))
	}
	if got[0] != "HEAD Token t " || got[1] != `PATCH Token t {"a":1}` {
		t.Errorf("%q", got[:2])
	}
	delay = 3 * lead // longer than is measured
	if r, err := send(server, op, workload{}, 1, lead); err != nil || r.rps < 2 || r.rps > 3.4 || r.p50 < 300 {
		t.Errorf("a slow server: %v, %+v", err, r)
	}
	op.request = func(workload, int, int) request { return request{"GET", "/", "", 404} }
	if _, err := send(server, op, workload{}, 1, lead); err == nil || !strings.Contains(err.Error(), "want 404: xxx") {
		t.Errorf("an unexpected status: %v", err)
	}
}

func TestSettings(t *testing.T) {
	for _, test := range []struct {
		variables, wrong string // wrong is what the error names
		complete         bool
		rows             []int
	}{
		{variables: "BENCH_BASE=x", complete: true, rows: []int{1000, 100_000}},
		{variables: "BENCH_ROWS=5000,1000,5000 BENCH_ENGINES=sqlite", rows: []int{1000, 5000}},
		{variables: "BENCH_OPERATIONS=stats,list", rows: []int{1000, 100_000}},
		{variables: "BENCH_PEER=http://h", rows: []int{1000}},
		{variables: "BENCH_SECONDS=0", wrong: "BENCH_SECONDS"},
		{variables: "BENCH_ROUNDS=0", wrong: "BENCH_ROUNDS"},
		{variables: "BENCH_ROWS=100", wrong: "BENCH_ROWS"},
		{variables: "BENCH_ENGINES=mysql", wrong: "--engines"},
		{variables: "BENCH_PEER=h:80", wrong: "BENCH_PEER"},
		{variables: "BENCH_PEER=http://h BENCH_BASE=x", wrong: "--peer"},
		{variables: "BENCH_PEER=http://h BENCH_ROWS=1000,2000", wrong: "BENCH_ROWS"},
		{variables: "OPENCALLS_TEST_POSTGRES_URL=", wrong: "BENCH_ENGINES=sqlite"},
	} {
		t.Run(test.variables, func(t *testing.T) {
			t.Setenv("OPENCALLS_TEST_POSTGRES_URL", "postgres://localhost/")
			for variable := range strings.FieldsSeq(test.variables) {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			var c commands
			parser, err := kong.New(&c, operationNames())
			if err != nil {
				t.Fatal(err)
			}
			_, err = parser.Parse(nil)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || c.Run.complete() != test.complete || !cmp.Equal(c.Run.Rows, test.rows) {
				t.Errorf("%v: %+v", err, c.Run)
			}
		})
	}
}

func TestFigures(t *testing.T) {
	var records []record
	for _, engine := range []string{sqlite, postgres} {
		for i, op := range operations {
			r := record{Operation: op.name, Engine: engine, Rows: 1000, RPS: 1234.5, P50: 1, P99: 2, serverCPU: 30,
				databaseCPU: 40, OneClientP50: 0.07 * math.Pow(1.4, float64(i))}
			records = append(records, r,
				record{Operation: op.name, Engine: engine, Rows: 100_000, OneClientP50: 2 * r.OneClientP50, growth: 2})
		}
	}
	text := figures(records, []engineRecord{{name: postgres, memory: 60}})
	if !strings.Contains(text, "| list | 1,234 | 1.00–2.00 | 30+40 | 0.07→0.14 |\n") {
		t.Error(text)
	}
	page, err := os.ReadFile("../" + pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if page, err = replaceFigures(page, text); err != nil || !strings.Contains(string(page), text) {
		t.Errorf("%v: %s", err, page)
	}
	picture, err := drawGrowth(records)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(picture, &struct{}{}); err != nil {
		t.Error(err)
	}
	if circles, want := strings.Count(string(picture), "<circle"), 2+len(records); circles != want {
		t.Errorf("%d circles, not %d", circles, want)
	}
	for _, text := range []string{
		">SQLite<", ">Postgres<", ">add_delete_user<", "100,000 organisations", "2.0×", ">0.05<",
	} {
		if !strings.Contains(string(picture), text) {
			t.Errorf("no %s in\n%s", text, picture)
		}
	}
}
