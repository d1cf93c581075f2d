package store_test

import (
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var organisationScenarios = []scenario{
	{"delete takes the image and the roles granted on it", func(r *rig) {
		p := r.populate()
		doomed := r.world.organisation(r.world.customer("Doomed"))
		r.world.image("call_managing_organisations", doomed.UUID, "doomed")
		r.world.image("call_managing_organisations", p.organisation.UUID, "stays")
		r.world.grant(p.user, p.role, doomed)
		r.world.grant(p.user, p.role, doomed, func(g *store.UserRole) { g.Revoked = ptr(r.clock.Now()) })
		before := r.dump()
		r.write(remove(doomed.UUID))
		after := r.dump()
		r.same(len(before["user_roles"])-len(after["user_roles"]), 2)
		r.same(len(before["images"])-len(after["images"]), 1)
		r.same(after["customers"], before["customers"])
		r.world.organisation(store.Customer{UUID: doomed.CustomerUUID}) // the customer may have one again
	}},

	{"calls in any state keep an organisation", func(r *rig) {
		for _, state := range []string{"draft", "active", "archived"} {
			o := r.world.organisation(r.world.customer("Tartu"))
			r.world.image("call_managing_organisations", o.UUID, state)
			r.world.call(o, state)
			r.is(r.fails(remove(o.UUID)), store.ErrHasCalls)
		}
	}},

	{"the total equals the number of rows after every kind of change", func(r *rig) {
		total := func() {
			r.Helper()
			got := must(r.store.CountOrganisations(r.ctx, store.OrganisationFilter{}))
			r.same(int(got), r.count("call_managing_organisations"))
		}
		total()
		all := r.world.organisations(store.ImportBatch + 3)
		total()
		r.same(r.count("call_managing_organisations"), store.ImportBatch+3)
		// Some that are there and some that are not, in one statement.
		r.write(func(tx *store.Tx) error {
			c := []store.Customer{{UUID: uuid.New(), Name: "New"}}
			r.ok(tx.Import(c))
			all[0].Description = "changed"
			return tx.Import([]store.CallManagingOrganisation{all[0], all[1], {UUID: uuid.New(), CustomerUUID: c[0].UUID}})
		})
		total()
		c := r.world.customer("Tartu")
		r.write(func(tx *store.Tx) error { return errorOf(tx.CreateOrganisation(c, "", nil)) })
		total()
		again := func(tx *store.Tx) error { return errorOf(tx.CreateOrganisation(c, "", storetest.Picture("x"))) }
		r.violates(r.fails(again), "call_managing_organisations_customer_uuid_key")
		total()
		r.write(func(tx *store.Tx) error {
			for _, o := range all[:5] {
				r.ok(locked(tx, o.UUID, tx.DeleteOrganisation))
			}
			n := must(tx.CountOrganisations(r.ctx, store.OrganisationFilter{}))
			r.same(int(n), store.ImportBatch) // it counts what this change did
			return nil
		})
		total()
		r.is(r.fails(func(tx *store.Tx) error {
			r.ok(locked(tx, all[10].UUID, tx.DeleteOrganisation))
			return errTakeBack
		}), errTakeBack)
		total()
	}},
}
