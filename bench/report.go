package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
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
	reachable         float64    // of a server that does nothing but the statements; 0 where it was not measured
	growth            float64    // of the one client's p50 from the smallest number of rows; 0 at that
}

// engineRecord is what was measured of our server as a whole.
type engineRecord struct {
	name         string
	rows         int
	start        float64 // milliseconds to the first answer
	idle, loaded float64 // MiB resident
	imported     float64 // seconds for importRows organisations; 0 where so many were not imported
	manyMatches  growth  // of a keyword; nothing where it was not measured
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
	const format = "%-19s %7s │ %7s %7s  %-16s │ %7s %7s  %-16s │ %15s %15s │ %8s %7s │ %12s │ %6s\n"
	fmt.Println()
	fmt.Printf(format, "", "", "", "req/s", "", "CPU", "µs/req", "", "p50   p99 ms", "p50   p99 ms", "1 client", "", "baseline", "")
	fmt.Printf(format, "operation", "rows", "ours", "base", "ratio (range)", "ours", "base", "ratio (range)", "ours", "base", "p50 ms", "growth", "quality", "time")
}

func (r record) print(elapsed time.Duration) {
	growth, good := "", ""
	if r.growth > 0 {
		growth = fmt.Sprintf("%.2f×", r.growth)
	}
	if r.quality > 0 {
		good = fmt.Sprintf("%.2f", r.quality)
	}
	if r.reachable > 0 {
		good += fmt.Sprintf(" of %.2f", r.reachable)
	}
	ratio := func(value float64, span [2]float64) string {
		return fmt.Sprintf("%4.2f (%4.2f–%4.2f)", value, span[0], span[1])
	}
	fmt.Printf("%-19s %7d │ %7.0f %7.0f  %-16s │ %7.0f %7.0f  %-16s │ %7.2f %7.2f %7.2f %7.2f │ %8.3f %7s │ %12s │ %s\n",
		r.Operation, r.Rows, r.RPS, r.BaselineRPS, ratio(r.Ratio, r.ratios), r.CPU, r.BaselineCPU, ratio(r.CPURatio, r.cpuRatios),
		r.P50, r.P99, r.BaselineP50, r.BaselineP99, r.OneClientP50, growth, good, clock(elapsed))
}

// clock writes a time as minutes and seconds.
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%3d:%02d", seconds/60, seconds%60)
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
