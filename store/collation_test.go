package store_test

import (
	"bytes"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store"
)

// Keys order texts as Unicode's root collation does.
func TestCollationKey(t *testing.T) {
	root := collate.New(language.Und)
	texts := rapid.StringOf(rapid.SampledFrom([]rune("aAbBäÄåÅéeEzZ -.,12ßſøØÆæñ漢字ﷺ👍\u0301\u0308İıŁł")))
	rapid.Check(t, func(t *rapid.T) {
		a := texts.Draw(t, "a")
		b := rapid.OneOf(texts, rapid.Just(a+texts.Draw(t, "tail"))).Draw(t, "b")
		want := bytes.Compare(root.KeyFromString(&collate.Buffer{}, a), root.KeyFromString(&collate.Buffer{}, b))
		if got := bytes.Compare(store.CollationKey(a), store.CollationKey(b)); got != want {
			t.Fatalf("%q and %q: %d, want %d", a, b, got, want)
		}
	})
}
