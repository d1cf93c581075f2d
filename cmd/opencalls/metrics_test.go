package main

import (
	"maps"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// metricsAddress is where the log says that metrics are.
var metricsAddress = regexp.MustCompile(`"serving metrics","address":"([^"]+)/metrics"`)

// startMeasured starts a server with demo data that serves metrics, and returns where.
func startMeasured(t *testing.T, arguments ...string) (p process, metrics string) {
	t.Helper()
	p = start(t, append(arguments, "--demo", "--metrics-listen=127.0.0.1:0")...)
	found := metricsAddress.FindStringSubmatch(p.Log.String())
	if found == nil {
		t.Fatalf("no address of the metrics in the log: %s", p.Log.String())
	}
	return p, found[1]
}

// scrape reads the time series whose names have a prefix.
func scrape(t *testing.T, metrics, prefix string) map[string]float64 {
	t.Helper()
	status, text := get(t, metrics+"/metrics", "")
	if status != http.StatusOK {
		t.Fatalf("metrics: %d %s", status, text)
	}
	series := map[string]float64{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, prefix) || strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.LastIndex(line, " ") // a label's value may have blanks
		value, err := strconv.ParseFloat(strings.TrimSpace(line[end:]), 64)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		series[line[:end]] = value
	}
	return series
}

// measures compares the time series whose names have a prefix, and which are not 0. A request may be counted a
// little after its answer.
func measures(t *testing.T, metrics, prefix string, want map[string]float64) {
	t.Helper()
	diff := "-"
	for deadline := time.Now().Add(10 * time.Second); diff != "" && time.Now().Before(deadline); {
		got := scrape(t, metrics, prefix)
		maps.DeleteFunc(got, func(_ string, value float64) bool { return value == 0 })
		diff = cmp.Diff(want, got)
	}
	if diff != "" {
		t.Error(diff)
	}
}

// Requests are counted by operation and status. Whatever clients send, there are no more series than operations and
// routes have statuses.
func TestMetricsOfRequests(t *testing.T) {
	p, metrics := startMeasured(t, "--database-url=sqlite::memory:")
	for _, line := range []string{
		"GET /api/roles/", "GET /api/roles/?page_size=2", "HEAD /api/roles/", "GET /api/roles/?page_size=x", "GET /api/roles/?page=0",
		"GET /api/roles/?page=99", "GET /api/roles/0c000000-0000-4000-8000-000000000001/", "GET /api/users/me/", "GET /readyz", "GET /api/docs/",
		"GET /", "GET /api/media/0c000000-0000-4000-8000-000000000001/", "GET /api/roles", "GET /nowhere/1", "GET /nowhere/2", "FLY /api/roles/",
		"POST /healthz",
	} {
		method, target, _ := strings.Cut(line, " ")
		if _, err := world.NewClient(p.Address).Send(world.Request{Method: method, Target: target}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]float64{
		`{operation="roles_list",status="200"}`: 2, `{operation="roles_count",status="200"}`: 1, `{operation="roles_list",status="400"}`: 1,
		`{operation="roles_list",status="404"}`: 2, `{operation="roles_retrieve",status="404"}`: 1,
		`{operation="users_me_retrieve",status="401"}`: 1, `{operation="/readyz",status="200"}`: 1,
		`{operation="/api/docs/",status="200"}`: 1, `{operation="/",status="302"}`: 1, `{operation="/api/media/:uuid/",status="404"}`: 1,
		`{operation="none",status="301"}`: 1, `{operation="none",status="404"}`: 2, `{operation="none",status="405"}`: 2,
	}
	for _, name := range []string{"opencalls_http_requests_total", "opencalls_http_request_duration_seconds_count"} {
		counted := map[string]float64{}
		for labels, value := range want {
			counted[name+labels] = value
		}
		measures(t, metrics, name, counted)
	}
	measures(t, metrics, "opencalls_validation_failures_total", map[string]float64{
		`opencalls_validation_failures_total{message="request",operation="roles_list"}`: 2,
	})
}

// A request that is refused by a rate limit is counted, by that limit.
func TestMetricsOfThrottling(t *testing.T) {
	for _, limit := range []string{"token", "address"} {
		p, metrics := startMeasured(t, "--database-url=sqlite::memory:", "--rate-limit-"+limit+"=0.001")
		for range 3 {
			get(t, p.Address+"/api/users/me/", fixture.DemoStaffToken)
		}
		measures(t, metrics, "opencalls_throttled_requests_total", map[string]float64{
			`opencalls_throttled_requests_total{limit="` + limit + `"}`: 2,
		})
		measures(t, metrics, "opencalls_http_requests_total", map[string]float64{
			`opencalls_http_requests_total{operation="users_me_retrieve",status="200"}`: 1,
			`opencalls_http_requests_total{operation="users_me_retrieve",status="429"}`: 2,
		})
	}
}

// What a body holds, and that its request is under way, is seen until it ends.
func TestMetricsOfBodies(t *testing.T) {
	const inFlight, reserved = "opencalls_http_requests_in_flight", "opencalls_body_memory_reserved_bytes"
	p, metrics := startMeasured(t, "--database-url=sqlite::memory:", "--body-memory=50000000")
	if limit := scrape(t, metrics, "opencalls_body_memory_limit")["opencalls_body_memory_limit_bytes"]; limit != 50000000 {
		t.Errorf("the limit is %g", limit)
	}
	slow := p.dial(t, "PATCH "+organisations+fixture.DemoOrganisation+"/ HTTP/1.1\r\nHost: x\r\nAuthorization: Token "+fixture.DemoStaffToken+
		"\r\nContent-Type: application/json\r\nContent-Length: 1234\r\n\r\n{")
	holds := func(requests, bytes float64) func() bool {
		return func() bool {
			series := scrape(t, metrics, "opencalls_")
			return series[inFlight] == requests && series[reserved] == bytes
		}
	}
	programtest.Within(t, "a body is on its way", holds(1, 1234))
	_ = slow.Close()
	programtest.Within(t, "the body has ended", holds(0, 0))
}

// Audit events are counted once they are kept. The pools of each engine are there, and so is what was built.
func TestMetricsOfTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		p, metrics := startMeasured(t, "--database-url="+storetest.URL(t, engine))
		before := scrape(t, metrics, "opencalls_audit_events_total")
		for description, status := range map[string]int{`"new"`: http.StatusOK, `5`: http.StatusBadRequest} {
			got, err := world.NewClient(p.Address).Send(world.Request{
				Method: http.MethodPatch, Target: organisations + fixture.DemoOrganisation + "/", Token: fixture.DemoStaffToken,
				Body: world.JSON(`{"description":` + description + `}`),
			})
			if err != nil || got.Status != status {
				t.Fatalf("status %d %v", got.Status, err)
			}
		}
		before[`opencalls_audit_events_total{action="call_managing_organisation.update"}`]++
		measures(t, metrics, "opencalls_audit_events_total", before)
		pools := map[string]map[string]float64{
			storetest.SQLite: {
				`go_sql_max_open_connections{db_name="sqlite_read"}`: 4, `go_sql_max_open_connections{db_name="sqlite_write"}`: 1,
			},
			storetest.Postgres: {`go_sql_max_open_connections{db_name="postgres"}`: 16},
		}
		measures(t, metrics, "go_sql_max_open_connections", pools[engine])
		built := scrape(t, metrics, "opencalls_build_info")
		for name := range built {
			if !strings.Contains(name, `version="dev"`) || !strings.Contains(name, `goversion="go1.`) || len(built) != 1 {
				t.Errorf("what was built: %v", built)
			}
		}
	})
}

// Profiles are beside the metrics, and neither is where the API is. The command line, which may hold a password, is
// nowhere.
func TestProfiles(t *testing.T) {
	p, metrics := startMeasured(t, "--database-url=sqlite::memory:")
	for target, want := range map[string]int{
		metrics + "/debug/pprof/": 200, metrics + "/debug/pprof/heap": 200, metrics + "/debug/pprof/goroutine?debug=2": 200,
		metrics + "/debug/pprof/profile?seconds=1": 200, metrics + "/debug/pprof/trace?seconds=0.1": 200, metrics + "/debug/pprof/symbol": 200,
		metrics + "/debug/pprof/cmdline": 404, metrics + "/": 404, metrics + "/api/roles/": 404,
		p.Address + "/metrics": 404, p.Address + "/debug/pprof/": 404,
	} {
		if status, text := get(t, target, ""); status != want {
			t.Errorf("%s: %d %.200s", target, status, text)
		}
	}
}

// Without an address for metrics the server doesn't begin to serve, nor does it open its database.
func TestMetricsAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	r := programtest.Command(t, "serve", "--listen=127.0.0.1:0", "--metrics-listen="+address)
	want := "opencalls: --metrics-listen: listen tcp " + address + ": bind: address already in use\n"
	if r.Status != exitFailed || r.Stderr != want || r.Stdout != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
}
