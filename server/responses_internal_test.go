package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/gen"
)

// operationCalled is an operation of openapi.yaml by its id.
func operationCalled(t *testing.T, id string) operation {
	t.Helper()
	spec, err := gen.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range operations(spec) {
		if op.id == id {
			return op
		}
	}
	t.Fatalf("no operation %s", id)
	return operation{}
}

// answer writes an answer with headers and a body, whatever openapi.yaml says.
func answer(status int, body string, headers ...string) echo.HandlerFunc {
	return func(c echo.Context) error {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			c.Response().Header().Set(name, value)
		}
		c.Response().WriteHeader(status)
		_, err := c.Response().Write([]byte(body))
		return err
	}
}

// What no data can bring about: handlers that break their word.
var brokenHandlers = []struct {
	name, operation string
	handler         echo.HandlerFunc
	violation       string // "" where nothing is wrong
}{
	{"a right HEAD", "call_managing_organisations_count", answer(200, "", "X-Result-Count: 3", "Link: <x>"), ""},
	{"HEAD without its count", "call_managing_organisations_count", answer(200, "", "Link: <x>"), `status 200: response header "X-Result-Count" missing`},
	{"HEAD without its links", "call_managing_organisations_count", answer(200, "", "X-Result-Count: 3"), `status 200: response header "Link" missing`},
	{"HEAD with a count that is none", "call_managing_organisations_list_users_count", answer(200, "", "X-Result-Count: -1", "Link: <x>"), `status 200, response header "X-Result-Count" doesn't match schema: number must be at least 0`},
	{"HEAD with a body", "call_managing_organisations_count", answer(200, "[]", "X-Result-Count: 3", "Link: <x>"), "status 200: a body where there should be none"},
	{"401 of HEAD without its header", "call_managing_organisations_count", answer(401, ""), `status 401: response header "WWW-Authenticate" missing`},
	{"401 without its header", "call_managing_organisations_list", answer(401, `{"detail":"x"}`, "Content-Type: application/json"), `status 401: response header "WWW-Authenticate" missing`},
	{"an error of another form", "call_managing_organisations_retrieve", answer(404, `{"error":"x"}`, "Content-Type: application/json"), `status 404, field /: property "error" is unsupported`},
	{"an error that is no JSON", "call_managing_organisations_retrieve", answer(404, `not found`, "Content-Type: text/plain"), `status 404: response header Content-Type has unexpected value: "text/plain"`},
	{"a status that is not documented", "call_managing_organisations_destroy", answer(409, ""), "has no status 409"},
	{"a body of 204", "call_managing_organisations_destroy", answer(204, "{}"), "status 204: a body where there should be none"},
	{"a field that is missing", "call_managing_organisations_add_user", answer(201, `{}`, "Content-Type: application/json"), `status 201, field /expiration_time: property "expiration_time" is missing`},
	{"a panic", "call_managing_organisations_list", func(echo.Context) error { panic("broken") }, ""},
	{"an error", "call_managing_organisations_list", func(echo.Context) error { return errors.New("broken") }, ""},
}

func TestBrokenHandlers(t *testing.T) {
	for _, test := range brokenHandlers {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			op := operationCalled(t, test.operation)
			play := func(mode string) *httptest.ResponseRecorder {
				cfg := Config{ValidateResponses: mode, Logger: slog.New(slog.NewJSONHandler(&log, nil))}.withDefaults()
				e := echo.New()
				e.HTTPErrorHandler = writeError
				e.Use(identify(cfg), recoverPanics())
				e.Any("/", test.handler, checkResponse(cfg, op))
				recorded := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(context.Background(), op.route.Method, "/", nil)
				r.Header.Set(echo.HeaderXRequestID, "the-request")
				e.ServeHTTP(recorded, r)
				return recorded
			}
			off, logged := play(ValidateOff), play(ValidateLog)
			checkWarning(t, log.String(), test.operation, test.violation)
			failed := play(ValidateFail)
			checkSame(t, off, logged)
			if test.violation == "" {
				checkSame(t, off, failed)
			} else {
				checkFailure(t, failed, op, test.violation)
			}
		})
	}
}

// checkWarning holds that there is exactly one line in the log, which names the violation; none
// without one.
func checkWarning(t *testing.T, log, operation, violation string) {
	t.Helper()
	if violation == "" {
		if log != "" {
			t.Errorf("the log: %s", log)
		}
		return
	}
	var line struct {
		Level, Violation string
		RequestID        string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(log), &line); err != nil {
		t.Fatalf("the log does not hold one line: %s", log)
	}
	if line.Level != "WARN" || line.RequestID != "the-request" || !names(line.Violation, operation, violation) {
		t.Errorf("the log: %s", log)
	}
}

// names says whether a text names an operation, and what is wrong with its answer.
func names(text, operation, violation string) bool {
	return strings.Contains(text, "operation "+operation) && strings.Contains(text, violation)
}

// checkFailure holds that nothing of the broken answer is left in the 500.
func checkFailure(t *testing.T, got *httptest.ResponseRecorder, op operation, violation string) {
	t.Helper()
	if got.Code != http.StatusInternalServerError || got.Header().Get("X-Result-Count")+got.Header().Get("Link") != "" || got.Header().Get(echo.HeaderXRequestID) != "the-request" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if op.route.Method == http.MethodHead {
		if got.Body.Len() > 0 {
			t.Errorf("a body of HEAD: %s", got.Body)
		}
		return
	}
	var body struct{ Detail string }
	if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil || !names(body.Detail, op.id, violation) {
		t.Errorf("%v %s", err, got.Body)
	}
}

func checkSame(t *testing.T, want, got *httptest.ResponseRecorder) {
	t.Helper()
	wantHeader, gotHeader := new(bytes.Buffer), new(bytes.Buffer)
	_, _ = want.Header().Write(wantHeader), got.Header().Write(gotHeader)
	if want.Code != got.Code || want.Body.String() != got.Body.String() || wantHeader.String() != gotHeader.String() {
		t.Errorf("got %d %v %s\nwant %d %v %s", got.Code, gotHeader, got.Body, want.Code, wantHeader, want.Body)
	}
}
