package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// record is what was measured of an operation; those with a name in JSON go into BENCH_JSON.
type record struct {
	Operation    string  `json:"operation"`
	Engine       string  `json:"engine"`
	Rows         int     `json:"rows"`
	Clients      int     `json:"clients"`
	RPS          float64 `json:"rps"`
	BaselineRPS  float64 `json:"baseline_rps"`
	Ratio        float64 `json:"ratio"`
	CPU          float64 `json:"cpu_us"`
	BaselineCPU  float64 `json:"baseline_cpu_us"`
	CPURatio     float64 `json:"cpu_ratio"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	BaselineP50  float64 `json:"baseline_p50_ms"`
	BaselineP99  float64 `json:"baseline_p99_ms"`
	OneClientP50 float64 `json:"one_client_p50_ms"`

	ratios, cpuRatios [2]float64 // least and most
	quality           float64    // of the baseline; 0 where it was not measured
	growth            float64    // of the one client's p50 from the smallest number of rows; 0 at that
}

// engineRecord is what was measured of our server as a whole.
type engineRecord struct {
	name         string
	rows         int
	start        float64 // milliseconds to the first answer
	idle, loaded float64 // MiB resident
}

// newRecord sums up paired rounds: the medians, and the ratios of each pair.
func newRecord(op operation, d *database, ours, baseline []sample) record {
	of := func(samples []sample, value func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = value(s)
		}
		return median(values)
	}
	rate := func(s sample) float64 { return s.Rate }
	cpu := func(s sample) float64 { return s.cpu }
	p50 := func(s sample) float64 { return s.P50 }
	p99 := func(s sample) float64 { return s.P99 }
	ratios, cpuRatios := make([]float64, len(ours)), make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i].Rate / baseline[i].Rate
		cpuRatios[i] = baseline[i].cpu / ours[i].cpu
	}
	return record{
		Operation: op.name, Engine: d.engine, Rows: d.rows, Clients: clients,
		RPS: of(ours, rate), BaselineRPS: of(baseline, rate), Ratio: median(ratios),
		CPU: of(ours, cpu), BaselineCPU: of(baseline, cpu), CPURatio: median(cpuRatios),
		P50: of(ours, p50), P99: of(ours, p99), BaselineP50: of(baseline, p50), BaselineP99: of(baseline, p99),
		ratios:    [2]float64{slices.Min(ratios), slices.Max(ratios)},
		cpuRatios: [2]float64{slices.Min(cpuRatios), slices.Max(cpuRatios)},
	}
}

func printHead() {
	fmt.Printf("\n%-19s %7s │ %15s  %-18s │ %15s  %-18s │ %13s %13s │ %8s %7s │ %8s\n", "", "", "requests/s", "", "CPU µs/request", "", "p50/p99 ms", "p50/p99 ms", "1 client", "", "baseline")
	fmt.Printf("%-19s %7s │ %7s %7s  %-18s │ %7s %7s  %-18s │ %13s %13s │ %8s %7s │ %8s\n", "operation", "rows",
		"ours", "base", "ratio (range)", "ours", "base", "ratio (range)", "ours", "base", "p50 ms", "growth", "quality")
}

func (r record) print() {
	growth, good := "", ""
	if r.growth > 0 {
		growth = fmt.Sprintf("%.2f×", r.growth)
	}
	if r.quality > 0 {
		good = fmt.Sprintf("%.2f", r.quality)
	}
	fmt.Printf("%-19s %7d │ %7.0f %7.0f  %4.2f (%4.2f–%4.2f)   │ %7.0f %7.0f  %4.2f (%4.2f–%4.2f)   │ %6.2f %6.2f %6.2f %6.2f │ %8.3f %7s │ %8s\n",
		r.Operation, r.Rows, r.RPS, r.BaselineRPS, r.Ratio, r.ratios[0], r.ratios[1],
		r.CPU, r.BaselineCPU, r.CPURatio, r.cpuRatios[0], r.cpuRatios[1],
		r.P50, r.P99, r.BaselineP50, r.BaselineP99, r.OneClientP50, growth, good)
}

// files writes what was asked for beside the output.
func (b *benchmark) files() error {
	if b.json != "" {
		text, err := json.MarshalIndent(b.records, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if b.chart == "" || len(b.rows) < 2 {
		return nil
	}
	picture, err := drawGrowth(b.records)
	if err != nil {
		return err
	}
	return os.WriteFile(b.chart, picture, 0o644)
}
