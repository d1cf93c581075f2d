package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

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

// Organisations that are there already get their copies of their customers, and those that a server
// of an earlier version makes or changes, while a newer one has migrated the database.
func TestMigrationCopiesCustomers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var tables storetest.SQL
		s := storetest.Open(t, engine, tables.Use)
		db := tables.DB(t)
		w := storetest.NewWorld(t, s)
		w.Organisations(3)
		c := w.Customer("Ülikool", func(c *store.Customer) {
			c.Abbreviation, c.NativeName, c.Country, c.Blocked, c.Archived = "Ü", "Tartu Ülikool", "EE", true, true
		})
		w.Organisation(c)
		w.Image(store.CustomerImage, c.UUID, "logo")
		without := w.Customer("Has none")
		data := storetest.Dump(t, db)
		for name := ""; !strings.HasSuffix(name, "_customer_copies.sql"); {
			var err error
			if name, err = s.MigrateDown(t.Context()); err != nil || name == "" {
				t.Fatal(name, err)
			}
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(data, storetest.Dump(t, db)); diff != "" {
			t.Errorf("the data before (-), and after (+):\n%s", diff)
		}
		for _, statement := range []string{
			"INSERT INTO call_managing_organisations (uuid, customer_uuid, description, created, customer_key, customer_search) SELECT '" +
				uuid.NewString() + "', uuid, '', created, name_key, search FROM customers WHERE uuid = '" + without.UUID.String() + "'",
			"UPDATE customers SET name = 'Renamed', name_key = 'renamed', search = 'renamed', country = 'LV' WHERE country = 'EE'",
			`UPDATE call_managing_organisations SET customer_key = c.name_key, customer_search = c.search
				FROM customers AS c WHERE c.uuid = call_managing_organisations.customer_uuid AND c.name = 'Renamed'`,
		} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			if n := storetest.Count(t, db, storetest.OutOfStep); n > 0 {
				t.Errorf("%d organisations do not show their customer after %s", n, statement)
			}
		}
		if n := storetest.Count(t, db, "SELECT count(*) FROM call_managing_organisations WHERE customer_name IN ('Has none', 'Renamed')"); n != 2 {
			t.Errorf("%d organisations of 2", n)
		}
	})
}

// A migration begins while an import is under way, or a change, that has yet to come to what the
// migration changes: none of them fails.
func TestMigrationCopiesCustomersBesideOthers(t *testing.T) {
	if !slices.Contains(storetest.Engines(), storetest.Postgres) {
		return // on SQLite one waits for the other before it begins
	}
	const importLock = "LOCK TABLE customers IN EXCLUSIVE MODE"
	for _, other := range []struct{ first, then string }{
		{importLock, "UPDATE call_managing_organisations SET description = 'new'"},
		{importLock, "UPDATE customers SET name = name || ' renamed'"},
		{"SELECT 1 FROM call_managing_organisations AS o JOIN customers AS c ON c.uuid = o.customer_uuid FOR UPDATE OF o FOR KEY SHARE OF c",
			"UPDATE call_managing_organisations SET description = 'new'"},
	} {
		for steps := 1; steps <= 2; steps++ { // only the rows are filled, or the columns are added too
			t.Run(fmt.Sprintf("%d steps beside %s", steps, other.first), func(t *testing.T) {
				var tables storetest.SQL
				s := storetest.Open(t, storetest.Postgres, tables.Use)
				db := tables.DB(t)
				storetest.NewWorld(t, s).Organisations(3)
				for range steps {
					if _, err := s.MigrateDown(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				if _, err := tx.Exec(other.first); err != nil {
					t.Fatal(err)
				}
				migrated := make(chan error, 1)
				go func() {
					_, err := s.Migrate(t.Context())
					migrated <- err
				}()
				for !waits(t, db) && len(migrated) == 0 {
					runtime.Gosched()
				}
				if _, err := tx.Exec(other.then); err != nil {
					t.Errorf("the other change: %v", err)
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
				if err := <-migrated; err != nil {
					t.Error(err)
				}
				if n := storetest.Count(t, db, storetest.OutOfStep); n > 0 {
					t.Errorf("%d organisations do not show their customer", n)
				}
			})
		}
	}
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

// A migration that waits for what somebody reads keeps nobody else from reading for long, however
// many processes migrate, and goes on once that has ended.
func TestMigrationsLetReadsThrough(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue // on SQLite reads wait for no writer
		}
		var tables storetest.SQL
		databaseURL := storetest.URL(t, engine)
		s := storetest.OpenURL(t, databaseURL+"&application_name=first", tables.Use)
		second := storetest.OpenURL(t, databaseURL+"&application_name=second")
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name := ""; name != "00004_members_index.sql"; { // which replaces an index; adding one waits for no reader
			var err error
			if name, err = s.MigrateDown(t.Context()); err != nil || name == "" {
				t.Fatal(name, err)
			}
		}
		db, read := tables.DB(t), "LOCK TABLE "+strings.Join(storetest.Tables, ", ")+" IN ACCESS SHARE MODE"
		reading, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reading.Rollback() }()
		if _, err := reading.Exec(read); err != nil {
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
				runtime.Gosched()
			}
		}
		go migrate(s)
		until(true)
		go migrate(second)
		// It waits behind the migration as long as the migration waits.
		if _, err := db.Exec("BEGIN; " + read + "; COMMIT"); err != nil {
			t.Error(err)
		}
		until(false)
		until(true) // the pause is over, which the second did not use
		if len(migrated) > 0 {
			t.Fatalf("a migration did not wait: %v", <-migrated)
		}
		if err := reading.Rollback(); err != nil {
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
