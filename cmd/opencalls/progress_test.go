package main

import (
	"bytes"
	"testing"
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
