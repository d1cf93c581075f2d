package main

import (
	"bytes"
	"testing"
)

// A line now and then says how far the work is. Little work has none.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out}
	for rows := 500; rows <= 100_500; rows += 500 {
		p.imported("customers", rows)
	}
	p.imported("users", 500)
	p.imported("users", 50_001)
	p.imported("users", 500) // of another file
	p.imported("users", 50_400)
	if want := "50000 customers read\n100000 customers read\n50001 users read\n50400 users read\n"; out.String() != want {
		t.Errorf("importing: %q", out.String())
	}
	out.Reset()
	p = &progress{out: &out}
	for range 60_000 {
		if _, err := p.Write([]byte("{}\n{}\n")); err != nil {
			t.Fatal(err)
		}
	}
	if want := "50000 rows written\n100000 rows written\n"; out.String() != want {
		t.Errorf("exporting: %q", out.String())
	}
}
