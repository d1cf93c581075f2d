// Package plans_test reads how the databases carry out each operation's statements at 100,000
// organisations, and how much memory the import and the export of them take: what grows with the
// data there has to be a decision.
package plans_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }

// page is how many rows a page has, and one more is read of a list that is filtered.
const page = 10

// operation is a request and what the plans of its statements may hold that those of others must
// not:
//   - scans: on SQLite a keyword is looked for in one scan of the index that is there for it;
//   - sorts: on Postgres the index of a keyword gives its matches in no order;
//   - members: on SQLite a team is sorted, in an order for which it has no index;
//   - all: on Postgres a keyword without three letters in a row, which has no trigram, is looked for in all rows.
//
// A page in the middle is walked to along an index; that is no scan of a table and no sort.
// grows says that the pages read on Postgres may grow with the data.
type operation struct {
	name, request, body               string
	image                             bool // the body is one
	staff                             bool // is sent by staff alone, else by an owner too
	scans, sorts, members, all, grows bool
}

// The operations, in an order in which each has what it needs.
var operations = []operation{
	{name: "list", request: "GET /"},
	{name: "list_last", request: "GET /?page={last}"},
	{name: "list_page_300", request: "GET /?page_size=300", sorts: true, grows: true}, // from all pages of 1,000 to those of 300 rows
	{name: "list_middle", request: "GET /?page={middle}", grows: true},
	{name: "list_keyword_rare", request: "GET /?customer_keyword={rare}", scans: true, sorts: true},
	{name: "list_keyword_common", request: "GET /?customer_keyword={common}", scans: true, sorts: true, grows: true},
	{name: "list_keyword_letter", request: "GET /?customer_keyword=u", scans: true, all: true, grows: true},
	{name: "list_keyword_count", request: "HEAD /?customer_keyword={rare}", scans: true},
	{name: "list_keyword_page", request: "GET /?customer_keyword={common}&page=3&o=-customer_name", scans: true, sorts: true, grows: true},
	{name: "list_keyword_other_letters", request: "GET /?customer_keyword=%D1%83%D0%B6%D0%B3%D0%BE%D1%80%D0%BE%D0%B4", scans: true, sorts: true, grows: true},
	{name: "list_keyword_no_letters", request: "GET /?customer_keyword=---", scans: true, all: true, grows: true},
	{name: "list_count", request: "HEAD /"},
	{name: "list_customer", request: "GET /?customer_uuid={customer}"},
	{name: "retrieve", request: "GET /{it}/"},
	{name: "stats", request: "GET /{it}/stats/"},
	{name: "list_users", request: "GET /{it}/list_users/"},
	{name: "list_users_count", request: "HEAD /{it}/list_users/"},
	{name: "list_users_5000", request: "GET /{crowded}/list_users/"},
	{name: "list_users_page", request: "GET /{crowded}/list_users/?page=2"},
	{name: "list_users_by_name", request: "GET /{it}/list_users/?o=full_name", members: true},
	{name: "list_users_search", request: "GET /{it}/list_users/?search=a&full_name=e&role=CUSTOMER.CALL_ORGANIZER&field=uuid"},
	{name: "list_users_search_count", request: "HEAD /{it}/list_users/?search=a"},
	{name: "list_users_of_user", request: "GET /{crowded}/list_users/?user={newcomer}"},
	{name: "update", request: "PUT /{it}/", body: `{"customer":"https://example.org/api/customers/{customer}/","description":"newer"}`},
	{name: "partial_update", request: "PATCH /{it}/", body: `{"description":"new"}`},
	{name: "set_image", request: "PATCH /{it}/", image: true},
	{name: "replace_image", request: "PATCH /{it}/", image: true},
	{name: "clear_image", request: "PATCH /{it}/", body: `{"image":null}`},
	{name: "add_user", request: "POST /{it}/add_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}"}`, staff: true},
	{name: "update_user", request: "POST /{it}/update_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}","expiration_time":"2099-01-01T00:00:00Z"}`, staff: true},
	{name: "delete_user", request: "POST /{it}/delete_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}"}`, staff: true},
	{name: "destroy", request: "DELETE /{spare}/", staff: true},
	{name: "create", request: "POST /", body: `{"customer":"https://example.org/api/customers/{bereft}/"}`, staff: true},
}

// organisations are as many as nobody has.
const organisations = 100_000

// tiny are the tables whose rows don't come with organisations: reading all of one is right.
var tiny = []string{"roles", "role_permissions", "counters", "settings"}

func TestPlansOfSQLite(t *testing.T) {
	if !slices.Contains(storetest.Engines(), storetest.SQLite) {
		return // the other half was asked for
	}
	w := newWorld(t, storetest.SQLite, organisations)
	w.each(t, operations, func(o operation, statements []storetest.Statement) {
		for _, s := range statements {
			for _, fault := range w.faultsSQLite(t, o, s) {
				t.Errorf("%s: %s: %s", o.name, fault, s.Text)
			}
		}
	})
}

func TestPlansOfPostgres(t *testing.T) {
	if !slices.Contains(storetest.Engines(), storetest.Postgres) {
		return // the other half was asked for
	}
	large, small := newWorld(t, storetest.Postgres, organisations), newWorld(t, storetest.Postgres, 1000)
	before := large.scanned(t)
	// A connection may change its mind on how to carry out a statement after it ran five times.
	indexed := slices.DeleteFunc(slices.Clone(operations), func(o operation) bool { return o.all })
	for range 8 {
		large.each(t, indexed, func(operation, []storetest.Statement) {})
	}
	for table, rows := range large.scanned(t) {
		if n := rows - before[table]; n >= organisations { // tables of a few rows are rightly read so
			t.Errorf("%d rows of %s are read by scans of all", n, table)
		}
	}
	pages, few := map[string]int{}, map[string]int{}
	large.each(t, operations, func(o operation, statements []storetest.Statement) {
		for _, s := range slices.DeleteFunc(statements, once) {
			plan := large.explain(t, s)
			pages[o.name] += plan.Hit + plan.Read
			faults := plan.faults(o)
			// It is settled on where it looks no worse than those for the arguments that there were.
			if !changes(s) {
				if generic := large.explainGeneric(t, s); generic.Cost <= plan.Cost {
					faults = append(faults, generic.faults(o)...)
				}
			}
			for _, fault := range faults {
				t.Errorf("%s: %s: %s", o.name, fault, s.Text)
			}
		}
	})
	small.each(t, operations, func(o operation, statements []storetest.Statement) {
		for _, s := range slices.DeleteFunc(statements, once) {
			plan := small.explain(t, s)
			few[o.name] += plan.Hit + plan.Read
		}
	})
	for _, o := range operations {
		t.Logf("%s: %d pages, and %d of 1,000 organisations", o.name, pages[o.name], few[o.name])
		if pages[o.name] > 2*few[o.name] && !o.grows {
			t.Errorf("%s reads %d pages, and %d of 1,000 organisations", o.name, pages[o.name], few[o.name])
		}
	}
}

// once says whether a statement can't be carried out again to see how.
func once(s storetest.Statement) bool {
	return changes(s) && !strings.HasPrefix(strings.TrimSpace(s.Text), "UPDATE")
}

// changes says whether a statement is anything but a query.
func changes(s storetest.Statement) bool {
	return !strings.HasPrefix(strings.TrimSpace(s.Text), "SELECT")
}
