// Package storetest opens stores for tests, on databases of their own, and looks into them.
//
// A test runs once for each engine, on an empty database of its own:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		storetest.Each(t, func(t *testing.T, engine string) {
//			clock := storetest.NewClock()
//			s := storetest.Open(t, engine, clock.Use)
//			…
//		})
//	}
//
// An Option changes the store's configuration before it is opened: Clock.Use and Sequence make
// its times and ids those of the test, Statements.Use records what reaches the driver, SQL.Use
// opens the tables past the store (Dump, Rows, Count). MigratedURL and URL are databases for a
// program that opens them itself.
//
// Postgres is the server at OPENCALLS_TEST_POSTGRES_URL, which tools/postgres.sh starts.
// OPENCALLS_TEST_ENGINES=sqlite leaves that half out.
package storetest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// The engines.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Option changes a store's configuration before it is opened.
type Option func(*store.Config)

// Engines returns the engines to test: both, or those that OPENCALLS_TEST_ENGINES names,
// separated by commas.
func Engines() []string {
	all := []string{SQLite, Postgres}
	wanted := os.Getenv("OPENCALLS_TEST_ENGINES")
	if wanted == "" {
		return all
	}
	engines := strings.Split(wanted, ",")
	for _, engine := range engines {
		if !slices.Contains(all, engine) {
			// A misspelt name must not leave a half out without a word.
			panic(fmt.Sprintf("OPENCALLS_TEST_ENGINES: %q must be one of %s", engine, strings.Join(all, ", ")))
		}
	}
	return engines
}

// Each runs a test once for each engine.
func Each(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// Main runs a package's tests and then removes what they shared: call it from TestMain.
func Main(m *testing.M) int {
	mainRuns.Store(true)
	defer dropDatabases()
	return m.Run()
}

var mainRuns atomic.Bool

// Open returns a store on a migrated database of its own, both gone when the test ends.
func Open(t testing.TB, engine string, options ...Option) *store.Store {
	t.Helper()
	return OpenURL(t, MigratedURL(t, engine), options...)
}

// OpenURL returns a store on the database at a URL, closed when the test ends.
func OpenURL(t testing.TB, url string, options ...Option) *store.Store {
	t.Helper()
	// What the test server's settings are warned about is no news here.
	cfg := store.Config{URL: url, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, option := range options {
		option(&cfg)
	}
	s, err := store.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// URL returns the URL of an empty database without a schema, gone when the test ends.
func URL(t testing.TB, engine string) string {
	t.Helper()
	if engine == Postgres {
		return createDatabase(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "opencalls.db")
}

// MigratedURL returns the URL of an empty database with the schema, gone when the test ends. A
// test that changes the schema takes URL and migrates itself.
func MigratedURL(t testing.TB, engine string) string {
	t.Helper()
	if engine == Postgres {
		return lendDatabase(t)
	}
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "opencalls.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// sqliteTemplate is the file of a migrated database: copying it is faster than migrating.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "opencalls-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing the last connection wrote the log into it
})

func migrate(url string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{URL: url, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return err
	}
	if _, err := s.Migrate(ctx); err != nil {
		_ = s.Close()
		return err
	}
	return s.Close()
}

// Clock is a clock that stands still until the test moves it.
type Clock struct{ micros atomic.Int64 }

// NewClock returns a clock at some time in 2027 that shows all six digits of a microsecond.
func NewClock() *Clock {
	c := &Clock{}
	c.Set(time.Date(2027, 1, 31, 12, 30, 45, 123456000, time.UTC))
	return c
}

// Now is the time, in UTC and whole microseconds.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Load()).UTC() }

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) { c.micros.Store(t.UnixMicro()) }

// Advance moves the clock on, or back.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Use is the Option that makes it the store's clock.
func (c *Clock) Use(cfg *store.Config) { cfg.Now = c.Now }

// Sequence is the Option that makes the ids of new rows 00000000-0000-7000-8000-000000000001
// and so on, the same in every run.
func Sequence(cfg *store.Config) {
	var last atomic.Uint64
	cfg.NewUUID = func() uuid.UUID { return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8000-%012x", last.Add(1))) }
}

// Picture returns an image to keep, of the text as its bytes.
func Picture(text string) *store.NewImage {
	return &store.NewImage{MediaType: "image/png", SHA256: store.Digest(text), Bytes: []byte(text)}
}
