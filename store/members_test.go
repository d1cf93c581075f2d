package store_test

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// usernames returns the usernames of an organisation's members.
func (r *rig) usernames(organisation uuid.UUID, f store.MemberFilter, order ...store.Ordering) []string {
	r.Helper()
	list, total, err := r.store.ListMembers(r.ctx, organisation, f, order, everything)
	r.ok(err)
	counted := must(r.store.CountMembers(r.ctx, organisation, f))
	r.same([]int64{counted, total}, []int64{int64(len(list)), int64(len(list))})
	names := []string{}
	for _, m := range list {
		names = append(names, m.UserUsername)
	}
	return names
}

var memberScenarios = []scenario{
	{"members are active users with an active grant on this very organisation", func(r *rig) {
		p := r.populate()
		w, now := r.world, r.clock.Now()
		w.grant(w.user("inactive", func(u *store.User) { u.IsActive = false }), p.role, p.organisation)
		w.grant(w.user("expired"), p.role, p.organisation, func(g *store.UserRole) { g.ExpirationTime = ptr(now.Add(-time.Microsecond)) })
		w.grant(w.user("ends-now"), p.role, p.organisation, func(g *store.UserRole) { g.ExpirationTime = &now })
		w.grant(w.user("revoked"), p.role, p.organisation, func(g *store.UserRole) { g.Revoked = &now })
		w.grant(w.user("elsewhere"), p.role, w.organisation(w.customer("Other")))
		w.grantOnCustomer(w.user("owner"), p.onCustomer, p.customer)
		byName := store.Ordering{Name: "username"}
		r.same(r.usernames(p.organisation.UUID, store.MemberFilter{}, byName), []string{"alice", "ends-now"})
		r.clock.Advance(time.Microsecond)
		r.same(r.usernames(p.organisation.UUID, store.MemberFilter{}, byName), []string{"alice"})
		r.same(r.usernames(uuid.New(), store.MemberFilter{}), []string{})
	}},

	{"orderings, several in order, ties by uuid", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		organizer, other := r.world.role("CUSTOMER.CALL_ORGANIZER"), r.world.newRole("A.ROLE", nil)
		at := func(d time.Duration) *time.Time { return ptr(r.clock.Now().Add(d)) }
		for _, m := range []struct {
			username, fullName, nativeName, email string
			role                                  store.Role
			created                               time.Duration
			ends                                  *time.Time
		}{
			{"anna", "Zoe", "ääre", "b@x", other, 2, nil},
			{"bert", "Ärni", "abc", "A@x", organizer, 0, at(5 * time.Second)},
			{"carl", "abc", "Zoe", "C@x", other, 1, at(3 * time.Second)},
			{"dora", "ABC", "", "", organizer, 1, nil},
		} {
			u := r.world.user(m.username, func(u *store.User) { u.FullName, u.NativeName, u.Email = m.fullName, m.nativeName, m.email })
			r.world.grant(u, m.role, o, func(g *store.UserRole) { g.Created, g.ExpirationTime = *at(m.created * time.Microsecond), m.ends })
		}
		for order, want := range map[string]string{
			"": "bert carl dora anna", "created": "bert carl dora anna", "-created": "anna carl dora bert",
			"email": "dora bert anna carl", "-email": "carl anna bert dora",
			"expiration_time": "carl bert anna dora", "-expiration_time": "anna dora bert carl",
			"full_name": "carl dora bert anna", "-full_name": "anna bert dora carl",
			"native_name": "dora anna bert carl", "-native_name": "carl bert anna dora",
			"role": "anna carl bert dora", "-role": "bert dora anna carl",
			"username": "anna bert carl dora", "-username": "dora carl bert anna",
			"-role full_name": "dora bert carl anna", "expiration_time -created created": "carl bert anna dora",
		} {
			var orderings []store.Ordering
			for _, name := range strings.Fields(order) {
				orderings = append(orderings, store.Ordering{Name: strings.TrimPrefix(name, "-"), Descending: name[0] == '-'})
			}
			for _, size := range []int{3, 4} {
				var got []string
				for number := 1; (number-1)*size < 4; number++ {
					page, total, err := r.store.ListMembers(r.ctx, o.UUID, store.MemberFilter{}, orderings, store.Page{Number: number, Size: size})
					r.ok(err)
					r.same(total, int64(4))
					for _, m := range page {
						got = append(got, m.UserUsername)
					}
				}
				r.same(order+": "+strings.Join(got, " "), order+": "+want)
			}
		}
		_, _, err := r.store.ListMembers(r.ctx, o.UUID, store.MemberFilter{}, nil, store.Page{Number: 2, Size: 4})
		r.is(err, store.ErrInvalidPage)
	}},
}
