package store_test

import (
	"context"
	"errors"
	"strings"
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

// A snapshot is not restored while somebody uses the database.
func TestSnapshotOfADatabaseInUse(t *testing.T) {
	url := storetest.MigratedURL(t, storetest.SQLite)
	s := storetest.OpenURL(t, url)
	saved, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	(&world{store: s}).user("alice")
	err = s.Write(t.Context(), store.Actor{}, func(*store.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		return s.Restore(ctx, saved)
	})
	if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in a Write: %v", err)
	}
	other := storetest.OpenURL(t, url)
	if err := s.Restore(t.Context(), saved); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("with another store on the file: %v", err)
	}
	for _, store := range []*store.Store{s, other} {
		if _, err := store.UserByName(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
	}
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
