package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// record is what was measured of an operation. The fields with a name in JSON are those of BENCH_JSON.
type record struct {
	Operation    string  `json:"operation"`
	Engine       string  `json:"engine"`
	Rows         int     `json:"rows"`
	Clients      int     `json:"clients"`
	RPS          float64 `json:"rps"`
	CPU          float64 `json:"cpu_us"` // of server and database
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	OneClientP50 float64 `json:"one_client_p50_ms"`
	BaseRPS      float64 `json:"base_rps,omitempty"`
	BaseCPU      float64 `json:"base_cpu_us,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
	CPURatio     float64 `json:"cpu_ratio,omitempty"`

	serverCPU, databaseCPU float64
	ratios, cpuRatios      []float64 // of each round, ascending
	growth                 float64   // of OneClientP50 from the smallest number of rows; 0 at that
}

// engineRecord is what was measured of the program on an engine.
type engineRecord struct {
	name, version                       string
	firstAnswer                         float64 // ms
	memory                              float64 // MiB, the most under load
	importSeconds, importMiB, exportMiB float64 // 0 unless there were limitedRows
}

// newRecord sums up the rounds of this program's server and of the other one, if there is one: the
// medians, and the median of the ratios of each round.
func newRecord(samples [][]sample) record {
	of := func(list []sample, value func(sample) float64) float64 {
		var values []float64
		for _, s := range list {
			values = append(values, value(s))
		}
		return median(values)
	}
	this := samples[0]
	r := record{
		Clients:     clients,
		RPS:         of(this, func(s sample) float64 { return s.rps }),
		CPU:         of(this, sample.cpu),
		P50:         of(this, func(s sample) float64 { return s.p50 }),
		P99:         of(this, func(s sample) float64 { return s.p99 }),
		serverCPU:   of(this, func(s sample) float64 { return s.serverCPU }),
		databaseCPU: of(this, func(s sample) float64 { return s.databaseCPU }),
	}
	if len(samples) == 1 {
		return r
	}
	base := samples[1]
	r.BaseRPS = of(base, func(s sample) float64 { return s.rps })
	r.BaseCPU = of(base, sample.cpu)
	for i := range this {
		r.ratios = append(r.ratios, this[i].rps/base[i].rps)
		if base[i].cpu() > 0 {
			r.cpuRatios = append(r.cpuRatios, this[i].cpu()/base[i].cpu())
		}
	}
	slices.Sort(r.ratios)
	slices.Sort(r.cpuRatios)
	r.Ratio = median(r.ratios)
	if len(r.cpuRatios) > 0 {
		r.CPURatio = median(r.cpuRatios)
	}
	return r
}

const tableHead = `
                            │             p50      p99 │  CPU µs   CPU µs │  1 client         │ of the base's (range)
operation              rows │   req/s      ms       ms │  server database │    p50 ms  growth │ req/s              CPU
`

func (r record) print() {
	growth := ""
	if r.growth > 0 {
		growth = fmt.Sprintf("%.2f ×", r.growth)
	}
	fmt.Printf("%-19s %7d │ %7.0f %8.2f %8.2f │ %7.0f %8.0f │ %9.3f %7s │ %-17s  %s\n",
		r.Operation, r.Rows, r.RPS, r.P50, r.P99, r.serverCPU, r.databaseCPU, r.OneClientP50, growth,
		spread(r.ratios), spread(r.cpuRatios))
}

// spread writes the median and the range of a sorted list.
func spread(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(values), values[0], values[len(values)-1])
}

// The files that a whole run writes, and the lines of the page between which the figures are.
const (
	pageFile     = "docs/performance.md"
	chartFile    = "docs/performance-growth.svg"
	figuresBegin = "<!-- figures: written by make bench -->\n"
	figuresEnd   = "<!-- end of the figures -->\n"
)

// writeFiles writes the JSON that was asked for and, of a whole run, the figures in the documents.
func (b *benchmark) writeFiles() error {
	if b.JSON != "" {
		text, err := json.MarshalIndent(b.records, "", "  ")
		if err := errors.Join(err, os.WriteFile(b.JSON, append(text, '\n'), 0o644)); err != nil {
			return err
		}
	}
	if !b.complete() {
		return nil
	}
	page, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	page, err = replaceFigures(page, machine(b.engines)+figures(b.records, b.engines))
	picture, drawn := drawGrowth(b.records)
	if err := errors.Join(err, drawn); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(pageFile, page, 0o644), os.WriteFile(chartFile, picture, 0o644))
}

func replaceFigures(page []byte, text string) ([]byte, error) {
	before, rest, found := bytes.Cut(page, []byte(figuresBegin))
	_, after, ended := bytes.Cut(rest, []byte(figuresEnd))
	if !found || !ended {
		return nil, fmt.Errorf("%s has no lines %q and %q", pageFile, figuresBegin, figuresEnd)
	}
	return slices.Concat(before, []byte(figuresBegin+"\n"+text+"\n"+figuresEnd), after), nil
}

// machine says what the figures were measured on.
func machine(engines []engineRecord) string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, after, _ := strings.Cut(string(info), "model name\t: ")
	model, _, _ := strings.Cut(after, "\n")
	return fmt.Sprintf("Measured on %d cores of %s, Linux, %s, Postgres %s, which servers, Postgres and clients share.\n",
		runtime.NumCPU(), strings.TrimSpace(model), runtime.Version(), engines[len(engines)-1].version)
}

// figures are the tables of the page. Each second record is the one before at 100,000 organisations.
func figures(records []record, engines []engineRecord) string {
	var text strings.Builder
	for _, e := range engines {
		fmt.Fprintf(&text, "\n%s:\n\n", titles[e.name])
		text.WriteString("| operation | req/s | p50–p99 | CPU µs | one client |\n|---|---|---|---|---|\n")
		for pair := range slices.Chunk(records, 2) {
			r := pair[0]
			if r.Engine != e.name {
				continue
			}
			cpu := fmt.Sprintf("%.0f", r.serverCPU)
			if r.databaseCPU > 0 {
				cpu += fmt.Sprintf("+%.0f", r.databaseCPU)
			}
			fmt.Fprintf(&text, "| %s | %s | %.2f–%.2f | %s | %.2f→%.2f |\n",
				r.Operation, thousands(int(r.RPS)), r.P50, r.P99, cpu, r.OneClientP50, pair[1].OneClientP50)
		}
	}
	text.WriteString("\n| 100,000 organisations | memory | first answer | import |\n|---|---|---|---|\n")
	for _, e := range engines {
		fmt.Fprintf(&text, "| %s | %.0f MiB | %.0f ms | %.0f s, %.0f MiB |\n",
			titles[e.name], e.memory, e.firstAnswer, e.importSeconds, e.importMiB)
	}
	return text.String()
}

// thousands writes a number with commas between its thousands.
func thousands(n int) string { return message.NewPrinter(language.English).Sprint(n) }
