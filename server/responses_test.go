package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// brokenRows are what somebody may have written past the store, and what is then wrong with an answer.
var brokenRows = []struct {
	statement string
	request   string
	violation string
}{
	{"UPDATE users SET username = '" + strings.Repeat("n", 129) + "' WHERE username = 'jyrg'", "GET …/{tartu}/list_users/?user={jyrg}",
		"operation call_managing_organisations_list_users_list, status 200, field /0/user_username: maximum string length is 128"},
	{"UPDATE counters SET value = -1", "HEAD …/",
		`operation call_managing_organisations_count, status 200, response header "X-Result-Count" doesn't match schema: number must be at least 0`},
}

// What breaks the contract is sent as it is and logged, or not sent.
func TestValidateResponses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, mode := range []string{server.ValidateOff, server.ValidateLog, server.ValidateFail} {
			stage := newStage(t, engine, func(s *setup) { s.server.ValidateResponses, s.plain = mode, true })
			for _, test := range brokenRows {
				t.Run(mode+"/"+test.request, func(t *testing.T) {
					defer stage.restore(t)
					method, target, _ := strings.Cut(stage.names.Replace(test.request), " ")
					r := request{method: method, target: target, token: "token-of-sam"}
					right := stage.send(t, r)
					stage.checkAccessLine(t, r, right)
					if _, err := stage.sql.Exec(test.statement); err != nil {
						t.Fatal(err)
					}
					got := stage.send(t, r)
					lines := stage.log.take()
					// What restore compares with is counted by the database itself.
					if _, err := stage.sql.Exec("UPDATE counters SET value = (SELECT count(*) FROM call_managing_organisations)"); err != nil {
						t.Fatal(err)
					}
					checkMode(t, mode, method, test.violation, got, lines)
				})
			}
		}
	})
}

func checkMode(t *testing.T, mode, method, violation string, got answer, log string) {
	t.Helper()
	warnings, errors := strings.Count(log, `"level":"WARN"`), strings.Count(log, `"level":"ERROR"`)
	switch mode {
	case server.ValidateFail:
		var body struct{ Detail string }
		if method != http.MethodHead {
			if err := json.Unmarshal([]byte(got.body), &body); err != nil || !strings.Contains(body.Detail, violation) {
				t.Errorf("%v %s", err, got.body)
			}
		}
		if got.status != http.StatusInternalServerError || got.header.Get("X-Result-Count") != "" || warnings != 0 || errors != 1 {
			t.Errorf("%d %v\n%s", got.status, got.header, log)
		}
	case server.ValidateLog:
		first, _, _ := strings.Cut(log, "\n")
		var line logLine
		if err := json.Unmarshal([]byte(first), &line); err != nil || !strings.HasPrefix(line.Violation, violation) || line.RequestID != requestID {
			t.Errorf("%v %s", err, first)
		}
		if got.status != http.StatusOK || warnings != 1 || errors != 0 {
			t.Errorf("%d\n%s", got.status, log)
		}
	default:
		if got.status != http.StatusOK || warnings+errors != 0 {
			t.Errorf("%d\n%s", got.status, log)
		}
	}
}

// Answers that keep the contract are the same to the byte whether they are checked or not.
func TestValidateResponsesLeavesRightAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		answers := map[string][]answer{}
		for _, mode := range []string{server.ValidateOff, server.ValidateLog, server.ValidateFail} {
			stage := newStage(t, engine, func(s *setup) { s.server.ValidateResponses = mode })
			for _, s := range everyOperation {
				method, target, _ := strings.Cut(stage.names.Replace(s.request), " ")
				r := request{method: method, target: target, token: "token-of-sam", body: s.body}
				r.body.content = stage.names.Replace(r.body.content)
				got := stage.send(t, r)
				stage.checkAccessLine(t, r, got)
				got.header.Del("Date")
				if got.status != s.status {
					t.Errorf("%s %s: %d %s", mode, s.request, got.status, got.body)
				}
				answers[mode] = append(answers[mode], got)
			}
		}
		for mode, got := range answers {
			if diff := gocmp.Diff(answers[server.ValidateOff], got, gocmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("without (-) and with %s (+):\n%s", mode, diff)
			}
		}
	})
}

// everyOperation is answered with success and with a refusal, by each operation.
var everyOperation = []scenario{
	{request: "GET …/", status: 200}, {request: "GET …/?page_size=0", status: 400}, {request: "GET …/?page=9", status: 404},
	{request: "HEAD …/", status: 200}, {request: "HEAD …/?page_size=0", status: 400}, {request: "HEAD …/?page=9", status: 404},
	{request: "GET …/{tartu}/", status: 200}, {request: "GET …/{sam}/", status: 404},
	{request: "GET …/{tartu}/stats/", status: 200}, {request: "GET …/{sam}/stats/", status: 404},
	{request: "GET …/{tartu}/list_users/", status: 200}, {request: "GET …/{tartu}/list_users/?field=x", status: 400},
	{request: "HEAD …/{tartu}/list_users/", status: 200}, {request: "HEAD …/{sam}/list_users/", status: 404},
	{request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `}`), status: 201}, {request: "POST …/", body: jsonBody(`{}`), status: 400},
	{request: "POST …/", body: rawBody("text/plain", "x"), status: 415}, {request: "POST …/", body: jsonBody(strings.Repeat(" ", 1<<20+1)), status: 413},
	{request: "PUT …/{tartu}/", body: jsonBody(`{"customer":"https://x/api/customers/{tartu.customer}/"}`), status: 200}, {request: "PUT …/{sam}/", body: jsonBody(`{"customer":"x"}`), status: 400},
	{request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"new"}`), status: 200}, {request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", pngFile)), status: 200},
	{request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", untilApril), status: 201}, {request: "POST …/{tartu}/add_user/", body: role("NOBODY", "bob", ""), status: 400},
	{request: "POST …/{tartu}/update_user/", body: role("HELPER", "bob", ""), status: 200}, {request: "POST …/{tartu}/update_user/", body: role("HELPER", "sue", ""), status: 400},
	{request: "POST …/{tartu}/delete_user/", body: role("HELPER", "bob", ""), status: 200}, {request: "POST …/{sam}/delete_user/", body: role("HELPER", "bob", ""), status: 404},
	{request: "DELETE …/{tartu}/", status: 400}, {request: "DELETE …/{zagreb}/", status: 204},
}
