package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// An answer that breaks the contract, here by rows that somebody wrote past the store, is sent as it is, or
// logged too, or not sent.
func TestValidateResponses(t *testing.T) {
	for _, test := range []struct{ statement, request, violation string }{
		{"UPDATE users SET username = '" + strings.Repeat("n", 129) + "' WHERE username = 'jyrg'", "GET …/{tartu}/list_users/?user={jyrg}",
			"operation call_managing_organisations_list_users_list, status 200: response body doesn't match schema: Error at \\\"/0/user_username\\\": maximum string length is 128"},
		{"UPDATE counters SET value = -1", "HEAD …/",
			`operation call_managing_organisations_count, status 200: response header \"X-Result-Count\" doesn't match schema: number must be at least 0`},
	} {
		for mode, want := range map[string]struct {
			status int
			level  string
		}{
			server.ValidateOff:  {http.StatusOK, "INFO"},
			server.ValidateLog:  {http.StatusOK, "WARN"},
			server.ValidateFail: {http.StatusInternalServerError, "ERROR"},
		} {
			t.Run(mode+"/"+test.request, func(t *testing.T) {
				registry := prometheus.NewRegistry()
				stage := newStage(t, storetest.SQLite, func(s *setup) {
					s.server.ValidateResponses, s.server.Metrics, s.plain = mode, registry, true
				})
				stage.exec(t, test.statement)
				got := stage.send(t, stage.request(scenario{request: test.request}))
				log := stage.log.take()
				kept := got.Header.Get("Link") != "" // nothing of an answer that is not sent is left
				if got.Status != want.status || kept != (want.status == http.StatusOK) || !strings.Contains(log, `"level":"`+want.level) {
					t.Errorf("%d %s\n%s", got.Status, got.Body, log)
				}
				if named := strings.Contains(log, test.violation); named != (mode != server.ValidateOff) {
					t.Errorf("the log names the violation is %v:\n%s", named, log)
				}
				if n := countViolations(t, registry); (n == 1) != (mode != server.ValidateOff) {
					t.Errorf("the metrics count %g violations", n)
				}
			})
		}
	}
}

// countViolations is how many answers did not match openapi.yaml, by the metrics.
func countViolations(t *testing.T, registry *prometheus.Registry) (n float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			failed := family.GetName() == "opencalls_validation_failures_total"
			if failed && metric.GetLabel()[0].GetValue() == "response" { // message comes before operation
				n += metric.GetCounter().GetValue()
			}
		}
	}
	return n
}
