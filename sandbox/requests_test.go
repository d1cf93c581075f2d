package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/tests/world"
)

// preferring is a request with headers Prefer, without a token.
func preferring(method, target string, preferences ...string) world.Request {
	return world.Request{Method: method, Target: target, Header: http.Header{"Prefer": preferences}}
}

// Each error that an operation documents can be had, without a token. It changes nothing.
func TestPreferEveryDocumentedError(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	before := b.description(t)
	forced := 0
	for path, item := range b.spec.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				code, _ := strconv.Atoi(status)
				if strings.HasPrefix(path, "/sandbox/") || code < 400 {
					continue
				}
				forced++
				target := strings.NewReplacer("{uuid}", b.world.IDs["tartu"].String(), "{customer_uuid}", b.world.IDs["tartu.customer"].String()).Replace(path)
				got := b.sendAs(t, preferring(method, target, "code="+status), code) // with its documented headers
				if applied := got.Header.Get("Preference-Applied"); applied != "code="+status {
					t.Errorf("%s %s: Preference-Applied is %q", op.OperationID, status, applied)
				}
			}
		}
	}
	if forced < 80 {
		t.Errorf("only %d errors", forced)
	}
	if got := b.description(t); got != before {
		t.Errorf("the description is %q", got)
	}
	for status, want := range map[string]string{
		"503": "Service temporarily unavailable.", "401": "Authentication credentials were not provided.",
		"404": "No CallManagingOrganisation matches the given query.", "400": `"customer":["This field is required."]`,
	} {
		code, _ := strconv.Atoi(status)
		if got := b.sendAs(t, preferring("GET", list, "code="+status), code).Body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", status, got)
		}
	}
}

// Preferences are read as RFC 7240 has it. What is none is ignored, and the log says so.
func TestPreferences(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	for _, test := range []struct {
		headers []string
		status  int
		applied string
		log     string // a part of the warning; "" for none
	}{
		{[]string{"code=503"}, 503, "code=503", ""},
		{[]string{`CODE = "503" ; reason="a, b"`}, 503, "code=503", ""},
		{[]string{"delay=1ms,code=503"}, 503, "delay=1ms, code=503", ""},
		{[]string{"delay=1ms", "code=503"}, 503, "delay=1ms, code=503", ""},
		{[]string{"code=503, code=500"}, 503, "code=503", ""},
		{[]string{"code=503", "code=500"}, 503, "code=503", ""},
		{[]string{"code=abc, code=503"}, 401, "", "abc"},
		{[]string{"code=418"}, 401, "", "418"},
		{[]string{"code=200"}, 401, "", "200"},
		{[]string{"code=405"}, 401, "", "405"},
		{[]string{"code=-503"}, 401, "", "-503"},
		{[]string{"code"}, 401, "", "code"},
		{[]string{`code="503`}, 401, "", "code"},
		{[]string{"delay=1"}, 401, "", "delay"},
		{[]string{"delay=-1s"}, 401, "", "delay"},
		{[]string{"delay=61s"}, 401, "", "delay"},
		{[]string{"disconnect=yes"}, 401, "", "disconnect"},
		{[]string{"respond-async, wait=10, code=503"}, 503, "code=503", "respond-async"},
		{[]string{`foo="code=503, code=500"`}, 401, "", "foo"},
		{[]string{`foo="a\"b, code=500", code=503`}, 503, "code=503", "foo"},
		{[]string{""}, 401, "", ""},
		{[]string{", ,"}, 401, "", ""},
		{nil, 401, "", ""},
	} {
		t.Run(strings.Join(test.headers, " & "), func(t *testing.T) {
			logged := len(b.log.String())
			got := b.sendAs(t, preferring("GET", list, test.headers...), test.status)
			if applied := got.Header.Get("Preference-Applied"); applied != test.applied {
				t.Errorf("Preference-Applied is %q", applied)
			}
			text := b.log.String()[logged:]
			if warned := strings.Contains(text, `"level":"WARN"`); warned != (test.log != "") || !strings.Contains(text, test.log) {
				t.Errorf("the log says %s", text)
			}
		})
	}
	b.sendAs(t, preferring("GET", "/sandbox/clock/", "code=500"), 200) // the sandbox's own operations don't fail
	b.sendAs(t, preferring("GET", "/api/unknown/", "code=503"), 404)
}

// A delay comes before the request is under way, so that no reset waits for it.
func TestDelay(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	began := time.Now()
	b.sendAs(t, preferring("GET", list, "delay=50ms"), 401)
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+list, nil)
		r.Header.Set("Prefer", "delay=30s")
		response, err := b.HTTP.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		gone <- err
	}()
	time.Sleep(20 * time.Millisecond)
	began = time.Now()
	b.send(t, "POST /sandbox/reset/", 204)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the reset waited %v", took)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	for deadline := time.Now().Add(time.Minute); len(b.Requests()) < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server still waits for a client that is gone")
		}
	}
	if got := b.Requests()[2].Status; got != 499 {
		t.Errorf("status %d", got)
	}
}

// A connection ends after the headers of the answer. What was asked for is done all the same.
func TestDisconnect(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	plain := world.NewClient(b.URL).HTTP
	// do returns the status, whether the connection ends, the preferences that count, and how the body ended.
	do := func(method, target, token, prefer, body string) (status int, ends bool, applied string, err error) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, b.URL+b.world.Replacer().Replace(target), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Prefer", prefer)
		r.Header.Set("Authorization", "Token "+token)
		r.Header.Set("Content-Type", "application/json")
		response, err := plain.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if len(content) > 0 {
			t.Errorf("%s %s: a body: %s", method, target, content)
		}
		return response.StatusCode, response.Close, response.Header.Get("Preference-Applied"), err
	}
	for _, test := range []struct {
		method, target, token, prefer, body string
		status                              int
	}{
		{"PATCH", list + "{tartu}/", "token-of-sam", "disconnect", `{"description": "changed"}`, 200},
		{"GET", list, "token-of-sam", "disconnect", "", 200},
		{"GET", list, "token-of-sam", "disconnect, code=503, delay=1ms", "", 503},
		{"GET", list, "wrong", "disconnect", "", 401},
	} {
		status, _, applied, err := do(test.method, test.target, test.token, test.prefer, test.body)
		if status != test.status || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s %s: %d %v", test.method, test.prefer, status, err)
		}
		if applied != test.prefer {
			t.Errorf("Preference-Applied is %q", applied)
		}
	}
	if got := b.description(t); got != "changed" {
		t.Errorf("the description is %q", got)
	}
	// These have no body to come.
	for method, target := range map[string]string{"HEAD": list, "DELETE": list + "{zagreb}/"} {
		status, ends, _, err := do(method, target, "token-of-sam", "disconnect", "")
		if status/100 != 2 || err != nil || !ends {
			t.Errorf("%s: %d %v, the connection ends: %v", method, status, err, ends)
		}
	}
}

// Faults hit the requests that they are for: some pass before, and then as many fail as times says.
func TestFaults(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	statuses := func(n int) (got []int) {
		t.Helper()
		for range n {
			answer, err := b.Send(world.Request{Method: "GET", Target: list, Token: "token-of-sam"})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Header.Get("Preference-Applied") != "" {
				t.Errorf("nothing was preferred: %v", answer.Header)
			}
			got = append(got, answer.Status)
		}
		return got
	}
	for _, test := range []struct {
		faults string
		want   []int
	}{
		{`[{"operation": "call_managing_organisations_list", "code": 503, "times": 2, "after": 1}]`, []int{200, 503, 503, 200}},
		{`[{"operation": "call_managing_organisations_list", "code": 503, "times": 1}, {"operation": "call_managing_organisations_list", "code": 429}]`, []int{503, 429, 429}},
		{`[{"operation": "call_managing_organisations_create", "code": 503}]`, []int{200}},
		{`[{"operation": "call_managing_organisations_list", "delay": "1ms"}]`, []int{200}},
		{`[]`, []int{200, 200}},
	} {
		b.send(t, "PUT /sandbox/faults/", 204, test.faults)
		if got := statuses(len(test.want)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.faults, got, test.want)
		}
	}
	for _, code := range []int{429, 500} {
		if err := b.SetFaults(true, sandbox.Fault{Operation: "call_managing_organisations_list", Code: code, Times: 1}); err != nil {
			t.Fatal(err)
		}
	}
	b.sendAs(t, preferring("GET", list, "code=503"), 503) // which no fault is used up for
	if got := statuses(3); !slices.Equal(got, []int{429, 500, 200}) {
		t.Errorf("%v", got)
	}
	if err := b.SetFaults(true, sandbox.Fault{Operation: "call_managing_organisations_list", Code: 418, Times: 1}); err == nil {
		t.Error("an undocumented status was taken")
	}
	b.send(t, "PUT /sandbox/faults/", 204, `[{"operation": "call_managing_organisations_list", "disconnect": true}]`)
	if _, err := b.Send(world.Request{Method: "GET", Target: list, Token: "token-of-sam"}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
}

// A test sees what its client sent, and whether that was right.
func TestRequests(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	sam := b.world.IDs["sam"].String()
	tartu := list + b.world.IDs["tartu"].String() + "/"
	b.send(t, "GET "+list+"?page_size=1&o=customer_name", 200)
	b.send(t, "GET "+list+"?page_size=x", 400)
	b.send(t, "PATCH "+list+"{tartu}/", 200, `{"description": "changed"}`)
	b.send(t, "PATCH "+list+"{tartu}/", 400, `{"description": 5}`)
	b.send(t, "GET "+list+"{tartu.customer}/", 404) // of no organisation
	b.send(t, "GET "+list+"none/", 404)
	b.send(t, "GET /api/unknown/", 404)
	b.send(t, "DELETE "+list, 405)
	b.sendAs(t, preferring("POST", list), 401)
	b.sendAs(t, preferring("POST", list, "code=400"), 400)
	b.send(t, "GET /sandbox/clock/", 200)
	for _, target := range []string{"/healthz", "/readyz"} {
		b.send(t, "GET "+target, 200)
	}
	want := []sandbox.Request{
		{Method: "GET", Path: "/api/schema/", Query: "format=yaml", Status: 200, Validation: "unchecked"},
		{Method: "GET", Path: list, Query: "page_size=1&o=customer_name", Status: 200, OperationID: "call_managing_organisations_list", User: sam, Validation: "valid"},
		{Method: "GET", Path: list, Query: "page_size=x", Status: 400, OperationID: "call_managing_organisations_list", User: sam, Validation: "invalid"},
		{Method: "PATCH", Path: tartu, Status: 200, OperationID: "call_managing_organisations_partial_update", User: sam, Validation: "valid", Body: `{"description": "changed"}`},
		{Method: "PATCH", Path: tartu, Status: 400, OperationID: "call_managing_organisations_partial_update", User: sam, Validation: "invalid", Body: `{"description": 5}`},
		{Method: "GET", Path: list + b.world.IDs["tartu.customer"].String() + "/", Status: 404, OperationID: "call_managing_organisations_retrieve", User: sam, Validation: "valid"},
		{Method: "GET", Path: list + "none/", Status: 404, OperationID: "call_managing_organisations_retrieve", User: sam, Validation: "invalid"},
		{Method: "GET", Path: "/api/unknown/", Status: 404, Validation: "invalid"},
		{Method: "DELETE", Path: list, Status: 405, Validation: "invalid"},
		{Method: "POST", Path: list, Status: 401, OperationID: "call_managing_organisations_create", Validation: "unchecked"},
		{Method: "POST", Path: list, Status: 400, OperationID: "call_managing_organisations_create", Validation: "unchecked"},
	}
	got := b.Requests()
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("request %d:\ngot  %+v\nwant %+v", i, at(got, i), at(want, i))
		}
	}
	listed := b.send(t, "GET /sandbox/requests/", 200).Body
	if n := strings.Count(listed, `"method"`); n != len(want) || !strings.Contains(listed, `"operationId":"call_managing_organisations_create"`) {
		t.Errorf("%d requests: %s", n, listed)
	}
	b.send(t, "DELETE /sandbox/requests/", 204)
	if got := b.send(t, "GET /sandbox/requests/", 200).Body; got != "[]\n" {
		t.Errorf("after they were deleted: %s", got)
	}
}

func at(list []sandbox.Request, i int) any {
	if i < len(list) {
		return list[i]
	}
	return "none"
}

// The last 1,000 requests are kept, of each up to 64 KiB of its body.
func TestRequestsAreBounded(t *testing.T) {
	b := start(t, &sandbox.Clock{})
	for i := range 1001 {
		b.send(t, fmt.Sprintf("GET /api/unknown/?%d", i), 404)
	}
	got := b.Requests()
	if len(got) != 1000 || got[0].Query != "1" || got[999].Query != "1000" {
		t.Errorf("%d requests from %v to %v", len(got), got[0], got[len(got)-1])
	}
	long := `{"other": "` + strings.Repeat("x", 100_000) + `", "description": "long"}`
	b.send(t, "PATCH "+list+"{tartu}/", 200, long)
	if body := b.Requests()[999].Body; body != long[:64<<10] {
		t.Errorf("%d bytes of the body", len(body))
	}
	if got := b.description(t); got != "long" {
		t.Errorf("the description is %q", got)
	}
}
