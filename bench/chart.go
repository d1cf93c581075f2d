package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"text/template"
)

// The chart is a panel for each engine with a line for each operation, which leads from the time
// at the smallest number of organisations to that at the largest. All lengths are pixels.
const (
	labelWidth = 160 // of the operations' names
	panelWidth = 330
	panelGap   = 60 // between panels; the growth stands there
	lineHeight = 24
	headHeight = 76
	axisHeight = 40
)

// allTicks are those that the axis of milliseconds may have.
var allTicks = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}

//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

type chart struct {
	Width, Height, Bottom           int
	Least, Most                     string // numbers of organisations
	Labels, Headings, Ticks, Growth []mark
}

// mark is a text in the chart, and the ends of its line.
type mark struct {
	X, X1, X2 float64
	Y         int
	Text      string
}

// drawGrowth draws how long one client waits, and how that grows with the data, as an SVG that
// is readable on light and on dark pages. Each second record is the one before at more organisations.
func drawGrowth(records []record) ([]byte, error) {
	c := chart{Least: thousands(records[0].Rows), Most: thousands(records[1].Rows)}
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range records {
		least, most = min(least, r.OneClientP50), max(most, r.OneClientP50)
	}
	ticks := ticksAround(least, most)
	first, last := math.Log(ticks[0]), math.Log(ticks[len(ticks)-1])
	lines := map[string]int{} // by operation
	panels := map[string]float64{}
	for pair := range slices.Chunk(records, 2) {
		r := pair[0]
		if _, known := lines[r.Operation]; !known {
			lines[r.Operation] = headHeight + len(lines)*lineHeight + lineHeight/2
			c.Labels = append(c.Labels, mark{X: 8, Y: lines[r.Operation], Text: r.Operation})
		}
		left, known := panels[r.Engine]
		x := func(ms float64) float64 { return left + panelWidth*(math.Log(ms)-first)/(last-first) }
		if !known {
			left = float64(labelWidth + len(panels)*(panelWidth+panelGap))
			panels[r.Engine] = left
			c.Headings = append(c.Headings, mark{X: left, Text: titles[r.Engine]})
			for _, tick := range ticks {
				c.Ticks = append(c.Ticks, mark{X: x(tick), Text: fmt.Sprint(tick)})
			}
		}
		from, to := r.OneClientP50, pair[1].OneClientP50
		c.Growth = append(c.Growth, mark{
			X: left + panelWidth + 8, X1: x(from), X2: x(to), Y: lines[r.Operation],
			Text: fmt.Sprintf("%.1f×", to/from),
		})
	}
	c.Width = labelWidth + len(panels)*(panelWidth+panelGap)
	c.Bottom = headHeight + len(lines)*lineHeight
	c.Height = c.Bottom + axisHeight
	var picture bytes.Buffer
	err := chartTemplate.Execute(&picture, c)
	return picture.Bytes(), err
}

// ticksAround returns ticks between which all times have a place.
func ticksAround(least, most float64) []float64 {
	from, found := slices.BinarySearch(allTicks, least)
	if !found {
		from = max(from-1, 0)
	}
	to, _ := slices.BinarySearch(allTicks, most)
	return allTicks[from:min(to+1, len(allTicks))]
}
