package store_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
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
	{"everything that is shown of a member", func(r *rig) {
		p := r.populate()
		bob := r.world.user("bob", func(u *store.User) { u.FullName, u.Email = "Bob B", "Bob@Example.com" })
		r.world.image(store.UserImage, bob.UUID, "portrait")
		bob = must(r.store.User(r.ctx, bob.UUID))
		by := r.world.user("granter", func(u *store.User) { u.FullName = "Grant Er" })
		ends := r.clock.Now().Add(time.Hour)
		g := r.world.grant(bob, p.role, p.organisation, func(g *store.UserRole) { g.CreatedByUUID, g.ExpirationTime = &by.UUID, &ends })
		list, total, err := r.store.ListMembers(r.ctx, p.organisation.UUID, store.MemberFilter{}, []store.Ordering{{Name: "username"}}, everything)
		r.ok(err)
		r.same(total, int64(2))
		r.same(list, []store.Member{
			{UUID: p.grant.UUID, Created: p.grant.Created, RoleName: p.role.Name, RoleUUID: p.role.UUID, UserUsername: "alice", UserUUID: p.user.UUID},
			{
				UUID: g.UUID, Created: g.Created, ExpirationTime: &ends, RoleName: p.role.Name, RoleUUID: p.role.UUID,
				UserEmail: "Bob@Example.com", UserFullName: "Bob B", UserUsername: "bob", UserUUID: bob.UUID, UserImageUUID: bob.ImageUUID,
				CreatedByFullName: ptr("Grant Er"), CreatedByUUID: &by.UUID,
			},
		})
	}},

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

	{"filters narrow together", func(r *rig) {
		p := r.populate()
		other := r.world.newRole("OTHER", nil)
		bob := r.world.user("bob", func(u *store.User) { u.FullName = "Bob" })
		r.world.grant(bob, p.role, p.organisation)
		r.world.grant(bob, other, p.organisation)
		for _, c := range []struct {
			filter store.MemberFilter
			want   []string
		}{
			{store.MemberFilter{}, []string{"alice", "bob", "bob"}},
			{store.MemberFilter{RoleName: "OTHER"}, []string{"bob"}},
			{store.MemberFilter{RoleUUID: other.UUID}, []string{"bob"}},
			{store.MemberFilter{RoleName: "CUSTOMER.CALL_ORGANIZER"}, []string{"alice", "bob"}},
			{store.MemberFilter{RoleUUID: uuid.MustParse("00000000000040008000000000000004")}, []string{"alice", "bob"}},
			{store.MemberFilter{RoleName: "other"}, []string{}},
			{store.MemberFilter{RoleUUID: uuid.New()}, []string{}},
			{store.MemberFilter{Users: []uuid.UUID{bob.UUID}}, []string{"bob", "bob"}},
			{store.MemberFilter{Users: []uuid.UUID{bob.UUID, bob.UUID}}, []string{"bob", "bob"}},
			{store.MemberFilter{Users: []uuid.UUID{bob.UUID, p.user.UUID}}, []string{}},
			{store.MemberFilter{Users: []uuid.UUID{uuid.New()}}, []string{}},
			{store.MemberFilter{Users: []uuid.UUID{bob.UUID}, RoleName: "OTHER", FullName: "b", Username: "bob", UserSlug: "o", Search: "BOB"}, []string{"bob"}},
			{store.MemberFilter{Users: []uuid.UUID{bob.UUID}, RoleName: "OTHER", FullName: "x"}, []string{}},
		} {
			r.same(r.usernames(p.organisation.UUID, c.filter, store.Ordering{Name: "username"}), c.want)
		}
	}},

	{"orderings, several in order, ties by uuid", func(r *rig) {
		w := r.world
		o := w.organisation(w.customer("Tartu"))
		organizer, other := w.role("CUSTOMER.CALL_ORGANIZER"), w.newRole("A.ROLE", nil)
		now := r.clock.Now()
		var members []store.Member
		texts := []string{"Ääre", "ääre", "Zoe", "zoe", "", "Ärni", "abc", "ABC"}
		for i := range 24 {
			u := w.user(fmt.Sprintf("u%c%d", 'z'-rune(i%5), i), func(u *store.User) {
				u.FullName, u.NativeName, u.Email = texts[i%8], texts[(i*3)%8], texts[(i*5)%8]
			})
			role := []store.Role{organizer, other}[i%2]
			g := w.grant(u, role, o, func(g *store.UserRole) {
				g.Created = now.Add(time.Duration(i%4) * time.Microsecond)
				if i%3 > 0 {
					g.ExpirationTime = ptr(now.Add(time.Duration(i%5) * time.Second))
				}
			})
			members = append(members, store.Member{
				UUID: g.UUID, Created: g.Created, ExpirationTime: g.ExpirationTime, RoleName: role.Name, RoleUUID: role.UUID,
				UserEmail: u.Email, UserFullName: u.FullName, UserUsername: u.Username, UserUUID: u.UUID,
			})
		}
		native := map[uuid.UUID]string{}
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			for _, u := range e.Users {
				native[u.UUID] = u.NativeName
			}
			return nil
		}))
		for _, order := range [][]store.Ordering{
			nil, {{Name: "created"}}, {{Name: "created", Descending: true}}, {{Name: "email"}}, {{Name: "email", Descending: true}},
			{{Name: "expiration_time"}}, {{Name: "expiration_time", Descending: true}}, {{Name: "full_name"}}, {{Name: "full_name", Descending: true}},
			{{Name: "native_name"}}, {{Name: "native_name", Descending: true}}, {{Name: "role"}}, {{Name: "role", Descending: true}},
			{{Name: "username"}}, {{Name: "username", Descending: true}},
			{{Name: "role", Descending: true}, {Name: "full_name"}, {Name: "expiration_time", Descending: true}},
			{{Name: "expiration_time"}, {Name: "created", Descending: true}, {Name: "created"}},
		} {
			want := slices.Clone(members)
			slices.SortFunc(want, MemberOrder(order, native))
			for _, size := range []int{5, 24} {
				var got []store.Member
				for number := 1; (number-1)*size < len(want); number++ {
					page, total, err := r.store.ListMembers(r.ctx, o.UUID, store.MemberFilter{}, order, store.Page{Number: number, Size: size})
					r.ok(err)
					r.same(total, int64(len(want)))
					got = append(got, page...)
				}
				r.same(got, want)
			}
		}
		_, _, err := r.store.ListMembers(r.ctx, o.UUID, store.MemberFilter{}, nil, store.Page{Number: 4, Size: 8})
		r.is(err, store.ErrInvalidPage)
	}},
}

// MemberOrder compares members as ListMembers orders them; native has the users' native names,
// which a member does not show.
func MemberOrder(order []store.Ordering, native map[uuid.UUID]string) func(a, b store.Member) int {
	if len(order) == 0 {
		order = []store.Ordering{{Name: "created"}}
	}
	return func(a, b store.Member) int {
		for _, o := range order {
			c := compareMembers(o.Name, a, b, native)
			if o.Descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.UUID.String(), b.UUID.String())
	}
}

func compareMembers(name string, a, b store.Member, native map[uuid.UUID]string) int {
	collated := func(a, b string) int { return bytes.Compare(store.CollationKey(a), store.CollationKey(b)) }
	switch name {
	case "created":
		return a.Created.Compare(b.Created)
	case "email":
		return collated(a.UserEmail, b.UserEmail)
	case "full_name":
		return collated(a.UserFullName, b.UserFullName)
	case "native_name":
		return collated(native[a.UserUUID], native[b.UserUUID])
	case "role":
		return collated(a.RoleName, b.RoleName)
	case "username":
		return collated(a.UserUsername, b.UserUsername)
	case "expiration_time":
		switch {
		case a.ExpirationTime == nil && b.ExpirationTime == nil:
			return 0
		case a.ExpirationTime == nil:
			return 1 // a permanent grant ends after all others
		case b.ExpirationTime == nil:
			return -1
		}
		return a.ExpirationTime.Compare(*b.ExpirationTime)
	}
	panic("no such ordering: " + name)
}
