package store_test

import (
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// grants returns a user's grants on the organisation, revoked ones too, by uuid.
func (r *rig) grants(user, organisation uuid.UUID) []store.UserRole {
	r.Helper()
	var found []store.UserRole
	r.ok(r.store.Export(r.ctx, func(e store.Export) error {
		for _, g := range exported[store.UserRole](e) {
			if g.UserUUID == user && g.OrganisationUUID != nil && *g.OrganisationUUID == organisation {
				found = append(found, g)
			}
		}
		return nil
	}))
	return found
}

var grantScenarios = []scenario{
	{"a longer grant takes the place of a shorter one, another is refused", func(r *rig) {
		p := r.populate()
		now := r.clock.Now()
		at := func(d time.Duration) *time.Time { return ptr(now.Add(d)) }
		const micro = time.Microsecond
		for i, c := range []struct {
			name      string
			held, new *time.Time
			refused   bool
		}{
			{"a microsecond longer", at(time.Hour), at(time.Hour + micro), false},
			{"a nanosecond longer is the same", at(time.Hour), at(time.Hour + 999), true},
			{"a microsecond shorter", at(time.Hour), at(time.Hour - micro), true},
			{"permanent over one that ends now", at(0), nil, false},
			{"the same over one that ends now", at(0), at(0), true},
			{"shorter over expired", at(-micro), at(-time.Hour), false},
		} {
			r.each(c.name, func(r *rig) {
				u := r.world.user("user" + string(rune('a'+i)))
				old := r.world.grant(u, p.role, p.organisation, func(g *store.UserRole) { g.ExpirationTime = c.held })
				grant := func(tx *store.Tx) error { return tx.GrantRole(u.UUID, p.role.UUID, p.organisation.UUID, c.new) }
				if c.refused {
					r.is(r.fails(grant), store.ErrAlreadyGranted)
					return
				}
				r.write(grant)
				rows := r.grants(u.UUID, p.organisation.UUID)
				r.same(len(rows), 2)
				for _, g := range rows {
					if g.UUID == old.UUID {
						r.same(g.Revoked, &now)
						r.same(g.ExpirationTime, c.held)
					} else {
						r.same(g.Revoked, (*time.Time)(nil))
						r.same(g.ExpirationTime, c.new)
					}
				}
			})
		}
	}},

	{"held roles are the active ones on the organisation and its customer", func(r *rig) {
		w := r.world
		alice := w.user("alice")
		tartu, tallinn := w.customer("Tartu"), w.customer("Tallinn")
		o, second := w.organisation(tartu), w.organisation(tallinn)
		organizer, owner := w.role("CUSTOMER.CALL_ORGANIZER"), w.role("CUSTOMER.OWNER")
		onCustomer := func(name string) store.Role {
			return w.newRole(name, []string{"P2", "P1"}, func(role *store.Role) { role.Scope = store.ScopeCustomer })
		}
		now := r.clock.Now()
		ends := func(t time.Time) func(*store.UserRole) {
			return func(g *store.UserRole) { g.ExpirationTime = &t }
		}
		w.grant(alice, organizer, o)
		w.grant(alice, w.newRole("NO.PERMISSION", nil), o, ends(now)) // still held at this very moment
		w.grant(alice, w.newRole("EXPIRED", nil), o, ends(now.Add(-time.Microsecond)))
		w.grant(alice, w.newRole("REVOKED", nil), o, func(g *store.UserRole) { g.Revoked = &now })
		w.grant(alice, w.newRole("INACTIVE", nil, func(role *store.Role) { role.IsActive = false }), o)
		w.grant(alice, w.newRole("SECOND", nil), second)
		w.grant(w.user("bob"), organizer, o)
		w.grantOnCustomer(alice, owner, tartu)
		w.grantOnCustomer(alice, onCustomer("LONGER"), tartu, ends(now.Add(time.Microsecond)))
		w.grantOnCustomer(alice, onCustomer("EXPIRED.ON.CUSTOMER"), tartu, ends(now.Add(-time.Microsecond)))
		w.grantOnCustomer(alice, onCustomer("ON.TALLINN"), tallinn)

		held := func(customer, organisation uuid.UUID) map[string]store.HeldRole {
			r.Helper()
			roles := must(r.store.HeldRoles(r.ctx, alice.UUID, customer, organisation))
			byName := map[string]store.HeldRole{}
			for _, role := range roles {
				byName[role.Name] = role
			}
			r.same(len(byName), len(roles))
			return byName
		}
		ofCustomer := map[string]store.HeldRole{
			"CUSTOMER.OWNER": {Scope: store.ScopeCustomer, Name: "CUSTOMER.OWNER", Permissions: owner.Permissions},
			"LONGER":         {Scope: store.ScopeCustomer, Name: "LONGER", Permissions: []string{"P1", "P2"}},
		}
		r.same(held(tartu.UUID, uuid.Nil), ofCustomer)
		both := map[string]store.HeldRole{
			"CUSTOMER.CALL_ORGANIZER": {Scope: store.ScopeOrganisation, Name: "CUSTOMER.CALL_ORGANIZER", Permissions: organizer.Permissions},
			"NO.PERMISSION":           {Scope: store.ScopeOrganisation, Name: "NO.PERMISSION"},
			"INACTIVE":                {Scope: store.ScopeOrganisation, Name: "INACTIVE"}, // only new grants need an active role
			"CUSTOMER.OWNER":          ofCustomer["CUSTOMER.OWNER"],
			"LONGER":                  ofCustomer["LONGER"],
		}
		r.same(held(tartu.UUID, o.UUID), both)
		r.same(held(tartu.UUID, second.UUID), map[string]store.HeldRole{
			"CUSTOMER.OWNER": ofCustomer["CUSTOMER.OWNER"], "LONGER": ofCustomer["LONGER"], "SECOND": {Scope: store.ScopeOrganisation, Name: "SECOND"},
		})
		r.same(held(uuid.New(), uuid.New()), map[string]store.HeldRole{})
		r.clock.Advance(time.Microsecond)
		delete(both, "NO.PERMISSION")
		r.same(held(tartu.UUID, o.UUID), both)
		r.clock.Advance(time.Microsecond)
		delete(both, "LONGER")
		r.same(held(tartu.UUID, o.UUID), both)
		r.same(len(must(r.store.HeldRoles(r.ctx, uuid.New(), tartu.UUID, o.UUID))), 0)
	}},
}
