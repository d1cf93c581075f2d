package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// A restore takes back what was written since, on the connections that read too, and changes nothing in
// the snapshot.
func TestSnapshot(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite, func(cfg *store.Config) { cfg.Volatile = true })
	w := &world{store: s}
	w.user("alice")
	saved, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bob", "carl"} {
		w.user(name)
		if _, err := s.UserByName(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if err := s.Restore(t.Context(), saved); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UserByName(t.Context(), name); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s is there after the restore: %v", name, err)
		}
		if _, err := s.UserByName(t.Context(), "alice"); err != nil {
			t.Errorf("alice: %v", err)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A reader sees the database before or after a restore, and a Write is before or after it.
func TestSnapshotIsRestoredWhole(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite)
	w := &world{store: s}
	for i := range 500 {
		w.user(fmt.Sprintf("user%d", i))
	}
	saved, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var tasks sync.WaitGroup
	for range 4 {
		tasks.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.UserByName(ctx, "user499"); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for ctx.Err() == nil {
		if err := s.Restore(ctx, saved); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
	tasks.Wait()
}

func TestSnapshotNeedsSQLite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		_, err := storetest.Open(t, engine).Save(t.Context())
		if engine == storetest.SQLite && err != nil {
			t.Error(err)
		}
		if engine == storetest.Postgres && (err == nil || !strings.Contains(err.Error(), "SQLite alone")) {
			t.Errorf("error is %v", err)
		}
	})
}

// Volatile alone has SQLite not wait for the disk.
func TestVolatile(t *testing.T) {
	for volatile, want := range map[bool]string{false: "2", true: "0"} {
		var spy spy
		storetest.Open(t, storetest.SQLite, spy.use, func(cfg *store.Config) { cfg.Volatile = volatile })
		var got string
		if err := spy.pool(t, 0).QueryRow("PRAGMA synchronous").Scan(&got); err != nil || got != want {
			t.Errorf("volatile %v: synchronous is %s, want %s: %v", volatile, got, want, err)
		}
	}
}

// A restore that can't be finished changes nothing.
func TestSnapshotThatIsNoDatabase(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite)
	(&world{store: s}).user("alice")
	if err := s.Restore(t.Context(), store.Snapshot(strings.Repeat("no database", 1000))); err == nil {
		t.Error("it was restored")
	}
	if _, err := s.UserByName(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
}
