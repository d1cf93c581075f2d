package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver's name

	"github.com/opencalls/opencalls/store"
)

const databasePrefix = "opencalls_test_"

// server is the Postgres server that this process makes its databases on.
type server struct {
	url    *url.URL
	admin  *sql.DB
	prefix string // of the names of this process's databases
	last   atomic.Int64
	mu     sync.Mutex
	free   []string // empty databases
}

var theServer = sync.OnceValues(func() (*server, error) {
	text := os.Getenv("OPENCALLS_TEST_POSTGRES_URL")
	if text == "" {
		return nil, errors.New("OPENCALLS_TEST_POSTGRES_URL is not set: run the tests by `make test` or `tools/postgres.sh go test …`, or set OPENCALLS_TEST_ENGINES=sqlite")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("OPENCALLS_TEST_POSTGRES_URL is not a URL") // the error would show the password
	}
	admin, err := sql.Open("pgx", text)
	if err != nil {
		return nil, errors.New("OPENCALLS_TEST_POSTGRES_URL is not a Postgres URL")
	}
	var random [4]byte
	_, _ = rand.Read(random[:])
	s := &server{url: u, admin: admin, prefix: fmt.Sprintf("%s%d_%s_", databasePrefix, os.Getpid(), hex.EncodeToString(random[:]))}
	if err := admin.Ping(); err != nil {
		return nil, fmt.Errorf("the server at OPENCALLS_TEST_POSTGRES_URL: %w", err)
	}
	return s, nil
})

// StatementTimeout returns the Option that gives a statement on Postgres as much time as the
// store's configuration would, in place of what tests have (urlOf).
func StatementTimeout(d time.Duration) Option {
	return func(cfg *store.Config) {
		cfg.StatementTimeout = d
		if u, err := url.Parse(cfg.URL); err == nil && u.Scheme == "postgres" {
			query := u.Query()
			query.Del("statement_timeout")
			u.RawQuery = query.Encode()
			cfg.URL = u.String()
		}
	}
}

func (s *server) create(name, template string) error {
	statement := "CREATE DATABASE " + quote(name)
	if template != "" {
		statement += " TEMPLATE " + quote(template)
	}
	_, err := s.admin.Exec(statement)
	return err
}

func (s *server) drop(name string) error {
	_, err := s.admin.Exec("DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)")
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (s *server) template() string { return s.prefix + "template" }
func (s *server) nextName() string { return fmt.Sprintf("%s%d", s.prefix, s.last.Add(1)) }

// urlOf returns a database's URL, with more time for a statement than a server has: a busy
// machine is no failure of a test.
func (s *server) urlOf(name string) string {
	u := *s.url
	u.Path, u.RawPath = "/"+name, ""
	query := u.Query()
	query.Set("statement_timeout", "60000")
	u.RawQuery = query.Encode()
	return u.String()
}

// createDatabase makes an empty database until the test ends, and returns its URL.
func createDatabase(t testing.TB) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	name := s.nextName()
	if err := s.create(name, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.urlOf(name)
}

// lendDatabase returns the URL of a migrated database. Making one takes longer than most
// tests: it is emptied when the test ends, and lent again.
func lendDatabase(t testing.TB) string {
	t.Helper()
	if !mainRuns.Load() {
		t.Fatal("this package needs func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }, which removes its databases")
	}
	if err := makeTemplate(); err != nil {
		t.Fatal(err)
	}
	s, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	name, err := s.take()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.giveBack(name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.urlOf(name)
}

func (s *server) take() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; last >= 0 {
		name := s.free[last]
		s.free = s.free[:last]
		return name, nil
	}
	name := s.nextName()
	return name, s.create(name, s.template())
}

// giveBack keeps the database for another test, or drops it where the test left it in a state
// that can't be taken back, such as another version or a lock.
func (s *server) giveBack(name string) error {
	if err := s.empty(name); err != nil {
		return s.drop(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, name)
	return nil
}

// keep is where the template has the rows that the migrations wrote, to put them back.
const keep = "storetest"

func (s *server) empty(name string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.urlOf(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	statements := "SET lock_timeout = '2s';" +
		"DO $$ BEGIN ASSERT (SELECT max(version_id) FROM goose_db_version WHERE is_applied) = (SELECT max(version_id) FROM " + keep + ".goose_db_version); END $$;" +
		"TRUNCATE " + strings.Join(Tables, ", ") + ";"
	for _, table := range Tables {
		statements += fmt.Sprintf("INSERT INTO %s SELECT * FROM %s.%[1]s;", table, keep)
	}
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll() // all of it or nothing
	return err
}

var templateMade atomic.Bool

var makeTemplate = sync.OnceValue(func() error {
	s, err := theServer()
	if err != nil {
		return err
	}
	if err := s.create(s.template(), ""); err != nil {
		return err
	}
	templateMade.Store(true)
	if err := migrate(s.urlOf(s.template())); err != nil {
		return err
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.urlOf(s.template()))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	statements := "CREATE SCHEMA " + keep + ";"
	for _, table := range append([]string{"goose_db_version"}, Tables...) {
		statements += fmt.Sprintf("CREATE TABLE %s.%s AS TABLE %[2]s;", keep, table)
	}
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
})

// dropDatabases removes what is left when the tests have run.
func dropDatabases() {
	if !templateMade.Load() {
		return
	}
	s, _ := theServer()
	for _, name := range append(s.free, s.template()) {
		if err := s.drop(name); err != nil {
			fmt.Fprintln(os.Stderr, "drop a test database:", err)
		}
	}
}
