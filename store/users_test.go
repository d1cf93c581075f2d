package store_test

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

var userScenarios = []scenario{
	{"create and read", func(r *rig) {
		want := store.User{
			Username: "alice", FirstName: "Alice", LastName: "Aed", NativeName: "Алиса", Email: "Alice@Example.com", IsStaff: true, IsSupport: true, IsActive: true,
		}
		var created store.User
		r.write(func(tx *store.Tx) (err error) {
			created, err = tx.CreateUser(want, nil)
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
			got := must(tx.CreateUser(given, nil))
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
			r.is(r.fails(func(tx *store.Tx) error { return errorOf(tx.CreateUser(store.User{Username: name}, nil)) }), store.ErrUsername)
			err := r.fails(func(tx *store.Tx) error {
				return tx.Import([]store.User{{UUID: r.world.id(), Username: "fine"}, {UUID: r.world.id(), Username: name}})
			})
			r.is(err, store.ErrUsername)
			r.isRow(err, 1)
		}
	}},

	{"revoking forgets a user's tokens and nobody else's", func(r *rig) {
		alice, bob := r.world.user("alice"), r.world.user("bob")
		for range 3 {
			r.world.token(alice)
		}
		his := r.world.token(bob)
		for _, want := range []int{3, 0} {
			r.write(func(tx *store.Tx) error {
				r.same(must(tx.RevokeTokens(alice.UUID)), want)
				return nil
			})
		}
		must(r.store.Identity(r.ctx, store.Digest(his)))
	}},
}
