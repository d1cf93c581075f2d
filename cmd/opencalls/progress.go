package main

import (
	"bytes"
	"fmt"
	"io"
)

// progressRows is the number of rows between two lines.
const progressRows = 50_000

// progress says on standard error how far an import or an export is. Little work has no line.
type progress struct {
	out  io.Writer
	kind string // the list that rows are of
	rows int
}

// imported is told how many rows of a list have been read.
func (p *progress) imported(kind string, rows int) {
	if kind != p.kind || rows < p.rows { // another list, or another file's
		p.kind, p.rows = kind, 0
	}
	p.advance(rows, kind+" read")
}

// Write is told what is exported, a row a line. It never fails.
func (p *progress) Write(text []byte) (int, error) {
	p.advance(p.rows+bytes.Count(text, []byte("\n")), "rows written")
	return len(text), nil
}

func (p *progress) advance(rows int, what string) {
	if rows/progressRows > p.rows/progressRows {
		fmt.Fprintf(p.out, "%d %s\n", rows, what)
	}
	p.rows = rows
}
