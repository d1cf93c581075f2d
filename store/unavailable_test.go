package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

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
	for _, databaseURL := range []string{
		"", secret, "mysql://u:" + secret + "@127.0.0.1/x", "file:" + secret, "SQLITE:x", "sqlite:",
		"postgres://u:" + secret + "@127.0.0.1:port/x",
		"postgres://u:" + secret + "%zz@127.0.0.1/x",
		"postgres://u:" + secret + "@[::1/x",
		"postgresql://u:" + secret + "@127.0.0.1/x?sslmode=bogus",
		"postgres://u:" + secret + "@127.0.0.1/x?connect_timeout=x",
	} {
		if err := refused(t, databaseURL); errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q is taken for a database: %v", databaseURL, err)
		}
	}
	for _, databaseURL := range []string{"sqlite:x", "sqlite::memory:", "postgres://u:p@h/x", "postgresql://h/x?sslmode=disable"} {
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

// grabbed is an Option that keeps a store's connections, to change their settings: the driver
// takes them with the DSN alone.
type grabbed struct {
	mu    sync.Mutex
	conns []driver.Conn
}

func (g *grabbed) use(cfg *store.Config) {
	storetest.WrapConnector(cfg, func(c driver.Connector) driver.Connector { return grabbing{c, g} })
}

type grabbing struct {
	driver.Connector
	grabbed *grabbed
}

func (g grabbing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := g.Connector.Connect(ctx)
	if err == nil {
		g.grabbed.mu.Lock()
		defer g.grabbed.mu.Unlock()
		g.grabbed.conns = append(g.grabbed.conns, c)
	}
	return c, err
}

// onWriter runs a statement on the writer's only connection, while nobody uses it.
func (g *grabbed) onWriter(t *testing.T, statement string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	rows, err := g.conns[0].(driver.QueryerContext).QueryContext(t.Context(), statement, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = rows.Next(make([]driver.Value, len(rows.Columns())))
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteUnavailable(t *testing.T) {
	open := func(t *testing.T) (*store.Store, *grabbed, *sql.DB) {
		var conns grabbed
		var tables storetest.SQL
		s := storetest.Open(t, storetest.SQLite, tables.Use, conns.use)
		return s, &conns, tables.DB(t)
	}
	t.Run("the lock is held past the time-out", func(t *testing.T) {
		s, conns, other := open(t)
		conns.onWriter(t, "PRAGMA busy_timeout = 1")
		tx, err := other.Begin()
		if err != nil {
			t.Fatal(err)
		}
		unavailable(t, write(s, addUser))
		if _, err := s.CountOrganisations(t.Context(), store.OrganisationFilter{}); err != nil {
			t.Errorf("reads wait for the writer: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := write(s, addUser); err != nil {
			t.Error(err)
		}
	})
	t.Run("it is read-only", func(t *testing.T) {
		s, conns, _ := open(t)
		// A file's permissions would not stop root.
		conns.onWriter(t, "PRAGMA query_only = 1")
		unavailable(t, write(s, addUser))
		conns.onWriter(t, "PRAGMA query_only = 0")
		if err := write(s, addUser); err != nil {
			t.Error(err)
		}
	})
	t.Run("it is full", func(t *testing.T) {
		s, conns, db := open(t)
		conns.onWriter(t, "PRAGMA max_page_count = 1") // as many as there are already
		var err error
		for range 100 {
			if err = write(s, addUser); err != nil {
				break
			}
		}
		unavailable(t, err)
		conns.onWriter(t, "PRAGMA max_page_count = 100000")
		users := storetest.Count(t, db, "SELECT count(*) FROM users")
		if err := write(s, addUser); err != nil {
			t.Error(err)
		}
		if n := storetest.Count(t, db, "SELECT count(*) FROM users"); n != users+1 {
			t.Errorf("%d users, not %d", n, users+1)
		}
	})
	t.Run("it is corrupt", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.SQLite)
		path := strings.TrimPrefix(databaseURL, "sqlite:")
		s := storetest.OpenURL(t, databaseURL)
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		// The first page says that it is a database, the others are no pages.
		if _, err := file.WriteAt([]byte(strings.Repeat("garbage!", int(info.Size()-4096)/8)), 4096); err != nil {
			t.Fatal(err)
		}
		_, err = s.UserByName(t.Context(), "alice")
		unavailable(t, err)
		_, _, err = s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
		unavailable(t, err)
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
	// kill ends every connection of the store.
	kill := func(t *testing.T, db *sql.DB) {
		t.Helper()
		storetest.Rows(t, db, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	}
	// recovers checks that the store works again, once it has thrown its dead connections away.
	recovers := func(t *testing.T, s *store.Store) {
		t.Helper()
		for range 20 {
			err := write(s, addUser)
			if err == nil {
				return
			}
			unavailable(t, err)
		}
		t.Error("the store does not recover")
	}
	t.Run("the connection ends inside a change", func(t *testing.T) {
		s, db := open(t, storetest.MigratedURL(t, storetest.Postgres))
		unavailable(t, write(s, func(tx *store.Tx) error {
			if err := addUser(tx); err != nil {
				return err
			}
			kill(t, db)
			err := addUser(tx)
			unavailable(t, err)
			return err
		}))
		if n := storetest.Count(t, db, "SELECT count(*) FROM users"); n != 0 {
			t.Errorf("%d users", n)
		}
		recovers(t, s)
	})
	t.Run("the commit comes after the connection is known to be gone", func(t *testing.T) {
		s, db := open(t, storetest.MigratedURL(t, storetest.Postgres))
		unavailable(t, write(s, func(tx *store.Tx) error {
			kill(t, db)
			unavailable(t, addUser(tx))
			return nil
		}))
		recovers(t, s)
	})
	t.Run("the connection ends between two reads", func(t *testing.T) {
		s, db := open(t, storetest.MigratedURL(t, storetest.Postgres))
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		kill(t, db)
		if _, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10}); err != nil {
			unavailable(t, err)
		}
		recovers(t, s)
	})
	t.Run("the database is gone", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.Postgres)
		s, _ := open(t, databaseURL)
		u, err := url.Parse(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		_, elsewhere := open(t, storetest.URL(t, storetest.Postgres))
		if _, err := elsewhere.Exec("DROP DATABASE " + strings.TrimPrefix(u.Path, "/") + " WITH (FORCE)"); err != nil {
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
		if _, err := s.UserByName(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("reading: %v", err)
		}
	})
	t.Run("a lock is waited for past the time-out", func(t *testing.T) {
		databaseURL := storetest.MigratedURL(t, storetest.Postgres)
		o := (&world{store: storetest.OpenURL(t, databaseURL)}).organisations(1)[0]
		s, db := open(t, withSetting(databaseURL, "statement_timeout", "20"))
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("SELECT 1 FROM call_managing_organisations FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		unavailable(t, write(s, remove(o.UUID)))
		_ = tx.Rollback()
	})
	t.Run("two changes wait for one another", func(t *testing.T) {
		s, _ := open(t, withSetting(storetest.MigratedURL(t, storetest.Postgres), "deadlock_timeout", "10"))
		all := (&world{store: s}).organisations(2)
		both := make(chan error, 2)
		hold := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		for i := range 2 {
			go func() {
				both <- write(s, func(tx *store.Tx) error {
					if _, err := tx.LockOrganisation(all[i].UUID); err != nil {
						return err
					}
					close(hold[i])
					<-hold[1-i]
					_, err := tx.LockOrganisation(all[1-i].UUID)
					return err
				})
			}()
		}
		first, second := <-both, <-both
		if first == nil {
			first, second = second, first
		}
		unavailable(t, first)
		if second != nil {
			t.Errorf("the other: %v", second)
		}
	})
}
