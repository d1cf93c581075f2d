package store_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var importScenarios = []scenario{
	{"roles take exactly the permissions given", func(r *rig) {
		role := store.Role{UUID: r.world.id(), Name: "R", Scope: store.ScopeOrganisation}
		for _, c := range []struct{ given, want []string }{
			{[]string{"B"}, []string{"B"}},
			{[]string{"B", "A", "C"}, []string{"A", "B", "C"}},
			{[]string{"C", "B"}, []string{"B", "C"}},
			{nil, nil},
		} {
			role.Permissions = c.given
			r.write(func(tx *store.Tx) error { return tx.Import([]store.Role{role}) })
			r.same(fmt.Sprint(r.world.role("R").Permissions), fmt.Sprint(c.want))
		}
	}},

	{"one object twice in a batch is what the later row says", func(r *rig) {
		id := r.world.id()
		r.write(func(tx *store.Tx) error {
			return tx.Import([]store.Customer{{UUID: id, Name: "First"}, {UUID: r.world.id(), Name: "Other"}, {UUID: id, Name: "Last"}})
		})
		c := must(r.store.Customer(r.ctx, id))
		r.same(c.Name, "Last")
		r.same(r.count("customers"), 2)
	}},

	{"an import that revokes means the grant that is held, or else the one that was revoked last", func(r *rig) {
		p, now := r.populate(), r.clock.Now()
		bob := r.world.user("bob")
		grant := func(revoked *time.Time) uuid.UUID {
			return r.world.grantOnCustomer(bob, p.onCustomer, p.customer, func(g *store.UserRole) { g.Revoked = revoked }).UUID
		}
		meant := func(revoked *time.Time) (id uuid.UUID) {
			g := store.UserRole{UserUUID: bob.UUID, RoleUUID: p.onCustomer.UUID, CustomerUUID: &p.customer.UUID, Revoked: revoked}
			r.write(func(tx *store.Tx) error { id = must(tx.FindGrant(g)); return nil })
			return id
		}
		last := grant(&now)
		grant(ptr(now.Add(-time.Hour)))
		r.same([]uuid.UUID{meant(nil), meant(&now)}, []uuid.UUID{uuid.Nil, last})
		held := grant(nil)
		r.same([]uuid.UUID{meant(nil), meant(&now)}, []uuid.UUID{held, held})
	}},

	{"an image of nothing is not found", func(r *rig) {
		r.is(r.fails(func(tx *store.Tx) error { return tx.ImportImage("users", uuid.New(), storetest.Picture("x")) }), store.ErrNotFound)
	}},

	{"a full batch of the widest rows", func(r *rig) {
		users := make([]store.User, store.ImportBatch)
		for i := range users {
			users[i] = store.User{UUID: r.world.id(), Username: fmt.Sprintf("user%d", i)}
		}
		r.write(func(tx *store.Tx) error { return tx.Import(users) })
		o := r.world.organisation(r.world.customer("Tartu"))
		role := r.world.role("CUSTOMER.CALL_ORGANIZER")
		grants := make([]store.UserRole, store.ImportBatch)
		for i := range grants {
			grants[i] = store.UserRole{UserUUID: users[i].UUID, RoleUUID: role.UUID, OrganisationUUID: &o.UUID}
		}
		r.write(func(tx *store.Tx) error { return tx.Import(grants) })
		r.same(r.count("user_roles"), store.ImportBatch)
	}},

	{"empty is what the migrations left", func(r *rig) {
		r.same(must(r.store.Empty(r.ctx)), true)
		r.world.newRole("R", nil)
		r.same(must(r.store.Empty(r.ctx)), false)
	}},
}
