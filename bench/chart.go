package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"text/template"
)

// The chart is a panel for each engine with a line for each operation, which leads from the time
// at the smallest number of organisations to that at the largest. All lengths are pixels.
const (
	labelWidth  = 160 // of the operations' names
	panelWidth  = 330
	panelGap    = 60 // between panels; the growth stands there
	lineHeight  = 24
	headHeight  = 76
	axisHeight  = 40
	ticksPerTen = 3 // 1, 2 and 5
)

//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

type chart struct {
	Width, Height, Bottom int
	Least, Most           string // numbers of organisations
	Labels                []label
	Panels                []panel
}

type label struct {
	Y    int
	Text string
}

type panel struct {
	Title       string
	Left, Right int
	Ticks       []tick
	Lines       []line
}

type tick struct {
	X    float64
	Text string
}

type line struct {
	Y              int
	X1, X2         float64
	Tooltip        string
	Growth         string
	GrowthPosition int
}

// drawGrowth draws how long one client waits, and how that grows with the data, as an SVG that
// is readable on light and on dark pages.
func drawGrowth(records []record) ([]byte, error) {
	var names, engines []string
	var rows []int
	for _, r := range records {
		names, engines, rows = add(names, r.Operation), add(engines, r.Engine), add(rows, r.Rows)
	}
	slices.Sort(rows)
	scale := newScale(records)
	c := chart{
		Width: labelWidth + len(engines)*(panelWidth+panelGap), Bottom: headHeight + len(names)*lineHeight,
		Least: thousands(rows[0]), Most: thousands(rows[len(rows)-1]),
	}
	c.Height = c.Bottom + axisHeight
	for i, name := range names {
		c.Labels = append(c.Labels, label{lineY(i), name})
	}
	for i, engine := range engines {
		left := labelWidth + i*(panelWidth+panelGap)
		p := panel{Title: title(engine), Left: left, Right: left + panelWidth, Ticks: scale.ticks(left)}
		for j, name := range names {
			var times []float64
			for _, n := range rows {
				for _, r := range records {
					if r.Operation == name && r.Engine == engine && r.Rows == n {
						times = append(times, r.OneClientP50)
					}
				}
			}
			p.Lines = append(p.Lines, newLine(scale, left, j, name, times))
		}
		c.Panels = append(c.Panels, p)
	}
	var picture bytes.Buffer
	err := chartTemplate.Execute(&picture, c)
	return picture.Bytes(), err
}

func newLine(s scale, left, i int, name string, times []float64) line {
	first, last := times[0], times[len(times)-1]
	l := line{
		Y: lineY(i), X1: s.x(left, first), X2: s.x(left, last), GrowthPosition: left + panelWidth + 8,
		Growth: fmt.Sprintf("%.1f×", last/first), Tooltip: fmt.Sprintf("%s: %.3f ms, then %.3f ms", name, first, last),
	}
	return l
}

func lineY(i int) int { return headHeight + i*lineHeight + lineHeight/2 }

// scale is a logarithmic axis of milliseconds; it begins and ends at a tick.
type scale struct{ first, last int }

// newScale makes one on which all times have a place.
func newScale(records []record) scale {
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range records {
		least, most = min(least, r.OneClientP50), max(most, r.OneClientP50)
	}
	var s scale
	for s.first = 0; tickAt(s.first) > least; s.first-- {
	}
	for s.last = s.first + 1; tickAt(s.last) < most; s.last++ {
	}
	return s
}

// tickAt is the ith number of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, …, of which the 0th is 1.
func tickAt(i int) float64 {
	tens := int(math.Floor(float64(i) / ticksPerTen))
	return []float64{1, 2, 5}[i-tens*ticksPerTen] * math.Pow10(tens)
}

func (s scale) x(left int, value float64) float64 {
	from, to := math.Log(tickAt(s.first)), math.Log(tickAt(s.last))
	return math.Round(10*(float64(left)+panelWidth*(math.Log(value)-from)/(to-from))) / 10
}

func (s scale) ticks(left int) []tick {
	var list []tick
	for i := s.first; i <= s.last; i++ {
		list = append(list, tick{s.x(left, tickAt(i)), strconv.FormatFloat(tickAt(i), 'f', -1, 64)})
	}
	return list
}

func add[T comparable](list []T, value T) []T {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}
