package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
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
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error shows the password: %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
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
		err := refused(t, databaseURL)
		if errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q is taken for a database: %v", databaseURL, err)
		}
		checked := store.CheckURL(databaseURL)
		if checked == nil || strings.Contains(checked.Error(), secret) {
			t.Errorf("CheckURL(%q): %v", databaseURL, checked)
		}
	}
	for _, databaseURL := range []string{"sqlite:x", "sqlite::memory:", "postgres://u:p@h/x", "postgresql://h/x?sslmode=disable"} {
		if err := store.CheckURL(databaseURL); err != nil {
			t.Errorf("CheckURL(%q): %v", databaseURL, err)
		}
	}
}

// fakeServer answers each connection with what it is told to, and returns a URL of itself.
func fakeServer(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			answer(c)
		}
	}()
	return "postgres://user:" + secret + "@" + listener.Addr().String() + "/x?sslmode=disable"
}

func TestPostgresThatIsNotThere(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		_ = listener.Close()
		unavailable(t, refused(t, "postgres://user:"+secret+"@"+address+"/x"))
	})
	t.Run("it hangs up", func(t *testing.T) {
		unavailable(t, refused(t, fakeServer(t, func(c net.Conn) { _ = c.Close() })))
	})
	t.Run("it speaks something else", func(t *testing.T) {
		unavailable(t, refused(t, fakeServer(t, func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		})))
	})
	t.Run("it says nothing until the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var silent sync.Map
		databaseURL := fakeServer(t, func(c net.Conn) {
			silent.Store(c, true) // kept, or it would be closed
			cancel()
		})
		if _, err := store.Open(ctx, store.Config{URL: databaseURL}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		silent.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
	})
}

func TestPostgresThatRefuses(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		u, err := url.Parse(storetest.URL(t, engine))
		if err != nil {
			t.Fatal(err)
		}
		// Nobody of this name, so that it is refused however the server lets people in.
		stranger := *u
		stranger.User = url.UserPassword("opencalls_nobody", secret)
		err = refused(t, stranger.String())
		unavailable(t, err)
		if !strings.Contains(err.Error(), "opencalls_nobody") {
			t.Errorf("the error does not say who: %v", err)
		}
		missing := *u
		missing.Path += "_missing"
		err = refused(t, missing.String())
		unavailable(t, err)
		if !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("the error does not say why: %v", err)
		}
	}
}

func TestPostgresSettingsAreWarnedAbout(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		for _, commit := range []string{"on", "off"} {
			u, err := url.Parse(storetest.URL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Set("synchronous_commit", commit)
			u.RawQuery = query.Encode()
			var log bytes.Buffer
			var tables storetest.SQL
			storetest.OpenURL(t, u.String(), tables.Use, func(cfg *store.Config) { cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
			db := tables.DB(t)
			for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
				off := storetest.Rows(t, db, "SELECT current_setting('"+setting+"') AS v")[0] == `v="off"`
				if warned := strings.Contains(log.String(), `"setting":"`+setting+`"`); warned != off {
					t.Errorf("%s off is %v, warned about is %v: %s", setting, off, warned, log.String())
				}
			}
			if strings.Contains(log.String(), "synchronous_commit") != (commit == "off") {
				t.Errorf("synchronous_commit=%s: %s", commit, log.String())
			}
		}
	}
}

// A statement ends after five seconds unless the URL says otherwise.
func TestPostgresStatementTimeout(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		for set, want := range map[string]string{"": "5s", "1234": "1234ms"} {
			u, err := url.Parse(storetest.URL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Del("statement_timeout")
			if set != "" {
				query.Set("statement_timeout", set)
			}
			u.RawQuery = query.Encode()
			var tables storetest.SQL
			storetest.OpenURL(t, u.String(), tables.Use)
			if got := storetest.Rows(t, tables.DB(t), "SELECT current_setting('statement_timeout') AS v"); got[0] != `v="`+want+`"` {
				t.Errorf("%q: %s", set, got[0])
			}
		}
	}
}

// connectors is an Option that remembers how a store connects.
type connectors struct{ all []driver.Connector }

func (c *connectors) use(cfg *store.Config) {
	cfg.WrapConnector = func(connector driver.Connector) driver.Connector {
		c.all = append(c.all, connector)
		return connector
	}
}

func TestSQLitePragmas(t *testing.T) {
	var both connectors
	s := storetest.Open(t, storetest.SQLite, both.use)
	storetest.NewWorld(t, s).User("alice")
	if len(both.all) != 2 {
		t.Fatalf("%d pools", len(both.all))
	}
	for i, want := range []map[string]string{
		{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "query_only": "0"},
		{"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "query_only": "1"},
	} {
		pool := sql.OpenDB(both.all[i])
		t.Cleanup(func() { _ = pool.Close() })
		for pragma, value := range want {
			var got string
			if err := pool.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != value {
				t.Errorf("pool %d: %s is %q, not %q (%v)", i, pragma, got, value, err)
			}
		}
		_, err := pool.Exec("DELETE FROM users")
		if writes := err == nil; writes != (i == 0) {
			t.Errorf("pool %d writes: %v", i, err)
		}
		// BEGIN takes the writer's lock at once on the writer's pool alone.
		tx, err := pool.Begin()
		if err != nil {
			t.Fatal(err)
		}
		second := sql.OpenDB(both.all[0])
		t.Cleanup(func() { _ = second.Close() })
		if _, err := second.Exec("PRAGMA busy_timeout = 1"); err != nil {
			t.Fatal(err)
		}
		second.SetMaxOpenConns(1)
		_, err = second.Exec("DELETE FROM users")
		if locked := err != nil; locked != (i == 0) {
			t.Errorf("pool %d holds the writer's lock: %v", i, err)
		}
		_ = tx.Rollback()
	}
}

func TestSQLitePaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain.db", "with space.db", "what?.db", "100%25.db", "a#b.db", "ä&=;.db"} {
		path := filepath.Join(dir, name)
		s := storetest.OpenURL(t, "sqlite:"+path)
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	_ = refused(t, "sqlite:"+filepath.Join(dir, "no-such-directory", "x.db"))
	_ = refused(t, "sqlite:"+dir)
}

func TestSQLiteFileThatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = refused(t, "sqlite:"+path)
}

func TestSQLiteMemoryIsAPrivateFileThatGoesAway(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	left := func() []string {
		entries, err := os.ReadDir(temp)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	var stores []*store.Store
	for range 2 {
		s, err := store.Open(t.Context(), store.Config{URL: "sqlite::memory:"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	storetest.NewWorld(t, stores[0]).User("alice")
	if _, err := stores[0].UserByName(t.Context(), "alice"); err != nil { // by another connection than the writer's
		t.Error(err)
	}
	if _, err := stores[1].UserByName(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the other one: %v", err)
	}
	if len(left()) != 2 {
		t.Errorf("files: %v", left())
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(left()) != 0 {
		t.Errorf("left: %v", left())
	}
}

// failing is a connector that connects to nothing.
type failing struct{ driver.Connector }

func (failing) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("no") }

func TestAFailedOpenLeavesNothingOpen(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	pools := 0
	var writer counting
	_, err := store.Open(t.Context(), store.Config{URL: "sqlite::memory:", WrapConnector: func(c driver.Connector) driver.Connector {
		if pools++; pools == 2 {
			return failing{c}
		}
		writer.Connector = c
		return &writer
	}})
	if err == nil {
		t.Fatal("it is opened")
	}
	if writer.opened == 0 || writer.opened != writer.closed {
		t.Errorf("%d connections opened, %d closed", writer.opened, writer.closed)
	}
	if entries, _ := os.ReadDir(temp); len(entries) != 0 {
		t.Errorf("left: %v", slices.Collect(func(yield func(string) bool) {
			for _, e := range entries {
				yield(e.Name())
			}
		}))
	}
}

// counting counts the connections of a connector.
type counting struct {
	driver.Connector
	opened, closed int
}

func (c *counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c.opened++
	return &countedConn{conn, c}, nil
}

type countedConn struct {
	driver.Conn
	connector *counting
}

func (c *countedConn) Close() error {
	c.connector.closed++
	return c.Conn.Close()
}
