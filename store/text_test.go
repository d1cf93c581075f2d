package store_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/opencalls/opencalls/store"
)

// Every letter is found in every case, and what is folded stays as it is.
func TestFoldEveryLetter(t *testing.T) {
	for letter := rune(1); letter <= unicode.MaxRune; letter++ {
		if !unicode.In(letter, unicode.L, unicode.M, unicode.N, unicode.S) || unicode.In(letter, unicode.Han, unicode.Hangul, unicode.Tangut) {
			continue // the three are many and have no case
		}
		folded, plain := store.FoldCase(string(letter)), store.FoldAccents(string(letter))
		for other := unicode.SimpleFold(letter); other != letter; other = unicode.SimpleFold(other) {
			if got := store.FoldCase(string(other)); got != folded {
				t.Errorf("%U is folded to %q, %U to %q", letter, folded, other, got)
			}
		}
		if store.FoldCase(folded) != folded || store.FoldAccents(plain) != plain {
			t.Errorf("%U is folded to %q or %q, which is folded to something else", letter, folded, plain)
		}
	}
}

var textScenarios = []scenario{
	{"a keyword is found in any case of any letter, and as it stands", func(r *rig) {
		for _, c := range []store.Customer{
			{Name: "Ärzte ohne Grenzen", Abbreviation: "ÄoG"},
			{Name: "Straße AG", NativeName: "STRASSE"},
			{Name: "İstanbul Üniversitesi", Abbreviation: "İÜ"},
			{Name: "Диамond", NativeName: "МОСКВА"},
			{Name: "Cafe\u0301 Ne\u0301e"}, // combining marks
			{Name: "Caf\u00e9 Rouge"},      // one code point
			{Name: "ΟΔΥΣΣΕΥΣ"},
			{Name: `100% a_b c\d`},
			{Name: `O'Neil "quoted"`},
			{Name: "First", Abbreviation: "Second", NativeName: "Third"},
			{Name: "With\x1fseparator"},
			{Name: "ﬁne"}, // a ligature, which case folding takes apart
			{Name: "plain"},
		} {
			r.world.organisation(r.world.customer(c.Name, func(new *store.Customer) {
				new.Abbreviation, new.NativeName = c.Abbreviation, c.NativeName
			}))
		}
		for _, c := range []struct {
			keyword string
			want    []string
		}{
			{"ärzte", []string{"Ärzte ohne Grenzen"}},
			{"ÄRZTE", []string{"Ärzte ohne Grenzen"}},
			{"a\u0308rzte", []string{"Ärzte ohne Grenzen"}},
			{"arzte", []string{}},
			{"äog", []string{"Ärzte ohne Grenzen"}},
			{"strasse", []string{"Straße AG"}},
			{"STRAẞE", []string{"Straße AG"}},
			{"straße ag", []string{"Straße AG"}},
			{"İSTANBUL", []string{"İstanbul Üniversitesi"}},
			{"i\u0307stanbul", []string{"İstanbul Üniversitesi"}},
			{"ISTANBUL", []string{}},
			{"москва", []string{"Диамond"}},
			{"дИАМ", []string{"Диамond"}},
			{"CAFÉ", []string{"Cafe\u0301 Ne\u0301e", "Caf\u00e9 Rouge"}},
			{"cafe\u0301", []string{"Cafe\u0301 Ne\u0301e", "Caf\u00e9 Rouge"}},
			{"οδυσσευς", []string{"ΟΔΥΣΣΕΥΣ"}},
			{"fine", []string{"ﬁne"}},
			{"%", []string{`100% a_b c\d`}},
			{"_", []string{`100% a_b c\d`}},
			{`\`, []string{`100% a_b c\d`}},
			{`c\d`, []string{`100% a_b c\d`}},
			{`\d%`, []string{}},
			{"100%", []string{`100% a_b c\d`}},
			{"1%0", []string{}},
			{"a_b", []string{`100% a_b c\d`}},
			{"l_i", []string{}},
			{"'", []string{`O'Neil "quoted"`}},
			{`"QUOTED"`, []string{`O'Neil "quoted"`}},
			{"' OR 1=1 --", []string{}},
			{"first", []string{"First"}},
			{"second", []string{"First"}},
			{"third", []string{"First"}},
			{"stsecond", []string{}},        // not across two texts
			{"first\x1fsecond", []string{}}, // nor by their separator
			{"with separator", []string{"With\x1fseparator"}},
			{"with\x1fseparator", []string{"With\x1fseparator"}},
			{strings.Repeat("x", 10000), []string{}},
			{strings.Repeat("%", 30000), []string{}},
			{strings.Repeat("ä", 10000), []string{}},
		} {
			if got := r.names(store.OrganisationFilter{Keyword: c.keyword}, nil, everything); !slices.Equal(got, c.want) {
				r.Errorf("%.30q finds %q, not %q", c.keyword, got, c.want)
			}
		}
	}},
}
