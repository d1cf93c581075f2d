package storetest

import (
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

var organisationScenarios = []scenario{
	{"create", func(r *rig) {
		c := r.world.Customer("University of Tartu", func(c *store.Customer) {
			c.Abbreviation, c.NativeName, c.Country, c.Blocked, c.Archived = "UT", "Tartu Ülikool", "EE", true, true
		})
		r.world.Image(store.CustomerImage, c.UUID, "logo")
		var got store.Organisation
		var last uuid.UUID
		r.write(func(tx *store.Tx) error {
			c, err := tx.LockCustomer(c.UUID)
			r.ok(err)
			last = *c.ImageUUID
			got, err = tx.CreateOrganisation(c, "Calls", nil)
			return err
		})
		r.same(got, store.Organisation{
			UUID: got.UUID, Created: r.clock.Now(), Description: "Calls", CustomerUUID: c.UUID,
			CustomerName: "University of Tartu", CustomerAbbreviation: "UT", CustomerNativeName: "Tartu Ülikool", CustomerCountry: "EE",
			CustomerImageUUID: &last, CustomerBlocked: true, CustomerArchived: true,
		})
		r.same(got.CustomerAvailable(), false)
		read, err := r.store.Organisation(r.ctx, got.UUID)
		r.ok(err)
		r.same(read, got)
		list, _, err := r.store.ListOrganisations(r.ctx, store.OrganisationFilter{Keyword: "TARTU ÜL"}, nil, store.Page{Number: 1, Size: 1})
		r.ok(err)
		r.same(list, []store.Organisation{got})
	}},

	{"create with an image", func(r *rig) {
		c := r.world.Customer("Tartu")
		var o store.Organisation
		r.write(func(tx *store.Tx) error {
			var err error
			o, err = tx.CreateOrganisation(c, "", Picture("bytes"))
			return err
		})
		image, err := r.store.Image(r.ctx, *o.ImageUUID)
		r.ok(err)
		want := Picture("bytes")
		r.same(image, store.Image{UUID: *o.ImageUUID, MediaType: want.MediaType, SHA256: want.SHA256, Bytes: want.Bytes, Created: r.clock.Now()})
	}},

	{"what is not there", func(r *rig) {
		none := uuid.New()
		_, err := r.store.Organisation(r.ctx, none)
		r.is(err, store.ErrNotFound)
		_, err = r.store.Customer(r.ctx, none)
		r.is(err, store.ErrNotFound)
		_, err = r.store.Image(r.ctx, none)
		r.is(err, store.ErrNotFound)
		r.is(r.fails(func(tx *store.Tx) error {
			_, err := tx.LockOrganisation(none)
			return err
		}), store.ErrNotFound)
		r.is(r.fails(func(tx *store.Tx) error {
			_, err := tx.LockCustomer(none)
			return err
		}), store.ErrNotFound)
		got, err := r.store.HasOrganisation(r.ctx, none)
		r.ok(err)
		r.same(got, false)
	}},

	{"locking reads the same", func(r *rig) {
		c := r.world.Customer("Tartu", func(c *store.Customer) { c.Archived = true })
		o := r.world.Organisation(c)
		wantOrganisation, err := r.store.Organisation(r.ctx, o.UUID)
		r.ok(err)
		wantCustomer, err := r.store.Customer(r.ctx, c.UUID)
		r.ok(err)
		r.same(wantCustomer, c)
		r.same(wantCustomer.Available(), false)
		r.write(func(tx *store.Tx) error {
			gotCustomer, err := tx.LockCustomer(c.UUID)
			r.ok(err)
			r.same(gotCustomer, wantCustomer)
			gotOrganisation, err := tx.LockOrganisation(o.UUID)
			r.ok(err)
			r.same(gotOrganisation, wantOrganisation)
			return nil
		})
	}},

	{"update", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"), func(o *store.CallManagingOrganisation) { o.Description = "old" })
		r.world.Organisation(r.world.Customer("Tallinn"), func(o *store.CallManagingOrganisation) { o.Description = "other" })
		update := func(change store.OrganisationChange) store.Organisation {
			r.Helper()
			var got store.Organisation
			r.write(func(tx *store.Tx) error {
				return locked(tx, o.UUID, func(o store.Organisation) error {
					var err error
					got, err = tx.UpdateOrganisation(o, change)
					return err
				})
			})
			read, err := r.store.Organisation(r.ctx, o.UUID)
			r.ok(err)
			r.same(read, got)
			return got
		}
		got := update(store.OrganisationChange{Description: ptr("new")})
		r.same(got.Description, "new")
		got = update(store.OrganisationChange{Image: Picture("one")})
		r.same(got.Description, "new")
		one := *got.ImageUUID
		got = update(store.OrganisationChange{Description: ptr("")}) // the image stays
		r.same(got.Description, "")
		r.same(*got.ImageUUID, one)
		got = update(store.OrganisationChange{Image: Picture("two")})
		if *got.ImageUUID == one {
			r.Error("another image has the same id")
		}
		_, err := r.store.Image(r.ctx, one)
		r.is(err, store.ErrNotFound)
		r.same(r.count("images"), 1)
		got = update(store.OrganisationChange{Description: ptr("last"), ClearImage: true})
		r.same(got.ImageUUID, nilUUID)
		r.same(r.count("images"), 0)
		update(store.OrganisationChange{ClearImage: true})
		before := Dump(r, r.sql)
		update(store.OrganisationChange{})
		r.same(Dump(r, r.sql), before)
		r.same(Count(r, r.sql, "SELECT count(*) FROM call_managing_organisations WHERE description = 'other'"), 1)
	}},

	{"delete takes the image and the roles granted on it", func(r *rig) {
		p := r.populate()
		doomed := r.world.Organisation(r.world.Customer("Doomed"))
		r.world.Image(store.OrganisationImage, doomed.UUID, "doomed")
		r.world.Image(store.OrganisationImage, p.organisation.UUID, "stays")
		r.world.Grant(p.user, p.role, doomed)
		r.world.Grant(p.user, p.role, doomed, func(g *store.UserRole) { g.Revoked = ptr(r.clock.Now()) })
		before := Dump(r, r.sql)
		r.write(func(tx *store.Tx) error { return locked(tx, doomed.UUID, tx.DeleteOrganisation) })
		_, err := r.store.Organisation(r.ctx, doomed.UUID)
		r.is(err, store.ErrNotFound)
		after := Dump(r, r.sql)
		r.same(len(before["user_roles"])-len(after["user_roles"]), 2)
		r.same(len(before["images"])-len(after["images"]), 1)
		r.same(after["customers"], before["customers"])
		_, err = r.store.Organisation(r.ctx, p.organisation.UUID)
		r.ok(err)
		// The customer may have one again.
		r.world.Organisation(store.Customer{UUID: doomed.CustomerUUID})
	}},

	{"calls in any state keep an organisation", func(r *rig) {
		for _, state := range []string{"draft", "active", "archived"} {
			o := r.world.Organisation(r.world.Customer("Tartu"))
			r.world.Image(store.OrganisationImage, o.UUID, state)
			r.world.Call(o, state)
			r.is(r.fails(func(tx *store.Tx) error { return locked(tx, o.UUID, tx.DeleteOrganisation) }), store.ErrHasCalls)
		}
	}},

	{"whether a customer has one", func(r *rig) {
		c := r.world.Customer("Tartu")
		check := func(want bool) {
			r.Helper()
			got, err := r.store.HasOrganisation(r.ctx, c.UUID)
			r.ok(err)
			r.same(got, want)
		}
		check(false)
		o := r.world.Organisation(c)
		check(true)
		r.write(func(tx *store.Tx) error { return locked(tx, o.UUID, tx.DeleteOrganisation) })
		check(false)
	}},

	{"the total equals the number of rows after every kind of change", func(r *rig) {
		total := func() {
			r.Helper()
			got, err := r.store.CountOrganisations(r.ctx, store.OrganisationFilter{})
			r.ok(err)
			r.same(int(got), r.count("call_managing_organisations"))
		}
		total()
		all := r.world.Organisations(store.ImportBatch + 3)
		total()
		r.same(r.count("call_managing_organisations"), store.ImportBatch+3)
		// Some that are there and some that are not, in one statement.
		r.write(func(tx *store.Tx) error {
			c := []store.Customer{{UUID: uuid.New(), Name: "New"}}
			r.ok(tx.ImportCustomers(c))
			all[0].Description = "changed"
			return tx.ImportOrganisations([]store.CallManagingOrganisation{all[0], all[1], {UUID: uuid.New(), CustomerUUID: c[0].UUID}})
		})
		total()
		c := r.world.Customer("Tartu")
		r.write(func(tx *store.Tx) error {
			_, err := tx.CreateOrganisation(c, "", nil)
			return err
		})
		total()
		r.is(r.fails(func(tx *store.Tx) error {
			_, err := tx.CreateOrganisation(c, "", nil)
			return err
		}), store.ErrOrganisationExists)
		total()
		r.write(func(tx *store.Tx) error {
			for _, o := range all[:5] {
				r.ok(locked(tx, o.UUID, tx.DeleteOrganisation))
			}
			n, err := tx.CountOrganisations(r.ctx, store.OrganisationFilter{})
			r.ok(err)
			r.same(int(n), store.ImportBatch) // it counts what this change did
			return nil
		})
		total()
		r.is(r.fails(func(tx *store.Tx) error {
			r.ok(locked(tx, all[10].UUID, tx.DeleteOrganisation))
			return errTakeBack
		}), errTakeBack)
		total()
		r.world.Call(all[10], "draft")
		r.is(r.fails(func(tx *store.Tx) error { return locked(tx, all[10].UUID, tx.DeleteOrganisation) }), store.ErrHasCalls)
		total()
	}},
}

var nilUUID *uuid.UUID
