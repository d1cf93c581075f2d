package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// searchSeparator stands between the texts of one search column, so that nothing is found
// across two of them. FoldCase never leaves one in a text.
const searchSeparator = '\x1f'

// FoldCase brings text into the form in which letters are compared without regard to their
// case, the same on both engines.
func FoldCase(text string) string {
	folded := norm.NFC.String(cases.Fold().String(norm.NFC.String(text)))
	return strings.Map(func(r rune) rune {
		switch {
		case r == searchSeparator:
			return ' '
		case unicode.Is(unicode.Cherokee, r):
			return unicode.ToUpper(r) // cases.Fold makes small of capital letters, and the other way round
		}
		return r
	}, folded)
}

// FoldAccents is FoldCase without accents too: "Jürgen" becomes "jurgen".
func FoldAccents(text string) string {
	strip := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	plain, _, err := transform.String(strip, text)
	if err != nil {
		plain = text // the transformers of this chain have no errors of their own
	}
	return FoldCase(plain)
}
