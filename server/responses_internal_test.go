package server

import (
	"net/http"
	"strings"
	"testing"
)

// What breaks the contract is named by operation, status and field or header.
func TestViolations(t *testing.T) {
	const page, asJSON = "X-Result-Count: 3, Link: <x>", "Content-Type: application/json"
	for _, test := range []struct {
		name, operation string
		status          int
		headers, body   string
		violation       string // "" where nothing is wrong
	}{
		{"a right HEAD", "count", 200, page, "", ""},
		{"a client that is gone", "list", statusClientGone, "", "", ""},
		{"HEAD without its count", "count", 200, "Link: <x>", "", `, status 200: response header "X-Result-Count" missing`},
		{"HEAD with a count that is none", "list_users_count", 200, "X-Result-Count: -1, Link: <x>", "", `, status 200: response header "X-Result-Count" doesn't match schema: number must be at least 0`},
		{"HEAD with a body", "count", 200, page, "[]", ", status 200: a body where there should be none"},
		{"401 of HEAD without its header", "count", 401, "", "", `, status 401: response header "WWW-Authenticate" missing`},
		{"401 without its header", "list", 401, asJSON, `{"detail":"x"}`, `, status 401: response header "WWW-Authenticate" missing`},
		{"an error of another form", "retrieve", 404, asJSON, `{"error":"x"}`, `, status 404: response body doesn't match schema #/components/schemas/ProblemDetail: Error at "/error": value must be an array`},
		{"an error that is no JSON", "retrieve", 404, "Content-Type: text/plain", "not found", `, status 404: response header Content-Type has unexpected value: "text/plain"`},
		{"a status that is not documented", "destroy", 409, "", "", " has no status 409"},
		{"a body of 204", "destroy", 204, "", "{}", ", status 204: a body where there should be none"},
		{"a field that is missing", "add_user", 201, asJSON, "{}", `, status 201: response body doesn't match schema #/components/schemas/UserRoleExpirationTime: Error at "/expiration_time": property "expiration_time" is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := testOperation(t, "call_managing_organisations_"+test.operation)
			header := http.Header{"X-Request-Id": {"1"}}
			for line := range strings.SplitSeq(test.headers, ", ") {
				name, value, _ := strings.Cut(line, ": ")
				header.Set(name, value)
			}
			got, want := "", ""
			if err := validateResponse(t.Context(), op, test.status, header, []byte(test.body)); err != nil {
				got = err.Error()
			}
			if test.violation != "" {
				want = "operation " + op.id + test.violation
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
