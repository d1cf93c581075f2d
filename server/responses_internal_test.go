package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

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
			op := testOperation(t, test.operation)
			play := func(mode string) (answer, log string) {
				var lines bytes.Buffer
				cfg := Config{ValidateResponses: mode, Logger: slog.New(slog.NewJSONHandler(&lines, nil))}.withDefaults()
				e := echo.New()
				e.HTTPErrorHandler = writeError
				e.Use(before(cfg.identify), recoverPanics())
				e.Any("/", test.handler, checkResponse(cfg, op))
				recorded := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(context.Background(), op.route.Method, "/", nil)
				r.Header.Set(echo.HeaderXRequestID, "the-request")
				e.ServeHTTP(recorded, r)
				return fmt.Sprint(recorded.Code, recorded.Header(), recorded.Body), strings.ReplaceAll(lines.String(), `\"`, `"`)
			}
			off, quiet := play(ValidateOff)
			logged, log := play(ValidateLog)
			failed, _ := play(ValidateFail)
			if quiet != "" || logged != off {
				t.Errorf("off %s\n%s\nlog %s", off, quiet, logged)
			}
			if test.violation == "" {
				if log != "" || failed != off {
					t.Errorf("%s\nfail %s", log, failed)
				}
				return
			}
			named := strings.Contains(log, "operation "+test.operation) && strings.Contains(log, test.violation)
			if !named || strings.Count(log, "\n") != 1 || !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, `"request_id":"the-request"`) {
				t.Errorf("the log: %s", log)
			}
			// Nothing of the broken answer is left.
			for _, part := range []string{"X-Result-Count:", "Link:"} {
				if strings.Contains(failed, part) {
					t.Errorf("fail %s", failed)
				}
			}
			if named := strings.Contains(failed, test.operation); named == (op.route.Method == http.MethodHead) || !strings.HasPrefix(failed, "500 ") {
				t.Errorf("fail %s", failed)
			}
		})
	}
}
