package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

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

// tryWrite is write for a goroutine, which must not end the test.
func (r *rig) tryWrite(change func(tx *store.Tx) error) error {
	return r.store.Write(r.ctx, store.Actor{}, change)
}

// oneWins checks that exactly one of the errors is none, and the kind of the others.
func (r *rig) oneWins(errs []error, lost func(error) bool) {
	r.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !lost(err):
			r.Errorf("error is %v", err)
		}
	}
	r.same(won, 1)
}

var concurrencyScenarios = []scenario{
	{"of creates for one customer exactly one wins", func(r *rig) {
		for range 5 {
			c := r.world.Customer("Tartu")
			errs := together(6, func(int) error {
				return r.tryWrite(func(tx *store.Tx) error {
					c, err := tx.LockCustomer(c.UUID)
					if err != nil {
						return err
					}
					_, err = tx.CreateOrganisation(c, "", Picture("x"))
					return err
				})
			})
			r.oneWins(errs, func(err error) bool { return errors.Is(err, store.ErrOrganisationExists) })
		}
		r.same(r.count("call_managing_organisations"), 5)
		r.same(r.count("images"), 5)
	}},

	{"of grants of one role exactly one wins", func(r *rig) {
		p := r.populate()
		for i := range 5 {
			u := r.world.User(fmt.Sprint("user", i))
			grant := func(tx *store.Tx) error { return tx.GrantRole(u.UUID, p.role.UUID, p.organisation.UUID, nil) }
			errs := together(6, func(int) error {
				return r.tryWrite(func(tx *store.Tx) error {
					return locked(tx, p.organisation.UUID, func(store.Organisation) error { return grant(tx) })
				})
			})
			r.oneWins(errs, func(err error) bool { return errors.Is(err, store.ErrAlreadyGranted) })
			// Who forgets the lock may lose by the constraint instead.
			r.write(func(tx *store.Tx) error { return tx.RevokeRole(u.UUID, p.role.UUID, p.organisation.UUID) })
			errs = together(6, func(int) error { return r.tryWrite(grant) })
			r.oneWins(errs, func(err error) bool {
				var e *store.UniqueError
				return errors.Is(err, store.ErrAlreadyGranted) || errors.As(err, &e)
			})
		}
	}},

	{"a delete and grants leave no grant on nothing", func(r *rig) {
		p := r.populate()
		for i := range 5 {
			o := r.world.Organisation(r.world.Customer("Doomed"))
			errs := together(4, func(n int) error {
				return r.tryWrite(func(tx *store.Tx) error {
					return locked(tx, o.UUID, func(o store.Organisation) error {
						if n == i%4 {
							return tx.DeleteOrganisation(o)
						}
						return tx.GrantRole(p.user.UUID, p.role.UUID, o.UUID, nil)
					})
				})
			})
			for n, err := range errs {
				if n == i%4 {
					r.ok(err)
				} else if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrAlreadyGranted) {
					r.Errorf("grant: %v", err)
				}
			}
			_, err := r.store.Organisation(r.ctx, o.UUID)
			r.is(err, store.ErrNotFound)
		}
		r.same(r.count("user_roles"), 2) // those that were there
	}},

	{"images that replace one another leave one", func(r *rig) {
		o := r.world.Organisation(r.world.Customer("Tartu"))
		for _, err := range together(8, func(i int) error {
			return r.tryWrite(func(tx *store.Tx) error {
				return locked(tx, o.UUID, func(o store.Organisation) error {
					_, err := tx.UpdateOrganisation(o, store.OrganisationChange{Image: Picture(fmt.Sprint(i))})
					return err
				})
			})
		}) {
			r.ok(err)
		}
		r.same(r.count("images"), 1)
		r.same(Count(r, r.sql, "SELECT count(*) FROM images i JOIN call_managing_organisations o ON o.image_uuid = i.uuid"), 1)
	}},

	{"the total survives concurrent changes", func(r *rig) {
		all := r.world.Organisations(12)
		customers := make([]store.Customer, 12)
		for i := range customers {
			customers[i] = r.world.Customer("New")
		}
		errs := together(12, func(i int) error {
			if err := r.tryWrite(func(tx *store.Tx) error {
				_, err := tx.CreateOrganisation(customers[i], "", nil)
				return err
			}); err != nil {
				return err
			}
			return r.tryWrite(func(tx *store.Tx) error {
				if err := locked(tx, all[i].UUID, tx.DeleteOrganisation); err != nil {
					return err
				}
				if i%3 == 0 {
					return errTakeBack
				}
				return nil
			})
		})
		for i, err := range errs {
			if (i%3 == 0) != errors.Is(err, errTakeBack) {
				r.Errorf("%d: %v", i, err)
			}
		}
		total, err := r.store.CountOrganisations(r.ctx, store.OrganisationFilter{})
		r.ok(err)
		r.same([]int{int(total), r.count("call_managing_organisations")}, []int{16, 16})
	}},

	{"many writers and readers never meet a locked database", func(r *rig) {
		p := r.populate()
		users, organisations := make([]store.User, 8), make([]uuid.UUID, 8)
		for i := range users {
			users[i] = r.world.User(fmt.Sprint("user", i))
			organisations[i] = r.world.Organisation(r.world.Customer("Other")).UUID
		}
		for _, err := range together(16, func(i int) error {
			for range 10 {
				if i >= 8 {
					if err := r.readEverything(p, users[i-8].UUID); err != nil {
						return err
					}
					continue
				}
				err := r.tryWrite(func(tx *store.Tx) error {
					return locked(tx, organisations[i], func(o store.Organisation) error {
						if err := tx.GrantRole(users[i].UUID, p.role.UUID, o.UUID, nil); err != nil {
							return err
						}
						return tx.RevokeRole(users[i].UUID, p.role.UUID, o.UUID)
					})
				})
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			r.ok(err)
		}
		r.same(r.count("user_roles"), 2+8*10)
	}},
}

// readEverything is what requests read. A page and its total are of one state.
func (r *rig) readEverything(p populated, user uuid.UUID) error {
	if _, err := r.store.Organisation(r.ctx, p.organisation.UUID); err != nil {
		return err
	}
	if _, err := r.store.HeldRoles(r.ctx, user, p.customer.UUID, p.organisation.UUID); err != nil {
		return err
	}
	if _, err := r.store.Stats(r.ctx, p.organisation.UUID); err != nil {
		return err
	}
	if _, _, err := r.store.ListOrganisations(r.ctx, store.OrganisationFilter{}, nil, everything); err != nil {
		return err
	}
	list, total, err := r.store.ListMembers(r.ctx, p.organisation.UUID, store.MemberFilter{}, nil, everything)
	if err == nil && int(total) != len(list) {
		return fmt.Errorf("%d members of %d", len(list), total)
	}
	return err
}
