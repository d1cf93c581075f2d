package store_test

import (
	"time"

	"github.com/google/uuid"

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
			r.roundTrip(c.in, c.want)
		}
	}},

	{"the clock's times too", func(r *rig) {
		u := r.world.user("alice")
		o := r.world.organisation(r.world.customer("Tartu"))
		role := r.world.role("CUSTOMER.CALL_ORGANIZER")
		r.world.grant(u, role, o)
		for _, t := range []time.Time{o.Created, u.Created, r.store.Now()} {
			r.same(t, r.clock.Now())
			r.same(t.Location() == time.UTC, true)
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
		r.same(r.usernames(p.organisation.UUID, store.MemberFilter{}), want)
		// The permanent one is the last by its end.
		r.same(r.usernames(p.organisation.UUID, store.MemberFilter{}, store.Ordering{Name: "expiration_time"}), append(want[1:], want[0]))
	}},
}

// roundTrip puts a time into every column that holds a given one, and reads it back.
func (r *rig) roundTrip(in, want time.Time) {
	r.Helper()
	c := r.world.customer("Tartu", func(c *store.Customer) { c.Created = in })
	u := r.world.user("u-"+r.world.id().String(), func(u *store.User) { u.Created = in })
	o := r.world.organisation(c, func(o *store.CallManagingOrganisation) { o.Created = in })
	g := r.world.grant(u, r.world.role("CUSTOMER.CALL_ORGANIZER"), o, func(g *store.UserRole) { g.Created, g.ExpirationTime, g.Revoked = in, &in, &in })
	token := r.world.token(u, func(t *store.Token) { t.Created, t.Expires = in, &in })
	call := r.world.call(o, "active", func(c *store.Call) { c.Created = in })
	round := r.world.round(call, in, in.Add(time.Second))
	early := r.world.round(call, in.Add(-time.Second), in)

	got := map[string]time.Time{}
	customer := must(r.store.Customer(r.ctx, c.UUID))
	got["customer"] = customer.Created
	user := must(r.store.User(r.ctx, u.UUID))
	got["user"] = user.Created
	organisation := must(r.store.Organisation(r.ctx, o.UUID))
	got["organisation"] = organisation.Created
	identity := must(r.store.Identity(r.ctx, store.Digest(token)))
	got["token expires"] = *identity.Expires
	r.ok(r.store.Export(r.ctx, func(e store.Export) error {
		for _, row := range e.UserRoles {
			if row.UUID == g.UUID {
				got["grant created"], got["grant expires"], got["grant revoked"] = row.Created, *row.ExpirationTime, *row.Revoked
			}
		}
		for _, row := range e.Tokens {
			if row.UserUUID == u.UUID {
				got["token created"] = row.Created
			}
		}
		for _, row := range e.Calls {
			if row.UUID == call.UUID {
				got["call"] = row.Created
			}
		}
		for _, row := range e.Rounds {
			switch row.UUID {
			case round.UUID:
				got["start"] = row.StartTime
			case early.UUID:
				got["cutoff"] = row.CutoffTime
			}
		}
		return nil
	}))
	if len(got) != 11 {
		r.Fatalf("read %v", got)
	}
	for what, t := range got {
		if !t.Equal(want) || t.Location() != time.UTC {
			r.Errorf("%s: put in %v, got back %v", what, in, t)
		}
	}
	// The same in a grant that a handler makes or changes.
	var fresh uuid.UUID
	r.write(func(tx *store.Tx) error {
		x := must(tx.CreateUser(store.User{Username: "x-" + r.world.id().String(), Created: in, IsActive: true}))
		fresh = x.UUID
		r.same(x.Created, want)
		return tx.CreateToken(x.UUID, store.Digest(x.Username), &in)
	})
	read := must(r.store.User(r.ctx, fresh))
	r.same(read.Created, want)
	identity = must(r.store.Identity(r.ctx, store.Digest(read.Username)))
	r.same(*identity.Expires, want)
}
