package store

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// maxKeyBytes bounds a collation key, in bytes: an index entry of Postgres holds some 2,700.
const maxKeyBytes = 1024

// CollationKey returns the bytes by which a text is ordered: Unicode's root collation, the same on
// both engines. Texts that differ only far behind may have the same key.
func CollationKey(text string) []byte {
	key := collate.New(language.Und).KeyFromString(&collate.Buffer{}, text)
	return key[:min(len(key), maxKeyBytes)]
}

// searchSeparator stands between the texts of one search column, so that no match spans two of
// them. FoldCase never leaves one in a text.
const searchSeparator = '\x1f'

// FoldCase returns the text in the form in which letters are compared without regard to case, the
// same on both engines.
func FoldCase(text string) string {
	folded := norm.NFC.String(cases.Fold().String(norm.NFC.String(text)))
	return strings.Map(func(r rune) rune {
		switch {
		case r == searchSeparator:
			return ' '
		case unicode.Is(unicode.Cherokee, r):
			return unicode.ToUpper(r) // cases.Fold swaps the two cases of Cherokee
		}
		return r
	}, folded)
}

// FoldAccents is FoldCase without accents: "Jürgen" becomes "jurgen".
func FoldAccents(text string) string {
	strip := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	plain, _, err := transform.String(strip, text)
	if err != nil {
		plain = text // these transformers have no errors of their own
	}
	return FoldCase(plain)
}

// ParseUUID reads a UUID with dashes or as 32 hex digits, in either case, and nothing else.
func ParseUUID(text string) (uuid.UUID, error) {
	if len(text) != 36 && len(text) != 32 {
		return uuid.Nil, ErrNotFound
	}
	return uuid.Parse(text)
}
