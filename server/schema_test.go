package server_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store/storetest"
)

// plainly is for routes that openapi.yaml doesn't define.
func plainly(s *setup) { s.plain = true }

func TestSchemaFormats(t *testing.T) {
	json, err := gen.GetSpecJSON()
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{
		"application/yaml": string(opencalls.OpenAPI),
		"application/json": string(json),
		"":                 `{"detail":"Not found."}` + "\n",
	}
	a := start(t, storetest.SQLite, plainly)
	if checkCached(t, a, "/api/schema/").Header.Get("ETag") == checkCached(t, a, "/api/schema/?format=json").Header.Get("ETag") {
		t.Error("both formats have the same ETag")
	}
	for _, test := range []struct {
		query, accept string
		want          string // the media type; "" is 404
	}{
		{"", "", "application/yaml"},
		{"", "*/*", "application/yaml"},
		{"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/yaml"},
		{"", "application/json", "application/json"},
		{"", "APPLICATION/JSON; charset=utf-8", "application/json"},
		{"", "*/*, application/json", "application/json"},
		{"", "application/vnd.oai.openapi+json", "application/json"},
		{"", "application/vnd.oai.openapi", "application/yaml"},
		{"", "application/json, application/yaml", "application/yaml"},
		{"?format=json", "", "application/json"},
		{"?format=yaml", "application/json", "application/yaml"},
		{"?format=json", "application/yaml", "application/json"},
		{"?format=json&format=yaml", "", "application/yaml"},
		{"?other=json", "", "application/yaml"},
		{"?format=xml", "", ""},
		{"?format=JSON", "", ""},
		{"?format=", "", ""},
		{"?format=yaml&format=xml", "application/json", ""},
	} {
		got := a.send(t, request{Method: "GET", Target: "/api/schema/" + test.query, Header: http.Header{"Accept": {test.accept}}})
		status, mediaType := http.StatusOK, test.want
		if test.want == "" {
			status, mediaType = http.StatusNotFound, "application/json"
		}
		if got.Status != status || got.Header.Get("Content-Type") != mediaType || got.Body != bodies[test.want] || got.Header.Get("Vary") != "Accept" {
			t.Errorf("%s, Accept %q: %d %v, %d bytes", test.query, test.accept, got.Status, got.Header, len(got.Body))
		}
	}
}

// checkCached checks what holds for every file that the binary carries, and returns it.
func checkCached(t *testing.T, a *app, target string) answer {
	t.Helper()
	got := a.send(t, request{Method: "GET", Target: target})
	etag := got.Header.Get("ETag")
	if got.Status != http.StatusOK || got.Body == "" || etag == "" {
		t.Fatalf("%s: %d, %d bytes, ETag %q", target, got.Status, len(got.Body), etag)
	}
	if got.Header.Get("Cache-Control") != "no-cache" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: %v", target, got.Header)
	}
	for _, have := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		same := a.send(t, request{Method: "GET", Target: target, Header: http.Header{"If-None-Match": {have}}})
		if same.Status != http.StatusNotModified || same.Body != "" || same.Header.Get("ETag") != etag || same.Header.Get("Vary") != got.Header.Get("Vary") {
			t.Errorf("%s, If-None-Match %s: %d %v", target, have, same.Status, same.Header)
		}
	}
	for _, r := range []request{
		{Method: "GET", Target: target, Header: http.Header{"If-None-Match": {`"other"`}}},
		{Method: "GET", Target: target, Header: http.Header{"Range": {"bytes=999999999-"}}},
		{Method: "HEAD", Target: target},
	} {
		again := a.send(t, r)
		body := got.Body
		if r.Method == http.MethodHead {
			body = ""
		}
		for _, header := range []http.Header{again.Header, got.Header} {
			header.Del("Date")
		}
		if again.Status != http.StatusOK || again.Body != body || !cmp.Equal(again.Header, got.Header) {
			t.Errorf("%s %v: %d, %d bytes\n%s", r.Method, r.Header, again.Status, len(again.Body), cmp.Diff(got.Header, again.Header))
		}
	}
	return got
}
