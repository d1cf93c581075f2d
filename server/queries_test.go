package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store/storetest"
)

// queries are requests and how many statements each takes at most, beside BEGIN and COMMIT, however many rows
// there are. The first is the token's; a change looks the token up again in its transaction.
var queries = []struct {
	request string
	body    body
	most    int
}{
	{"GET …/", body{}, 3},
	{"GET …/?page={last}&o=-customer_name", body{}, 3},
	{"GET …/?customer_keyword=customer&page_size=3", body{}, 3},
	{"GET …/?customer_keyword=customer&customer_uuid={it.customer}", body{}, 3},
	{"GET …/?customer_uuid={it}", body{}, 3},
	{"HEAD …/", body{}, 2},
	{"HEAD …/?customer_keyword=customer", body{}, 2},
	{"GET …/{it}/", body{}, 2},
	{"GET …/{it}/stats/", body{}, 2},
	{"GET …/{it}/list_users/?page_size=300", body{}, 5},
	{"GET …/{it}/list_users/?search_string=member&o=full_name,role&field=uuid", body{}, 5},
	{"HEAD …/{it}/list_users/", body{}, 4},
	{"GET /api/roles/?name=o&description=o&is_active=true&page_size=1", body{}, 3},
	{"HEAD /api/roles/", body{}, 2},
	{"GET /api/roles/{PLAIN}/", body{}, 2},
	{"GET /api/customers/", body{}, 3},
	{"GET /api/customers/?page={last}&o=-created&name=c", body{}, 3},
	{"GET /api/customers/?page_size=300&query=customer&archived=false&o=abbreviation", body{}, 3},
	{"GET /api/customers/?user_uuid={m1}&owned_by_current_user=true&name_exact=free", body{}, 2},
	{"HEAD /api/customers/", body{}, 2},
	{"GET /api/customers/{it.customer}/", body{}, 2},
	{"POST …/", jsonBody(`{"customer":"https://x/api/customers/{free}/"}`), 9},
	{"PUT …/{it}/", jsonBody(`{"customer":"https://x/api/customers/{it.customer}/","description":"d"}`), 6},
	{"PATCH …/{it}/", jsonBody(`{"description":"e"}`), 6},
	{"PATCH …/{it}/", parts(file("image", "a.png", "image/png", pngFile)), 7},
	{"PATCH …/{it}/", parts(file("image", "a.png", "image/png", pngFile)), 8}, // takes the place of the other
	{"POST …/{it}/add_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}"}`), 12},
	{"POST …/{it}/update_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}","expiration_time":"2027-04-01T00:00:00Z"}`), 11},
	{"POST …/{it}/delete_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}"}`), 11},
	{"DELETE …/{small}/", body{}, 6},
	{"GET /api/customers/{it.customer}/list_users/?page_size=300&o=full_name", body{}, 5},
	{"HEAD /api/customers/{it.customer}/list_users/", body{}, 4},
	{"GET /api/customers/{it.customer}/users/?page_size=3&o=concatenated_name", body{}, 5},
	{"HEAD /api/customers/{it.customer}/users/?user_keyword=member", body{}, 4},
	{"POST /api/customers/{it.customer}/add_user/", jsonBody(`{"role":"CUSTOMER.OWNER","user":"{newcomer}"}`), 12},
	{"POST /api/customers/{it.customer}/update_user/", jsonBody(`{"role":"CUSTOMER.OWNER","user":"{newcomer}","expiration_time":"2027-04-01T00:00:00Z"}`), 11},
	{"POST /api/customers/{it.customer}/delete_user/", jsonBody(`{"role":"CUSTOMER.OWNER","user":"{newcomer}"}`), 11},
	{"POST /api/customers/", jsonBody(`{"name":"new"}`), 5},
	{"PUT /api/customers/{it.customer}/", jsonBody(`{"name":"d"}`), 7},
	{"PATCH /api/customers/{it.customer}/", parts(file("image", "a.png", "image/png", pngFile)), 7},
	{"DELETE /api/customers/{small.customer}/", body{}, 5},
	{"GET /api/users/", body{}, 4},
	{"GET /api/users/?page={last}&o=-full_name&user_keyword=member", body{}, 4},
	{"GET /api/users/?page_size=300&customer_uuid={it.customer}", body{}, 4},
	{"HEAD /api/users/", body{}, 2},
	{"GET /api/users/{m1}/", body{}, 3},
	{"GET /api/users/me/", body{}, 3},
	{"GET /api/configuration/", body{}, 1},
	{"GET /api/version/", body{}, 1},
	{"POST /api/users/", jsonBody(`{"username":"new","email":"new@example.com"}`), 6},
	{"PATCH /api/users/{m1}/", jsonBody(`{"first_name":"new"}`), 7},
	{"PATCH /api/users/{m1}/", parts(file("image", "a.png", "image/png", pngFile)), 8},
	{"POST /api-auth/password/", jsonBody(`{"username":"member1","password":"the password"}`), 7},
	{"POST /api-auth/logout/", body{}, 4},
}

func TestQueries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, rows := range []int{10, 1000} {
			var statements storetest.Statements
			a := start(t, engine, func(s *setup) { s.store = append(s.store, statements.Use) })
			a.crowd(t, rows)
			replace := a.world.Replacer("…/", base, "{last}", fmt.Sprint(rows/10))
			for _, query := range queries {
				method, target, _ := strings.Cut(replace.Replace(query.request), " ")
				r := request{Method: method, Target: target, Token: "token-of-staff", Body: query.body}
				r.Body.Content = replace.Replace(r.Body.Content)
				statements.Reset()
				if got := a.send(t, r); got.Status >= 300 {
					t.Errorf("%s: status %d: %s", query.request, got.Status, got.Body)
				}
				sent := slices.DeleteFunc(statements.All(), func(s string) bool { return strings.HasPrefix(s, "BEGIN") || s == "COMMIT" })
				if len(sent) > query.most {
					t.Errorf("%s with %d rows: %d statements:\n%s", query.request, rows, len(sent), strings.Join(sent, "\n"))
				}
			}
		}
	})
}

// crowd makes that many organisations, of which one has as many members and calls.
func (a *app) crowd(t *testing.T, rows int) {
	t.Helper()
	lists, hash := make([]strings.Builder, 5), passwords.Hash("the password")
	add := func(list int, format string, values ...any) {
		fmt.Fprintf(&lists[list], "  - {uuid: {"+format+"}\n", values...)
	}
	add(0, "free}, name: free")
	add(1, "staff}, username: staff, is_staff: true, token: token-of-staff")
	add(1, "newcomer}, username: newcomer")
	for n := range rows {
		name := []string{"it", "small", fmt.Sprintf("o%d", n)}[min(n, 2)]
		add(0, "%s.customer}, name: Customer %05d", name, n)
		add(1, "m%d}, username: member%[1]d, full_name: Member %[1]d, password_hash: \"%[2]s\"", n, hash)
		add(2, "%s}, customer: {%[1]s.customer}", name)
		add(3, "g%d}, user: {m%[1]d}, role: PLAIN, scope: {call_managing_organisation: {it}}", n)
		add(3, "h%d}, user: {m%[1]d}, role: CUSTOMER.MANAGER, scope: {customer: {it.customer}}", n)
		add(4, "c%d}, call_managing_organisation: {it}, name: Call, state: active", n)
	}
	a.world.Import(t, "customers:\n"+lists[0].String()+"users:\n"+lists[1].String()+
		"roles:\n  - {uuid: {PLAIN}, name: PLAIN, scope: call_managing_organisation, permissions: []}\n"+
		"call_managing_organisations:\n"+lists[2].String()+"user_roles:\n"+lists[3].String()+"calls:\n"+lists[4].String())
}
