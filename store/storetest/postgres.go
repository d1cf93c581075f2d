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

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver's name
)

const databasePrefix = "opencalls_test_"

// server is the Postgres server that this process makes its databases on.
type server struct {
	url    *url.URL
	admin  *sql.DB
	lock   *sql.Conn // its session says that this process lives
	prefix string    // of the names of this process's databases
	last   atomic.Int64
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
	ctx := context.Background()
	if s.lock, err = admin.Conn(ctx); err != nil {
		return nil, fmt.Errorf("the server at OPENCALLS_TEST_POSTGRES_URL: %w", err)
	}
	if _, err := s.lock.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext($1))", s.prefix); err != nil {
		return nil, err
	}
	return s, s.dropLeftovers(ctx)
})

// dropLeftovers removes the databases of processes that ended without doing so: those whose
// lock nobody holds any more.
func (s *server) dropLeftovers(ctx context.Context) error {
	rows, err := s.lock.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND NOT starts_with(datname, $2)", databasePrefix, s.prefix)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range names {
		owner := name[:strings.LastIndexByte(name, '_')+1]
		var gone bool
		if err := s.lock.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(hashtext($1))", owner).Scan(&gone); err != nil {
			return err
		}
		if !gone {
			continue
		}
		if err := s.drop(name); err != nil {
			return err
		}
		if _, err := s.lock.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtext($1))", owner); err != nil {
			return err
		}
	}
	return nil
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

func (s *server) urlOf(name string) string {
	u := *s.url
	u.Path, u.RawPath = "/"+name, ""
	return u.String()
}

// createDatabase makes a database from a template ("" for the server's own) until the test
// ends, and returns its URL.
func createDatabase(t testing.TB, template string) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s%d", s.prefix, s.last.Add(1))
	if err := s.create(name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.urlOf(name)
}

// postgresTemplate returns the name of this process's migrated database.
func postgresTemplate(t testing.TB) string {
	t.Helper()
	if !mainRuns.Load() {
		t.Fatal("this package needs func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }, which removes the template database")
	}
	name, err := makeTemplate()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

var templateMade atomic.Bool

var makeTemplate = sync.OnceValues(func() (string, error) {
	s, err := theServer()
	if err != nil {
		return "", err
	}
	name := s.prefix + "template"
	if err := s.create(name, ""); err != nil {
		return "", err
	}
	templateMade.Store(true)
	return name, migrate(s.urlOf(name))
})

func dropTemplate() {
	if !templateMade.Load() {
		return
	}
	s, _ := theServer()
	if err := s.drop(s.prefix + "template"); err != nil {
		fmt.Fprintln(os.Stderr, "drop the template database:", err)
	}
}
