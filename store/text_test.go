package store_test

import (
	"testing"
	"unicode"

	"github.com/opencalls/opencalls/store"
)

// Every letter is found in every case, and what is folded stays as it is.
func TestFoldEveryLetter(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S) || unicode.In(r, unicode.Han, unicode.Hangul, unicode.Tangut) {
			continue // the three are many and have no case
		}
		folded := store.FoldCase(string(r))
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if got := store.FoldCase(string(other)); got != folded {
				t.Errorf("%U is folded to %q, %U to %q", r, folded, other, got)
			}
		}
		if folded == string(r) {
			continue
		}
		if twice := store.FoldCase(folded); twice != folded {
			t.Errorf("%U is folded to %q, and that to %q", r, folded, twice)
		}
		accents := store.FoldAccents(string(r))
		if twice := store.FoldAccents(accents); twice != accents {
			t.Errorf("%U without accents is %q, and that %q", r, accents, twice)
		}
	}
}
