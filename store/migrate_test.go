package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// steps are the migrations' files of an engine, in order.
func steps(t *testing.T, engine string) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "migrations/"+engine+"/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for i := range files {
		files[i] = path.Base(files[i])
	}
	return files
}

func TestMigrationsUpDownUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var tables storetest.SQL
		s := storetest.OpenURL(t, storetest.URL(t, engine), tables.Use)
		db := tables.DB(t)
		files := steps(t, engine)
		states := func(applied int) {
			t.Helper()
			got, err := s.Migrations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var want []store.Migration
			for i, file := range files {
				want = append(want, store.Migration{Name: file, Applied: i < applied})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
			if err := s.CheckMigrated(t.Context()); errors.Is(err, store.ErrNotMigrated) != (applied < len(files)) {
				t.Errorf("%d steps of %d: %v", applied, len(files), err)
			}
		}
		up := func(want int) {
			t.Helper()
			if n, err := s.Migrate(t.Context()); err != nil || n != want {
				t.Fatalf("%d steps, not %d: %v", n, want, err)
			}
		}
		states(0)
		up(len(files))
		states(len(files))
		up(0)
		schema, data := describe(t, engine, db), storetest.Dump(t, db)

		// A world's data is no obstacle to going back.
		w := storetest.NewWorld(t, s)
		o := w.Organisations(2)[0]
		w.Grant(w.User("alice"), w.Role("CUSTOMER.CALL_ORGANIZER"), o)
		w.Call(o, "active")
		w.Image(store.OrganisationImage, o.UUID, "x")
		for i := len(files) - 1; i >= 0; i-- {
			if name, err := s.MigrateDown(t.Context()); err != nil || name != files[i] {
				t.Fatalf("%q is taken back, not %q: %v", name, files[i], err)
			}
			states(i)
		}
		if name, err := s.MigrateDown(t.Context()); err != nil || name != "" {
			t.Errorf("%q is taken back (%v)", name, err)
		}
		if left := describe(t, engine, db); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		up(len(files))
		if diff := cmp.Diff(schema, describe(t, engine, db)); diff != "" {
			t.Errorf("the schema before (-), and after (+):\n%s", diff)
		}
		if diff := cmp.Diff(data, storetest.Dump(t, db)); diff != "" {
			t.Errorf("the data before (-), and after (+):\n%s", diff)
		}
	})
}

// Several replicas may start at once on an empty database. On SQLite they are processes that
// share a file.
func TestMigrationsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		databaseURL := storetest.URL(t, engine)
		errs := make([]error, 4)
		begin := make(chan struct{})
		var all sync.WaitGroup
		for i := range errs {
			s := storetest.OpenURL(t, databaseURL)
			all.Go(func() {
				<-begin
				_, errs[i] = s.Migrate(t.Context())
			})
		}
		close(begin)
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		s := storetest.OpenURL(t, databaseURL)
		if n, err := s.Migrate(t.Context()); n != 0 || err != nil {
			t.Errorf("%d steps are left (%v)", n, err)
		}
	})
}

// The schema that is missing is an error that says so, not an empty answer.
func TestNotMigrated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		s := storetest.OpenURL(t, storetest.URL(t, engine))
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		for name, err := range map[string]error{
			"write": write(s, addUser),
			"empty": func() error { _, err := s.Empty(t.Context()); return err }(),
			"list": func() error {
				_, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
				return err
			}(),
		} {
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
				t.Error(fmt.Sprint(name, ": ", err))
			}
		}
	})
}

// A migration that waits for a lock lets others go first, however many processes migrate, and goes
// on once the lock is free.
func TestPostgresMigrationsWaitForLocks(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue // on SQLite one waits for the other before it begins
		}
		t.Parallel()
		var tables storetest.SQL
		databaseURL := storetest.URL(t, engine)
		s := storetest.OpenURL(t, databaseURL+"&application_name=first", tables.Use)
		second := storetest.OpenURL(t, databaseURL+"&application_name=second")
		if _, err := s.Migrations(t.Context()); err != nil { // makes goose's table
			t.Fatal(err)
		}
		db := tables.DB(t)
		holder, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = holder.Rollback() }()
		if _, err := holder.Exec("LOCK TABLE goose_db_version IN SHARE MODE"); err != nil {
			t.Fatal(err)
		}
		migrated := make(chan error, 2)
		migrate := func(s *store.Store) {
			_, err := s.Migrate(t.Context())
			migrated <- err
		}
		until := func(firstWaits bool) {
			t.Helper()
			for len(migrated) == 0 {
				names := storetest.Rows(t, db, "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
				if slices.Contains(names, `application_name="second"`) {
					t.Fatal("the second migration waits for a lock while it is the first one's turn")
				}
				if slices.Contains(names, `application_name="first"`) == firstWaits {
					return
				}
				time.Sleep(time.Millisecond)
			}
			t.Fatalf("a migration did not wait: %v", <-migrated)
		}
		go migrate(s)
		until(true)
		go migrate(second)
		until(false)
		until(true) // the pause is over, which the second did not use
		if err := holder.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-migrated, <-migrated); err != nil {
			t.Error(err)
		}
		if err := s.CheckMigrated(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A database of a version before 0.1.0 has steps of these numbers, and no mark.
func TestOldSchema(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var tables storetest.SQL
		s := storetest.OpenURL(t, storetest.URL(t, engine), tables.Use)
		db := tables.DB(t)
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
		before := describe(t, engine, db)
		for name, run := range map[string]func() error{
			"up":    func() error { _, err := s.Migrate(t.Context()); return err },
			"down":  func() error { _, err := s.MigrateDown(t.Context()); return err },
			"check": func() error { return s.CheckMigrated(t.Context()) },
		} {
			if err := run(); !errors.Is(err, store.ErrOldSchema) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(before, describe(t, engine, db)); diff != "" {
			t.Errorf("the schema before (-), and after (+):\n%s", diff)
		}
	})
}
