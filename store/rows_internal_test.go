package store

import (
	"fmt"
	"testing"
)

// Filters and orders in any number give texts in any number, of which only some are kept.
func TestBoundTexts(t *testing.T) {
	var bound boundTexts
	for range 2 {
		for i := range 2 * mostBound {
			text := fmt.Sprintf("SELECT %d WHERE ? = ?", i)
			if got, want := bound.bind(postgresEngine{}, text), fmt.Sprintf("SELECT %d WHERE $1 = $2", i); got != want {
				t.Fatalf("%q, not %q", got, want)
			}
		}
	}
	kept := 0
	bound.texts.Range(func(any, any) bool { kept++; return true })
	if kept != mostBound {
		t.Errorf("%d texts are kept, not %d", kept, mostBound)
	}
}
