// Package plans_test reads how the databases carry out each operation's statements at 100,000
// organisations: what grows with the data there has to be a decision.
package plans_test

import (
	"os"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// page is how many rows a page has, and one more is read of a list that is filtered.
const page = 10

// operation is a request, of an organisation unless its path is whole, and what the plans of its statements may hold that those of others must not.
// A page in the middle is walked to along an index; that is no scan of a table and no sort.
type operation struct {
	name, request, body string
	staff               bool // is sent by staff alone, else by an owner too
	scans               bool // on SQLite a keyword is looked for in one scan of the index that is there for it
	sorts               bool // on Postgres the index of a keyword gives its matches in no order
	members             bool // on SQLite a team is sorted, in an order for which it has no index
	joins               bool // what is counted is looked up in another table too
	all                 bool // on Postgres a keyword that has no trigram is looked for in all rows
	grows               bool // the pages read on Postgres may grow with the data
}

// role is the body that names the newcomer.
const role = `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}"}`

// customerRole is the same for a role on a customer.
const customerRole = `{"role":"CUSTOMER.MANAGER","user":"{newcomer}","expiration_time":"2099-01-01T00:00:00Z"}`

// picture is a body with the header of an image.
const picture = "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x.gif\"\r\n\r\n" +
	"GIF89a\x01\x00\x01\x00\x00\x00\x00\r\n--x--\r\n"

// The operations, in an order in which each has what it needs.
var operations = []operation{
	{name: "list", request: "GET /"},
	{name: "list_last", request: "GET /?page={last}"},
	// It reads all pages where there are few.
	{name: "list_page_300", request: "GET /?page_size=300", sorts: true, grows: true},
	{name: "list_middle", request: "GET /?page={middle}", grows: true},
	{name: "list_keyword_rare", request: "GET /?customer_keyword={rare}", scans: true, sorts: true},
	{name: "list_keyword_common", request: "GET /?customer_keyword={common}", scans: true, sorts: true,
		grows: true},
	{name: "list_keyword_letter", request: "GET /?customer_keyword=u", scans: true, all: true, grows: true},
	{name: "list_keyword_count", request: "HEAD /?customer_keyword={rare}", scans: true},
	{name: "list_keyword_page", request: "GET /?customer_keyword={common}&page=3&o=-customer_name",
		scans: true, sorts: true, grows: true},
	{name: "list_keyword_other_letters", request: "GET /?customer_keyword=%D1%83%D0%B6%D0%B3%D0%BE%D1%80%D0%BE%D0%B4",
		scans: true, sorts: true, grows: true},
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
	{name: "list_users_search", joins: true,
		request: "GET /{it}/list_users/?search_string=a&full_name=e&role=CUSTOMER.CALL_ORGANIZER&field=uuid"},
	{name: "list_users_search_count", request: "HEAD /{it}/list_users/?search_string=a", joins: true},
	{name: "list_users_of_user", request: "GET /{crowded}/list_users/?user={newcomer}"},
	{name: "customer_list_users", request: "GET /api/customers/{customer}/list_users/"},
	{name: "customer_list_users_count", request: "HEAD /api/customers/{customer}/list_users/"},
	{name: "customer_users", request: "GET /api/customers/{customer}/users/?o=concatenated_name", members: true},
	{name: "customer_users_count", request: "HEAD /api/customers/{customer}/users/?user_keyword=a", joins: true},
	{name: "update", request: "PUT /{it}/",
		body: `{"customer":"https://example.org/api/customers/{customer}/","description":"newer"}`},
	{name: "partial_update", request: "PATCH /{it}/", body: `{"description":"new"}`},
	{name: "set_image", request: "PATCH /{it}/", body: picture},
	{name: "replace_image", request: "PATCH /{it}/", body: picture},
	{name: "clear_image", request: "PATCH /{it}/", body: `{"image":null}`},
	{name: "add_user", request: "POST /{it}/add_user/", body: role, staff: true},
	{name: "update_user", request: "POST /{it}/update_user/", staff: true,
		body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}","expiration_time":"2099-01-01T00:00:00Z"}`},
	{name: "delete_user", request: "POST /{it}/delete_user/", body: role, staff: true},
	{name: "customer_add_user", request: "POST /api/customers/{customer}/add_user/", body: customerRole, staff: true},
	{name: "customer_update_user", request: "POST /api/customers/{customer}/update_user/", body: customerRole,
		staff: true},
	{name: "customer_delete_user", request: "POST /api/customers/{customer}/delete_user/", body: customerRole,
		staff: true},
	{name: "destroy", request: "DELETE /{spare}/", staff: true},
	{name: "create", request: "POST /", staff: true,
		body: `{"customer":"https://example.org/api/customers/{bereft}/"}`},
	// The total of all is counted in an index.
	{name: "customers_list", request: "GET /api/customers/", grows: true},
	{name: "customers_list_by_created", request: "GET /api/customers/?o=-created", grows: true},
	{name: "customers_list_by_abbreviation", request: "GET /api/customers/?o=abbreviation", grows: true},
	{name: "customers_list_by_native_name", request: "GET /api/customers/?o=native_name", grows: true},
	{name: "customers_list_middle", request: "GET /api/customers/?page={middle}", staff: true, grows: true},
	{name: "customers_list_query", request: "GET /api/customers/?query={rare}", scans: true, sorts: true},
	{name: "customers_list_query_count", request: "HEAD /api/customers/?query={rare}", scans: true, joins: true},
	{name: "customers_list_name", request: "GET /api/customers/?name={rare}&archived=false", scans: true, sorts: true},
	{name: "customers_list_name_exact", request: "GET /api/customers/?name_exact=University"},
	{name: "customers_list_of_user", request: "GET /api/customers/?user_uuid={newcomer}&owned_by_current_user=true"},
	{name: "customers_count", request: "HEAD /api/customers/", grows: true, joins: true},
	{name: "customers_retrieve", request: "GET /api/customers/{customer}/"},
	{name: "customers_create", request: "POST /api/customers/", body: `{"name":"New"}`, staff: true},
	{name: "customers_partial_update", request: "PATCH /api/customers/{customer}/", body: `{"name":"Newer"}`},
	// The roles of the users on a page are sorted.
	{name: "users_list", request: "GET /api/users/", staff: true, sorts: true},
	{name: "users_list_of_customer", request: "GET /api/users/?customer_uuid={customer}", members: true, sorts: true},
}

// tiny are the tables whose rows don't come with organisations: reading all of one is right.
var tiny = []string{"roles", "role_permissions", "counters", "settings"}

func TestPlans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		w := newWorld(t, engine)
		defer w.checkAudit(t)
		if engine == storetest.SQLite {
			w.grow(t)
			w.each(t, operations, func(o operation, s storetest.Statement) {
				for _, fault := range w.faultsSQLite(t, o, s) {
					t.Errorf("%s: %s: %s", o.name, fault, s.Text)
				}
			})
			return
		}
		before := w.pages(t, func(operation, storetest.Statement, node) {})
		w.grow(t)
		w.checkConnections(t)
		after := w.pages(t, func(o operation, s storetest.Statement, plan node) {
			for _, fault := range w.faultsPostgres(t, o, s, plan) {
				t.Errorf("%s: %s: %s", o.name, fault, s.Text)
			}
		})
		for _, o := range operations {
			if after[o.name] > 2*before[o.name] && !o.grows {
				t.Errorf("%s reads %d pages, and %d of %d organisations", o.name, after[o.name], before[o.name], few)
			}
		}
	})
}
