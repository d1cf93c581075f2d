package store_test

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var userScenarios = []scenario{
	{"create and read", func(r *rig) {
		want := store.User{
			Username: "alice", FullName: "Alice Aed", NativeName: "Алиса", Email: "Alice@Example.com", IsStaff: true, IsSupport: true, IsActive: true,
		}
		var created store.User
		r.write(func(tx *store.Tx) (err error) {
			created, err = tx.CreateUser(want)
			return err
		})
		r.same(created.Slug, "alice")
		r.same(created.Created, r.clock.Now())
		r.same(created.UUID == uuid.Nil, false)
		r.same(must(r.store.User(r.ctx, created.UUID)), created)
		r.same(must(r.store.UserByName(r.ctx, "alice")), created)
		for _, name := range []string{"Alice", "alic", "alice ", "", "%"} {
			r.is(errorOf(r.store.UserByName(r.ctx, name)), store.ErrNotFound)
		}
		r.is(errorOf(r.store.User(r.ctx, uuid.New())), store.ErrNotFound)
		r.write(func(tx *store.Tx) error {
			given := store.User{UUID: r.world.id(), Username: "bob", Slug: "Robert", Created: r.clock.Now().Add(-time.Hour)}
			got := must(tx.CreateUser(given))
			r.same([]any{got.UUID, got.Slug, got.Created, got.IsActive}, []any{given.UUID, given.Slug, given.Created, false})
			return nil
		})
	}},

	{"usernames", func(r *rig) {
		for _, name := range []string{"a", "a.b_c-d+e@f", "0", strings.Repeat("x", 128)} {
			r.ok(store.CheckUsername(name))
			r.world.user(name)
		}
		for _, name := range []string{"", "A", "a b", "ä", "a%", "a/b", "a\n", strings.Repeat("x", 129)} {
			r.is(store.CheckUsername(name), store.ErrUsername)
			r.is(r.fails(func(tx *store.Tx) error { return errorOf(tx.CreateUser(store.User{Username: name})) }), store.ErrUsername)
			err := r.fails(func(tx *store.Tx) error {
				return tx.Import([]store.User{{UUID: r.world.id(), Username: "fine"}, {UUID: r.world.id(), Username: name}})
			})
			r.is(err, store.ErrUsername)
			r.isRow(err, 1)
		}
	}},

	{"who signs in with a token", func(r *rig) {
		alice := r.world.user("alice", func(u *store.User) { u.IsStaff = true })
		bob := r.world.user("bob", func(u *store.User) { u.IsSupport, u.IsActive = true, false })
		expires := r.clock.Now().Add(-time.Hour)
		forever := r.world.token(alice)
		expired := r.world.token(alice, func(t *store.Token) { t.Expires = &expires })
		inactive := r.world.token(bob)
		for token, want := range map[string]store.Identity{
			forever:  {UUID: alice.UUID, IsStaff: true, IsActive: true},
			expired:  {UUID: alice.UUID, IsStaff: true, IsActive: true, Expires: &expires},
			inactive: {UUID: bob.UUID, IsSupport: true},
		} {
			r.same(must(r.store.Identity(r.ctx, store.Digest(token))), want)
		}
		for _, digest := range []string{store.Digest("another"), "", forever, strings.ToUpper(store.Digest(forever)), store.Digest(forever)[:63]} {
			r.is(errorOf(r.store.Identity(r.ctx, digest)), store.ErrNotFound)
		}
		// The text is nowhere.
		for table, rows := range r.dump() {
			for _, row := range rows {
				if strings.Contains(row, forever) {
					r.Errorf("%s holds a token: %s", table, row)
				}
			}
		}
	}},

	{"revoking forgets a user's tokens and nobody else's", func(r *rig) {
		alice, bob := r.world.user("alice"), r.world.user("bob")
		var tokens []string
		for range 3 {
			tokens = append(tokens, r.world.token(alice))
		}
		his := r.world.token(bob)
		for _, want := range []int{3, 0} {
			r.write(func(tx *store.Tx) error {
				n, err := tx.RevokeTokens(alice.UUID)
				r.same(n, want)
				return err
			})
		}
		for _, token := range tokens {
			r.is(errorOf(r.store.Identity(r.ctx, store.Digest(token))), store.ErrNotFound)
		}
		must(r.store.Identity(r.ctx, store.Digest(his)))
	}},

	{"the built-in roles are in every database", func(r *rig) {
		roles := must(storetest.Roles(r.store))
		var lines []string
		for _, role := range roles {
			r.same(role.NameKey, store.CollationKey(role.Name)) // the migrations have it
			lines = append(lines, strings.Join([]string{role.UUID.String()[35:], role.Name, string(role.Scope), map[bool]string{true: "active", false: "inactive"}[role.IsActive], strings.Join(role.Permissions, " ")}, " "))
		}
		r.same(lines, []string{
			"4 CUSTOMER.CALL_ORGANIZER call_managing_organisation active CALL.APPROVE_AND_REJECT_PROPOSALS CALL.CLOSE_ROUNDS CALL.CREATE CALL.CREATE_PERMISSION CALL.DELETE_PERMISSION CALL.LIST CALL.UPDATE_PERMISSION PROPOSAL.LIST PROPOSAL.MANAGE_REVIEW ROUND.LIST",
			"2 CUSTOMER.MANAGER customer active ",
			"1 CUSTOMER.OWNER customer active CALL.APPROVE_AND_REJECT_PROPOSALS CALL.CLOSE_ROUNDS CALL.CREATE_PERMISSION CALL.DELETE_PERMISSION CALL.UPDATE_PERMISSION OFFERING.ACCEPT_CALL_REQUEST",
			"3 CUSTOMER.SUPPORT customer inactive ",
		})
	}},
}
