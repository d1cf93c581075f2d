package store_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// Text that comes near to itself by case, accents, wildcards and separators.
var pieces = rapid.SampledFrom([]string{
	"a", "A", "ä", "Ä", "a\u0308", "ß", "ss", "SS", "İ", "i", "I", "ı", "σ", "ς", "Σ", "я", "Я", "ﬁ", "fi", "é", "e\u0301",
	"%", "_", `\`, "'", `"`, " ", "\x1f", ".", "0", "北", "\u0301", "\U0001f52d", "K", "k",
})

func text(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(pieces, 0, most).Draw(t, "pieces"), "")
	})
}

// engines are the stores of a property: the same data, ids and clock in each.
type engines struct {
	clock  *storetest.Clock
	stores []*store.Store
	tables []*sql.DB
	ids    []*atomic.Uint64
}

func newEngines(t *testing.T) *engines {
	t.Helper()
	e := &engines{clock: storetest.NewClock()}
	for _, engine := range storetest.Engines() {
		var tables storetest.SQL
		ids := new(atomic.Uint64)
		e.stores = append(e.stores, storetest.Open(t, engine, e.clock.Use, tables.Use, func(cfg *store.Config) {
			cfg.NewUUID = func() uuid.UUID { return numbered('f', int(ids.Add(1))) }
		}))
		e.tables, e.ids = append(e.tables, tables.DB(t)), append(e.ids, ids)
	}
	return e
}

// numbered is an id of a kind of objects.
func numbered(kind byte, n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, n))
}

// clear takes away all but what the migrations wrote, for the next round.
func (e *engines) clear(t *rapid.T) {
	for i, db := range e.tables {
		e.ids[i].Store(0)
		for _, table := range slices.Backward(storetest.Tables) {
			switch table {
			case "counters", "role_permissions": // triggers keep the one, the other goes with its role
				continue
			case "roles":
				table = "roles WHERE name NOT LIKE 'CUSTOMER.%'"
			}
			if _, err := db.Exec("DELETE FROM " + table); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// fill makes the same change in each store, which is empty before.
func (e *engines) fill(t *rapid.T, change func(tx *store.Tx) error) {
	e.clear(t)
	for _, s := range e.stores {
		if err := write(s, change); err != nil {
			t.Fatal(err)
		}
	}
}

// pages reads every page of a list.
func pages[T any](t *rapid.T, size int, list func(store.Page) ([]T, int64, error)) []T {
	var all []T
	for number := 1; ; number++ {
		page := store.Page{Number: number, Size: size}
		rows, total, err := list(page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
		if int64(number) == page.Last(total) {
			if int64(len(all)) != total {
				t.Fatalf("%d rows of %d", len(all), total)
			}
			return all
		}
	}
}

// equal compares a list with what it has to be.
func equal(t *rapid.T, want, got any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("want (-), got (+):\n%s", diff)
	}
}

func TestPropertyOrganisations(t *testing.T) {
	e := newEngines(t)
	rapid.Check(t, func(t *rapid.T) {
		type made struct {
			customer     store.Customer
			organisation store.CallManagingOrganisation
		}
		customers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Customer {
			return store.Customer{Name: text(4).Draw(t, "name"), Abbreviation: text(2).Draw(t, "abbreviation"), NativeName: text(3).Draw(t, "native name")}
		}), 0, 12).Draw(t, "customers")
		all := make([]made, len(customers))
		e.fill(t, func(tx *store.Tx) error {
			rows, organisations := slices.Clone(customers), make([]store.CallManagingOrganisation, len(customers))
			for i := range rows {
				rows[i].UUID = numbered('c', i)
				organisations[i] = store.CallManagingOrganisation{UUID: numbered('a', (i*7)%13), CustomerUUID: rows[i].UUID}
				all[i] = made{rows[i], organisations[i]}
			}
			if err := tx.ImportCustomers(rows); err != nil {
				return err
			}
			return tx.ImportOrganisations(organisations)
		})
		filter := store.OrganisationFilter{}
		if rapid.Bool().Draw(t, "by keyword") {
			filter.Keyword = text(2).Draw(t, "keyword")
		}
		if len(all) > 0 && rapid.IntRange(0, 4).Draw(t, "by customer") == 0 {
			filter.Customers = append(filter.Customers, rapid.SampledFrom(all).Draw(t, "customer").customer.UUID)
		}
		descending := rapid.Bool().Draw(t, "descending")
		// What the database does, done over all rows: filter, then order.
		keyword := store.FoldCase(filter.Keyword)
		want := slices.DeleteFunc(all, func(m made) bool {
			for _, c := range filter.Customers {
				if c != m.customer.UUID {
					return true
				}
			}
			return !slices.ContainsFunc([]string{m.customer.Name, m.customer.Abbreviation, m.customer.NativeName}, func(text string) bool {
				return strings.Contains(store.FoldCase(text), keyword)
			})
		})
		slices.SortFunc(want, func(a, b made) int {
			c := cmp.Or(bytes.Compare(store.CollationKey(a.customer.Name), store.CollationKey(b.customer.Name)), cmp.Compare(a.organisation.UUID.String(), b.organisation.UUID.String()))
			if descending {
				return -c
			}
			return c
		})
		ids := make([]uuid.UUID, len(want))
		for i, m := range want {
			ids[i] = m.organisation.UUID
		}
		size := rapid.IntRange(1, 14).Draw(t, "page size")
		var first []store.Organisation
		for i, s := range e.stores {
			got := pages(t, size, func(page store.Page) ([]store.Organisation, int64, error) {
				return s.ListOrganisations(context.Background(), filter, []store.Ordering{{Name: "customer_name", Descending: descending}}, page)
			})
			gotIDs := make([]uuid.UUID, len(got))
			for i, o := range got {
				gotIDs[i] = o.UUID
			}
			equal(t, ids, gotIDs)
			if i == 0 {
				first = got
			}
			equal(t, first, got)
		}
	})
}

func TestPropertyMembers(t *testing.T) {
	e := newEngines(t)
	roles := map[string]uuid.UUID{}
	all, err := e.stores[0].Roles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range all {
		roles[role.Name] = role.UUID
	}
	rapid.Check(t, func(t *rapid.T) {
		type person struct {
			user  store.User
			grant store.UserRole
			role  string
		}
		now := e.clock.Now()
		moment := rapid.Custom(func(t *rapid.T) *time.Time {
			if rapid.IntRange(0, 3).Draw(t, "set") == 0 {
				return nil
			}
			at := now.Add(time.Duration(rapid.IntRange(-2, 3).Draw(t, "microseconds")) * time.Microsecond)
			return &at
		})
		people := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) person {
			return person{
				user: store.User{
					FullName: text(4).Draw(t, "full name"), NativeName: text(2).Draw(t, "native name"), Email: text(3).Draw(t, "email"),
					Slug: text(2).Draw(t, "slug"), IsActive: rapid.IntRange(0, 5).Draw(t, "active") > 0,
				},
				role: rapid.SampledFrom(slices.Sorted(maps.Keys(roles))).Draw(t, "role"),
				grant: store.UserRole{
					Created: now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "created")) * time.Microsecond), ExpirationTime: moment.Draw(t, "ends"),
				},
			}
		}), 0, 12).Draw(t, "people")
		organisation := numbered('a', 1)
		users := map[uuid.UUID]store.User{}
		var members []store.Member
		e.fill(t, func(tx *store.Tx) error {
			members = nil
			rows, grants := make([]store.User, len(people)), make([]store.UserRole, len(people))
			for i, p := range people {
				u, g := p.user, p.grant
				u.UUID, u.Username = numbered('b', i), fmt.Sprintf("%c.%d", "abc"[i%3], i)
				g.UUID, g.UserUUID, g.RoleUUID, g.OrganisationUUID = numbered('d', (i*7)%13), u.UUID, roles[p.role], &organisation
				if u.Slug == "" {
					u.Slug = u.Username
				}
				rows[i], grants[i], users[u.UUID] = u, g, u
				if u.IsActive && (g.ExpirationTime == nil || !g.ExpirationTime.Before(now)) {
					members = append(members, store.Member{
						UUID: g.UUID, Created: g.Created, ExpirationTime: g.ExpirationTime, RoleName: p.role, RoleUUID: g.RoleUUID,
						UserEmail: u.Email, UserFullName: u.FullName, UserUsername: u.Username, UserUUID: u.UUID,
					})
				}
			}
			return errors.Join(
				tx.ImportCustomers([]store.Customer{{UUID: numbered('c', 1), Name: "Tartu"}}),
				tx.ImportOrganisations([]store.CallManagingOrganisation{{UUID: organisation, CustomerUUID: numbered('c', 1)}}),
				tx.ImportUsers(rows), tx.ImportUserRoles(grants))
		})
		filter := drawMemberFilter(t)
		order := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Ordering {
			names := []string{"created", "email", "expiration_time", "full_name", "native_name", "role", "username"}
			return store.Ordering{Name: rapid.SampledFrom(names).Draw(t, "name"), Descending: rapid.Bool().Draw(t, "descending")}
		}), 0, 3).Draw(t, "order")
		want := slices.DeleteFunc(members, func(m store.Member) bool { return !matches(filter, users[m.UserUUID], m.RoleName) })
		native := map[uuid.UUID]string{}
		for id, u := range users {
			native[id] = u.NativeName
		}
		slices.SortFunc(want, storetest.MemberOrder(order, native))
		size := rapid.IntRange(1, 14).Draw(t, "page size")
		for _, s := range e.stores {
			got := pages(t, size, func(page store.Page) ([]store.Member, int64, error) {
				return s.ListMembers(context.Background(), organisation, filter, order, page)
			})
			if len(want)+len(got) > 0 {
				equal(t, want, got)
			}
		}
	})
}

func drawMemberFilter(t *rapid.T) store.MemberFilter {
	maybe := func(name string, g *rapid.Generator[string]) string {
		if rapid.IntRange(0, 3).Draw(t, "by "+name) > 0 {
			return ""
		}
		return g.Draw(t, name)
	}
	return store.MemberFilter{
		FullName: maybe("full name", text(2)), NativeName: maybe("native name", text(1)), UserSlug: maybe("slug", text(1)), Search: maybe("search", text(1)),
		RoleName: maybe("role", rapid.SampledFrom([]string{"CUSTOMER.OWNER", "CUSTOMER.MANAGER", "x"})),
		Username: maybe("username", rapid.SampledFrom([]string{"a.0", "b.1", "A.0", "c"})),
	}
}

// matches is the filter over one row.
func matches(f store.MemberFilter, u store.User, role string) bool {
	folded := func(text, part string) bool { return strings.Contains(store.FoldCase(text), store.FoldCase(part)) }
	return (f.Username == "" || f.Username == u.Username) &&
		(f.RoleName == "" || f.RoleName == role) &&
		strings.Contains(store.FoldAccents(u.FullName), store.FoldAccents(f.FullName)) &&
		folded(u.NativeName, f.NativeName) && folded(u.Slug, f.UserSlug) &&
		(folded(u.FullName, f.Search) || folded(u.Email, f.Search) || folded(u.Username, f.Search))
}

func TestPropertyFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), text(6)).Draw(t, "text")
		for name, fold := range map[string]func(string) string{"FoldCase": store.FoldCase, "FoldAccents": store.FoldAccents} {
			once := fold(s)
			if twice := fold(once); twice != once {
				t.Fatalf("%s(%q) is %q, and of that %q", name, s, once, twice)
			}
			if strings.Contains(once, "\x1f") {
				t.Fatalf("%s(%q) holds the separator", name, s)
			}
		}
	})
}
