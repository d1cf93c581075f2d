package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// Who may do what: the status of each operation (HEAD is GET's) for each principal on an
// organisation, first where the principal's role is held on it or on its customer, then on
// another's. A create is for a customer without an organisation, on which the same roles are
// held as on the organisation's customer; its other is one on which nothing is held.
const ownMatrix = `
	                                  list  retrieve  stats  list_users  create  update  partial_update  destroy  add_user  update_user  delete_user
	anonymous                         401   401       401    401         401     401     401             401      401       401          401
	unknown token                     401   401       401    401         401     401     401             401      401       401          401
	expired token of staff            401   401       401    401         401     401     401             401      401       401          401
	staff who is not active           401   401       401    401         401     401     401             401      401       401          401
	owner who is not active           401   401       401    401         401     401     401             401      401       401          401
	organizer who is not active       401   401       401    401         401     401     401             401      401       401          401
	revoked token of staff            401   401       401    401         401     401     401             401      401       401          401
	revoked token of an owner         401   401       401    401         401     401     401             401      401       401          401
	revoked token of an organizer     401   401       401    401         401     401     401             401      401       401          401
	ordinary user                     200   200       200    403         403     403     403             403      403       403          403
	support                           200   200       200    200         403     403     403             403      403       403          403
	staff                             200   200       200    200         201     200     200             204      201       200          200
	CUSTOMER.OWNER                    200   200       200    200         403     200     200             204      201       200          200
	CUSTOMER.OWNER until now          200   200       200    200         403     200     200             204      201       200          200
	CUSTOMER.OWNER expired            200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.OWNER revoked            200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.MANAGER                  200   200       200    200         403     403     403             403      403       403          403
	CUSTOMER.SUPPORT                  200   200       200    200         403     403     403             403      403       403          403
	CUSTOMER.CALL_ORGANIZER           200   200       200    200         403     403     403             403      201       200          200
	CUSTOMER.CALL_ORGANIZER until now 200   200       200    200         403     403     403             403      201       200          200
	CUSTOMER.CALL_ORGANIZER expired   200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.CALL_ORGANIZER revoked   200   200       200    403         403     403     403             403      403       403          403
	customer REGISTER                 200   200       200    200         201     403     403             403      403       403          403
	customer CREATE_PERMISSION        200   200       200    200         403     403     403             403      201       403          403
	customer UPDATE_PERMISSION        200   200       200    200         403     403     403             403      403       200          403
	customer DELETE_PERMISSION        200   200       200    200         403     403     403             403      403       403          200
	organisation REGISTER             200   200       200    200         403     403     403             403      403       403          403
	organisation CREATE_PERMISSION    200   200       200    200         403     403     403             403      201       403          403
	organisation UPDATE_PERMISSION    200   200       200    200         403     403     403             403      403       200          403
	organisation DELETE_PERMISSION    200   200       200    200         403     403     403             403      403       403          200
`

const otherMatrix = `
	                                  list  retrieve  stats  list_users  create  update  partial_update  destroy  add_user  update_user  delete_user
	anonymous                         401   401       401    401         401     401     401             401      401       401          401
	owner who is not active           401   401       401    401         401     401     401             401      401       401          401
	organizer who is not active       401   401       401    401         401     401     401             401      401       401          401
	revoked token of staff            401   401       401    401         401     401     401             401      401       401          401
	ordinary user                     200   200       200    403         403     403     403             403      403       403          403
	support                           200   200       200    200         403     403     403             403      403       403          403
	staff                             200   200       200    200         201     200     200             204      201       200          200
	CUSTOMER.OWNER                    200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.MANAGER                  200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.CALL_ORGANIZER           200   200       200    403         403     403     403             403      403       403          403
	customer REGISTER                 200   200       200    403         403     403     403             403      403       403          403
	customer CREATE_PERMISSION        200   200       200    403         403     403     403             403      403       403          403
	customer UPDATE_PERMISSION        200   200       200    403         403     403     403             403      403       403          403
	customer DELETE_PERMISSION        200   200       200    403         403     403     403             403      403       403          403
	organisation CREATE_PERMISSION    200   200       200    403         403     403     403             403      403       403          403
	organisation UPDATE_PERMISSION    200   200       200    403         403     403     403             403      403       403          403
	organisation DELETE_PERMISSION    200   200       200    403         403     403     403             403      403       403          403
`

// With --anonymous-read nothing changes but that list and retrieve need no token; a wrong
// token is refused all the same.
const anonymousMatrix = `
	                                  list  retrieve  stats  list_users  create  update  partial_update  destroy  add_user  update_user  delete_user
	anonymous                         200   200       401    401         401     401     401             401      401       401          401
	unknown token                     401   401       401    401         401     401     401             401      401       401          401
	expired token of staff            401   401       401    401         401     401     401             401      401       401          401
	staff who is not active           401   401       401    401         401     401     401             401      401       401          401
	revoked token of staff            401   401       401    401         401     401     401             401      401       401          401
	ordinary user                     200   200       200    403         403     403     403             403      403       403          403
	CUSTOMER.OWNER                    200   200       200    200         403     200     200             204      201       200          200
`

// matrixColumns are the requests of the matrix: for "{it}" stands "own" or "other".
var matrixColumns = map[string]struct {
	request string
	body    body
}{
	"list":           {"GET …/", body{}},
	"retrieve":       {"GET …/{it}/", body{}},
	"stats":          {"GET …/{it}/stats/", body{}},
	"list_users":     {"GET …/{it}/list_users/", body{}},
	"create":         {"POST …/", jsonBody(`{"customer":"https://x/api/customers/{it.free}/"}`)},
	"update":         {"PUT …/{it}/", jsonBody(`{"customer":"https://x/api/customers/{it.customer}/","description":"new"}`)},
	"partial_update": {"PATCH …/{it}/", jsonBody(`{"description":"new"}`)},
	"destroy":        {"DELETE …/{it}/", body{}},
	"add_user":       {"POST …/{it}/add_user/", jsonBody(`{"role":"PLAIN","user":"{newcomer}"}`)},
	"update_user":    {"POST …/{it}/update_user/", jsonBody(`{"role":"PLAIN","user":"{member}","expiration_time":"2027-04-01T00:00:00Z"}`)},
	"delete_user":    {"POST …/{it}/delete_user/", jsonBody(`{"role":"PLAIN","user":"{member}"}`)},
}

// matrixWorld has a user, whose token is the name, for each principal of the matrix.
func matrixWorld(t testing.TB, a *app) *strings.Replacer {
	w := storetest.NewWorld(t, a.store)
	customers := map[string]store.Customer{}
	var pairs []string
	for _, name := range []string{"own.customer", "own.free", "other.customer", "other.free"} {
		customers[name] = w.Customer(name)
		pairs = append(pairs, "{"+name+"}", customers[name].UUID.String())
	}
	own, other := w.Organisation(customers["own.customer"]), w.Organisation(customers["other.customer"])
	plain := w.NewRole("PLAIN", nil)
	newcomer, member := w.User("newcomer"), w.User("member")
	w.Grant(member, plain, own)
	w.Grant(member, plain, other)
	past, present := now.Add(-time.Microsecond), now

	next := 0
	principal := func(name string, changes ...func(*store.User)) store.User {
		next++
		u := w.User(fmt.Sprintf("principal%d", next), changes...)
		w.Write(func(tx *store.Tx) error {
			return tx.ImportTokens([]store.Token{{Digest: store.Digest(tokenFor(name)), UserUUID: u.UUID}})
		})
		return u
	}
	onCustomer := func(u store.User, r store.Role, changes ...func(*store.UserRole)) {
		w.GrantOnCustomer(u, r, customers["own.customer"], changes...)
		w.GrantOnCustomer(u, r, customers["own.free"], changes...)
	}
	isStaff := func(u *store.User) { u.IsStaff = true }
	notActive := func(u *store.User) { u.IsActive = false }

	principal("ordinary user")
	principal("support", func(u *store.User) { u.IsSupport = true })
	expired := principal("staff", isStaff)
	w.Write(func(tx *store.Tx) error {
		return tx.ImportTokens([]store.Token{{Digest: store.Digest(tokenFor("expired token of staff")), UserUUID: expired.UUID, Expires: &past}})
	})
	principal("staff who is not active", isStaff, notActive)
	onCustomer(principal("owner who is not active", notActive), w.Role("CUSTOMER.OWNER"))
	w.Grant(principal("organizer who is not active", notActive), w.Role("CUSTOMER.CALL_ORGANIZER"), own)
	staff, owner, organizer := principal("revoked token of staff", isStaff), principal("revoked token of an owner"), principal("revoked token of an organizer")
	onCustomer(owner, w.Role("CUSTOMER.OWNER"))
	w.Grant(organizer, w.Role("CUSTOMER.CALL_ORGANIZER"), own)
	for _, u := range []store.User{staff, owner, organizer} {
		w.Write(func(tx *store.Tx) error { _, err := tx.RevokeTokens(u.UUID); return err })
	}
	for _, role := range []string{"CUSTOMER.OWNER", "CUSTOMER.MANAGER", "CUSTOMER.SUPPORT"} {
		onCustomer(principal(role), w.Role(role))
	}
	onCustomer(principal("CUSTOMER.OWNER until now"), w.Role("CUSTOMER.OWNER"), until(present))
	onCustomer(principal("CUSTOMER.OWNER expired"), w.Role("CUSTOMER.OWNER"), until(past))
	onCustomer(principal("CUSTOMER.OWNER revoked"), w.Role("CUSTOMER.OWNER"), revoked)
	w.Grant(principal("CUSTOMER.CALL_ORGANIZER"), w.Role("CUSTOMER.CALL_ORGANIZER"), own)
	w.Grant(principal("CUSTOMER.CALL_ORGANIZER until now"), w.Role("CUSTOMER.CALL_ORGANIZER"), own, until(present))
	w.Grant(principal("CUSTOMER.CALL_ORGANIZER expired"), w.Role("CUSTOMER.CALL_ORGANIZER"), own, until(past))
	w.Grant(principal("CUSTOMER.CALL_ORGANIZER revoked"), w.Role("CUSTOMER.CALL_ORGANIZER"), own, revoked)
	for _, permission := range []string{"SERVICE_PROVIDER.REGISTER", "CALL.CREATE_PERMISSION", "CALL.UPDATE_PERMISSION", "CALL.DELETE_PERMISSION"} {
		_, name, _ := strings.Cut(permission, ".")
		onCustomer(principal("customer "+name), w.NewRole("CUSTOMER-"+name, []string{permission}, func(r *store.Role) { r.Scope = store.ScopeCustomer }))
		w.Grant(principal("organisation "+name), w.NewRole("ORGANISATION-"+name, []string{permission}), own)
	}
	pairs = append(pairs, "{own}", own.UUID.String(), "{other}", other.UUID.String(),
		"{newcomer}", newcomer.UUID.String(), "{member}", member.UUID.String(), "…/", base)
	return strings.NewReplacer(pairs...)
}

func revoked(g *store.UserRole) { end := now.Add(-time.Hour); g.Revoked = &end }

func tokenFor(name string) string { return strings.ReplaceAll(name, " ", "-") }

func TestAccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Run("token needed", func(t *testing.T) {
			t.Parallel()
			stage := newStageOf(t, engine, matrixWorld)
			stage.playMatrix(t, "own", ownMatrix)
			stage.playMatrix(t, "other", otherMatrix)
		})
		t.Run("anonymous read", func(t *testing.T) {
			t.Parallel()
			stage := newStageOf(t, engine, matrixWorld, func(s *setup) { s.server.AnonymousRead = true })
			stage.playMatrix(t, "own", anonymousMatrix)
		})
	})
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
		stage.play(t, scenario{as: "nobody", request: "GET …/?o=-customer_name&page_size=1", status: 200, want: list("angstrom"),
			headers: map[string]string{"X-Result-Count": "4"}})
		stage.play(t, scenario{as: "nobody", request: "GET …/?o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`})
		stage.play(t, scenario{as: "nobody", request: "GET …/abc/", status: 404, want: noOrganisation})
	})
}

// cell is a cell of the matrix.
type cell struct {
	column string
	status int
}

// playMatrix sends what each cell of the matrix stands for.
func (a *stage) playMatrix(t *testing.T, it, matrix string) {
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	columns := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		name := strings.Join(fields[:len(fields)-len(columns)], " ")
		var refused, granted []cell
		for i, column := range columns {
			c := cell{column: column}
			if _, err := fmt.Sscan(fields[len(fields)-len(columns)+i], &c.status); err != nil {
				t.Fatal(err)
			}
			if c.status < 300 {
				granted = append(granted, c)
			} else {
				refused = append(refused, c)
			}
		}
		t.Run(it+"/"+name, func(t *testing.T) {
			for _, c := range refused {
				a.playCell(t, it, name, c)
			}
			a.checkChanges(t, scenario{})
			for _, c := range granted {
				a.playCell(t, it, name, c)
			}
		})
	}
}

// playCell sends a request, its HEAD too where there is one, and takes back what it changed.
func (a *stage) playCell(t *testing.T, it, name string, c cell) {
	t.Helper()
	column := matrixColumns[c.column]
	replace := func(text string) string { return a.names.Replace(strings.ReplaceAll(text, "{it", "{"+it)) }
	method, target, _ := strings.Cut(replace(column.request), " ")
	r := request{method: method, target: target, body: column.body}
	r.body.content = replace(r.body.content)
	if name != "anonymous" {
		r.token = tokenFor(name)
	}
	if got := a.send(t, r); got.status != c.status {
		t.Errorf("%s: status %d (%s), want %d", c.column, got.status, strings.TrimSpace(got.body), c.status)
	}
	if method == http.MethodGet && strings.HasPrefix(c.column, "list") {
		r.method = http.MethodHead
		if got := a.send(t, r); got.status != c.status {
			t.Errorf("HEAD of %s: status %d, want %d", c.column, got.status, c.status)
		}
	}
	a.log.take()
	if c.status < 300 && method != http.MethodGet {
		a.restore(t)
	}
}
