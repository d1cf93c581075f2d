package dataset

import (
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// language is what the names of one language's organisations and people are made of.
type language struct {
	Countries                       []string
	Latin                           string // the organisation's name, of SUBJECT, CITY and PERSON
	Native                          string // the same in the language itself
	Subjects, Cities, Given, Family words
}

// words are the words that the Latin name has, and those of the native one where it spells them differently.
type words [][]string

// pick returns a word as the Latin name spells it, then as the native one does.
func (w words) pick(r *rand.Rand) [2]string {
	i := r.IntN(len(w[0]))
	return [2]string{w[0][i], w[len(w)-1][i]}
}

//go:embed names.json
var names []byte

var languages = func() (all []language) {
	if err := json.Unmarshal(names, &all); err != nil {
		panic(err)
	}
	return all
}()

var descriptions = []string{
	"",
	"Calls for computing time, storage and support; two rounds a year.",
	"Appels à projets : calcul intensif, stockage et accompagnement des équipes de recherche.",
	"Aufrufe für Rechenzeit und Speicher. Anträge werden von zwei Gutachterinnen oder Gutachtern gelesen.",
	"Arvutusressursside taotlusvoorud Eesti teadlastele.",
	"Конкурси на обчислювальний час для наукових груп.",
	"Προσκλήσεις για χρόνο υπολογισμού και αποθήκευση δεδομένων.",
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// institution makes the names of an organisation; both end in ending.
func institution(r *rand.Rand, ending string) (name, native, abbreviation, country string) {
	l := pick(r, languages)
	subject, city, given, family := l.Subjects.pick(r), l.Cities.pick(r), l.Given.pick(r), l.Family.pick(r)
	spell := func(template string, of int) string {
		person := given[of] + " " + family[of]
		return strings.NewReplacer("SUBJECT", subject[of], "CITY", city[of], "PERSON", person).Replace(template) + ending
	}
	name, native = spell(l.Latin, 0), spell(l.Native, 1)
	if r.IntN(3) == 0 { // some go by their native name alone
		name, native = native, ""
	}
	for part := range strings.FieldsSeq(name) {
		if first, _ := utf8.DecodeRuneInString(part); unicode.IsUpper(first) {
			abbreviation += string(first)
		}
	}
	return name, native, abbreviation, pick(r, l.Countries)
}

// person makes the names of a user; login has a username's letters alone.
func person(r *rand.Rand) (full, native, login string) {
	l := pick(r, languages)
	given, family := l.Given.pick(r), l.Family.pick(r)
	full = given[0] + " " + family[0]
	if given[1] != given[0] {
		native = given[1] + " " + family[1]
	}
	login = strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '.'
		case c < 'a' || c > 'z':
			return -1
		}
		return c
	}, norm.NFKD.String(strings.ToLower(full)))
	return full, native, login
}
