package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

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
		{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "query_only": "0", "cache_size": "-32768"},
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

func TestSQLiteFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Existing: true}); err == nil || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is made all the same")
	}
	s := storetest.OpenURL(t, "sqlite:"+path)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", info.Name(), info.Mode())
		}
	}
	storetest.OpenURL(t, "sqlite:"+path, func(cfg *store.Config) { cfg.Existing = true })
}

// A program has the locks of a file that it opened taken away when it closes it once more by
// whatever way: opening a second store must not do so to the first.
func TestSQLiteSecondStoreLeavesTheLocks(t *testing.T) {
	databaseURL := storetest.MigratedURL(t, storetest.SQLite)
	s := storetest.OpenURL(t, databaseURL)
	storetest.NewWorld(t, s).User("alice")
	path := strings.TrimPrefix(databaseURL, "sqlite:")
	locks := func() string {
		t.Helper()
		data, err := os.ReadFile("/proc/locks")
		if errors.Is(err, os.ErrNotExist) {
			return "" // not Linux: there is nowhere to look
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
		var lines []string
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, inode) {
				_, line, _ = strings.Cut(line, ":") // its number changes
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	before := locks()
	storetest.OpenURL(t, databaseURL)
	if after := locks(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
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
