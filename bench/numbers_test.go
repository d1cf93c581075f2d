package main

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, test := range []struct {
		sorted []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0}, {[]int{7}, 0.5, 7}, {[]int{7}, 0.99, 7}, {[]int{1, 2}, 0.5, 1}, {[]int{1, 2, 3}, 0.5, 2},
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0, 1}, {hundred[:10], 0.99, 10},
	} {
		if got := quantile(test.sorted, test.q); got != test.want {
			t.Errorf("quantile %v of %v is %d, not %d", test.q, test.sorted, got, test.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, not %v", test.values, got, test.want)
		}
	}
}

// The ratios are those of each pair of rounds, not of the medians.
func TestRecord(t *testing.T) {
	sampled := func(rate, cpu float64) sample { return sample{measured{Rate: rate, P50: 1, P99: 2}, cpu} }
	op, err := operationByName("list")
	if err != nil {
		t.Fatal(err)
	}
	r := newRecord(op, &database{engine: sqlite, rows: 1000},
		[]sample{sampled(50, 20), sampled(90, 10), sampled(80, 40)},
		[]sample{sampled(100, 10), sampled(100, 10), sampled(200, 10)})
	if r.Ratio != 0.5 || r.ratios != [2]float64{0.4, 0.9} || r.CPURatio != 0.5 || r.cpuRatios != [2]float64{0.25, 1} || r.RPS != 80 || r.BaselineRPS != 100 {
		t.Errorf("%+v", r)
	}
}

// Each ratio is an aim of its own, beyond what it must be, and none where ratios are not judged.
func TestAims(t *testing.T) {
	for _, op := range operations {
		for _, engine := range []string{sqlite, postgres} {
			if must, aim := op.must.on(engine), op.aim.on(engine); must <= 0 || aim <= must || aim > 1 {
				t.Errorf("%s on %s: %.2f → %.2f", op.name, engine, must, aim)
			}
		}
	}
	b := benchmark{settings: settings{rows: []int{targetRows}, engines: []string{sqlite, postgres}, operations: operations[:2]}}
	for _, r := range []record{
		{Operation: "list", Engine: sqlite, Ratio: 0.85, CPURatio: 0.84}, {Operation: "list_last", Engine: sqlite, Ratio: 0.9, CPURatio: 0.5},
		{Operation: "list", Engine: postgres, Ratio: 0.89, CPURatio: 0.9}, {Operation: "list_last", Engine: postgres, Ratio: 0.95, CPURatio: 1.1},
	} {
		r.Rows = targetRows
		b.records = append(b.records, r)
	}
	want := "5 of 8 aims are reached\nnot yet: SQLite CPU: list, list_last; Postgres req/s: list\n"
	if got := b.aims(); got != want {
		t.Errorf("%q", got)
	}
	b.rows = []int{2 * targetRows}
	if got := b.aims(); got != "" {
		t.Errorf("%q", got)
	}
}

func TestQuality(t *testing.T) {
	// Each alone takes 1/100 s: both take 1/50 s.
	if got := quality(40, 100, 100); math.Abs(got-0.8) > 1e-9 {
		t.Errorf("quality %v", got)
	}
}

// What reads BENCH_JSON finds these keys.
func TestJSON(t *testing.T) {
	text, err := json.Marshal([]record{{Operation: "list", Engine: sqlite, Rows: 1000, Clients: clients}})
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields("operation engine rows clients rps baseline_rps ratio cpu_us baseline_cpu_us cpu_ratio p50_ms p99_ms baseline_p50_ms baseline_p99_ms one_client_p50_ms")
	for _, key := range keys {
		if _, there := list[0][key]; !there {
			t.Errorf("no %s", key)
		}
	}
	if len(list[0]) != len(keys) {
		t.Errorf("%s", text)
	}
	names := strings.Fields("list list_last list_middle list_keyword_rare list_keyword_common list_count retrieve stats list_users list_users_5000 partial_update add_delete_user")
	if !slices.Equal(names, strings.Split(operationNames(), ", ")) {
		t.Errorf("operations %s", operationNames())
	}
}

func TestSettings(t *testing.T) {
	t.Setenv("OPENCALLS_TEST_POSTGRES_URL", "postgres://localhost/")
	whole, err := readSettings()
	if err != nil || whole.narrowed || whole.chart != wholeChart || whole.rounds < 5 || !slices.Equal(whole.rows, []int{1000, 100_000}) || len(whole.operations) != 12 {
		t.Errorf("%v, %+v", err, whole)
	}
	for name, value := range map[string]string{
		"BENCH_SECONDS": "0.5", "BENCH_ROUNDS": "3", "BENCH_ROWS": "5000,1000,5000", "BENCH_ENGINES": "sqlite", "BENCH_OPERATIONS": "stats,list",
	} {
		t.Setenv(name, value)
	}
	some, err := readSettings()
	if err != nil || some.chart != "" || some.duration != 500*time.Millisecond || some.rounds != 3 || !slices.Equal(some.rows, []int{1000, 5000}) ||
		!slices.Equal(some.engines, []string{sqlite}) || len(some.operations) != 2 || some.operations[0].name != "stats" {
		t.Errorf("%v, %+v", err, some)
	}
	for name, value := range map[string]string{
		"BENCH_SECONDS": "0", "BENCH_ROUNDS": "x", "BENCH_ROWS": "1000,", "BENCH_ENGINES": "mysql", "BENCH_OPERATIONS": "lists",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := readSettings(); err == nil || !strings.Contains(err.Error(), name+"="+value) {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		})
	}
}

// Only what is done between the lead and the end counts, and the end waits for what is slow.
func TestWindow(t *testing.T) {
	now := time.Now()
	w := &window{begin: now.Add(-2 * time.Second), end: now.Add(-time.Second), latest: now.Add(time.Hour), least: 2}
	if w.done(now.Add(-3*time.Second)) || !w.done(now.Add(-time.Second)) || w.over() {
		t.Error("one of two is enough, or what came before is counted")
	}
	if !w.done(now) || !w.over() || w.done(time.Now().Add(time.Second)) {
		t.Error("two of two are not enough, or what comes after is counted")
	}
	if rate := w.rate(); rate <= 0 || rate > 1 {
		t.Errorf("2 in at least 2 s are %v a second", rate)
	}
	late := &window{begin: now.Add(-2 * time.Second), end: now.Add(-time.Second), latest: now, least: 2}
	if !late.over() || late.rate() != 0 {
		t.Error("it waits for ever")
	}
}
