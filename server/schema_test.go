package server_test

import (
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
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
		"application/yaml":                 string(opencalls.OpenAPI),
		"application/vnd.oai.openapi":      string(opencalls.OpenAPI),
		"application/json":                 string(json),
		"application/vnd.oai.openapi+json": string(json),
	}
	const notAcceptable = `{"detail":"Could not satisfy the request Accept header."}` + "\n"
	a := start(t, storetest.SQLite, plainly)
	for _, test := range []struct {
		query  string
		accept []string
		want   string // the media type; "" is 406, "404" is that
	}{
		{"", nil, "application/yaml"},
		{"", []string{""}, "application/yaml"},
		{"", []string{"*/*"}, "application/yaml"},
		{"", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "application/yaml"},
		{"", []string{"application/json"}, "application/json"},
		{"", []string{"APPLICATION/JSON; charset=utf-8"}, "application/json"},
		{"", []string{"application/json, */*"}, "application/json"},
		{"", []string{"application/json, */*;q=0.5"}, "application/json"},
		{"", []string{"*/*, application/json"}, "application/json"},
		{"", []string{"application/json;q=0.5, application/yaml"}, "application/yaml"},
		{"", []string{"application/json;q=0.9, application/yaml;q=0.8"}, "application/json"},
		{"", []string{"application/json;q=0.8", "application/vnd.oai.openapi+json"}, "application/vnd.oai.openapi+json"},
		{"", []string{"application/vnd.oai.openapi"}, "application/vnd.oai.openapi"},
		{"", []string{"application/yaml, application/json"}, "application/yaml"},
		{"", []string{"application/json, application/yaml"}, "application/yaml"},
		{"", []string{"application/*"}, "application/yaml"},
		{"", []string{"application/*;q=0.1, application/json;q=0"}, "application/yaml"},
		{"", []string{"application/yaml;q=0, application/vnd.oai.openapi;q=0, */*"}, "application/json"},
		{"", []string{"application/json;q=2, nonsense, ;;, application/json;q=nan, application/vnd.oai.openapi;q=0.1"}, "application/vnd.oai.openapi"},
		{"", []string{"text/html"}, ""},
		{"", []string{"nonsense;;"}, ""},
		{"", []string{"application/json;q=0"}, ""},
		{"?format=json", nil, "application/json"},
		{"?format=yaml", []string{"application/json"}, "application/yaml"},
		{"?format=json", []string{"application/yaml"}, "application/json"},
		{"?format=json", []string{"text/html"}, "application/json"},
		{"?format=json&format=yaml", nil, "application/yaml"},
		{"?other=json", nil, "application/yaml"},
		{"?format=xml", nil, "404"},
		{"?format=JSON", nil, "404"},
		{"?format=", nil, "404"},
		{"?format=yaml&format=xml", []string{"application/json"}, "404"},
	} {
		got := a.send(t, request{method: "GET", target: "/api/schema/" + test.query, header: http.Header{"Accept": test.accept}})
		status, mediaType, body := http.StatusOK, test.want, bodies[test.want]
		switch test.want {
		case "":
			status, mediaType, body = http.StatusNotAcceptable, "application/json", notAcceptable
		case "404":
			status, mediaType, body = http.StatusNotFound, "application/json", `{"detail":"Not found."}`+"\n"
		}
		if got.status != status || got.header.Get("Content-Type") != mediaType || got.body != body {
			t.Errorf("%s, Accept %q: %d %s, %d bytes; want %d %s, %d bytes", test.query, test.accept,
				got.status, got.header.Get("Content-Type"), len(got.body), status, mediaType, len(body))
		}
		if got.header.Get("Vary") != "Accept" {
			t.Errorf("%s, Accept %q: Vary %q", test.query, test.accept, got.header.Get("Vary"))
		}
	}
}

// A client that reads the JSON gets the same document.
func TestSchemaFormatsAgree(t *testing.T) {
	a := start(t, storetest.SQLite, plainly)
	var documents []string
	for _, format := range []string{"yaml", "json"} {
		got := a.send(t, request{method: "GET", target: "/api/schema/?format=" + format})
		document, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := document.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(text))
	}
	if diff := cmp.Diff(documents[0], documents[1]); diff != "" {
		t.Error(diff)
	}
}

func TestSchemaRequests(t *testing.T) {
	a := start(t, storetest.SQLite, plainly)
	yaml := checkCached(t, a, "/api/schema/")
	json := checkCached(t, a, "/api/schema/?format=json")
	if yaml.header.Get("ETag") == json.header.Get("ETag") {
		t.Error("both formats have the same ETag")
	}
	got := a.send(t, request{method: "GET", target: "/api/schema?format=json"})
	if got.status != http.StatusMovedPermanently || got.header.Get("Location") != "/api/schema/?format=json" {
		t.Errorf("without its slash: %d to %q", got.status, got.header.Get("Location"))
	}
	got = a.send(t, request{method: "POST", target: "/api/schema/"})
	if got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.status)
	}
	got = a.send(t, request{method: "HEAD", target: "/api/schema/", header: http.Header{"Accept": {"text/html"}}})
	if got.status != http.StatusNotAcceptable || got.body != "" {
		t.Errorf("HEAD: %d %q", got.status, got.body)
	}
}

// checkCached checks what holds for every file that the binary carries, and returns it.
func checkCached(t *testing.T, a *app, target string) answer {
	t.Helper()
	got := a.send(t, request{method: "GET", target: target})
	etag := got.header.Get("ETag")
	if got.status != http.StatusOK || got.body == "" || etag == "" {
		t.Fatalf("%s: %d, %d bytes, ETag %q", target, got.status, len(got.body), etag)
	}
	if got.header.Get("Cache-Control") != "no-cache" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: %v", target, got.header)
	}
	for _, have := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		same := a.send(t, request{method: "GET", target: target, header: http.Header{"If-None-Match": {have}}})
		if same.status != http.StatusNotModified || same.body != "" || same.header.Get("ETag") != etag || same.header.Get("Vary") != got.header.Get("Vary") {
			t.Errorf("%s, If-None-Match %s: %d %v", target, have, same.status, same.header)
		}
	}
	for _, r := range []request{
		{method: "GET", target: target, header: http.Header{"If-None-Match": {`"other"`}}},
		{method: "GET", target: target, header: http.Header{"Range": {"bytes=999999999-"}}},
		{method: "HEAD", target: target},
	} {
		again := a.send(t, r)
		body := got.body
		if r.method == http.MethodHead {
			body = ""
		}
		for _, header := range []http.Header{again.header, got.header} {
			header.Del("Date")
		}
		if again.status != http.StatusOK || again.body != body || !cmp.Equal(again.header, got.header) {
			t.Errorf("%s %v: %d, %d bytes\n%s", r.method, r.header, again.status, len(again.body), cmp.Diff(got.header, again.header))
		}
	}
	return got
}
