package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// listed are the events that a filter leaves, as action, who did it, whose it is, which role and on what; the
// newest first.
func (r *rig) listed(f store.EventFilter) []string {
	r.Helper()
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	list := []string{}
	r.ok(r.store.EachEvent(r.ctx, f, func(e store.Event) error {
		names := fmt.Sprintf("%s: %s, %s, %s, %s", e.Action, text(e.ActorUsername), text(e.Username), text(e.RoleName), text(e.CustomerName))
		if e.Action == "customer.delete" {
			names += " (" + e.Details + ")"
		}
		list = append(list, names)
		return nil
	}))
	return list
}

// insertEvents writes events at the store's clock, past the store.
func (r *rig) insertEvents(n int) {
	r.Helper()
	for range n {
		_, err := r.sql.ExecContext(r.ctx, `INSERT INTO audit_events (uuid, created, request_id, action, object_type, object_uuid, details)
			VALUES ($1, $2, '', 'thing.did', 'thing', '', '')`, uuid.NewString(), r.clock.Now())
		r.ok(err)
	}
}

var auditScenarios = []scenario{
	{"events say what they are about, and keep it when that is gone", func(r *rig) {
		w := r.world
		tartu, ghent := w.customer("Tartu"), w.customer("Ghent")
		alice, bob, carol := w.user("alice"), w.user("bob"), w.user("carol")
		owner, organizer := w.role("CUSTOMER.OWNER"), w.role("CUSTOMER.CALL_ORGANIZER")
		o, other := w.organisation(tartu), w.organisation(ghent)
		r.clock.Advance(time.Minute)
		start := r.clock.Now()
		do := func(actor *store.User, change func(tx *store.Tx) error) {
			r.Helper()
			r.clock.Advance(time.Second)
			r.ok(r.store.Write(r.ctx, store.Actor{UserUUID: &actor.UUID, RequestID: "request"}, change))
		}
		do(&alice, func(tx *store.Tx) error { return tx.GrantRole(bob.UUID, organizer.UUID, on(o.UUID), nil) })
		do(&bob, func(tx *store.Tx) error {
			return locked(tx, o.UUID, func(o store.Organisation) error {
				return errorOf(tx.UpdateOrganisation(o, store.OrganisationChange{Description: ptr("changed")}))
			})
		})
		do(&carol, func(tx *store.Tx) error { return tx.RevokeRole(bob.UUID, organizer.UUID, on(o.UUID)) })
		do(&alice, remove(o.UUID))
		do(&alice, remove(other.UUID))
		do(&alice, func(tx *store.Tx) error { return tx.DeleteCustomer(ghent) })
		w.grantOnCustomer(carol, owner, tartu)

		r.clock.Advance(time.Minute)
		all := []string{
			"user_role.import: -, carol, CUSTOMER.OWNER, Tartu",
			"customer.delete: alice, -, -, - (Ghent)",
			"call_managing_organisation.delete: alice, -, -, -",
			"call_managing_organisation.delete: alice, -, -, Tartu",
			"user_role.revoke: carol, bob, CUSTOMER.CALL_ORGANIZER, -",
			"call_managing_organisation.update: bob, -, -, Tartu",
			"user_role.create: alice, bob, CUSTOMER.CALL_ORGANIZER, -",
		}
		r.same(r.listed(store.EventFilter{Since: start}), all)
		r.same(r.listed(store.EventFilter{Since: start, User: bob.UUID}), all[4:])
		r.same(r.listed(store.EventFilter{Since: start, User: carol.UUID}), []string{all[0], all[4]})
		r.same(r.listed(store.EventFilter{Since: start, Organisation: o.UUID}), all[3:])
		r.same(r.listed(store.EventFilter{Since: start, Organisation: other.UUID}), all[2:3])
		r.same(r.listed(store.EventFilter{Since: start, Organisation: o.UUID, User: carol.UUID}), all[4:5])
		r.same(r.listed(store.EventFilter{Since: start, Organisation: uuid.New()}), []string{})
		r.same(r.listed(store.EventFilter{Since: r.clock.Now()}), []string{})
		again := w.organisation(tartu)
		made := []string{"call_managing_organisation.import: -, -, -, Tartu"}
		for _, either := range []uuid.UUID{again.UUID, tartu.UUID} {
			want := slices.Concat(made, all[:1], all[3:4], all[5:6])
			r.same(r.listed(store.EventFilter{Since: start, Organisation: either}), want)
		}
	}},
	{"all events are visited once, however many there are", func(r *rig) {
		r.insertEvents(2*store.ImportBatch + 1) // at one moment
		r.clock.Advance(time.Second)
		r.insertEvents(store.ImportBatch / 2)
		seen := map[uuid.UUID]bool{}
		last := r.clock.Now()
		r.ok(r.store.EachEvent(r.ctx, store.EventFilter{}, func(e store.Event) error {
			if seen[e.UUID] || e.Created.After(last) {
				r.Errorf("%s is out of order", e.UUID)
			}
			seen[e.UUID], last = true, e.Created
			return nil
		}))
		r.same(len(seen), 5*store.ImportBatch/2+1)
		enough := errors.New("enough")
		r.is(r.store.EachEvent(r.ctx, store.EventFilter{}, func(store.Event) error { return enough }), enough)
	}},
	{"old events are removed, the oldest first, and nothing else", func(r *rig) {
		r.populate()
		before := r.dump()
		others := len(before["audit_events"])
		r.clock.Advance(time.Hour)
		for range 5 {
			r.insertEvents(1)
			r.clock.Advance(time.Hour)
		}
		limit := r.clock.Now().Add(-2 * time.Hour) // the time of the fourth, which stays
		remove := func(n, want int) {
			r.Helper()
			r.same(must(r.store.RemoveEvents(r.ctx, limit, n)), want)
		}
		remove(others, others)
		r.same(r.listed(store.EventFilter{}), slices.Repeat([]string{"thing.did: -, -, -, -"}, 5))
		remove(1, 1)
		remove(5, 2)
		remove(5, 0)
		r.same(r.count("audit_events"), 2)
		after := r.dump()
		delete(before, "audit_events")
		delete(after, "audit_events")
		r.same(after, before)
	}},
	{"several processes remove events at once", func(r *rig) {
		r.insertEvents(100)
		r.clock.Advance(time.Second)
		var all sync.WaitGroup
		var removed [4]int
		for i := range removed {
			s := storetest.OpenURL(r, r.url, r.clock.Use)
			all.Go(func() {
				for range 10 {
					n, err := s.RemoveEvents(r.ctx, r.clock.Now(), 5)
					if err != nil {
						r.Error(err)
					}
					removed[i] += n
				}
			})
		}
		all.Wait()
		r.same(removed[0]+removed[1]+removed[2]+removed[3], 100)
		r.same(r.count("audit_events"), 0)
	}},
}

// Two removals take different events: on Postgres one does not wait for the other.
func TestRemovalsDontWait(t *testing.T) {
	onPostgres(t, func(t *testing.T) {
		r := newRig(t, storetest.Postgres)
		defer r.recover()
		r.insertEvents(2)
		r.clock.Advance(time.Second)
		tx, err := r.sql.BeginTx(r.ctx, nil)
		r.ok(err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(r.ctx, "SELECT uuid FROM audit_events ORDER BY created, uuid LIMIT 1 FOR UPDATE")
		r.ok(err)
		r.same(must(r.store.RemoveEvents(r.ctx, r.clock.Now(), 1)), 1)
		r.same(r.count("audit_events"), 1)
	})
}
