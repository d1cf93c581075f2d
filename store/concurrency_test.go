package store_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// overlapped is what two changes at a time meet.
type overlapped struct {
	free         store.Customer // has no organisation
	organisation uuid.UUID
	user         store.User
	role         store.Role
}

var errHasOne = errors.New("the customer has an organisation")

func create(tx *store.Tx, o overlapped) error {
	c, err := tx.LockCustomer(o.free.UUID)
	if err != nil {
		return err
	}
	if has, err := tx.HasOrganisation(context.Background(), c.UUID); has || err != nil {
		return errors.Join(errHasOne, err)
	}
	return errorOf(tx.CreateOrganisation(c, "", storetest.Picture("x")))
}

func rename(tx *store.Tx, o overlapped) error {
	return tx.Import([]store.Customer{{UUID: o.free.UUID, Name: "Renamed", Blocked: true}})
}

func importRename(tx *store.Tx, o overlapped) error {
	if err := tx.LockForImport(); err != nil {
		return err
	}
	return rename(tx, o)
}

func grant(tx *store.Tx, o overlapped) error {
	return locked(tx, o.organisation, func(store.Organisation) error {
		return tx.GrantRole(o.user.UUID, o.role.UUID, on(o.organisation), nil)
	})
}

func replaceImage(tx *store.Tx, o overlapped) error {
	return locked(tx, o.organisation, func(organisation store.Organisation) error {
		return errorOf(tx.UpdateOrganisation(organisation, store.OrganisationChange{Image: storetest.Picture("x")}))
	})
}

func removeIt(tx *store.Tx, o overlapped) error { return remove(o.organisation)(tx) }

// overlap is a change and another that begins before the first one is kept, and waits for it.
type overlap struct {
	name          string
	first, second func(tx *store.Tx, o overlapped) error
	err           error // of the second
}

var overlaps = []overlap{
	{"a customer changes while its organisation is made", create, rename, nil},
	{"an organisation is made while its customer changes", rename, create, nil},
	{"an organisation is made while it is made", create, create, errHasOne},
	{"a role is granted while the organisation is deleted", removeIt, grant, store.ErrNotFound},
	{"an organisation is deleted while a role is granted", grant, removeIt, nil},
	{"a role is granted while it is granted", grant, grant, store.ErrAlreadyGranted},
	{"an organisation is deleted while it is deleted", removeIt, removeIt, store.ErrNotFound},
	{"an image is replaced while it is replaced", replaceImage, replaceImage, nil},
	{"an organisation is made during an import", importRename, create, nil},
	{"a role is granted during an import", importRename, grant, nil},
	{"an import during an import", importRename, importRename, nil},
	{"an import begins while a role is granted", grant, importRename, nil},
	{"an import begins while an organisation is made", create, importRename, nil},
}

// run begins the second change while the first is under way.
func (c overlap) run(r *rig) {
	w := r.world
	o := overlapped{free: w.customer("Old"), user: w.user("u-" + uuid.NewString()), role: w.role("CUSTOMER.CALL_ORGANIZER")}
	o.organisation = w.organisation(w.customer("Other")).UUID
	second := make(chan error, 1)
	r.write(func(tx *store.Tx) error {
		if err := c.first(tx, o); err != nil {
			return err
		}
		go func() { second <- write(r.store, func(tx *store.Tx) error { return c.second(tx, o) }) }()
		// On SQLite it can't even begin.
		for r.engine == storetest.Postgres && !waits(r) {
			if len(second) > 0 {
				r.Error("the second change did not wait")
				return nil
			}
			runtime.Gosched()
		}
		must(r.store.Organisation(r.ctx, o.organisation)) // reads wait for nothing
		_, _, err := r.store.ListOrganisations(r.ctx, store.OrganisationFilter{}, nil, everything)
		return err
	})
	r.is(<-second, c.err)
	r.copiesInStep()
	r.same(storetest.Count(r, r.sql, "SELECT count(*) FROM images WHERE uuid NOT IN (SELECT image_uuid FROM call_managing_organisations WHERE image_uuid IS NOT NULL)"), 0)
}

// together runs n functions that begin at once, and returns their errors.
func together(n int, run func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = run(i)
		})
	}
	close(begin)
	all.Wait()
	return errs
}

var concurrencyScenarios = []scenario{
	{"a change waits for another that it meets, reads do not", func(r *rig) {
		for _, c := range overlaps {
			r.each(c.name, c.run)
		}
	}},

	{"the total survives concurrent changes", func(r *rig) {
		all := r.world.organisations(12)
		customers := make([]store.Customer, 12)
		for i := range customers {
			customers[i] = r.world.customer("New")
		}
		for i, err := range together(12, func(i int) error {
			if err := write(r.store, func(tx *store.Tx) error { return errorOf(tx.CreateOrganisation(customers[i], "", nil)) }); err != nil {
				return err
			}
			return write(r.store, func(tx *store.Tx) error {
				if err := remove(all[i].UUID)(tx); err != nil || i%3 > 0 {
					return err
				}
				return errTakeBack
			})
		}) {
			if errors.Is(err, errTakeBack) != (i%3 == 0) {
				r.Errorf("%d: %v", i, err)
			}
		}
		total := must(r.store.CountOrganisations(r.ctx, store.OrganisationFilter{}))
		r.same([]int{int(total), r.count("call_managing_organisations")}, []int{16, 16})
	}},

	// An import runs beside a server: two processes write to one file, and neither is told that it
	// is locked.
	{"many writers and readers of two stores never meet a locked database", func(r *rig) {
		p := r.populate()
		stores := []*store.Store{r.store, storetest.OpenURL(r, r.url)}
		for _, err := range together(16, func(i int) error {
			s := stores[i%2]
			for range 10 {
				if i < 8 {
					if err := write(s, addUser); err != nil {
						return err
					}
					continue
				}
				if _, err := s.Stats(r.ctx, p.organisation.UUID); err != nil {
					return err
				}
				if _, _, err := s.ListMembers(r.ctx, on(p.organisation.UUID), store.MemberFilter{}, nil, everything); err != nil {
					return err
				}
			}
			return nil
		}) {
			r.ok(err)
		}
		r.same(r.count("users"), 1+8*10)
	}},

	// Whoever reads does not wait for a writer only to stay signed in.
	{"the end of a token is moved only while nobody writes, in another process neither", func(r *rig) {
		digest := store.Digest(r.world.token(r.world.user("bob")))
		end := r.clock.Now().Add(time.Hour)
		move := func() int {
			r.Helper()
			begin := time.Now()
			err := r.store.MoveEnd(r.ctx, digest, end)
			if took := time.Since(begin); took > 2*time.Second {
				r.Errorf("it took %v (%v)", took, err)
			}
			return storetest.Count(r, r.sql, "SELECT count(*) FROM tokens WHERE expires IS NOT NULL")
		}
		var during, meanwhile int
		r.write(func(tx *store.Tx) error {
			err := addUser(tx)
			during = move()
			return err
		})
		other := storetest.OpenURL(r, r.url)
		r.ok(write(other, func(tx *store.Tx) error {
			err := addUser(tx)
			meanwhile = move()
			return err
		}))
		if r.engine == storetest.SQLite {
			r.same([]int{during, meanwhile}, []int{0, 0})
		}
		r.same(move(), 1)
	}},
}
