package server_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// The statements of each operation, however many rows there are. The first is the token's.
var queries = []struct {
	name, request string
	body          body
	want          string
}{
	{"list", "GET …/", body{}, "tokens, BEGIN, counters, call_managing_organisations, COMMIT"},
	{"list: the last page", "GET …/?page={last}&o=-customer_name", body{}, "tokens, BEGIN, counters, call_managing_organisations, COMMIT"},
	{"list: filtered", "GET …/?customer_keyword=customer&page_size=3", body{}, "tokens, BEGIN, call_managing_organisations, call_managing_organisations, COMMIT"},
	{"list: all that match", "GET …/?customer_keyword=customer&customer_uuid={it.customer}", body{}, "tokens, BEGIN, call_managing_organisations, COMMIT"},
	{"list: nothing", "GET …/?customer_uuid={it}", body{}, "tokens, BEGIN, call_managing_organisations, COMMIT"},
	{"list: HEAD", "HEAD …/", body{}, "tokens, counters"},
	{"list: HEAD, filtered", "HEAD …/?customer_keyword=customer", body{}, "tokens, call_managing_organisations"},
	{"retrieve", "GET …/{it}/", body{}, "tokens, call_managing_organisations"},
	{"stats", "GET …/{it}/stats/", body{}, "tokens, calls"},
	{"list_users", "GET …/{it}/list_users/?page_size=300", body{}, "tokens, call_managing_organisations, BEGIN, user_roles, user_roles, COMMIT"},
	{"list_users: filtered and ordered", "GET …/{it}/list_users/?search_string=member&o=full_name,role&field=uuid", body{}, "tokens, call_managing_organisations, BEGIN, user_roles, user_roles, COMMIT"},
	{"list_users: HEAD", "HEAD …/{it}/list_users/", body{}, "tokens, call_managing_organisations, user_roles"},
	{"create", "POST …/", jsonBody(`{"customer":"https://x/api/customers/{free}/"}`),
		"tokens, customers, user_roles, call_managing_organisations, " +
			"BEGIN, customers, user_roles, call_managing_organisations, INSERT call_managing_organisations, INSERT audit_events, COMMIT"},
	{"update", "PUT …/{it}/", jsonBody(`{"customer":"https://x/api/customers/{it.customer}/","description":"d"}`),
		"tokens, call_managing_organisations, BEGIN, call_managing_organisations, user_roles, UPDATE call_managing_organisations, INSERT audit_events, COMMIT"},
	{"partial_update", "PATCH …/{it}/", jsonBody(`{"description":"e"}`),
		"tokens, call_managing_organisations, BEGIN, call_managing_organisations, user_roles, UPDATE call_managing_organisations, INSERT audit_events, COMMIT"},
	{"partial_update: an image", "PATCH …/{it}/", parts(file("image", "a.png", "image/png", pngFile)),
		"tokens, call_managing_organisations, BEGIN, call_managing_organisations, user_roles, INSERT images, UPDATE call_managing_organisations, INSERT audit_events, COMMIT"},
	{"partial_update: another image", "PATCH …/{it}/", parts(file("image", "a.png", "image/png", pngFile)),
		"tokens, call_managing_organisations, BEGIN, call_managing_organisations, user_roles, INSERT images, UPDATE call_managing_organisations, DELETE images, INSERT audit_events, COMMIT"},
	{"partial_update: nothing", "PATCH …/{it}/", body{}, "tokens, call_managing_organisations"},
	{"add_user", "POST …/{it}/add_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}"}`),
		"tokens, call_managing_organisations, roles, users, " +
			"BEGIN, call_managing_organisations, user_roles, roles, users, user_roles, user_roles, INSERT user_roles, INSERT audit_events, COMMIT"},
	{"update_user", "POST …/{it}/update_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}","expiration_time":"2027-04-01T00:00:00Z"}`),
		"tokens, call_managing_organisations, roles, users, " +
			"BEGIN, call_managing_organisations, user_roles, roles, users, user_roles, UPDATE user_roles, INSERT audit_events, COMMIT"},
	{"delete_user", "POST …/{it}/delete_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}"}`),
		"tokens, call_managing_organisations, roles, users, " +
			"BEGIN, call_managing_organisations, user_roles, roles, users, user_roles, UPDATE user_roles, INSERT audit_events, COMMIT"},
	{"refused", "PATCH …/{free}/", jsonBody(`{"description":"e"}`), "tokens, call_managing_organisations"},
	{"refused by openapi.yaml", "PATCH …/{it}/", jsonBody(`{"description":5}`), "tokens"},
	{"destroy", "DELETE …/{small}/", body{},
		"tokens, call_managing_organisations, BEGIN, call_managing_organisations, user_roles, DELETE call_managing_organisations, INSERT audit_events, COMMIT"},
}

func TestQueries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, rows := range []int{10, 1000} {
			t.Run(fmt.Sprint(rows), func(t *testing.T) {
				t.Parallel()
				var statements storetest.Statements
				a := start(t, engine, func(s *setup) { s.store = append(s.store, statements.Use) })
				replace, token := crowd(t, a, rows)
				for _, query := range queries {
					method, target, _ := strings.Cut(replace.Replace(query.request), " ")
					r := request{method: method, target: target, token: token, body: query.body}
					r.body.content = replace.Replace(r.body.content)
					statements.Reset()
					got := a.send(t, r)
					if refused := got.status >= 300; refused != strings.HasPrefix(query.name, "refused") {
						t.Errorf("%s: status %d: %s", query.name, got.status, got.body)
					}
					if summary := summarise(statements.All()); summary != query.want {
						t.Errorf("%s:\ngot  %s\nwant %s", query.name, summary, query.want)
					}
					for _, statement := range statements.All() {
						gorm := strings.Contains(statement, "`")
						if engine == storetest.SQLite && !gorm && plannedAnew.MatchString(statement) {
							t.Errorf("%s: is planned anew each time: %s", query.name, statement)
						}
					}
				}
				if got := a.send(t, request{method: "GET", target: base + "?page_size=10000", token: token}); strings.Count(got.body, `"url"`) != min(rows, 300) {
					t.Errorf("page_size=10000 shows %d of %d", strings.Count(got.body, `"url"`), rows)
				}
			})
		}
	})
}

// crowd makes that many organisations, and one of them has as many members and calls. It
// returns what stands for ids, and the token of staff.
func crowd(t *testing.T, a *app, rows int) (*strings.Replacer, string) {
	w := storetest.NewWorld(t, a.store)
	organisations := w.Organisations(rows)
	it, small := organisations[0], organisations[1]
	plain := w.NewRole("PLAIN", nil)
	w.Members(it, plain, rows)
	free, newcomer := w.Customer("free"), w.User("newcomer")
	calls := make([]store.Call, rows)
	for i := range calls {
		calls[i] = store.Call{UUID: w.ID(), OrganisationUUID: it.UUID, Name: "Call", State: "active"}
	}
	for begin := 0; begin < rows; begin += store.ImportBatch {
		w.Write(func(tx *store.Tx) error { return tx.ImportCalls(calls[begin:min(rows, begin+store.ImportBatch)]) })
	}
	token := w.Token(w.User("staff", func(u *store.User) { u.IsStaff = true }))
	return strings.NewReplacer("…/", base, "{it}", it.UUID.String(), "{it.customer}", it.CustomerUUID.String(), "{small}", small.UUID.String(),
		"{free}", free.UUID.String(), "{newcomer}", newcomer.UUID.String(), "{last}", fmt.Sprint(rows/10)), token
}

// plannedAnew finds a parameter that SQLite's planner may look at.
var plannedAnew = regexp.MustCompile(`[^+]\?`)

// tables find the table that a statement changes, and the first one that it reads.
var (
	changed = regexp.MustCompile("^(INSERT|UPDATE|DELETE) (?:INTO |FROM )?[\"`]?(\\w+)")
	read    = regexp.MustCompile("^SELECT .*?\\b(?i:from) [\"`]?(\\w+)")
)

// summarise names each statement's table, with the verb where it is not SELECT, as a list.
func summarise(statements []string) string {
	parts := make([]string, len(statements))
	for i, statement := range statements {
		text := strings.Join(strings.Fields(statement), " ")
		parts[i] = text
		if match := changed.FindStringSubmatch(text); match != nil {
			parts[i] = match[1] + " " + match[2]
		} else if match := read.FindStringSubmatch(text); match != nil {
			parts[i] = match[1]
		}
	}
	return strings.Join(parts, ", ")
}
