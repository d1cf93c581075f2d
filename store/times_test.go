package store_test

import (
	"time"

	"github.com/opencalls/opencalls/store"
)

var timeScenarios = []scenario{
	{"a time comes back as the same microsecond, in UTC", func(r *rig) {
		east, west := time.FixedZone("east", 14*3600), time.FixedZone("west", -12*3600-1800)
		for _, c := range []struct{ in, want time.Time }{
			{time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC), time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)},
			{time.Date(2027, 1, 31, 12, 0, 0, 1000, time.UTC), time.Date(2027, 1, 31, 12, 0, 0, 1000, time.UTC)},
			{time.Date(2027, 1, 31, 12, 0, 0, 100000000, time.UTC), time.Date(2027, 1, 31, 12, 0, 0, 100000000, time.UTC)},
			{time.Date(2027, 1, 31, 12, 0, 0, 123456999, time.UTC), time.Date(2027, 1, 31, 12, 0, 0, 123456000, time.UTC)},
			{time.Date(2027, 1, 31, 12, 0, 0, 999, time.UTC), time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)},
			{time.Date(2027, 1, 31, 23, 59, 59, 999999999, time.UTC), time.Date(2027, 1, 31, 23, 59, 59, 999999000, time.UTC)},
			{time.Date(2027, 1, 1, 1, 0, 0, 5000, east), time.Date(2026, 12, 31, 11, 0, 0, 5000, time.UTC)},
			{time.Date(2027, 1, 31, 23, 0, 0, 0, west), time.Date(2027, 2, 1, 11, 30, 0, 0, time.UTC)},
			{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)},
			{time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)},
			{time.Date(9999, 12, 31, 23, 59, 58, 999999999, time.UTC), time.Date(9999, 12, 31, 23, 59, 58, 999999000, time.UTC)},
		} {
			r.each(c.in.String(), func(r *rig) { newRig(r.T, r.engine).roundTrip(c.in, c.want) })
		}
	}},

	{"times of other zones sort by the instant", func(r *rig) {
		p := r.populate()
		zone := func(hours int) *time.Location { return time.FixedZone("", hours*3600) }
		base := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
		want := []string{"alice"} // created now, in January
		for i, created := range []time.Time{
			base.Add(-time.Microsecond).In(zone(12)),
			base.In(zone(-11)),
			base.Add(time.Microsecond).In(zone(5)),
			base.Add(100 * time.Millisecond),
			base.Add(110 * time.Millisecond).In(zone(-3)),
			base.Add(time.Second).In(zone(13)),
			base.Add(10 * time.Second),
		} {
			name := string(rune('a' + (i*5)%7))
			r.world.grant(r.world.user(name), p.role, p.organisation, func(g *store.UserRole) { g.Created, g.ExpirationTime = created, &created })
			want = append(want, name)
		}
		usernames := func(order ...store.Ordering) (names []string) {
			members, _, err := r.store.ListMembers(r.ctx, on(p.organisation.UUID), store.MemberFilter{}, order, everything)
			r.ok(err)
			for _, m := range members {
				names = append(names, m.UserUsername)
			}
			return names
		}
		r.same(usernames(), want)
		// The permanent one is the last by its end.
		r.same(usernames(store.Ordering{Name: "expiration_time"}), append(want[1:], want[0]))
	}},
}

// roundTrip puts a time into every column that holds a given one, and reads it back.
func (r *rig) roundTrip(in, want time.Time) {
	r.Helper()
	w := r.world
	c := w.customer("Tartu", func(c *store.Customer) { c.Created = in })
	u := w.user("alice", func(u *store.User) { u.Created = in })
	o := w.organisation(c, func(o *store.CallManagingOrganisation) { o.Created = in })
	w.grant(u, w.role("CUSTOMER.OWNER"), o, func(g *store.UserRole) { g.Created, g.ExpirationTime, g.Revoked = in, &in, &in })
	token := w.token(u, func(t *store.Token) { t.Created, t.Expires = in, &in })
	call := w.call(o, "active", func(c *store.Call) { c.Created = in })
	w.round(call, in, in.Add(time.Second))
	// The same in what a handler makes.
	r.write(func(tx *store.Tx) error {
		x := must(tx.CreateUser(store.User{Username: "x", Created: in}, nil))
		r.ok(tx.CreateToken(x.UUID, store.Digest("x"), &in))
		r.ok(tx.GrantRole(x.UUID, w.role("CUSTOMER.OWNER").UUID, on(o.UUID), &in))
		r.ok(tx.GrantRole(x.UUID, w.role("CUSTOMER.MANAGER").UUID, on(o.UUID), nil))
		return tx.UpdateGrant(x.UUID, w.role("CUSTOMER.MANAGER").UUID, on(o.UUID), &in)
	})
	got := []time.Time{
		*must(r.store.Identity(r.ctx, store.Digest(token))).Expires, *must(r.store.Identity(r.ctx, store.Digest("x"))).Expires,
		must(r.store.Customer(r.ctx, c.UUID)).Created, must(r.store.Organisation(r.ctx, o.UUID)).Created,
	}
	r.ok(r.store.Export(r.ctx, func(e store.Export) error {
		for _, row := range exported[store.User](e) {
			got = append(got, row.Created)
		}
		for _, row := range exported[store.UserRole](e) {
			got = append(got, *row.ExpirationTime)
			if row.Revoked != nil {
				got = append(got, row.Created, *row.Revoked)
			}
		}
		for _, row := range e.Tokens {
			if row.UserUUID == u.UUID {
				got = append(got, row.Created)
			}
		}
		for _, row := range exported[store.Call](e) {
			got = append(got, row.Created)
		}
		for _, row := range exported[store.Round](e) {
			got = append(got, row.StartTime, row.CutoffTime.Add(-time.Second))
		}
		return nil
	}))
	r.same(len(got), 15)
	for i, t := range got {
		if !t.Equal(want) || t.Location() != time.UTC {
			r.Errorf("time %d: put in %v, got back %v", i, in, t)
		}
	}
}
