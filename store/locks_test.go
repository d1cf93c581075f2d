package store_test

import (
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// overlap is a change and another that begins before the first one is kept, and waits for it.
type overlap struct {
	name          string
	first, second func(tx *store.Tx, o overlapped) error
	err           error // of the second
}

type overlapped struct {
	customer     store.Customer // has no organisation
	organisation store.CallManagingOrganisation
	user         store.User
	role         store.Role
}

func change(tx *store.Tx, o overlapped) error {
	o.customer.Name, o.customer.Blocked = "Renamed", true
	return tx.ImportCustomers([]store.Customer{o.customer})
}

func picture(tx *store.Tx, o overlapped) error {
	return tx.ImportImage(store.CustomerImage, o.customer.UUID, storetest.Picture("logo"))
}

func create(tx *store.Tx, o overlapped) error {
	c, err := tx.LockCustomer(o.customer.UUID)
	if err != nil {
		return err
	}
	_, err = tx.CreateOrganisation(c, "", nil)
	return err
}

func grant(tx *store.Tx, o overlapped) error {
	if _, err := tx.LockOrganisation(o.organisation.UUID); err != nil {
		return err
	}
	return tx.GrantRole(o.user.UUID, o.role.UUID, o.organisation.UUID, nil)
}

func remove(tx *store.Tx, o overlapped) error {
	locked, err := tx.LockOrganisation(o.organisation.UUID)
	if err != nil {
		return err
	}
	return tx.DeleteOrganisation(locked)
}

func wholeImport(tx *store.Tx, o overlapped) error {
	if err := tx.LockForImport(); err != nil {
		return err
	}
	return change(tx, o)
}

var overlaps = []overlap{
	{"a customer changes while its organisation is made", create, change, nil},
	{"an organisation is made while its customer changes", change, create, nil},
	{"a customer gets an image while its organisation is made", create, picture, nil},
	{"an organisation is made while its customer gets an image", picture, create, nil},
	{"a role is granted while the organisation is deleted", remove, grant, store.ErrNotFound},
	{"an organisation is deleted while a role is granted", grant, remove, nil},
	{"a role is granted while it is granted", grant, grant, store.ErrAlreadyGranted},
	{"an organisation is deleted while it is deleted", remove, remove, store.ErrNotFound},
	{"an organisation is made during an import", wholeImport, create, nil},
	{"a role is granted during an import", wholeImport, grant, nil},
	{"an import during an import", wholeImport, wholeImport, nil},
	{"an import begins while a role is granted", grant, wholeImport, nil},
	{"an import begins while an organisation is made", create, wholeImport, nil},
}

func TestOverlappingChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var tables storetest.SQL
		s := storetest.Open(t, engine, tables.Use)
		db, w := tables.DB(t), storetest.NewWorld(t, s)
		for _, c := range overlaps {
			t.Run(c.name, func(t *testing.T) {
				w := w.For(t)
				o := overlapped{customer: w.Customer("Old"), user: w.User("u-" + uuid.NewString()), role: w.Role("CUSTOMER.CALL_ORGANIZER")}
				o.organisation = w.Organisation(w.Customer("Other"))
				second := make(chan error, 1)
				if err := write(s, func(tx *store.Tx) error {
					if err := c.first(tx, o); err != nil {
						return err
					}
					go func() { second <- write(s, func(tx *store.Tx) error { return c.second(tx, o) }) }()
					// On SQLite it can't even begin.
					for engine == storetest.Postgres && !waits(t, db) {
						if len(second) > 0 {
							t.Error("the second change did not wait")
							return nil
						}
						runtime.Gosched()
					}
					// Reads wait for nothing.
					if _, err := s.Organisation(t.Context(), o.organisation.UUID); err != nil {
						t.Errorf("reading: %v", err)
					}
					_, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if err := <-second; !errors.Is(err, c.err) {
					t.Errorf("the second change: %v, not %v", err, c.err)
				}
				if n := storetest.Count(t, db, storetest.OutOfStep); n > 0 {
					t.Errorf("%d organisations show something else than their customer", n)
				}
			})
		}
	})
}

// waits says whether a connection to the database waits for a lock of another.
func waits(t *testing.T, db *sql.DB) bool {
	t.Helper()
	return storetest.Count(t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
}

// An import runs beside a server: two processes write to one file, and neither is told that it
// is locked.
func TestTwoStoresOnOneDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		databaseURL := storetest.MigratedURL(t, engine)
		stores := []*store.Store{storetest.OpenURL(t, databaseURL), storetest.OpenURL(t, databaseURL)}
		done := make(chan error)
		for _, s := range stores {
			go func() {
				for range 10 {
					if err := write(s, addUser); err != nil {
						done <- err
						return
					}
					if _, err := s.CountOrganisations(t.Context(), store.OrganisationFilter{}); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range stores {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		// What one has written the other reads.
		if err := write(stores[0], func(tx *store.Tx) error { _, err := tx.CreateUser(store.User{Username: "alice"}); return err }); err != nil {
			t.Fatal(err)
		}
		if _, err := stores[1].UserByName(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
	})
}
