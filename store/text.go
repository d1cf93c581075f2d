package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// maxKeyBytes bounds a collation key, in bytes: an index entry of Postgres holds some 2,700.
const maxKeyBytes = 1024

// The weights that most letters have: no accent, and lower case. No weight is lower.
var (
	plainSecondary = []byte{0x00, 0x20}
	plainTertiary  = []byte{0x02}
)

// collatorPair is Unicode's root collation, and the same without accents and cases. A collator must
// not be used concurrently, and making one takes longer than making a key.
type collatorPair struct{ root, letters *collate.Collator }

var collators = sync.Pool{New: func() any {
	return &collatorPair{collate.New(language.Und), collate.New(language.Und, collate.Loose)}
}}

// CollationKey returns the bytes by which a text is ordered: Unicode's root collation, the same on
// both engines. Texts that differ only far behind may have the same key.
//
// The collator writes the weights of all letters, then of all accents, then of all cases. Nearly all of
// the last two are plain, so only the others are kept, which halves the key: without it a page in the
// middle of 100,000 organisations takes twice the processor time.
func CollationKey(text string) []byte {
	c := collators.Get().(*collatorPair)
	defer collators.Put(c)
	full := c.root.KeyFromString(&collate.Buffer{}, text)
	letters := len(c.letters.KeyFromString(&collate.Buffer{}, text))
	accents := letters + 2 // after a separator of two zeros, as at their own end
	cases := accents
	for full[cases] != 0 || full[cases+1] != 0 {
		cases += 2
	}
	key := appendOthers(slices.Clone(full[:accents]), full[accents:cases], plainSecondary)
	key = appendOthers(append(key, 0, 0), full[cases+2:], plainTertiary)
	return key[:min(len(key), maxKeyBytes)]
}

// appendOthers appends the weights that are not plain, each after a number that counts down the plain
// ones before it. The order stays: the more plain weights come first, the lower the text sorts, since the
// plain weight is the lowest.
func appendOthers(key, weights, plain []byte) []byte {
	number := uint16(math.MaxUint16)
	for weight := range slices.Chunk(weights, len(plain)) {
		if bytes.Equal(weight, plain) {
			number--
			continue
		}
		key = append(binary.BigEndian.AppendUint16(key, number), weight...)
		number = math.MaxUint16
	}
	return key
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
