package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// command is a change drawn at random, run on each engine alike.
type command struct {
	name string
	run  func(tx *store.Tx) error
}

// few is a small number of objects, so that commands meet the same ones.
var few = rapid.IntRange(1, 3)

// drawCommand draws a change of data that may or may not be allowed.
func drawCommand(t *rapid.T, now time.Time) command {
	a, b := few.Draw(t, "a"), few.Draw(t, "b")
	name := text(2).Draw(t, "name")
	var ends *time.Time
	if n := rapid.IntRange(-1, 3).Draw(t, "ends"); n >= 0 {
		at := now.Add(time.Duration(n-1) * time.Microsecond)
		ends = &at
	}
	var image *store.NewImage
	if rapid.Bool().Draw(t, "image") {
		image = storetest.Picture(name)
	}
	user, organisation, customer := numbered('a', a), numbered('b', b), numbered('c', b)
	organizer := uuid.MustParse("00000000-0000-4000-8000-000000000004")
	commands := []command{
		{"import customer", func(tx *store.Tx) error {
			return tx.ImportCustomers([]store.Customer{{UUID: customer, Name: name}})
		}},
		{"import users", func(tx *store.Tx) error {
			return tx.ImportUsers([]store.User{{UUID: user, Username: fmt.Sprint("user", b), FullName: name}, {UUID: numbered('a', b), Username: fmt.Sprint("user", a)}})
		}},
		{"create user", func(tx *store.Tx) error {
			_, err := tx.CreateUser(store.User{Username: fmt.Sprint("user", b)}) // with an id too it might break two constraints
			return err
		}},
		{"import organisation", func(tx *store.Tx) error {
			return tx.ImportOrganisations([]store.CallManagingOrganisation{{UUID: organisation, CustomerUUID: numbered('c', a), Description: name}})
		}},
		{"create organisation", func(tx *store.Tx) error {
			c, err := tx.LockCustomer(customer)
			if err != nil {
				return err
			}
			_, err = tx.CreateOrganisation(c, name, image)
			return err
		}},
		{"update organisation", func(tx *store.Tx) error {
			o, err := tx.LockOrganisation(organisation)
			if err != nil {
				return err
			}
			_, err = tx.UpdateOrganisation(o, store.OrganisationChange{Description: &name, Image: image, ClearImage: image == nil})
			return err
		}},
		{"delete organisation", func(tx *store.Tx) error {
			o, err := tx.LockOrganisation(organisation)
			if err != nil {
				return err
			}
			return tx.DeleteOrganisation(o)
		}},
		{"import image", func(tx *store.Tx) error { return tx.ImportImage(store.UserImage, user, image) }},
		{"grant", func(tx *store.Tx) error { return tx.GrantRole(user, organizer, organisation, ends) }},
		{"update grant", func(tx *store.Tx) error { return tx.UpdateGrant(user, organizer, organisation, ends) }},
		{"revoke", func(tx *store.Tx) error { return tx.RevokeRole(user, organizer, organisation) }},
		{"import grant", func(tx *store.Tx) error {
			return tx.ImportUserRoles([]store.UserRole{{UserUUID: user, RoleUUID: organizer, OrganisationUUID: &organisation, ExpirationTime: ends}})
		}},
		{"import role", func(tx *store.Tx) error {
			return tx.ImportRoles([]store.Role{{UUID: numbered('d', a), Name: fmt.Sprint("ROLE", b), Scope: store.ScopeCustomer, Permissions: []string{name, "P", name}}})
		}},
		{"import call", func(tx *store.Tx) error {
			return tx.ImportCalls([]store.Call{{UUID: numbered('e', a), OrganisationUUID: organisation, Name: name, State: []string{"draft", "active", "wrong"}[a-1]}})
		}},
		{"token", func(tx *store.Tx) error { return tx.CreateToken(user, store.Digest(fmt.Sprint(b)), ends) }},
		{"revoke tokens", func(tx *store.Tx) error { _, err := tx.RevokeTokens(user); return err }},
		{"setting", func(tx *store.Tx) error { return tx.SetSetting("name", name) }},
		{"a change that fails at last", func(tx *store.Tx) error {
			held, err := tx.HoldsAsLong(user, organizer, organisation, ends)
			if err != nil {
				return err
			}
			return fmt.Errorf("held is %v", held)
		}},
	}
	return rapid.SampledFrom(commands).Draw(t, "command")
}

func (c command) String() string { return c.name }

// outcome is an error in words that are the same on both engines; SQLite does not say which
// foreign key it was.
func outcome(err error) string {
	var key *store.ForeignKeyError
	if errors.As(err, &key) {
		key.Constraint = ""
	}
	return fmt.Sprint(err)
}

// Whatever is done, in whatever order, and whether it is allowed or not: the two engines say
// the same and hold the same afterwards. With one engine there is nothing to compare, and the
// totals are checked alone.
func TestPropertyEnginesAreEqual(t *testing.T) {
	e := newEngines(t)
	rapid.Check(t, func(r *rapid.T) {
		e.clear(r)
		for range rapid.IntRange(1, 12).Draw(r, "commands") {
			c := drawCommand(r, e.clock.Now())
			e.clock.Advance(time.Duration(rapid.IntRange(0, 1).Draw(r, "microseconds")) * time.Microsecond)
			var said []string
			for _, s := range e.stores {
				said = append(said, outcome(s.Write(context.Background(), store.Actor{RequestID: c.name}, c.run)))
			}
			if said[0] != said[len(said)-1] {
				r.Fatalf("%s: %q", c.name, said)
			}
		}
		first := storetest.Dump(t, e.tables[0])
		for i, db := range e.tables {
			if diff := gocmp.Diff(first, storetest.Dump(t, db)); diff != "" {
				r.Fatalf("%s (-), %s (+):\n%s", storetest.Engines()[0], storetest.Engines()[i], diff)
			}
		}
		if total := first["counters"][0]; total != fmt.Sprintf("name=%q value=%d", "call_managing_organisations", len(first["call_managing_organisations"])) {
			r.Fatalf("%d organisations, counted as %s", len(first["call_managing_organisations"]), total)
		}
	})
}
