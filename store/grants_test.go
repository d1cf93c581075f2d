package store_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

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
				grant := func(tx *store.Tx) error { return tx.GrantRole(u.UUID, p.role.UUID, on(p.organisation.UUID), c.new) }
				if c.refused {
					r.is(r.fails(grant), store.ErrAlreadyGranted)
					return
				}
				r.write(grant)
				ends := map[bool]*time.Time{} // by whether the grant is revoked
				r.ok(r.store.Export(r.ctx, func(e store.Export) error {
					for _, g := range exported[store.UserRole](e) {
						if g.UserUUID == u.UUID {
							ends[g.Revoked != nil] = g.ExpirationTime
							r.same(g.UUID == old.UUID, g.Revoked != nil && *g.Revoked == now)
						}
					}
					return nil
				}))
				r.same(ends, map[bool]*time.Time{true: c.held, false: c.new})
			})
		}
	}},

	{"held roles are the active ones on the organisation and its customer", func(r *rig) {
		w := r.world
		alice := w.user("alice")
		tartu, tallinn := w.customer("Tartu"), w.customer("Tallinn")
		o, second := w.organisation(tartu), w.organisation(tallinn)
		now := r.clock.Now()
		ends := func(in time.Duration) func(*store.UserRole) {
			return func(g *store.UserRole) { g.ExpirationTime = ptr(now.Add(in)) }
		}
		onOrganisation := func(name string, o store.CallManagingOrganisation, changes ...func(*store.UserRole)) {
			role := w.newRole(name, nil, func(role *store.Role) { role.IsActive = false }) // only new grants need an active role
			w.grant(alice, role, o, changes...)
		}
		onCustomer := func(name string, c store.Customer, changes ...func(*store.UserRole)) {
			role := w.newRole(name, []string{"P"}, func(role *store.Role) { role.Scope = store.ScopeCustomer })
			w.grantOnCustomer(alice, role, c, changes...)
		}
		onOrganisation("FOR GOOD", o)
		onOrganisation("UNTIL NOW", o, ends(0)) // still held at this very moment
		onOrganisation("EXPIRED", o, ends(-time.Microsecond))
		onOrganisation("REVOKED", o, func(g *store.UserRole) { g.Revoked = &now })
		onOrganisation("ELSEWHERE", second)
		w.grant(w.user("bob"), w.role("CUSTOMER.CALL_ORGANIZER"), o)
		onCustomer("OF CUSTOMER", tartu)
		onCustomer("LONGER", tartu, ends(time.Microsecond))
		onCustomer("EXPIRED OF CUSTOMER", tartu, ends(-time.Microsecond))
		onCustomer("OF ANOTHER CUSTOMER", tallinn)

		held := func(organisation uuid.UUID, want ...string) {
			r.Helper()
			got := []string{}
			for _, role := range must(r.store.HeldRoles(r.ctx, alice.UUID, tartu.UUID, organisation)) {
				got = append(got, fmt.Sprint(role.Name, " on ", role.Scope, " ", role.Permission))
			}
			slices.Sort(got)
			r.same(got, want)
		}
		const forGood, untilNow = "FOR GOOD on call_managing_organisation ", "UNTIL NOW on call_managing_organisation "
		const ofCustomer, longer = "OF CUSTOMER on customer P", "LONGER on customer P"
		held(uuid.Nil, longer, ofCustomer)
		held(o.UUID, forGood, longer, ofCustomer, untilNow)
		held(second.UUID, "ELSEWHERE on call_managing_organisation ", longer, ofCustomer)
		r.clock.Advance(time.Microsecond)
		held(o.UUID, forGood, longer, ofCustomer)
		r.clock.Advance(time.Microsecond)
		held(o.UUID, forGood, ofCustomer)
	}},
}
