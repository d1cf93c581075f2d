package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// unmigrated opens an empty database.
func unmigrated(t *testing.T, engine string) (*store.Store, *sql.DB) {
	t.Helper()
	var tables storetest.SQL
	s := storetest.OpenURL(t, storetest.URL(t, engine), tables.Use)
	return s, tables.DB(t)
}

// objects names the tables, functions and triggers of a database, but goose's.
func objects(t *testing.T, engine string, db *sql.DB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite_%'"
	if engine == storetest.Postgres {
		query = `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'
			UNION ALL SELECT proname FROM pg_proc WHERE proname = 'count_call_managing_organisations'`
	}
	return slices.DeleteFunc(storetest.Rows(t, db, query), func(row string) bool { return row == `name="goose_db_version"` })
}

func TestMigrationsUpDownUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		s, db := unmigrated(t, engine)
		up := func(want int, check error) {
			t.Helper()
			before, err := s.Migrations(t.Context())
			if diff := cmp.Diff([]store.Migration{{Name: "00001_schema.sql", State: map[int]string{0: "applied", 1: "missing"}[want]}}, before); diff != "" || err != nil {
				t.Errorf("%v, want (-), got (+):\n%s", err, diff)
			}
			if err := s.CheckMigrated(t.Context()); !errors.Is(err, check) {
				t.Errorf("%v, not %v", err, check)
			}
			if n, err := s.Migrate(t.Context()); err != nil || n != want {
				t.Fatalf("%d steps, not %d: %v", n, want, err)
			}
		}
		// The schema that is missing is an error that says so, not an empty answer.
		for _, err := range []error{write(s, addUser), errorOf(s.Empty(t.Context())), errorOf(s.Organisation(t.Context(), uuid.New()))} {
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
				t.Error(err)
			}
		}
		up(1, store.ErrNotMigrated)
		up(0, nil)
		data := storetest.Dump(t, db)
		// A world's data is no obstacle to going back.
		w := &world{store: s}
		o := w.organisations(2)[0]
		w.grant(w.user("alice"), w.role("CUSTOMER.CALL_ORGANIZER"), o)
		w.call(o, "active")
		w.image("call_managing_organisations", o.UUID, "x")
		for _, want := range []string{"00001_schema.sql", ""} {
			if name, err := s.MigrateDown(t.Context()); err != nil || name != want {
				t.Fatalf("%q is taken back, not %q: %v", name, want, err)
			}
		}
		if left := objects(t, engine, db); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		up(1, store.ErrNotMigrated)
		if diff := cmp.Diff(data, storetest.Dump(t, db)); diff != "" {
			t.Errorf("the data before (-), and after (+):\n%s", diff)
		}
		if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)"); err != nil {
			t.Fatal(err)
		}
		steps, err := s.Migrations(t.Context())
		newer := []store.Migration{{Name: "00001_schema.sql", State: "applied"}, {Name: "00002", State: "unknown"}}
		if diff := cmp.Diff(newer, steps); diff != "" || err != nil {
			t.Errorf("%v, want (-), got (+):\n%s", err, diff)
		}
	})
}

// Several replicas may start at once on an empty database. On SQLite they are processes that
// share a file.
func TestMigrationsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		databaseURL := storetest.URL(t, engine)
		var stores []*store.Store
		for range 4 {
			stores = append(stores, storetest.OpenURL(t, databaseURL))
		}
		if err := errors.Join(together(len(stores), func(i int) error { return errorOf(stores[i].Migrate(t.Context())) })...); err != nil {
			t.Error(err)
		}
		if err := stores[0].CheckMigrated(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A database of a version before 0.1.0 has steps of these numbers, and no mark.
func TestOldSchema(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		s, db := unmigrated(t, engine)
		if err := s.CheckMigrated(t.Context()); !errors.Is(err, store.ErrNotMigrated) { // makes goose's table
			t.Errorf("an empty database: %v", err)
		}
		for version := 1; version <= 8; version++ {
			if _, err := db.Exec(fmt.Sprint("INSERT INTO goose_db_version (version_id, is_applied) VALUES (", version, ", true)")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec("CREATE TABLE settings (name text NOT NULL PRIMARY KEY, value text NOT NULL)"); err != nil {
			t.Fatal(err)
		}
		_, up := s.Migrate(t.Context())
		_, down := s.MigrateDown(t.Context())
		for _, err := range []error{up, down, s.CheckMigrated(t.Context())} {
			if !errors.Is(err, store.ErrOldSchema) {
				t.Errorf("error is %v", err)
			}
		}
		if diff := cmp.Diff([]string{`name="settings"`}, objects(t, engine, db)); diff != "" {
			t.Errorf("the schema before (-), and after (+):\n%s", diff)
		}
	})
}
