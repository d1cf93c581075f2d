package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// What a read costs, in statements that reach the driver, whatever the number of rows.
func TestStatementsOfReads(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		s := storetest.Open(t, engine, statements.Use)
		w := storetest.NewWorld(t, s)
		role := w.Role("CUSTOMER.CALL_ORGANIZER")
		all := w.Organisations(10)
		alice := w.User("alice")
		w.Grant(alice, role, all[0])
		token := w.Token(alice)
		for range 3 {
			call := w.Call(all[0], "active")
			w.Round(call, s.Now(), s.Now().AddDate(0, 0, 1))
		}
		w.Members(all[1], role, 10)
		few := countReads(t, s, &statements, all, alice.UUID, token)
		more := w.Organisations(990)
		w.Members(more[0], role, 1000)
		all[1] = more[0]
		many := countReads(t, s, &statements, all, alice.UUID, token)
		want := map[string]int{
			"identity": 1, "organisation": 1, "organisation for": 1, "held roles": 1, "stats": 1, "image": 1, "role": 1, "user": 1,
			"list": 4, "list filtered": 4, "list filtered, last page": 3, "list last page": 4, "list empty": 3, "count": 1, "count filtered": 1,
			"members": 4, "members filtered": 4, "members past the end": 3, "count members": 1,
		}
		for name, n := range want {
			if few[name] != n || many[name] != n {
				t.Errorf("%s: %d statements, and %d with many rows, not %d", name, few[name], many[name], n)
			}
		}
		if len(few) != len(want) {
			t.Errorf("%d reads, not %d", len(few), len(want))
		}
	})
}

func TestStatementsAtTheEndsAreFew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		s := storetest.Open(t, engine, statements.Use)
		storetest.NewWorld(t, s).Organisations(30)
		statements.Reset()
		for size := 1; size <= 40; size++ {
			for _, number := range []int{1, (30 + size - 1) / size} {
				if _, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{}, nil, store.Page{Number: number, Size: size}); err != nil {
					t.Fatal(err)
				}
			}
		}
		different := map[string]bool{}
		for _, text := range statements.All() {
			different[text] = true
		}
		if len(different) > 25 { // BEGIN, COMMIT, the total, ten from each end, and those with an offset
			t.Errorf("%d statements", len(different))
		}
	})
}

func countReads(t *testing.T, s *store.Store, statements *storetest.Statements, all []store.CallManagingOrganisation, user uuid.UUID, token string) map[string]int {
	t.Helper()
	ctx, first := context.Background(), store.Page{Number: 1, Size: 10}
	list := func(f store.OrganisationFilter, page store.Page) func() error {
		return func() error { _, _, err := s.ListOrganisations(ctx, f, nil, page); return err }
	}
	members := func(f store.MemberFilter, page store.Page) func() error {
		return func() error { _, _, err := s.ListMembers(ctx, all[1].UUID, f, nil, page); return err }
	}
	total, err := s.CountOrganisations(ctx, store.OrganisationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for name, read := range map[string]func() error{
		"identity":         func() error { _, err := s.Identity(ctx, store.Digest(token)); return err },
		"organisation":     func() error { _, err := s.Organisation(ctx, all[0].UUID); return err },
		"organisation for": func() error { _, _, err := s.OrganisationFor(ctx, all[0].UUID, user); return err },
		"held roles":       func() error { _, err := s.HeldRoles(ctx, user, all[0].CustomerUUID, all[0].UUID); return err },
		"stats":            func() error { _, err := s.Stats(ctx, all[0].UUID); return err },
		"image": func() error {
			if _, err := s.Image(ctx, uuid.New()); err == nil {
				return fmt.Errorf("an image of this id")
			}
			return nil
		},
		"role":                     func() error { _, err := s.Role(ctx, "CUSTOMER.OWNER"); return err },
		"user":                     func() error { _, err := s.User(ctx, user); return err },
		"list":                     list(store.OrganisationFilter{}, first),
		"list filtered":            list(store.OrganisationFilter{Keyword: "customer"}, store.Page{Number: 2, Size: 3}),
		"list filtered, last page": list(store.OrganisationFilter{Customers: []uuid.UUID{all[0].CustomerUUID}, Keyword: "customer"}, first),
		"list last page":           list(store.OrganisationFilter{}, store.Page{Number: int(first.Last(total)), Size: 10}),
		"list empty":               list(store.OrganisationFilter{Keyword: "nothing"}, first),
		"count":                    func() error { _, err := s.CountOrganisations(ctx, store.OrganisationFilter{}); return err },
		"count filtered":           func() error { _, err := s.CountOrganisations(ctx, store.OrganisationFilter{Keyword: "x"}); return err },
		"members":                  members(store.MemberFilter{}, first),
		"members filtered":         members(store.MemberFilter{Search: "member", Role: "CUSTOMER.CALL_ORGANIZER"}, first),
		"members past the end": func() error {
			if members(store.MemberFilter{}, store.Page{Number: 1000, Size: 10})() == nil {
				return fmt.Errorf("page 1000 is there")
			}
			return nil
		},
		"count members": func() error { _, err := s.CountMembers(ctx, all[1].UUID, store.MemberFilter{}); return err },
	} {
		statements.Reset()
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		counts[name] = statements.Count()
	}
	return counts
}

// A statement is prepared once and kept, so that pages and texts must not be part of its SQL, but for
// the number of rows at the list's ends, up to ten of them.
func TestStatementsOfAllPagesAreTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		s := storetest.Open(t, engine, statements.Use)
		w := storetest.NewWorld(t, s)
		all := w.Organisations(30)
		w.Members(all[0], w.Role("CUSTOMER.CALL_ORGANIZER"), 30)
		texts := func(run func(page store.Page, text string) error) {
			t.Helper()
			statements.Reset()
			for number := 2; number <= 4; number++ { // the first has no offset, and the last are read from the end
				for _, size := range []int{2, 3} {
					if err := run(store.Page{Number: number, Size: size}, strings.Repeat("e", number%2)); err != nil {
						t.Fatal(err)
					}
				}
			}
			different := map[string]bool{}
			for _, text := range statements.All() {
				different[text] = true
			}
			if len(different) > 6 { // BEGIN, COMMIT, and counting and reading with a text and without
				t.Errorf("%d statements: %q", len(different), statements.All())
			}
		}
		texts(func(page store.Page, text string) error {
			_, _, err := s.ListOrganisations(t.Context(), store.OrganisationFilter{Keyword: text}, nil, page)
			return err
		})
		texts(func(page store.Page, text string) error {
			_, _, err := s.ListMembers(t.Context(), all[0].UUID, store.MemberFilter{Search: text}, nil, page)
			return err
		})
	})
}
