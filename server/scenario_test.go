package server_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// scenario is one request to the world of world_test.go and all that comes of it. In each text
// a name in braces stands for an object's id, {api} for the organisations' URL, and …/ for
// their path.
type scenario struct {
	name    string
	as      string   // whose token is sent: sam's, who is staff, without one
	request string   // method and target, such as GET …/{tartu}/
	header  []string // more headers, such as "Authorization: Token x"; no token is sent with one
	body    body
	status  int
	want    string            // the answer's body, without the line's end
	headers map[string]string // headers of the answer

	// events are the audit events that the request leaves: what happened, to what, by whom and,
	// after a colon, details. Without any, nothing in the database changed.
	events []string
	then   []step // what a request by staff shows afterwards
}

// step is a request that reads, and its answer.
type step struct {
	request string
	status  int
	want    string
}

// scenarios are those of every operation.
func scenarios() []scenario {
	return slices.Concat(
		listScenarios, listFilterScenarios, retrieveScenarios, statsScenarios, createScenarios, createBodyScenarios,
		updateScenarios, partialUpdateScenarios, destroyScenarios, imageScenarios,
		listUsersScenarios, addUserScenarios, updateUserScenarios, deleteUserScenarios, roleBodyScenarios, rolesScenarios,
		customersScenarios, createCustomerScenarios, updateCustomerScenarios, partialUpdateCustomerScenarios, destroyCustomerScenarios,
		customerTeamScenarios, customerUsersScenarios, customerRoleScenarios,
		authenticationScenarios, orderScenarios, plainScenarios,
		userScenarios, partialUpdateUserScenarios, createUserScenarios, passwordScenarios, logoutScenarios,
		configurationScenarios, versionScenarios,
	)
}

// Every scenario on every engine, and the same bytes from each.
func TestScenarios(t *testing.T) {
	answers := map[string]map[string]answer{}
	t.Run("engines", func(t *testing.T) {
		for _, engine := range storetest.Engines() {
			got := map[string]answer{}
			answers[engine] = got
			t.Run(engine, func(t *testing.T) {
				t.Parallel()
				stage := newStage(t, engine, func(s *setup) {
					if engine == storetest.SQLite { // which changes nothing
						s.server.ValidateResponses = server.ValidateFail
					}
				})
				for _, s := range scenarios() {
					ok := t.Run(s.key(), func(t *testing.T) { got[s.key()] = stage.play(t, s) })
					if !ok || len(s.events) > 0 {
						stage.restore(t) // the next scenario has the same world
					}
				}
			})
		}
	})
	first := storetest.Engines()[0]
	for engine, got := range answers {
		for key, answer := range got {
			if other, played := answers[first][key]; played && !reflect.DeepEqual(other, answer) {
				t.Errorf("%s: %s and %s answer differently:\n%+v\n%+v", key, first, engine, other, answer)
			}
		}
	}
}

// split returns the request's method, and its path as far as it takes to tell which operation it is for.
func (s scenario) split() (method, path string) {
	method, target, _ := strings.Cut(s.request, " ")
	path, _, _ = strings.Cut(strings.Replace(target, "…/", base, 1), "?")
	return method, path
}

// hasHead says that the scenario is a GET of a path that has HEAD too.
func (s scenario) hasHead() bool {
	method, path := s.split()
	_, documented := operationAt(http.MethodHead, path)
	return method == http.MethodGet && (documented || plainRoutes.MatchString(path))
}

// operation is the id of the operation that the request is for; "other" outside of openapi.yaml.
func (s scenario) operation() string {
	if op, ok := operationAt(s.split()); ok {
		return op.OperationID
	}
	return "other"
}

func (s scenario) key() string { return s.operation() + "/" + s.name }

// request is the scenario's request.
func (a *stage) request(s scenario) request {
	method, target, _ := strings.Cut(a.names.Replace(s.request), " ")
	r := request{Method: method, Target: target, Header: http.Header{}, Body: s.body}
	if strings.ContainsRune(r.Body.Content, '{') { // not through megabytes of anything else
		r.Body.Content = a.names.Replace(r.Body.Content)
	}
	for _, line := range s.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	if s.as != "nobody" && len(s.header) == 0 {
		r.Token = "token-of-" + cmp.Or(s.as, "sam")
	}
	return r
}

// play sends the scenario's request and checks everything about it.
func (a *stage) play(t *testing.T, s scenario) answer {
	t.Helper()
	r := a.request(s)
	got := a.send(t, r)
	a.checkAccessLine(t, r, got)
	got.Header.Del("Date")
	want := a.names.Replace(s.want)
	if r.Method == http.MethodHead {
		want = ""
	}
	if got.Status != s.status || strings.TrimSuffix(got.Body, "\n") != want {
		t.Errorf("%s %s:\ngot  %d %swant %d %s\n", r.Method, r.Target, got.Status, got.Body, s.status, want)
	}
	if id := got.Header.Get("X-Request-ID"); id != requestID {
		t.Errorf("X-Request-ID is %q", id)
	}
	for name, value := range s.headers {
		if header, value := got.Header.Get(name), a.names.Replace(value); header != value {
			t.Errorf("header %s:\ngot  %q\nwant %q", name, header, value)
		}
	}
	if s.hasHead() {
		a.checkHead(t, r, got)
	}
	a.checkChanges(t, s)
	for _, next := range s.then {
		a.checkStep(t, next)
	}
	return got
}

// checkChanges compares what the request left in the database with what it should have.
func (a *stage) checkChanges(t *testing.T, s scenario) {
	t.Helper()
	if len(s.events) == 0 {
		if diff := a.changes(t); diff != "" {
			t.Errorf("the request changed the database:\n%s", diff)
		}
		return
	}
	want := []string{}
	for _, event := range s.events {
		want = append(want, fmt.Sprintf("event=%q", a.names.Replace(event)))
	}
	got := storetest.Rows(t, a.sql, `SELECT a.action || ' ' || a.object_uuid || ' by ' || coalesce(u.username, 'nobody')
			|| CASE WHEN a.details = '' THEN '' ELSE ': ' || a.details END AS event
		FROM audit_events AS a LEFT JOIN users AS u ON u.uuid = a.actor_uuid WHERE a.request_id = '`+requestID+`' ORDER BY a.uuid`)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("audit events, want (-), got (+):\n%s", diff)
	}
}

// checkHead holds that a HEAD is answered as the GET, without a body.
func (a *stage) checkHead(t *testing.T, r request, get answer) {
	t.Helper()
	r.Method = http.MethodHead
	head := a.send(t, r)
	a.checkAccessLine(t, r, head)
	want := get.Header.Clone()
	head.Header.Del("Date")
	want.Del("Content-Length")
	head.Header.Del("Content-Length")
	if get.Body == "" { // a redirect's
		head.Header.Del("Content-Type")
	}
	if diff := gocmp.Diff(answer{Status: get.Status, Header: want}, head); diff != "" {
		t.Errorf("GET without its body (-) and HEAD (+):\n%s", diff)
	}
}

func (a *stage) checkStep(t *testing.T, s step) {
	t.Helper()
	got := a.send(t, a.request(scenario{request: s.request}))
	a.log.take()
	if want := a.names.Replace(s.want); got.Status != s.status || strings.TrimSuffix(got.Body, "\n") != want {
		t.Errorf("then %s:\ngot  %d %swant %d %s\n", s.request, got.Status, got.Body, s.status, want)
	}
}

// Each status that an operation documents as its own has a scenario. The shared ones are
// walked over all operations elsewhere.
func TestEveryStatusHasAScenario(t *testing.T) {
	covered := map[string]bool{}
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.key()] {
			t.Errorf("two scenarios are called %s", s.key())
		}
		seen[s.key()] = true
		covered[fmt.Sprint(s.operation(), " ", s.status)] = true
		if s.hasHead() {
			s.request = "HEAD" + strings.TrimPrefix(s.request, "GET")
			covered[fmt.Sprint(s.operation(), " ", s.status)] = true
		}
	}
	for _, op := range operations {
		for _, status := range slices.Sorted(maps.Keys(op.Responses.Map())) {
			if !slices.Contains(sharedStatuses, status) && !covered[op.OperationID+" "+status] {
				t.Errorf("no scenario of %s is answered %s", op.OperationID, status)
			}
		}
	}
}
