package main

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/bench/dataset"
)

func TestQuantile(t *testing.T) {
	var hundred []int
	for i := range 100 {
		hundred = append(hundred, i+1)
	}
	for _, test := range []struct {
		sorted []int
		q      float64
		want   int
	}{
		{[]int{7}, 0.5, 7},
		{[]int{1, 2}, 0.5, 1},
		{[]int{1, 2, 3}, 0.5, 2},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred[:10], 0.99, 10},
	} {
		if got := quantile(test.sorted, test.q); got != test.want {
			t.Errorf("quantile %v of %v is %d, want %d", test.q, test.sorted, got, test.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3, 1}, 2},
		{[]float64{9, 1, 5}, 5},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
	}
}

// The ratios are those of each round, not of the medians.
func TestRecord(t *testing.T) {
	sampled := func(rps, server, database float64) sample {
		return sample{result{rps: rps}, server, database}
	}
	this := []sample{sampled(50, 10, 10), sampled(90, 5, 5), sampled(80, 30, 10)}
	base := []sample{sampled(100, 5, 5), sampled(100, 5, 5), sampled(200, 5, 5)}
	got := newRecord([][]sample{this, base})
	want := record{
		Clients: clients, RPS: 80, CPU: 20, serverCPU: 10, databaseCPU: 10,
		BaseRPS: 100, BaseCPU: 10, Ratio: 0.5, CPURatio: 2,
		ratios: []float64{0.4, 0.5, 0.9}, cpuRatios: []float64{1, 2, 4},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
	peer := newRecord([][]sample{this, {sampled(100, 0, 0), sampled(100, 0, 0), sampled(200, 0, 0)}})
	if peer.Ratio != 0.5 || peer.CPURatio != 0 {
		t.Errorf("with a peer: %+v", peer)
	}
	if alone := newRecord([][]sample{this}); alone.RPS != 80 || alone.BaseRPS != 0 {
		t.Errorf("alone: %+v", alone)
	}
}

func TestLimits(t *testing.T) {
	records := []record{
		{Operation: "list", Engine: sqlite, Rows: 1000, CPURatio: 1.25},
		{Operation: "list", Engine: sqlite, Rows: 100_000, CPURatio: 0.8, growth: 1.9},
		{Operation: "list_middle", Engine: sqlite, Rows: 100_000, growth: 20},
	}
	engines := []engineRecord{{name: sqlite, firstAnswer: 100, memory: 150, importSeconds: 60, importMiB: 300}}
	var printed strings.Builder
	if err := checkLimits(&printed, records, engines); err != nil || strings.Contains(printed.String(), "BROKEN") {
		t.Errorf("%v:\n%s", err, printed.String())
	}
	if n := strings.Count(printed.String(), "holds "); n != 7 || !strings.Contains(printed.String(), "1.000 ×") {
		t.Errorf("%d limits hold:\n%s", n, printed.String())
	}
	records = append(records, record{Operation: "stats", Engine: postgres, CPURatio: 1.3}, record{Operation: "retrieve", CPURatio: 1.26})
	printed.Reset()
	if err := checkLimits(&printed, records, engines); err == nil {
		t.Error("no error")
	}
	for _, text := range []string{"1.30 ×", "1.26 ×", "1.131 ×"} { // the last is the mean
		if strings.Count(printed.String(), "BROKEN") != 3 || !strings.Contains(printed.String(), text) {
			t.Errorf("no %s in\n%s", text, printed.String())
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
	var bodies []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.Header.Get("Authorization")+" "+string(body))
		_, _ = io.WriteString(w, strings.Repeat("x", 70_000))
	}))
	defer web.Close()
	address := web.Listener.Addr().String()
	op := operation{pairs: true, request: func(_ workload, _, n int) request {
		return []request{{"HEAD", "/", "", 200}, {"PATCH", "/", `{"a":1}`, 200}}[n%2]
	}}
	r, err := send(target{address, address, "t"}, op, workload{}, 1, lead)
	if err != nil || r.all != len(bodies) || r.all%2 != 0 || r.rps <= 0 || r.p99 < r.p50 || r.p50 <= 0 {
		t.Fatalf("%v: %+v, %d requests", err, r, len(bodies))
	}
	if bodies[0] != "HEAD Token t " || bodies[1] != `PATCH Token t {"a":1}` {
		t.Errorf("%q", bodies[:2])
	}
	op.request = func(workload, int, int) request { return request{"GET", "/", "", 404} }
	if _, err := send(target{address, address, "t"}, op, workload{}, 1, lead); err == nil || !strings.Contains(err.Error(), "want 404: xxx") {
		t.Errorf("an unexpected status: %v", err)
	}
}

func TestSettings(t *testing.T) {
	read := func(variables ...string) (settings, error) {
		return readSettings(func(name string) string {
			for _, v := range append(variables, "OPENCALLS_TEST_POSTGRES_URL=postgres://localhost/") {
				if value, found := strings.CutPrefix(v, name+"="); found {
					return value
				}
			}
			return ""
		})
	}
	if s, err := read("BENCH_BASE=x"); err != nil || !s.whole || len(s.operations) != 12 {
		t.Errorf("%v, %+v", err, s)
	}
	s, err := read("BENCH_SECONDS=0.5", "BENCH_ROWS=5000,1000,5000", "BENCH_ENGINES=sqlite", "BENCH_OPERATIONS=stats,list")
	if err != nil || s.whole || s.duration.Seconds() != 0.5 || !cmp.Equal(s.rows, []int{1000, 5000}) || s.operations[0].name != "list" {
		t.Errorf("%v, %+v", err, s)
	}
	if s, err := read("BENCH_PEER=http://h"); err != nil || s.peer.Host != "h:80" || len(s.rows) != 1 {
		t.Errorf("%v, %+v", err, s)
	}
	for _, wrong := range []string{
		"BENCH_SECONDS=0", "BENCH_ROUNDS=x", "BENCH_ROWS=1000,", "BENCH_ENGINES=mysql", "BENCH_OPERATIONS=lists", "BENCH_PEER=h:80",
	} {
		if _, err := read(wrong); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if _, err := read("BENCH_PEER=http://h", "BENCH_BASE=x"); err == nil {
		t.Error("a peer and a base at once")
	}
}

func TestFigures(t *testing.T) {
	records := []record{
		{Operation: "list", Engine: postgres, Rows: 1000, RPS: 1234.5, P50: 1, P99: 2, serverCPU: 30, databaseCPU: 40, OneClientP50: 0.25},
		{Operation: "list", Engine: postgres, Rows: 100_000, OneClientP50: 0.5, growth: 2},
	}
	text := figures(records, []engineRecord{{name: postgres, memory: 60}})
	if !strings.Contains(text, "| list | 1,234 | 1.00 | 2.00 | 30+40 | 0.25 | 0.50 |\n") {
		t.Error(text)
	}
	page, err := os.ReadFile("../" + pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if page, err = replaceFigures(page, text); err != nil || !strings.Contains(string(page), text) {
		t.Errorf("%v: %s", err, page)
	}
	if math.Abs(newScale([]record{{OneClientP50: 0.07}, {OneClientP50: 33}}).x(0, 0.05)) > 0 {
		t.Error("the chart's axis does not begin at the tick below the least time")
	}
}
