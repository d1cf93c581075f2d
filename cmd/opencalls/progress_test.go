package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/fixture"
)

// Where there is no terminal a line now and then says how far it is, and little has none.
func TestProgressWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "importing", -1)
	for rows := 500; rows <= 100_500; rows += 500 {
		p.imported("customers", rows)
	}
	p.imported("users", 500)
	p.imported("users", 50_001)
	p.imported("users", 500) // of another file
	p.imported("users", 50_400)
	p.end()
	if want := "50000 customers read\n100000 customers read\n50001 users read\n50400 users read\n"; out.String() != want {
		t.Errorf("importing: %q", out.String())
	}
	out.Reset()
	p = newProgress(&out, "exporting", -1)
	for range 60_000 {
		if _, err := p.Write([]byte("{}\n{}\n")); err != nil {
			t.Fatal(err)
		}
	}
	if want := "50000 rows written\n100000 rows written\n"; out.String() != want {
		t.Errorf("exporting: %q", out.String())
	}
}

// gone is a terminal that takes nothing any more.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("input/output error") }

// A bar that can't be drawn, or that is told of more bytes than there were at the start, fails
// neither an import nor an export.
func TestProgressOnATerminalThatIsGone(t *testing.T) {
	const content = "all bytes"
	for _, size := range []int64{2 * int64(len(content)), 1, 0, -1} {
		p := &progress{out: gone{}, bar: newBar(gone{}, "importing", size)}
		file := &fixture.File{Content: strings.NewReader(content)}
		p.read([]*fixture.File{file})
		if read, err := io.ReadAll(file.Content); string(read) != content || err != nil {
			t.Errorf("reading, size %d: %q, %v", size, read, err)
		}
		if n, err := p.Write([]byte(content)); n != len(content) || err != nil {
			t.Errorf("writing, size %d: %d, %v", size, n, err)
		}
		p.end()
	}
}
