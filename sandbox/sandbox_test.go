package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const list = "/api/call-managing-organisations/"

// box is a sandbox behind a real listener, with the tests' world in it.
type box struct {
	*sandbox.Sandbox
	*world.Client
	world *world.World
	spec  *openapi3.T // what it says of itself
	log   *logText
}

// logText is what was logged.
type logText struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (l *logText) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.Write(text)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.String()
}

// start serves until the test ends. Each answer is held against the schema that the sandbox serves.
func start(t testing.TB, clock *sandbox.Clock, changes ...func(*server.Config)) *box {
	t.Helper()
	s := storetest.Open(t, storetest.SQLite, clock.Use)
	b := &box{world: world.New(s), log: &logText{}}
	b.world.Load(t)
	cfg := server.Config{Store: s, Logger: slog.New(slog.NewJSONHandler(b.log, nil))}
	for _, change := range changes {
		change(&cfg)
	}
	var err error
	if b.Sandbox, err = sandbox.New(t.Context(), cfg, clock); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(b.Sandbox)
	t.Cleanup(listener.Close)
	b.Client = world.NewClient(listener.URL)
	t.Cleanup(b.HTTP.CloseIdleConnections)
	schema, err := b.Client.Send(world.Request{Method: "GET", Target: "/api/schema/?format=yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if b.spec, err = openapi3.NewLoader().LoadFromData([]byte(schema.Body)); err != nil {
		t.Fatal(err)
	}
	b.HTTP.Transport = contract{b.spec, b.HTTP.Transport}
	return b
}

// contract is a transport that holds each answer against a schema.
type contract struct {
	spec *openapi3.T
	next http.RoundTripper
}

func (c contract) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(content))
	for path, item := range c.spec.Paths.Map() {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
		op := item.GetOperation(r.Method)
		if !pattern.MatchString(r.URL.EscapedPath()) || op == nil {
			continue
		}
		definition := op.Responses.Status(response.StatusCode)
		if definition == nil {
			return nil, fmt.Errorf("%s has no status %d: %s", op.OperationID, response.StatusCode, content)
		}
		for name, header := range definition.Value.Headers {
			if header.Value.Required && response.Header.Get(name) == "" {
				return nil, fmt.Errorf("%s: status %d without %s", op.OperationID, response.StatusCode, name)
			}
		}
		if len(definition.Value.Content) == 0 {
			if len(content) > 0 {
				return nil, fmt.Errorf("%s: a body where there should be none: %s", op.OperationID, content)
			}
			return response, nil
		}
		input := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{
				Request: r, Route: &routers.Route{Spec: c.spec, Operation: op},
			},
			Status: response.StatusCode, Header: response.Header,
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		input.SetBodyBytes(content)
		if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", op.OperationID, err, content)
		}
		return response, nil
	}
	return response, nil
}

// send sends "METHOD target", as staff where the target is the API's, and wants a status.
func (b *box) send(t testing.TB, request string, status int, body ...string) world.Answer {
	t.Helper()
	method, target, _ := strings.Cut(b.world.Replacer().Replace(request), " ")
	r := world.Request{Method: method, Target: target}
	if strings.HasPrefix(target, "/api/") {
		r.Token = "token-of-sam"
	}
	for _, content := range body {
		r.Body = world.JSON(b.world.Replacer().Replace(content))
	}
	return b.sendAs(t, r, status)
}

func (b *box) sendAs(t testing.TB, r world.Request, status int) world.Answer {
	t.Helper()
	got, err := b.Send(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Target, err)
	}
	if got.Status != status {
		t.Fatalf("%s %s: %d, want %d: %s", r.Method, r.Target, got.Status, status, got.Body)
	}
	return got
}

// description is that of an organisation.
func (b *box) description(t testing.TB) string {
	t.Helper()
	var organisation struct{ Description string }
	if err := json.Unmarshal([]byte(b.send(t, "GET "+list+"{tartu}/", 200).Body), &organisation); err != nil {
		t.Fatal(err)
	}
	return organisation.Description
}

func (b *box) describe(t testing.TB, text string) {
	t.Helper()
	b.send(t, "PATCH "+list+"{tartu}/", 200, fmt.Sprintf(`{"description": %q}`, text))
}

// now is what the sandbox's clock shows.
func (b *box) now(t testing.TB) string {
	t.Helper()
	return b.send(t, "GET /sandbox/clock/", 200).Body
}

// A reset brings data and clock back and removes faults; snapshots and the list of requests stay.
func TestReset(t *testing.T) {
	clock := &sandbox.Clock{}
	if err := clock.Set(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), 0); err != nil {
		t.Fatal(err)
	}
	b := start(t, clock)
	before, at := b.description(t), b.now(t)
	b.describe(t, "changed")
	b.send(t, "PUT /sandbox/snapshots/changed/", 204)
	b.send(t, "POST /sandbox/clock/advance/", 200, `{"by": "48h"}`)
	if err := b.SetFaults(true, sandbox.Fault{Operation: "call_managing_organisations_list", Code: 503, Times: 0}); err != nil {
		t.Fatal(err)
	}
	b.send(t, "GET "+list, 503)
	requests := len(b.Requests())
	b.send(t, "POST /sandbox/reset/", 204)
	if got := b.now(t); got != at {
		t.Errorf("the clock shows %s, at the start %s", got, at)
	}
	if got := len(b.Requests()); got != requests {
		t.Errorf("%d requests, before the reset %d", got, requests)
	}
	b.send(t, "GET "+list, 200)
	if got := b.description(t); got != before {
		t.Errorf("the description is %q, at the start %q", got, before)
	}
	b.send(t, "POST /sandbox/snapshots/changed/restore/", 204)
	if got := b.description(t); got != "changed" {
		t.Errorf("the description is %q after the snapshot was restored", got)
	}
}

// A snapshot keeps data and clock, and can be replaced, listed and deleted.
func TestSnapshots(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	b.describe(t, "one")
	b.send(t, "PUT /sandbox/clock/", 200, `{"now": "2027-01-31T00:00:00Z"}`)
	b.send(t, "PUT /sandbox/snapshots/b.1/", 204)
	b.describe(t, "two")
	b.send(t, "PUT /sandbox/snapshots/a-2/", 204)
	b.send(t, "DELETE /sandbox/clock/", 204)
	if got := b.send(t, "GET /sandbox/snapshots/", 200).Body; got != `[{"name":"a-2"},{"name":"b.1"}]`+"\n" {
		t.Errorf("snapshots: %s", got)
	}
	if got := b.send(t, "GET /sandbox/snapshots/b.1/", 200).Body; got != `{"name":"b.1"}`+"\n" {
		t.Errorf("snapshot: %s", got)
	}
	b.send(t, "POST /sandbox/snapshots/b.1/restore/", 204)
	if got := b.description(t); got != "one" {
		t.Errorf("the description is %q", got)
	}
	if got := b.now(t); got != `{"now":"2027-01-31T00:00:00Z","speed":0}`+"\n" {
		t.Errorf("the clock shows %s", got)
	}
	b.describe(t, "three")
	b.send(t, "PUT /sandbox/snapshots/b.1/", 204)
	b.send(t, "POST /sandbox/reset/", 204)
	b.send(t, "POST /sandbox/snapshots/b.1/restore/", 204)
	if got := b.description(t); got != "three" {
		t.Errorf("the description is %q after the snapshot was replaced", got)
	}
	b.send(t, "DELETE /sandbox/snapshots/b.1/", 204)
	b.send(t, "POST /sandbox/snapshots/b.1/restore/", 404)
}

// There are 100 snapshots at most, and each can still be replaced.
func TestMostSnapshots(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	for i := range 100 {
		b.send(t, fmt.Sprintf("PUT /sandbox/snapshots/%d/", i), 204)
	}
	b.send(t, "PUT /sandbox/snapshots/100/", 400)
	b.send(t, "PUT /sandbox/snapshots/99/", 204)
	b.send(t, "DELETE /sandbox/snapshots/0/", 204)
	b.send(t, "PUT /sandbox/snapshots/100/", 204)
}

// What the API does with time follows the sandbox's clock: what is created, and roles that end.
func TestClock(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	b.send(t, "PUT /sandbox/clock/", 200, `{"now": "2030-01-31T12:00:00+02:00", "speed": 0}`)
	b.send(t, "POST "+list+"{tartu}/add_user/", 201,
		`{"role": "CUSTOMER.CALL_ORGANIZER", "user": "{nora}", "expiration_time": "2030-02-01T00:00:00Z"}`)
	members := "GET " + list + "{tartu}/list_users/?user={nora}"
	if got := b.send(t, members, 200).Body; !strings.Contains(got, `"created":"2030-01-31T10:00:00Z"`) {
		t.Errorf("created at another time: %s", got)
	}
	if got := b.send(t, "POST /sandbox/clock/advance/", 200, `{"by": "13h59m59s"}`).Body; !strings.Contains(got, `"2030-01-31T23:59:59Z"`) {
		t.Errorf("advanced to %s", got)
	}
	if got := b.send(t, members, 200).Body; got == "[]\n" {
		t.Error("the role has ended a second too early")
	}
	b.send(t, "POST /sandbox/clock/advance/", 200, `{"by": "1s1ms"}`)
	if got := b.send(t, members, 200).Body; got != "[]\n" {
		t.Errorf("the role has not ended: %s", got)
	}
	b.send(t, "POST /sandbox/clock/advance/", 200, `{"by": "-48h"}`)
	if got := b.send(t, members, 200).Body; got == "[]\n" {
		t.Error("the clock did not go back")
	}
}

// A clock at speed 0 stands still, at others it goes, and DELETE takes the machine's.
func TestClockSpeed(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	read := func() (at struct {
		Now   time.Time
		Speed float64
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(b.now(t)), &at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	if at := read(); time.Since(at.Now).Abs() > time.Minute || at.Speed != 1 {
		t.Errorf("at the start the clock is not the machine's: %v", at)
	}
	b.send(t, "PUT /sandbox/clock/", 200, `{"now": "2030-01-01"}`)
	first := read()
	time.Sleep(5 * time.Millisecond)
	if second := read(); first.Speed != 0 || second != first {
		t.Errorf("the clock goes from %v to %v", first, second)
	}
	b.send(t, "PUT /sandbox/clock/", 200, `{"speed": 1000}`)
	time.Sleep(20 * time.Millisecond)
	if gone := read().Now.Sub(first.Now); gone < 20*time.Second || gone > time.Hour {
		t.Errorf("in 20 ms at speed 1000 %v passed", gone)
	}
	b.send(t, "PUT /sandbox/clock/", 200, `{"now": "9999-12-31T23:59:59Z", "speed": 1000}`)
	time.Sleep(5 * time.Millisecond)
	if at := read().Now; at.Year() != 9999 {
		t.Errorf("the clock has gone to %v", at)
	}
	b.send(t, "DELETE /sandbox/clock/", 204)
	if at := read(); time.Since(at.Now).Abs() > time.Minute || at.Speed != 1 {
		t.Errorf("the clock is not the machine's: %v", at)
	}
}

// Rate limits go by the machine's clock.
func TestClockLeavesRateLimits(t *testing.T) {
	b := start(t, &sandbox.Clock{}, func(cfg *server.Config) {
		cfg.RateLimitToken = server.RateLimit{PerSecond: 0.001, Burst: 1}
	})
	b.send(t, "GET "+list, 200)
	b.send(t, "POST /sandbox/clock/advance/", 200, `{"by": "48h"}`)
	b.send(t, "GET "+list, 429)
}

// An import adds what a test needs, by the sandbox's clock.
func TestImport(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	b.send(t, "PUT /sandbox/clock/", 200, `{"now": "2030-01-01T00:00:00Z"}`)
	const id = "11111111-1111-4111-8111-111111111111"
	hash := "90b90f0b32c3f5a2c42b8e86d68e3e3a1a5b7d9c0f1e2d3c4b5a697887766554"
	for mediaType, content := range map[string]string{
		"application/yaml":     "users:\n  - {uuid: " + id + ", username: ada, full_name: Ada, tokens: [{sha256: " + hash + ", expires: +1h}]}",
		"application/json":     `{"users": [{"uuid": "` + id + `", "username": "ada", "full_name": "Ada L."}]}`,
		"application/x-ndjson": `{"users": {"uuid": "` + id + `", "username": "ada", "full_name": "Ada Lovelace"}}` + "\n",
	} {
		r := world.Request{Method: "POST", Target: "/sandbox/import/", Body: world.Body{MediaType: mediaType, Content: content}}
		if got := b.sendAs(t, r, 200).Body; got != `{"users":1}`+"\n" {
			t.Errorf("%s: %s", mediaType, got)
		}
	}
	user, err := b.world.Store.UserByName(t.Context(), "ada")
	if err != nil || user.UUID.String() != id {
		t.Errorf("%v %v", user, err)
	}
}

// badInput are requests that are refused, and what they are told.
var badInput = []struct {
	request string
	status  int
	body    string
	want    string // a part of the answer
}{
	{"POST /sandbox/snapshots/none/restore/", 404, "", "Not found."},
	{"GET /sandbox/snapshots/none/", 404, "", "Not found."},
	{"DELETE /sandbox/snapshots/none/", 404, "", "Not found."},
	{"PUT /sandbox/snapshots/" + strings.Repeat("a", 300) + "/", 400, "", "A name has 1 to 100 letters"},
	{"PUT /sandbox/snapshots/" + strings.Repeat("a", 101) + "/", 400, "", "A name has 1 to 100 letters"},
	{"PUT /sandbox/snapshots/a%2Fb/", 400, "", "A name has 1 to 100 letters"},
	{"PUT /sandbox/snapshots/a%20b/", 400, "", "A name has 1 to 100 letters"},
	{"PUT /sandbox/snapshots/a/b/", 404, "", "Not found."},
	{"PUT /sandbox/snapshots//", 400, "", "A name has 1 to 100 letters"},
	{"DELETE /sandbox/snapshots//", 400, "", "A name has 1 to 100 letters"},
	{"POST /sandbox/snapshots//restore/", 400, "", "A name has 1 to 100 letters"},
	{"GET /sandbox/snapshots/a%2Fb/", 400, "", "A name has 1 to 100 letters"},
	{"PATCH /sandbox/clock/", 405, "", `Method \"PATCH\" not allowed.`},
	{"PUT /sandbox/clock/", 400, `{"now": "nonsense"}`, "now: "},
	{"PUT /sandbox/clock/", 400, `{"now": "2027-02-30T00:00:00Z"}`, "now: "},
	{"PUT /sandbox/clock/", 400, `{"now": 5}`, "now: wrong type: number"},
	{"PUT /sandbox/clock/", 400, `{"now": "1969-12-31T23:59:59Z"}`, "want a time from 1970 to 9999"},
	{"PUT /sandbox/clock/", 400, `{"now": "9999-12-31T23:59:59-01:00"}`, "now: "},
	{"PUT /sandbox/clock/", 400, `{"now": "10000-01-01T00:00:00Z"}`, "now: "},
	{"PUT /sandbox/clock/", 400, `{"speed": -1}`, "want a speed from 0 to 1000"},
	{"PUT /sandbox/clock/", 400, `{"speed": 1001}`, "want a speed from 0 to 1000"},
	{"PUT /sandbox/clock/", 400, `{"speed": "1"}`, "speed: wrong type: string"},
	{"PUT /sandbox/clock/", 400, `{"when": "2027-01-31T00:00:00Z"}`, `JSON parse error - unknown field \"when\"`},
	{"PUT /sandbox/clock/", 400, `{"now": `, "JSON parse error - unexpected EOF"},
	{"PUT /sandbox/clock/", 400, `[]`, "body: wrong type: array"},
	{"PUT /sandbox/clock/", 400, ``, "JSON parse error - EOF"},
	{"POST /sandbox/clock/advance/", 400, `{"by": "tomorrow"}`, `by: want a duration such as 48h, not \"tomorrow\"`},
	{"POST /sandbox/clock/advance/", 400, `{"by": 48}`, "by: wrong type: number"},
	{"POST /sandbox/clock/advance/", 400, `{}`, `by: want a duration`},
	{"PUT /sandbox/clock/", 400, `null`, "body: wrong type: null"},
	{"PUT /sandbox/faults/", 400, `null`, "body: wrong type: null"},
	{"POST /sandbox/clock/advance/", 400, `{"by": "-1000000h"}`, "want a time from 1970 to 9999"},
	{"POST /sandbox/clock/advance/", 400, `{"by": "9999999999999999h"}`, "by: want a duration"},
	{"POST /sandbox/import/", 400, "{\"users\": [\n{\"nickname\": \"x\"}]}", `body.json:2: users[0]: unknown key \"nickname\"`},
	{"POST /sandbox/import/", 400, "{\"users\": [\n", "body.json:2: not valid JSON"},
	{"POST /sandbox/import/", 400, "a: b", "body.json:1: not valid JSON"},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": 503}, {"operation": "none", "code": 503}]`, `1.operation: there is no operation \"none\"`},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": 418}]`, `0.code: \"418\" is no error status of call_managing_organisations_list`},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": 200}]`, "0.code: "},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": "503"}]`, "code: wrong type: string"},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "delay": "61s"}]`, "0.delay: "},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "delay": "long"}]`, "0.delay: "},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": 503, "times": -1}]`, "times"},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list", "code": 503, "after": -1}]`, "after"},
	{"PUT /sandbox/faults/", 400, `[{"operation": "call_managing_organisations_list"}]`, "want a code, a delay or disconnect"},
	{"PUT /sandbox/faults/", 400, `[{"code": 503}]`, `0.operation: there is no operation \"\"`},
	{"PUT /sandbox/faults/", 400, `[{"operation": "GET /api/call-managing-organisations/", "code": 503}]`, `0.operation: `},
	{"PUT /sandbox/faults/", 400, `[{"operation": "sandbox_reset", "code": 500}]`, `0.operation: `},
	{"PUT /sandbox/faults/", 400, `{"operation": "call_managing_organisations_list", "code": 503}`, "body: wrong type: object"},
}

// What is wrong is refused, and changes nothing.
func TestBadInput(t *testing.T) {
	clock := &sandbox.Clock{}
	if err := clock.Set(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), 0); err != nil {
		t.Fatal(err)
	}
	b := start(t, clock)
	at := b.now(t)
	for _, test := range badInput {
		t.Run(test.request+" "+test.body, func(t *testing.T) {
			if got := b.send(t, test.request, test.status, test.body).Body; !strings.Contains(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
			if got := b.now(t); got != at {
				t.Errorf("the clock shows %s", got)
			}
			b.send(t, "GET "+list, 200)
		})
	}
	if got := b.send(t, "GET /sandbox/snapshots/", 200).Body; got != "[]\n" {
		t.Errorf("snapshots: %s", got)
	}
}

// Without a sandbox its paths are unknown, and no preference counts.
func TestServerWithoutSandbox(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite)
	handler, err := server.New(server.Config{Store: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range start(t, &sandbox.Clock{}).spec.Paths.Map() {
		for method := range item.Operations() {
			if !strings.HasPrefix(path, "/sandbox/") {
				continue
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(method, strings.ReplaceAll(path, "{name}", "a"), nil))
			if w.Code != 404 || w.Body.String() != `{"detail":"Not found."}`+"\n" {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", list, nil)
	r.Header.Set("Prefer", "code=503")
	handler.ServeHTTP(w, r)
	if w.Code != 401 || w.Header().Get("Preference-Applied") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// Each write of 50 clients is before or after each reset: none is half there, and none is a 500.
func TestResetWhileClientsWrite(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var clients sync.WaitGroup
	for i := range 50 {
		clients.Go(func() {
			target := b.world.Replacer().Replace(list + "{tartu}/")
			for ctx.Err() == nil {
				text := fmt.Sprintf("client %d", i)
				got, err := b.Send(world.Request{
					Method: "PATCH", Target: target, Token: "token-of-sam", Body: world.JSON(`{"description": "` + text + `"}`),
				})
				if err != nil || got.Status != 200 || !strings.Contains(got.Body, `"description":"`+text+`"`) {
					t.Errorf("%v %d %s", err, got.Status, got.Body)
					return
				}
			}
		})
	}
	resets := 0
	for ; ctx.Err() == nil; resets++ {
		if err := b.Reset(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	clients.Wait()
	if err := b.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.description(t); strings.HasPrefix(got, "client") {
		t.Errorf("the description is %q after the last reset", got)
	}
	if resets < 10 {
		t.Errorf("only %d resets", resets)
	}
}

// The schema is openapi.yaml and sandbox.yaml, and what both have is the same.
func TestSchema(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	if err := b.spec.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
	parts := map[string]*openapi3.T{}
	for _, file := range []string{"openapi.yaml", "sandbox.yaml"} {
		part, err := openapi3.NewLoader().LoadFromFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		parts[file] = part
		for path := range part.Paths.Map() {
			if b.spec.Paths.Value(path) == nil {
				t.Errorf("%s: the schema has no %s", file, path)
			}
		}
	}
	same := func(what string, one, other any) {
		a, _ := json.Marshal(one)
		b, _ := json.Marshal(other)
		if string(a) != string(b) {
			t.Errorf("%s: %s and %s", what, a, b)
		}
	}
	for name, schema := range parts["sandbox.yaml"].Components.Schemas {
		if !strings.HasPrefix(name, "Sandbox") {
			same(name, schema, parts["openapi.yaml"].Components.Schemas[name])
		}
	}
	for name, header := range parts["sandbox.yaml"].Components.Headers {
		same(name, header, parts["openapi.yaml"].Components.Headers[name])
	}
	asJSON := b.send(t, "GET /api/schema/?format=json", 200).Body
	fromJSON, err := openapi3.NewLoader().LoadFromData([]byte(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	same("YAML and JSON", b.spec, fromJSON)
}
