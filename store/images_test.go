package store_test

import (
	"bytes"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var imageScenarios = []scenario{
	{"bytes come back as they were put in", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for _, want := range [][]byte{all, {}, bytes.Repeat(all, 5<<20/256)} {
			image := storetest.Picture(string(want))
			image.MediaType = "image/webp"
			r.write(func(tx *store.Tx) error { return tx.ImportImage("call_managing_organisations", o.UUID, image) })
			read := must(r.store.Organisation(r.ctx, o.UUID))
			got := must(r.store.Image(r.ctx, *read.ImageUUID))
			r.same([]string{got.MediaType, got.SHA256}, []string{"image/webp", image.SHA256})
			if !bytes.Equal(got.Bytes, want) {
				r.Errorf("%d bytes came back as %d others", len(want), len(got.Bytes))
			}
		}
	}},

	{"importing an image replaces, keeps or takes it away", func(r *rig) {
		p := r.populate()
		for owner, object := range map[string]uuid.UUID{
			"customers": p.customer.UUID, "users": p.user.UUID, "call_managing_organisations": p.organisation.UUID,
		} {
			r.each(owner, func(r *rig) {
				set := func(image *store.NewImage) {
					r.Helper()
					r.write(func(tx *store.Tx) error { return tx.ImportImage(owner, object, image) })
				}
				held := func() []string {
					return storetest.Rows(r, r.sql, "SELECT i.bytes FROM images i JOIN "+owner+" t ON t.image_uuid = i.uuid")
				}
				set(nil)
				r.same(held(), []string{})
				set(storetest.Picture("one"))
				r.same(held(), []string{`bytes="one"`})
				before := r.dump()
				set(storetest.Picture("one"))
				r.same(r.dump(), before)
				set(storetest.Picture("two"))
				r.same(held(), []string{`bytes="two"`})
				r.same(r.count("images"), 1)
				set(nil)
				r.same(held(), []string{})
				r.same(r.count("images"), 0)
			})
		}
	}},

	{"an image of nothing is not found", func(r *rig) {
		for _, owner := range []string{"customers", "users", "call_managing_organisations"} {
			r.is(r.fails(func(tx *store.Tx) error { return tx.ImportImage(owner, uuid.New(), storetest.Picture("x")) }), store.ErrNotFound)
		}
	}},

	{"an import of the object leaves its image", func(r *rig) {
		p := r.populate()
		r.world.image("customers", p.customer.UUID, "customer")
		r.world.image("users", p.user.UUID, "user")
		r.world.image("call_managing_organisations", p.organisation.UUID, "organisation")
		before := r.dump()
		r.write(func(tx *store.Tx) error {
			r.ok(tx.Import([]store.Customer{p.customer}))
			r.ok(tx.Import([]store.User{p.user}))
			return tx.Import([]store.CallManagingOrganisation{p.organisation})
		})
		r.same(r.dump(), before)
	}},
}
