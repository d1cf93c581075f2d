package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// Who may do what: "yes" on every organisation, "own" only where the principal's role is held on the
// organisation or on its customer, "no" is 403. "read" is list, retrieve and stats, "change" is update,
// partial_update and destroy. A create is for a customer without an organisation, on which the same roles
// are held as on the organisation's customer. "see_user" is to retrieve a member of its team, and
// "see_customer" such a customer without an organisation: "no" is 404 there. "change_user" is to change that
// member: "404" says that there is none, "seen" that there is one of the own team, who is 403. list_team and those
// with "member" are of the roles on the organisation's customer itself.
const accessMatrix = `
	                                  read  list_users  create  change  add_user  update_user  delete_user  see_user  see_customer  change_user  create_user  create_customer  change_customer  delete_customer  list_team  add_member  update_member  delete_member
	anonymous                         401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	unknown token                     401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	expired token of staff            401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	staff who is not active           401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	owner who is not active           401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	organizer who is not active       401   401         401     401     401       401          401          401       401           401          401          401              401              401              401        401         401            401
	ordinary user                     yes   no          no      no      no        no           no           no        no            404          no           no               404              404              no         no          no             no
	support                           yes   yes         no      no      no        no           no           yes       yes           no           no           no               no               no               yes        no          no             no
	staff                             yes   yes         yes     yes     yes       yes          yes          yes       yes           yes          yes          yes              yes              yes              yes        yes         yes            yes
	CUSTOMER.OWNER                    yes   own         no      own     own       own          own          own       own           seen         no           no               own              seen             own        own         own            own
	CUSTOMER.OWNER until now          yes   own         no      own     own       own          own          own       own           seen         no           no               own              seen             own        own         own            own
	CUSTOMER.OWNER expired            yes   no          no      no      no        no           no           no        no            404          no           no               404              404              no         no          no             no
	CUSTOMER.OWNER revoked            yes   no          no      no      no        no           no           no        no            404          no           no               404              404              no         no          no             no
	CUSTOMER.MANAGER                  yes   own         no      no      no        no           no           own       own           seen         no           no               seen             seen             own        no          no             no
	CUSTOMER.SUPPORT                  yes   own         no      no      no        no           no           own       own           seen         no           no               seen             seen             own        no          no             no
	CUSTOMER.CALL_ORGANIZER           yes   own         no      no      own       own          own          own       no            seen         no           no               404              404              no         no          no             no
	CUSTOMER.CALL_ORGANIZER until now yes   own         no      no      own       own          own          own       no            seen         no           no               404              404              no         no          no             no
	CUSTOMER.CALL_ORGANIZER expired   yes   no          no      no      no        no           no           no        no            404          no           no               404              404              no         no          no             no
	CUSTOMER.CALL_ORGANIZER revoked   yes   no          no      no      no        no           no           no        no            404          no           no               404              404              no         no          no             no
	customer REGISTER                 yes   own         own     no      no        no           no           own       own           seen         no           no               seen             seen             own        no          no             no
	customer CREATE_PERMISSION        yes   own         no      no      own       no           no           own       own           seen         no           no               seen             seen             own        no          no             no
	customer UPDATE_PERMISSION        yes   own         no      no      no        own          no           own       own           seen         no           no               seen             seen             own        no          no             no
	customer DELETE_PERMISSION        yes   own         no      no      no        no           own          own       own           seen         no           no               seen             seen             own        no          no             no
	customer CUSTOMER.CREATE          yes   own         no      no      no        no           no           own       own           seen         no           no               seen             seen             own        own         no             no
	customer CUSTOMER.UPDATE          yes   own         no      no      no        no           no           own       own           seen         no           no               seen             seen             own        no          own            no
	customer CUSTOMER.DELETE          yes   own         no      no      no        no           no           own       own           seen         no           no               seen             seen             own        no          no             own
	organisation REGISTER             yes   own         no      no      no        no           no           own       no            seen         no           no               404              404              no         no          no             no
	organisation CREATE_PERMISSION    yes   own         no      no      own       no           no           own       no            seen         no           no               404              404              no         no          no             no
	organisation UPDATE_PERMISSION    yes   own         no      no      no        own          no           own       no            seen         no           no               404              404              no         no          no             no
	organisation DELETE_PERMISSION    yes   own         no      no      no        no           own          own       no            seen         no           no               404              404              no         no          no             no
`

// matrixRequests are the requests of each column: "{it}" stands for "own" or "other".
var matrixRequests = map[string][]struct {
	request string
	fields  map[string]string // of the body
	status  int               // of who may
}{
	"read": {{"GET …/", nil, 200}, {"HEAD …/", nil, 200}, {"GET …/{it}/", nil, 200}, {"GET …/{it}/stats/", nil, 200}},
	"list_users": {
		{"GET …/{it}/list_users/", nil, 200}, {"HEAD …/{it}/list_users/", nil, 200},
	},
	"create": {{"POST …/", map[string]string{"customer": "https://x/api/customers/{it.free}/"}, 201}},
	"change": {
		{"PUT …/{it}/", map[string]string{"customer": "https://x/api/customers/{it.customer}/", "description": "new"}, 200},
		{"PATCH …/{it}/", map[string]string{"description": "new"}, 200},
		{"DELETE …/{it}/", nil, 204},
	},
	"add_user":        {{"POST …/{it}/add_user/", map[string]string{"role": "PLAIN", "user": "{newcomer}", "expiration_time": "2027-01-31T12:30:45.123456Z"}, 201}},
	"update_user":     {{"POST …/{it}/update_user/", map[string]string{"role": "PLAIN", "user": "{member}", "expiration_time": "2027-01-31T12:30:45.123456Z"}, 200}},
	"see_user":        {{"GET /api/users/{it.member}/", nil, 200}},
	"change_user":     {{"PATCH /api/users/{it.member}/", map[string]string{"first_name": "new"}, 200}},
	"create_user":     {{"POST /api/users/", map[string]string{"username": "new", "email": "new@example.com"}, 201}},
	"see_customer":    {{"GET /api/customers/{it.free}/", nil, 200}},
	"create_customer": {{"POST /api/customers/", map[string]string{"name": "new"}, 201}},
	"change_customer": {
		{"PUT /api/customers/{it.free}/", map[string]string{"name": "new"}, 200},
		{"PATCH /api/customers/{it.free}/", map[string]string{"country": "EE"}, 200},
	},
	"delete_customer": {{"DELETE /api/customers/{it.free}/", nil, 204}},
	"list_team": {
		{"GET /api/customers/{it.customer}/list_users/", nil, 200}, {"HEAD /api/customers/{it.customer}/list_users/", nil, 200},
		{"GET /api/customers/{it.customer}/users/", nil, 200}, {"HEAD /api/customers/{it.customer}/users/", nil, 200},
	},
	"add_member":    {{"POST /api/customers/{it.customer}/add_user/", map[string]string{"role": "BARE", "user": "{newcomer}", "expiration_time": "2027-01-31T12:30:45.123456Z"}, 201}},
	"update_member": {{"POST /api/customers/{it.customer}/update_user/", map[string]string{"role": "BARE", "user": "{member}", "expiration_time": "2027-01-31T12:30:45.123456Z"}, 200}},
	"delete_member": {{"POST /api/customers/{it.customer}/delete_user/", map[string]string{"role": "BARE", "user": "{member}"}, 200}},
	"delete_user":   {{"POST …/{it}/delete_user/", map[string]string{"role": "PLAIN", "user": "{member}"}, 200}},
}

// principals are the users of the matrix: what is said of each, their role, whether it is held on the customers
// or on the organisation, and what is said of the grant.
var principals = []struct{ name, user, role, on, grant string }{
	{name: "staff who is not active", user: "is_staff: true, is_active: false"},
	{name: "owner who is not active", user: "is_active: false", role: "CUSTOMER.OWNER", on: "customer"},
	{name: "organizer who is not active", user: "is_active: false", role: "CUSTOMER.CALL_ORGANIZER", on: "organisation"},
	{name: "ordinary user"},
	{name: "support", user: "is_support: true"},
	{name: "staff", user: "is_staff: true, tokens: [{sha256: " + store.Digest("expired-token-of-staff") + ", expires: -1us}]"},
	{name: "CUSTOMER.OWNER", role: "CUSTOMER.OWNER", on: "customer"},
	{name: "CUSTOMER.OWNER until now", role: "CUSTOMER.OWNER", on: "customer", grant: "expiration_time: +0s"},
	{name: "CUSTOMER.OWNER expired", role: "CUSTOMER.OWNER", on: "customer", grant: "expiration_time: -1us"},
	{name: "CUSTOMER.OWNER revoked", role: "CUSTOMER.OWNER", on: "customer", grant: "revoked: -1h"},
	{name: "CUSTOMER.MANAGER", role: "CUSTOMER.MANAGER", on: "customer"},
	{name: "CUSTOMER.SUPPORT", role: "CUSTOMER.SUPPORT", on: "customer"},
	{name: "CUSTOMER.CALL_ORGANIZER", role: "CUSTOMER.CALL_ORGANIZER", on: "organisation"},
	{name: "CUSTOMER.CALL_ORGANIZER until now", role: "CUSTOMER.CALL_ORGANIZER", on: "organisation", grant: "expiration_time: +0s"},
	{name: "CUSTOMER.CALL_ORGANIZER expired", role: "CUSTOMER.CALL_ORGANIZER", on: "organisation", grant: "expiration_time: -1us"},
	{name: "CUSTOMER.CALL_ORGANIZER revoked", role: "CUSTOMER.CALL_ORGANIZER", on: "organisation", grant: "revoked: -1h"},
	{name: "customer REGISTER", role: "CUSTOMER-REGISTER", on: "customer"},
	{name: "customer CREATE_PERMISSION", role: "CUSTOMER-CREATE", on: "customer"},
	{name: "customer UPDATE_PERMISSION", role: "CUSTOMER-UPDATE", on: "customer"},
	{name: "customer DELETE_PERMISSION", role: "CUSTOMER-DELETE", on: "customer"},
	{name: "customer CUSTOMER.CREATE", role: "TEAM-CREATE", on: "customer"},
	{name: "customer CUSTOMER.UPDATE", role: "TEAM-UPDATE", on: "customer"},
	{name: "customer CUSTOMER.DELETE", role: "TEAM-DELETE", on: "customer"},
	{name: "organisation REGISTER", role: "ORGANISATION-REGISTER", on: "organisation"},
	{name: "organisation CREATE_PERMISSION", role: "ORGANISATION-CREATE", on: "organisation"},
	{name: "organisation UPDATE_PERMISSION", role: "ORGANISATION-UPDATE", on: "organisation"},
	{name: "organisation DELETE_PERMISSION", role: "ORGANISATION-DELETE", on: "organisation"},
}

// matrixWorld has a user, whose token is the name, for each principal of the matrix.
func matrixWorld(t testing.TB, a *app) *strings.Replacer {
	t.Helper()
	users, grants := "", ""
	grant := func(user, role, kind, on, more string) {
		grants += fmt.Sprintf("  - {uuid: {%[1]s:%[2]s}, user: {%[1]s}, role: %[3]s, scope: {%[4]s: {%[2]s}}, created: -2h, %[5]s}\n", user, on, role, kind, more)
	}
	grant("member", "PLAIN", "call_managing_organisation", "own", "")
	grant("member", "PLAIN", "call_managing_organisation", "other", "")
	grant("member", "BARE", "customer", "own.customer", "")
	grant("member", "BARE", "customer", "other.customer", "")
	grant("own.member", "PLAIN", "call_managing_organisation", "own", "")
	grant("other.member", "PLAIN", "call_managing_organisation", "other", "")
	for i, p := range principals {
		name := fmt.Sprintf("principal%d", i)
		users += fmt.Sprintf("  - {uuid: {%s}, username: %[1]s, token: %s, %s}\n", name, tokenFor(p.name), p.user)
		switch p.on {
		case "customer":
			grant(name, p.role, "customer", "own.customer", p.grant)
			grant(name, p.role, "customer", "own.free", p.grant)
		case "organisation":
			grant(name, p.role, "call_managing_organisation", "own", p.grant)
		}
	}
	a.world.Import(t, `
customers:
  - {uuid: {own.customer}, name: own}
  - {uuid: {own.free}, name: own and free}
  - {uuid: {other.customer}, name: other}
  - {uuid: {other.free}, name: other and free}
users:
  - {uuid: {newcomer}, username: newcomer}
  - {uuid: {member}, username: member}
  - {uuid: {own.member}, username: own.member}
  - {uuid: {other.member}, username: other.member}
`+users+`roles:
  - {uuid: {PLAIN}, name: PLAIN, scope: call_managing_organisation, permissions: []}
  - {uuid: {BARE}, name: BARE, scope: customer, permissions: []}
  - {uuid: {TC}, name: TEAM-CREATE, scope: customer, permissions: [CUSTOMER.CREATE_PERMISSION]}
  - {uuid: {TU}, name: TEAM-UPDATE, scope: customer, permissions: [CUSTOMER.UPDATE_PERMISSION]}
  - {uuid: {TD}, name: TEAM-DELETE, scope: customer, permissions: [CUSTOMER.DELETE_PERMISSION]}
  - {uuid: {CR}, name: CUSTOMER-REGISTER, scope: customer, permissions: [SERVICE_PROVIDER.REGISTER]}
  - {uuid: {CC}, name: CUSTOMER-CREATE, scope: customer, permissions: [CALL.CREATE_PERMISSION]}
  - {uuid: {CU}, name: CUSTOMER-UPDATE, scope: customer, permissions: [CALL.UPDATE_PERMISSION]}
  - {uuid: {CD}, name: CUSTOMER-DELETE, scope: customer, permissions: [CALL.DELETE_PERMISSION]}
  - {uuid: {OR}, name: ORGANISATION-REGISTER, scope: call_managing_organisation, permissions: [SERVICE_PROVIDER.REGISTER]}
  - {uuid: {OC}, name: ORGANISATION-CREATE, scope: call_managing_organisation, permissions: [CALL.CREATE_PERMISSION]}
  - {uuid: {OU}, name: ORGANISATION-UPDATE, scope: call_managing_organisation, permissions: [CALL.UPDATE_PERMISSION]}
  - {uuid: {OD}, name: ORGANISATION-DELETE, scope: call_managing_organisation, permissions: [CALL.DELETE_PERMISSION]}
call_managing_organisations:
  - {uuid: {own}, customer: {own.customer}}
  - {uuid: {other}, customer: {other.customer}}
user_roles:
`+grants)
	return a.world.Replacer("…/", base)
}

func tokenFor(name string) string { return strings.ReplaceAll(name, " ", "-") }

// With --anonymous-read nothing changes but that list and retrieve need no token.
func TestAccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, anonymousRead := range []bool{false, true} {
			t.Run(fmt.Sprintf("anonymous read is %v", anonymousRead), func(t *testing.T) {
				t.Parallel()
				stage := newStageOf(t, engine, matrixWorld, func(s *setup) { s.server.AnonymousRead = anonymousRead })
				lines := strings.Split(strings.TrimSpace(accessMatrix), "\n")
				columns := strings.Fields(lines[0])
				for _, line := range lines[1:] {
					fields := strings.Fields(line)
					at := len(fields) - len(columns)
					name := strings.Join(fields[:at], " ")
					t.Run(name, func(t *testing.T) {
						for i, column := range columns {
							stage.playCell(t, name, column, fields[at+i], anonymousRead)
						}
					})
				}
			})
		}
	})
}

// playCell sends the requests of a cell of the matrix, in every format of a body.
func (a *stage) playCell(t *testing.T, name, column, may string, anonymousRead bool) {
	t.Helper()
	for _, c := range matrixRequests[column] {
		for _, it := range []string{"own", "other"} {
			replace := func(text string) string { return a.names.Replace(strings.ReplaceAll(text, "{it", "{"+it)) }
			method, target, _ := strings.Cut(replace(c.request), " ")
			status := c.status
			switch {
			case anonymousRead && name == "anonymous" && column == "read" && !strings.HasSuffix(target, "/stats/"):
			case may == "401":
				status = http.StatusUnauthorized
			case may == "404", may == "seen" && it == "other":
				status = http.StatusNotFound
			case may == "no" || may == "seen" || may == "own" && it == "other":
				status = http.StatusForbidden
				if column == "see_user" || column == "see_customer" || column == "change_customer" && may == "own" {
					status = http.StatusNotFound
				}
			}
			r := request{Method: method, Target: target}
			if name != "anonymous" {
				r.Token = tokenFor(name)
			}
			op, _ := operationAt(method, target)
			fields := map[string]any{}
			for field, text := range c.fields {
				fields[field] = replace(text)
			}
			for _, media := range op.mediaTypes() {
				if op.RequestBody != nil {
					r.Body = encodeBody(t, media, fields)
				}
				if got := a.send(t, r); got.Status != status {
					t.Errorf("%s of %s as %s: status %d (%s), want %d", c.request, it, media, got.Status, strings.TrimSpace(got.Body), status)
				}
				a.log.take()
				if !slices.Contains([]string{http.MethodGet, http.MethodHead}, method) && status < 300 {
					a.restore(t)
				}
			}
		}
	}
	a.checkChanges(t, scenario{})
}

// Where no token is needed a header that is no token's is still refused, and another scheme
// is nobody.
func TestAnonymousRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine, func(s *setup) { s.server.AnonymousRead = true })
		for _, s := range authenticationScenarios {
			if s.want == `{"detail":"`+noCredentials+`"}` {
				s.status, s.want, s.headers = 200, organisation["tartu"], nil
			}
			t.Run(s.name, func(t *testing.T) { stage.play(t, s) })
		}
		stage.play(t, scenario{as: "nobody", request: "GET …/?o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`})
		stage.play(t, scenario{as: "nobody", request: "GET …/abc/", status: 404, want: noOrganisation})
	})
}
