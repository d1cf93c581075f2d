package store_test

import (
	"flag"
	"os"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) {
	// A failed property prints its seed: no file needs to be kept beside the sources.
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(storetest.Main(m))
}

func TestConformance(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		storetest.Run(t, func(t testing.TB, options ...storetest.Option) *store.Store {
			return storetest.Open(t, engine, options...)
		})
	})
}
