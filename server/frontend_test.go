package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// frontEndPage is where the front end's page comes from.
const frontEndPage = "https://portal.example.com"

// frontEndRequests are what Waldur's front end sends to sign in, to make a customer an organisation and to show
// its statistics, in order, and the fields that it reads of the answer, of the first object of a list.
var frontEndRequests = []struct {
	flow, request, body string
	status              int
	reads               string
}{
	{"start", "GET /api/configuration/", "", 200, "WALDUR_CORE LANGUAGES LANGUAGE_CODE FEATURES"},
	{"start", "GET /api/roles/?page_size=200", "", 200, "uuid name description content_type is_active permissions"},
	{"start", "GET /api/icons/login_logo/", "", 404, "detail"}, // a picture, in whose place its text stands
	{"sign-in", "GET /api/identity-providers/", "", 200, ""},
	{"sign-in", "POST /api-auth/password/", `{"username":"bob","password":"the password"}`, 200, "token"},
	{"sign-in", "GET /api/users/me/", "", 200, "uuid url username full_name token agreement_date permissions"},
	{"shell", "GET /api/admin-announcements/?is_active=true", "", 200, ""},
	{"shell", "GET /api/marketplace-categories/?field=uuid&field=title&has_offerings=true", "", 200, ""},
	{"shell", "GET /api/marketplace-category-groups/?field=uuid", "", 200, ""},
	{"shell", "GET /api/marketplace-global-categories/", "", 200, ""},
	{"shell", "HEAD /api/marketplace-orders/?can_approve_as_consumer=True", "", 200, ""},
	{"shell", "HEAD /api/marketplace-checklists/", "", 200, ""},
	{"shell", "HEAD /api/marketplace-orders/?can_approve_as_provider=True", "", 200, ""},
	{"shell", "GET /api/marketplace-project-update-requests/?state=pending", "", 200, ""},
	{"shell", "GET /api/organization-groups/", "", 200, ""},
	{"shell", "GET /health-check/", "", 200, "opencalls"},
	{"organisation", "GET /api/customers/?page=1&page_size=10&user_uuid={olev}&field=uuid&field=name&field=abbreviation&field=email&field=projects_count&field=created&field=image&" +
		"field=resource_count&field=customer_credit&field=billing_price_estimate&field=organization_groups&field=url", "", 200, "uuid name abbreviation created image organization_groups url"},
	{"organisation", "GET /api/customers/{free.customer}/", "", 200, "url uuid name country image call_managing_organization_uuid"},
	{"organisation", "GET /api/customer-credits/?customer_uuid={free.customer}", "", 200, ""},
	{"organisation", "GET /api/call-managing-organisations/?customer_uuid={free.customer}", "", 200, ""},
	{"enabling", "POST /api/call-managing-organisations/", `{"customer":"https://calls.example.com/api/customers/{free.customer}/","description":"","image":null}`, 201, "uuid url"},
	{"enabling", "GET /api/call-managing-organisations/?customer_uuid={free.customer}", "", 200, "uuid url"},
	{"dashboard", "GET /api/call-managing-organisations/{tartu}/stats/", "", 200, "open_calls active_rounds accepted_proposals pending_proposals pending_review " +
		"rounds_closing_in_one_week calls_closing_in_one_week offering_requests_pending"},
	{"sign-out", "POST /api-auth/logout/", "", 204, ""},
}

// The flows of Waldur's front end that are documented to work, from a page of another origin.
func TestFrontEnd(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.FrontEnd, s.server.CORSOrigins, s.plain = true, []string{frontEndPage}, true
	})
	stage.exec(t, stage.names.Replace("UPDATE users SET is_staff = true WHERE uuid = '{bob}'"))
	token := ""
	for _, test := range frontEndRequests {
		t.Run(test.flow+"/"+test.request, func(t *testing.T) {
			method, target, _ := strings.Cut(stage.names.Replace(test.request), " ")
			preflight := stage.send(t, request{Method: "OPTIONS", Target: target, Header: http.Header{
				"Origin": {frontEndPage}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"authorization,content-type"},
			}})
			if preflight.Status != 204 || preflight.Header.Get("Access-Control-Allow-Headers") != "authorization,content-type" {
				t.Errorf("preflight: %d %v", preflight.Status, preflight.Header)
			}
			r := request{Method: method, Target: target, Token: token, Header: http.Header{"Origin": {frontEndPage}}}
			if test.body != "" {
				r.Body = jsonBody(stage.names.Replace(test.body))
			}
			got := stage.send(t, r)
			stage.log.take()
			if got.Status != test.status || got.Header.Get("Access-Control-Allow-Origin") != frontEndPage {
				t.Fatalf("got %d %s %v", got.Status, got.Body, got.Header)
			}
			if (method == "HEAD" || strings.HasPrefix(got.Body, "[")) && got.Header.Get("X-Result-Count") == "" {
				t.Error("no X-Result-Count")
			}
			checkFields(t, got.Body, test.reads)
			if test.flow == "sign-in" && method == "POST" {
				var answer struct{ Token string }
				_ = json.Unmarshal([]byte(got.Body), &answer)
				token = answer.Token
			}
		})
	}
}

// checkFields checks that an object, or the first one of a list, has the fields.
func checkFields(t *testing.T, body, names string) {
	t.Helper()
	var object map[string]any
	var list []map[string]any
	if json.Unmarshal([]byte(body), &list) == nil && len(list) > 0 {
		object = list[0]
	} else {
		_ = json.Unmarshal([]byte(body), &object)
	}
	for _, name := range strings.Fields(names) {
		if _, found := object[name]; !found {
			t.Errorf("no %s in %s", name, body)
		}
	}
}

// Without the flag the constant answers are not there.
func TestNoFrontEnd(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, test := range frontEndRequests {
		if test.flow == "shell" || strings.Contains(test.request, "credits") || strings.Contains(test.request, "identity") {
			s := scenario{request: test.request, status: 404, want: `{"detail":"Not found."}`}
			t.Run(test.request, func(t *testing.T) { stage.play(t, s) })
		}
	}
}
