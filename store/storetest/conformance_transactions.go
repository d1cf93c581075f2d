package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

var transactionScenarios = []scenario{
	{"what a change wrote is there, with its event", func(r *rig) {
		actor := store.Actor{UserUUID: ptr(r.world.ID()), RequestID: "request 1"}
		var u store.User
		r.ok(r.store.Write(r.ctx, actor, func(tx *store.Tx) error {
			var err error
			u, err = tx.CreateUser(store.User{Username: "alice"})
			return err
		}))
		got, err := r.store.User(r.ctx, u.UUID)
		r.ok(err)
		r.same(got, u)
		events, err := r.store.AuditEvents(r.ctx, "user", u.UUID.String())
		r.ok(err)
		r.same(events, []store.AuditEvent{{
			UUID: events[0].UUID, Created: r.clock.Now(), ActorUUID: actor.UserUUID, RequestID: "request 1",
			Action: "user.create", ObjectType: "user", ObjectUUID: u.UUID.String(),
		}})
	}},

	{"a change reads what it wrote, others do not until it is kept", func(r *rig) {
		r.write(func(tx *store.Tx) error {
			u, err := tx.CreateUser(store.User{Username: "alice"})
			r.ok(err)
			_, err = tx.User(r.ctx, u.UUID)
			r.ok(err)
			_, err = tx.UserByName(r.ctx, "alice")
			r.ok(err)
			_, err = r.store.User(r.ctx, u.UUID)
			r.is(err, store.ErrNotFound)
			return nil
		})
		_, err := r.store.UserByName(r.ctx, "alice")
		r.ok(err)
	}},

	{"an error of the change takes everything back and is returned as it is", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"))
		r.world.Image(store.OrganisationImage, o.UUID, "old")
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

	{"an error of an export's visitor is returned as it is", func(r *rig) {
		r.world.User("alice")
		want := &fs.PathError{Op: "write", Path: "file", Err: syscall.ENOSPC} // which has a network error's methods
		err := r.store.Export(r.ctx, func(store.Export) error { return want })
		if err != error(want) { //nolint:errorlint // the very same value is the promise
			r.Errorf("error is %v", err)
		}
	}},

	{"a panic of the change takes everything back and goes on", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"))
		r.world.Image(store.OrganisationImage, o.UUID, "old")
		before := Dump(r, r.sql)
		func() {
			defer func() { r.same(recover(), "oh") }()
			_ = r.store.Write(r.ctx, store.Actor{}, func(tx *store.Tx) error {
				everyKindOfChange(r, tx, o.UUID)
				panic("oh")
			})
		}()
		r.same(Dump(r, r.sql), before)
		// The connection is free again, and so is what was locked.
		r.write(func(tx *store.Tx) error {
			return locked(tx, o.UUID, tx.DeleteOrganisation)
		})
	}},

	{"a failure of the store inside a change takes everything back", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"))
		r.world.User("taken")
		err := r.fails(func(tx *store.Tx) error {
			everyKindOfChange(r, tx, o.UUID)
			_, err := tx.CreateUser(store.User{Username: "taken"})
			return err
		})
		r.isUnique(err, "users_username_key")
	}},

	{"a failed import inside a change leaves nothing, and the change may go on", func(r *rig) {
		customers := func() []store.Customer {
			return []store.Customer{{UUID: r.world.ID(), Name: "One"}, {UUID: r.world.ID(), Name: "Two"}}
		}
		c := r.world.Customer("Tartu")
		o := r.world.Organisation(c)
		before := Dump(r, r.sql)
		r.write(func(tx *store.Tx) error {
			two := customers()
			r.ok(tx.ImportCustomers(two))
			err := tx.ImportOrganisations([]store.CallManagingOrganisation{
				{UUID: r.world.ID(), CustomerUUID: two[0].UUID},
				{UUID: o.UUID, CustomerUUID: c.UUID, Description: "changed"},
				{UUID: r.world.ID(), CustomerUUID: c.UUID}, // has one
			})
			r.isRow(err, 2)
			r.isUnique(err, "call_managing_organisations_customer_uuid_key")
			_, err = tx.CreateUser(store.User{Username: "alice"})
			return err
		})
		after := Dump(r, r.sql)
		r.same(after["call_managing_organisations"], before["call_managing_organisations"])
		r.same(after["counters"], before["counters"])
		r.same(len(after["customers"]), len(before["customers"])+2)
		r.same(len(after["users"]), 1)
		r.same(len(after["audit_events"]), len(before["audit_events"])+3) // two customers and a user
	}},

	{"a context that is over before a read or a change", func(r *rig) {
		u := r.world.User("alice")
		o := r.world.Organisation(r.world.Customer("Tartu"))
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		_, err := r.store.User(ctx, u.UUID)
		r.is(err, context.Canceled)
		_, _, err = r.store.ListOrganisations(ctx, store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
		r.is(err, context.Canceled)
		_, _, err = r.store.ListMembers(ctx, o.UUID, store.MemberFilter{}, nil, store.Page{Number: 1, Size: 10})
		r.is(err, context.Canceled)
		r.is(r.store.Ping(ctx), context.Canceled)
		r.is(r.store.Export(ctx, func(store.Export) error { return nil }), context.Canceled)
		r.is(r.store.Write(ctx, store.Actor{}, func(*store.Tx) error {
			r.Error("the change ran")
			return nil
		}), context.Canceled)
	}},

	{"a context that ends during a change takes everything back", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"))
		before := Dump(r, r.sql)
		ctx, cancel := context.WithCancel(r.ctx)
		// The change goes on without noticing: the commit fails.
		err := r.store.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
			everyKindOfChange(r, tx, o.UUID)
			cancel()
			return nil
		})
		r.is(err, context.Canceled)
		r.same(Dump(r, r.sql), before)
		// The change notices by its next statement.
		ctx, cancel = context.WithCancel(r.ctx)
		err = r.store.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
			everyKindOfChange(r, tx, o.UUID)
			cancel()
			_, err := tx.CreateUser(store.User{Username: "late"})
			return err
		})
		r.is(err, context.Canceled)
		r.same(Dump(r, r.sql), before)
		ctx, cancel = context.WithCancel(r.ctx)
		defer cancel()
		err = r.store.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
			cancel()
			_, err := tx.User(ctx, o.UUID)
			return err
		})
		r.is(err, context.Canceled)
		r.write(func(tx *store.Tx) error { return locked(tx, o.UUID, tx.DeleteOrganisation) })
	}},

	{"a closed store is unavailable", func(r *rig) {
		u := r.world.User("alice")
		_, err := r.store.User(r.ctx, u.UUID)
		r.ok(err)
		r.ok(r.store.Close())
		_, err = r.store.User(r.ctx, u.UUID)
		r.is(err, store.ErrUnavailable)
		_, err = r.store.CountOrganisations(r.ctx, store.OrganisationFilter{})
		r.is(err, store.ErrUnavailable)
		_, _, err = r.store.ListOrganisations(r.ctx, store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
		r.is(err, store.ErrUnavailable)
		r.is(r.store.Ping(r.ctx), store.ErrUnavailable)
		r.is(r.store.Export(r.ctx, func(store.Export) error { return nil }), store.ErrUnavailable)
		r.is(r.store.Write(r.ctx, store.Actor{}, func(*store.Tx) error { return nil }), store.ErrUnavailable)
	}},

	{"ping answers", func(r *rig) { r.ok(r.store.Ping(r.ctx)) }},

	{"settings", func(r *rig) {
		value, err := r.store.Setting(r.ctx, "demo")
		r.ok(err)
		r.same(value, "")
		for _, want := range []string{"1", "2", ""} {
			r.write(func(tx *store.Tx) error { return tx.SetSetting("demo", want) })
			value, err = r.store.Setting(r.ctx, "demo")
			r.ok(err)
			r.same(value, want)
		}
		r.same(r.count("settings"), 2) // the other is the schema's mark
		r.is(r.fails(func(tx *store.Tx) error {
			r.ok(tx.SetSetting("other", "x"))
			return errTakeBack
		}), errTakeBack)
	}},

	{"audit events come oldest first and only of their object", func(r *rig) {
		u := r.world.User("alice")
		other := r.world.User("bob")
		for i := range 3 {
			r.clock.Advance(-time.Second) // a clock may be put back
			name := fmt.Sprint("Alice ", i)
			r.write(func(tx *store.Tx) error {
				return tx.ImportUsers([]store.User{{UUID: u.UUID, Username: "alice", FullName: name, IsActive: true}})
			})
		}
		r.write(func(tx *store.Tx) error { return tx.CreateToken(u.UUID, store.Digest("x"), nil) })
		events, err := r.store.AuditEvents(r.ctx, "user", u.UUID.String())
		r.ok(err)
		r.same(len(events), 4)
		for i := range events[1:] {
			if events[i+1].Created.Before(events[i].Created) {
				r.Errorf("%v comes after %v", events[i+1].Created, events[i].Created)
			}
		}
		events, err = r.store.AuditEvents(r.ctx, "user", other.UUID.String())
		r.ok(err)
		r.same(len(events), 1)
		events, err = r.store.AuditEvents(r.ctx, "user", uuid.NewString())
		r.ok(err)
		r.same(len(events), 0)
	}},
}

// everyKindOfChange writes to every table that the API's operations write to.
func everyKindOfChange(r *rig, tx *store.Tx, organisation uuid.UUID) {
	r.Helper()
	u, err := tx.CreateUser(store.User{Username: "in-a-change"})
	r.ok(err)
	r.ok(tx.CreateToken(u.UUID, store.Digest("in a change"), nil))
	c := []store.Customer{{UUID: uuid.New(), Name: "In a change"}}
	r.ok(tx.ImportCustomers(c))
	_, err = tx.CreateOrganisation(c[0], "", Picture("in a change"))
	r.ok(err)
	role, err := tx.RoleByName(r.ctx, "CUSTOMER.CALL_ORGANIZER")
	r.ok(err)
	r.ok(tx.GrantRole(u.UUID, role.UUID, organisation, nil))
	r.ok(locked(tx, organisation, func(o store.Organisation) error {
		o, err := tx.UpdateOrganisation(o, store.OrganisationChange{Description: ptr("changed"), Image: Picture("new")})
		if err != nil {
			return err
		}
		return tx.DeleteOrganisation(o)
	}))
	r.ok(tx.SetSetting("in a change", "x"))
}
