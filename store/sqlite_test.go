package store_test

import (
	"context"
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

// The writer's pool alone writes, and takes the lock when a transaction begins.
func TestSQLitePools(t *testing.T) {
	var spy spy
	s := storetest.Open(t, storetest.SQLite, spy.use)
	(&world{store: s}).user("alice")
	for i := range spy.connectors {
		pool, second := spy.pool(t, i), spy.pool(t, 0)
		if _, err := pool.Exec("DELETE FROM users"); (err == nil) != (i == 0) {
			t.Errorf("pool %d writes: %v", i, err)
		}
		tx, err := pool.Begin()
		if err != nil {
			t.Fatal(err)
		}
		second.SetMaxOpenConns(1)
		if _, err := second.Exec("PRAGMA busy_timeout = 1"); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Exec("DELETE FROM users"); (err != nil) != (i == 0) {
			t.Errorf("pool %d holds the writer's lock: %v", i, err)
		}
		_ = tx.Rollback()
	}
}

func TestSQLitePaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain.db", "with space.db", "what?.db", "100%25.db", "a#b.db", "ä&=;.db"} {
		storetest.OpenURL(t, "sqlite:"+filepath.Join(dir, name))
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	_ = refused(t, "sqlite:"+filepath.Join(dir, "no-such-directory", "x.db"))
	_ = refused(t, "sqlite:"+dir)
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = refused(t, "sqlite:"+garbage)
}

func TestSQLiteFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	existing := func(cfg *store.Config) { cfg.Existing = true }
	if _, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Existing: true}); err == nil || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is made all the same")
	}
	if _, err := storetest.OpenURL(t, "sqlite:"+path).Migrate(t.Context()); err != nil {
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
	storetest.OpenURL(t, "sqlite:"+path, existing)
}

// The system takes a program's locks of a file away when the program closes it once more by whatever
// way: opening a second store must not do so to the first.
func TestSQLiteSecondStoreLeavesTheLocks(t *testing.T) {
	databaseURL := storetest.MigratedURL(t, storetest.SQLite)
	(&world{store: storetest.OpenURL(t, databaseURL)}).user("alice")
	locks := func() []string {
		t.Helper()
		data, err := os.ReadFile("/proc/locks")
		if errors.Is(err, os.ErrNotExist) {
			return nil // not Linux: there is nowhere to look
		}
		info, statErr := os.Stat(strings.TrimPrefix(databaseURL, "sqlite:"))
		if err := errors.Join(err, statErr); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)) {
				_, line, _ = strings.Cut(line, ":") // its number changes
				lines = append(lines, line)
			}
		}
		slices.Sort(lines)
		return lines
	}
	before := locks()
	storetest.OpenURL(t, databaseURL)
	if after := locks(); !slices.Equal(after, before) {
		t.Errorf("before: %q, after: %q", before, after)
	}
}

// files counts what is in a directory.
func files(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestSQLiteMemoryIsAPrivateFileThatGoesAway(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
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
	(&world{store: stores[0]}).user("alice")
	if _, err := stores[0].UserByName(t.Context(), "alice"); err != nil { // by another connection than the writer's
		t.Error(err)
	}
	if _, err := stores[1].UserByName(t.Context(), "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the other one: %v", err)
	}
	if n := files(t, temp); n != 2 {
		t.Errorf("%d files", n)
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := files(t, temp); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// failing is a connector that connects to nothing.
type failing struct{ driver.Connector }

func (failing) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("no") }

func TestAFailedOpenLeavesNothingOpen(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var spy spy
	cfg := store.Config{URL: "sqlite::memory:"}
	spy.use(&cfg)
	storetest.WrapConnector(&cfg, func(c driver.Connector) driver.Connector {
		if len(spy.connectors) == 2 {
			return failing{c}
		}
		return c
	})
	if _, err := store.Open(t.Context(), cfg); err == nil {
		t.Fatal("it is opened")
	}
	if err := spy.conns[0].(driver.Pinger).Ping(t.Context()); len(spy.conns) != 1 || err == nil {
		t.Errorf("one of %d connections is open: %v", len(spy.conns), err)
	}
	if n := files(t, temp); n != 0 {
		t.Errorf("%d files are left", n)
	}
}
