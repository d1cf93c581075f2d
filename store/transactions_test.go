package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var transactionScenarios = []scenario{
	{"a change reads what it wrote, others do not until it is kept", func(r *rig) {
		r.write(func(tx *store.Tx) error {
			u := must(tx.CreateUser(store.User{Username: "alice"}, nil))
			r.same(must(tx.User(r.ctx, u.UUID)), u)
			r.is(errorOf(r.store.User(r.ctx, u.UUID)), store.ErrNotFound)
			return nil
		})
		must(r.store.UserByName(r.ctx, "alice"))
	}},

	{"an error of the change takes everything back and is returned as it is", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		r.world.image("call_managing_organisations", o.UUID, "old")
		for _, want := range []error{
			errTakeBack, fmt.Errorf("wrapped: %w", io.ErrUnexpectedEOF), sql.ErrNoRows, context.Canceled, &store.CheckError{Constraint: "mine"},
		} {
			err := r.fails(func(tx *store.Tx) error {
				everyKindOfChange(r, tx, o.UUID)
				return want
			})
			if err != want { //nolint:errorlint // the very same value is the promise
				r.Errorf("error is %v, not %v", err, want)
			}
		}
	}},

	{"an error of an export's visitor ends it and is returned as it is", func(r *rig) {
		r.populate()
		calls := 0
		want := &fs.PathError{Op: "write", Path: "file", Err: syscall.ENOSPC} // which has a network error's methods
		err := r.store.Export(r.ctx, func(store.Export) error { calls++; return want })
		if err != error(want) || calls != 1 { //nolint:errorlint // the very same value is the promise
			r.Errorf("error after %d calls is %v", calls, err)
		}
	}},

	{"a panic of the change takes everything back and goes on", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		r.world.image("call_managing_organisations", o.UUID, "old")
		before := r.dump()
		func() {
			defer func() { r.same(recover(), "oh") }()
			_ = write(r.store, func(tx *store.Tx) error {
				everyKindOfChange(r, tx, o.UUID)
				panic("oh")
			})
		}()
		r.same(r.dump(), before)
		r.write(remove(o.UUID)) // the connection is free again, and so is what was locked
	}},

	{"a failed import names its row, and the transaction goes on", func(r *rig) {
		c := r.world.customer("Tartu")
		r.world.organisation(c)
		r.write(func(tx *store.Tx) error {
			one := store.Customer{UUID: r.world.id(), Name: "One"}
			r.ok(tx.Import([]store.Customer{one}))
			err := tx.Import([]store.CallManagingOrganisation{
				{UUID: r.world.id(), CustomerUUID: one.UUID},
				{UUID: r.world.id(), CustomerUUID: c.UUID}, // has one
			})
			r.isRow(err, 1)
			r.violates(err, "call_managing_organisations_customer_uuid_key")
			return errorOf(tx.CreateUser(store.User{Username: "alice"}, nil))
		})
		r.same(r.count("users"), 1)
	}},
}

// everyKindOfChange writes to every table that the API's operations write to.
func everyKindOfChange(r *rig, tx *store.Tx, organisation uuid.UUID) {
	r.Helper()
	u := must(tx.CreateUser(store.User{Username: "in-a-change"}, nil))
	r.ok(tx.CreateToken(u.UUID, store.Digest("in a change"), nil))
	c := []store.Customer{{UUID: uuid.New(), Name: "In a change"}}
	r.ok(tx.Import(c))
	must(tx.CreateOrganisation(c[0], "", storetest.Picture("in a change")))
	role := must(tx.RoleByName(r.ctx, "CUSTOMER.CALL_ORGANIZER"))
	r.ok(tx.GrantRole(u.UUID, role.UUID, on(organisation), nil))
	o := must(tx.LockOrganisation(organisation))
	o = must(tx.UpdateOrganisation(o, store.OrganisationChange{Description: ptr("changed"), Image: storetest.Picture("new")}))
	r.ok(tx.DeleteOrganisation(o))
	r.ok(tx.SetSetting("in a change", "x"))
}

var contextScenarios = []scenario{
	{"it ends during a change, which takes everything back", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		before := r.dump()
		for name, last := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"the commit fails":    func(context.Context, *store.Tx) error { return nil },
			"a change fails":      func(_ context.Context, tx *store.Tx) error { return addUser(tx) },
			"a read in it fails":  func(ctx context.Context, tx *store.Tx) error { _, err := tx.User(ctx, o.UUID); return err },
			"it is noticed early": func(context.Context, *store.Tx) error { r.rolledBack(); return nil },
		} {
			ctx, cancel := context.WithCancel(r.ctx)
			r.statements.Reset()
			err := r.store.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
				everyKindOfChange(r, tx, o.UUID)
				cancel()
				return last(ctx, tx)
			})
			r.is(fmt.Errorf("%s: %w", name, err), context.Canceled)
			r.same(r.dump(), before)
		}
		r.write(remove(o.UUID))
	}},

	{"it ends during an export", func(r *rig) {
		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		r.statements.Reset()
		r.is(r.store.Export(ctx, func(e store.Export) error {
			if len(exported[store.Role](e)) > 0 {
				cancel()
				r.rolledBack()
			}
			return nil
		}), context.Canceled)
	}},

	{"it ends while a statement waits for a lock", func(r *rig) {
		o := r.world.organisations(1)[0]
		r.write(func(tx *store.Tx) error {
			must(tx.LockOrganisation(o.UUID))
			ctx, cancel := context.WithCancel(r.ctx)
			done := make(chan error)
			go func() { done <- r.store.Write(ctx, store.Actor{}, remove(o.UUID)) }()
			// On SQLite it waits for the only writer.
			for r.engine == storetest.Postgres && !waits(r) {
				runtime.Gosched()
			}
			cancel()
			r.is(<-done, context.Canceled)
			return locked(tx, o.UUID, tx.DeleteOrganisation)
		})
	}},
}

// rolledBack waits until database/sql has noticed the end of a context. It then calls the commit one
// of a transaction that is done.
func (r *rig) rolledBack() {
	for !slices.Contains(r.statements.All(), "ROLLBACK") {
		time.Sleep(time.Millisecond)
	}
}

// waits says whether a connection to the database waits for a lock of another.
func waits(r *rig) bool {
	r.Helper()
	return storetest.Count(r, r.sql, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
}
