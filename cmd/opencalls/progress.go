package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/opencalls/opencalls/fixture"
)

// progressRows is after how many rows there is another line where there is no bar.
const progressRows = 50_000

// progress says on standard error how far an import or an export is: by a bar on a terminal, by a
// line now and then elsewhere. What takes little time has no line. That it can't be shown, on a
// terminal that is gone, is no reason for the work to fail.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil: there is no terminal
	kind string                   // what list rows are of
	rows int
}

// newProgress begins to show what is done; size is how many bytes there are, -1 if unknown.
func newProgress(out io.Writer, doing string, size int64) *progress {
	p := &progress{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = newBar(out, doing, size)
	}
	return p
}

// newBar draws where the size is unknown only when it is told of more, as it does elsewhere: what
// the library draws by itself meanwhile is not kept from what ends the bar.
func newBar(out io.Writer, doing string, size int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(doing),
		progressbar.OptionShowBytes(true), progressbar.OptionFullWidth(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetSpinnerChangeInterval(0))
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// read makes the bar follow the reading of import files.
func (p *progress) read(files []*fixture.File) {
	for _, file := range files {
		if p.bar != nil {
			file.Content = io.TeeReader(file.Content, p)
		}
	}
}

// imported is told how many rows of a list there are by now.
func (p *progress) imported(kind string, rows int) {
	if kind != p.kind || rows < p.rows { // another list, or another file's
		p.kind, p.rows = kind, 0
	}
	p.line(rows, kind+" read")
}

// Write is told what is exported, a row a line, or what a bar follows. It never fails.
func (p *progress) Write(text []byte) (int, error) {
	if p.bar != nil {
		_ = p.bar.Add(len(text))
		return len(text), nil
	}
	p.line(p.rows+bytes.Count(text, []byte("\n")), "rows written")
	return len(text), nil
}

func (p *progress) line(rows int, what string) {
	if p.bar == nil && rows/progressRows > p.rows/progressRows {
		fmt.Fprintf(p.out, "%d %s\n", rows, what)
	}
	p.rows = rows
}

// sizeOf is how many bytes the files have together, -1 where one is no file, such as a pipe.
func sizeOf(paths []string) int64 {
	var size int64
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		size += info.Size()
	}
	return size
}
