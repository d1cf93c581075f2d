package store_test

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// names returns the customers' names of a page of the list.
func (r *rig) names(f store.OrganisationFilter, order []store.Ordering, page store.Page) []string {
	r.Helper()
	list, total, err := r.store.ListOrganisations(r.ctx, f, order, page)
	r.ok(err)
	r.same(must(r.store.CountOrganisations(r.ctx, f)), total)
	names := []string{}
	for _, o := range list {
		names = append(names, o.CustomerName)
	}
	return names
}

var (
	everything = store.Page{Number: 1, Size: 300}
	descending = []store.Ordering{{Name: "customer_name", Descending: true}}
	ascending  = []store.Ordering{{Name: "customer_name"}}
)

var listScenarios = []scenario{
	{"rows of one name are ordered by uuid, the other way round when descending", func(r *rig) {
		ids := []string{}
		for i := range 9 {
			o := r.world.organisation(r.world.customer("Same"), func(o *store.CallManagingOrganisation) {
				o.UUID = uuid.MustParse(fmt.Sprintf("%x0000000-0000-4000-8000-000000000000", (i*7)%16))
			})
			ids = append(ids, o.UUID.String())
		}
		slices.Sort(ids)
		for _, order := range [][]store.Ordering{ascending, descending} {
			for _, size := range []int{1, 2, 4, 9, 300} {
				r.same(r.pageThrough(store.OrganisationFilter{}, order, size), ids)
			}
			slices.Reverse(ids)
		}
	}},

	{"pages from both ends", func(r *rig) {
		for range 23 {
			r.world.organisation(r.world.customer("Filler"))
		}
		r.world.organisation(r.world.customer("Last"))
		for _, f := range []store.OrganisationFilter{{}, {Keyword: "fill"}} {
			total := must(r.store.CountOrganisations(r.ctx, f))
			whole := r.pageThrough(f, ascending, 300)
			r.same(len(whole), int(total))
			for _, size := range []int{1, 5, 7, 12, 13, 23, 24, 25} {
				r.same(r.pageThrough(f, ascending, size), whole)
				backwards := r.pageThrough(f, descending, size)
				slices.Reverse(backwards)
				r.same(backwards, whole)
				page := store.Page{Number: 1, Size: size}
				last := int(page.Last(total))
				// Where some of these begin is no number, or one that is smaller.
				for _, number := range []int{last + 1, 1 << 40, math.MaxInt / size, math.MaxInt/size + 1, 1<<60 + 1, math.MaxInt} {
					page.Number = max(number, last+1) // size 1: a number that is none
					_, _, err := r.store.ListOrganisations(r.ctx, f, nil, page)
					r.is(err, store.ErrInvalidPage)
				}
			}
		}
	}},

	{"names of the widest characters fit the indexes", func(r *rig) {
		for _, char := range []string{"\ufdfa", "\U0001f52d", "\u3300", "ΐ"} {
			name := strings.Repeat(char, 150)
			r.world.organisation(r.world.customer(name, func(c *store.Customer) { c.Abbreviation, c.NativeName = name, name }))
			r.world.user("u-"+r.world.id().String(), func(u *store.User) { u.FirstName, u.NativeName, u.Email = name, name, name })
			r.same(r.names(store.OrganisationFilter{Keyword: name}, nil, everything), []string{name})
		}
	}},

	{"the order follows a customer's new name", func(r *rig) {
		a, b := r.world.customer("A"), r.world.customer("B")
		r.world.organisation(a)
		r.world.organisation(b)
		a.Name, a.Abbreviation = "Ülikool", "ÜK"
		r.write(func(tx *store.Tx) error { return tx.Import([]store.Customer{a, b}) })
		r.same(r.names(store.OrganisationFilter{}, nil, everything), []string{"B", "Ülikool"})
		r.same(r.names(store.OrganisationFilter{Keyword: "ük"}, nil, everything), []string{"Ülikool"})
		r.same(r.names(store.OrganisationFilter{Keyword: "a"}, nil, everything), []string{})
		r.copiesInStep()
		// Made under the new name, by either way of making one.
		c := r.world.customer("C")
		c.Name = "Renamed"
		r.write(func(tx *store.Tx) error {
			r.ok(tx.Import([]store.Customer{c}))
			return errorOf(tx.CreateOrganisation(must(tx.LockCustomer(c.UUID)), "", nil))
		})
		r.copiesInStep()
	}},

	{"an organisation that an import gives to another customer follows that one", func(r *rig) {
		a, b := r.world.customer("A"), r.world.customer("B")
		o := r.world.organisation(a)
		o.CustomerUUID = b.UUID
		r.write(func(tx *store.Tx) error { return tx.Import([]store.CallManagingOrganisation{o}) })
		r.copiesInStep()
		r.same(r.names(store.OrganisationFilter{Keyword: "b"}, nil, everything), []string{"B"})
	}},
}

// copiesInStep checks what organisations hold of their customers.
func (r *rig) copiesInStep() {
	r.Helper()
	r.same(storetest.Count(r, r.sql, storetest.OutOfStep), 0)
}

// pageThrough visits every page and returns the ids in order.
func (r *rig) pageThrough(f store.OrganisationFilter, order []store.Ordering, size int) []string {
	r.Helper()
	ids := []string{}
	for number := 1; ; number++ {
		page := store.Page{Number: number, Size: size}
		list, total, err := r.store.ListOrganisations(r.ctx, f, order, page)
		r.ok(err)
		for _, o := range list {
			ids = append(ids, o.UUID.String())
		}
		if int64(number) == page.Last(total) {
			return ids
		}
		r.same(len(list), size)
	}
}
