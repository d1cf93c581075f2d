package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

const secret = "s3cr3t-pa55w0rd"

// refused opens a URL that can't be opened, and checks that the error keeps the password.
func refused(t *testing.T, databaseURL string) error {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: databaseURL})
	if err == nil {
		_ = s.Close()
		t.Fatalf("%s is opened", databaseURL)
	}
	if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error shows the password or has several lines: %v", err)
	}
	return err
}

func TestURLThatIsNone(t *testing.T) {
	const other, encode, host = "want sqlite:PATH", "percent-encode the password", "HOST:PORT"
	for databaseURL, want := range map[string]string{
		"": other, secret: other, "mysql://u:" + secret + "@127.0.0.1/x": other, "file:" + secret: other, "SQLITE:x": other,
		"postgres:x": other, "sqlite:": "needs a path", "sqlite://rel.db": "want sqlite:rel.db,", "sqlite:///a.db": "want sqlite:/a.db,",
		"sqlite://u:" + secret + "@h/x":                                            other,
		"postgres://u:%" + secret + "@127.0.0.1/x":                                 encode,
		"postgres://u:p/" + secret + "@127.0.0.1/x":                                encode,
		"postgres://u:1/" + secret + "@127.0.0.1/x":                                encode, // a port and a path
		"postgres://u:p@" + secret + "@127.0.0.1/x":                                encode,
		"postgres://127.0.0.1/x?password=p&" + secret:                              encode,
		"postgres://u:" + secret + "@127.0.0.1:port/x":                             host,
		"postgres://u:" + secret + "@[::1/x":                                       host,
		"postgresql://u:" + secret + "@127.0.0.1/x?user=u&sslmode=banana":          "parameter sslmode",
		"postgres://u:" + secret + "@127.0.0.1/x?connect_timeout=" + secret:        "parameter connect_timeout",
		"postgres://127.0.0.1/x?default_query_exec_mode=x&password=" + secret:      "parameter default_query_exec_mode",
		"postgres://127.0.0.1/x?sslmode=x&connect_timeout=x&password=%25" + secret: "several parameters",
	} {
		if err := refused(t, databaseURL); errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %s", databaseURL, err, want)
		}
	}
	for _, databaseURL := range []string{
		"sqlite:x", "sqlite:/x", "sqlite::memory:", "postgres://u:p@h/x", "postgresql://h/x?sslmode=disable", "postgres://u:p@h1:1,h2:2/x?user=a&user=b",
	} {
		if err := store.CheckURL(databaseURL); err != nil {
			t.Errorf("CheckURL(%q): %v", databaseURL, err)
		}
	}
}

// unavailable checks an error's kind.
func unavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("error is %v, not ErrUnavailable", err)
	}
}

// spy is an Option that keeps how a store connects, and its connections, to change their settings: the
// driver takes them with the DSN alone.
type spy struct {
	connectors []driver.Connector
	mu         sync.Mutex
	conns      []driver.Conn
}

func (s *spy) use(cfg *store.Config) {
	storetest.WrapConnector(cfg, func(c driver.Connector) driver.Connector {
		s.connectors = append(s.connectors, c)
		return spiedConnector{c, s}
	})
}

// pool opens connections of its own in one of the ways in which the store does.
func (s *spy) pool(t *testing.T, i int) *sql.DB {
	pool := sql.OpenDB(s.connectors[i])
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

type spiedConnector struct {
	driver.Connector
	spy *spy
}

func (c spiedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	c.spy.mu.Lock()
	defer c.spy.mu.Unlock()
	if err == nil {
		c.spy.conns = append(c.spy.conns, conn)
	}
	return conn, err
}

// onWriter runs a statement on SQLite's only connection that writes, while nobody uses it.
func (s *spy) onWriter(t *testing.T, statement string) {
	t.Helper()
	rows, err := s.conns[0].(driver.QueryerContext).QueryContext(t.Context(), statement, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = rows.Next(make([]driver.Value, len(rows.Columns())))
	_ = rows.Close()
}

// changes checks that the store can be written to.
func changes(t *testing.T, s *store.Store) {
	t.Helper()
	if err := write(s, addUser); err != nil {
		t.Error(err)
	}
}

func TestSQLiteUnavailable(t *testing.T) {
	open := func(t *testing.T) (*store.Store, *spy, *sql.DB) {
		var spy spy
		s := storetest.Open(t, storetest.SQLite, spy.use)
		return s, &spy, spy.pool(t, 0)
	}
	t.Run("the lock is held past the time-out", func(t *testing.T) {
		s, spy, other := open(t)
		spy.onWriter(t, "PRAGMA busy_timeout = 1")
		tx, err := other.Begin()
		if err != nil {
			t.Fatal(err)
		}
		unavailable(t, write(s, addUser))
		if _, err := s.CountOrganisations(t.Context(), store.OrganisationFilter{}); err != nil {
			t.Errorf("reads wait for the writer: %v", err)
		}
		_ = tx.Rollback()
		changes(t, s)
	})
	t.Run("it is read-only", func(t *testing.T) {
		s, spy, _ := open(t)
		spy.onWriter(t, "PRAGMA query_only = 1") // a file's permissions would not stop root
		unavailable(t, write(s, addUser))
		spy.onWriter(t, "PRAGMA query_only = 0")
		changes(t, s)
	})
	t.Run("it is full", func(t *testing.T) {
		s, spy, db := open(t)
		spy.onWriter(t, "PRAGMA max_page_count = 1") // as many as there are already
		var err error
		added := 0
		for ; err == nil && added < 100; added++ {
			err = write(s, addUser)
		}
		unavailable(t, err)
		spy.onWriter(t, "PRAGMA max_page_count = 100000")
		changes(t, s)
		if n := storetest.Count(t, db, "SELECT count(*) FROM users"); n != added { // but the one that failed
			t.Errorf("%d users, not %d", n, added)
		}
	})
	t.Run("it is corrupt", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.SQLite)
		path := strings.TrimPrefix(databaseURL, "sqlite:")
		s := storetest.OpenURL(t, databaseURL)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The first page says that it is a database, the others are no pages.
		for i := 4096; i < len(content); i++ {
			content[i] = 'x'
		}
		if err := os.WriteFile(path, content, 0); err != nil {
			t.Fatal(err)
		}
		_, _, list := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, everything)
		unavailable(t, list)
		unavailable(t, errorOf(s.UserByName(t.Context(), "alice")))
		unavailable(t, errorOf(s.HeldRoles(t.Context(), uuid.New(), uuid.New(), uuid.New())))
		unavailable(t, write(s, addUser))
	})
}

func TestPostgresUnavailable(t *testing.T) { onPostgres(t, testPostgresUnavailable) }

func testPostgresUnavailable(t *testing.T) {
	open := func(t *testing.T, databaseURL string) (*store.Store, *sql.DB) {
		var tables storetest.SQL
		s := storetest.OpenURL(t, databaseURL, tables.Use)
		return s, tables.DB(t)
	}
	for name, change := range map[string]func(tx *store.Tx, kill func()) error{
		"the connection ends inside a change": func(tx *store.Tx, kill func()) error {
			err := addUser(tx)
			kill()
			return errors.Join(err, addUser(tx))
		},
		"the connection ends before the commit": func(tx *store.Tx, kill func()) error {
			err := addUser(tx)
			kill()
			return err
		},
		"the commit comes after the connection is known to be gone": func(tx *store.Tx, kill func()) error {
			kill()
			unavailable(t, addUser(tx))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, db := open(t, storetest.MigratedURL(t, storetest.Postgres))
			unavailable(t, write(s, func(tx *store.Tx) error {
				return change(tx, func() {
					storetest.Rows(t, db, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
				})
			}))
			if n := storetest.Count(t, db, "SELECT count(*) FROM users"); n != 0 {
				t.Errorf("%d users", n)
			}
			// A read meets a connection that is gone too, or one that took its place.
			if _, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, everything); err != nil {
				unavailable(t, err)
			}
			var err error
			for range 20 { // the store throws its dead connections away
				if err = write(s, addUser); err == nil {
					return
				}
				unavailable(t, err)
			}
			t.Errorf("the store does not recover: %v", err)
		})
	}
	t.Run("the database is gone", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.Postgres)
		s, db := open(t, databaseURL)
		var name string
		if err := db.QueryRow("SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		_, elsewhere := open(t, storetest.URL(t, storetest.Postgres))
		if _, err := elsewhere.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			unavailable(t, s.Ping(t.Context()))
			unavailable(t, write(s, addUser))
		}
	})
	t.Run("it is a standby", func(t *testing.T) {
		s, _ := open(t, withSetting(storetest.MigratedURL(t, storetest.Postgres), "default_transaction_read_only", "on"))
		unavailable(t, write(s, addUser))
		if err := errorOf(s.UserByName(t.Context(), "alice")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("reading: %v", err)
		}
	})
	t.Run("a lock is waited for past the time-out", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.Postgres)
		s, db := open(t, withSetting(databaseURL, "statement_timeout", "50"))
		w := world{store: storetest.OpenURL(t, databaseURL)}
		o := w.organisations(1)[0]
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.Exec("SELECT 1 FROM call_managing_organisations FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		unavailable(t, write(s, remove(o.UUID)))
	})
	t.Run("two changes wait for one another", func(t *testing.T) {
		s, _ := open(t, withSetting(storetest.MigratedURL(t, storetest.Postgres), "deadlock_timeout", "10"))
		w := world{store: s}
		all := w.organisations(2)
		hold := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		errs := together(2, func(i int) error {
			return write(s, func(tx *store.Tx) error {
				if _, err := tx.LockOrganisation(all[i].UUID); err != nil {
					return err
				}
				close(hold[i])
				<-hold[1-i]
				return errorOf(tx.LockOrganisation(all[1-i].UUID))
			})
		})
		if errs[0] == nil {
			errs[0], errs[1] = errs[1], nil
		}
		unavailable(t, errs[0])
		if errs[1] != nil {
			t.Errorf("the other: %v", errs[1])
		}
	})
}
