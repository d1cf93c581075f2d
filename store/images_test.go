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
			r.write(func(tx *store.Tx) error { return tx.ImportImage(store.OrganisationImage, o.UUID, image) })
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
		for owner, object := range map[store.ImageOwner]uuid.UUID{
			store.CustomerImage: p.customer.UUID, store.UserImage: p.user.UUID, store.OrganisationImage: p.organisation.UUID,
		} {
			r.each(string(owner), func(r *rig) {
				set := func(image *store.NewImage) {
					r.Helper()
					r.write(func(tx *store.Tx) error { return tx.ImportImage(owner, object, image) })
				}
				held := func() []string {
					return storetest.Rows(r, r.sql, "SELECT i.bytes FROM images i JOIN "+string(owner)+" t ON t.image_uuid = i.uuid")
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
		for _, owner := range []store.ImageOwner{store.CustomerImage, store.UserImage, store.OrganisationImage} {
			r.is(r.fails(func(tx *store.Tx) error { return tx.ImportImage(owner, uuid.New(), storetest.Picture("x")) }), store.ErrNotFound)
		}
	}},

	{"an import of the object leaves its image", func(r *rig) {
		p := r.populate()
		r.world.image(store.CustomerImage, p.customer.UUID, "customer")
		r.world.image(store.UserImage, p.user.UUID, "user")
		r.world.image(store.OrganisationImage, p.organisation.UUID, "organisation")
		before := r.dump()
		r.write(func(tx *store.Tx) error {
			r.ok(tx.ImportCustomers([]store.Customer{{UUID: p.customer.UUID, Name: p.customer.Name}}))
			r.ok(tx.ImportUsers([]store.User{{UUID: p.user.UUID, Username: p.user.Username, IsActive: true}}))
			return tx.ImportOrganisations([]store.CallManagingOrganisation{{UUID: p.organisation.UUID, CustomerUUID: p.customer.UUID}})
		})
		r.same(r.dump(), before)
	}},
}
