package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var injections = []string{
	`'`, `"`, `' OR '1'='1`, `' OR 1=1 --`, `'; DROP TABLE users; --`, `' UNION SELECT digest FROM tokens --`,
	`\'; DELETE FROM tokens; --`, `1; SELECT pg_sleep(10)`, `$1`, `?`, `%' OR '1' LIKE '%`, `{{7*7}}`, "`id`", `created, (SELECT 1)`, `-created; --`,
}

// freeTexts are the fields of bodies that keep any text.
var freeTexts = []string{"abbreviation", "description", "first_name", "last_name", "name", "native_name"}

// SQL in any parameter or field of the contract is text: nothing fails, changes or shows more.
func TestSQLInjection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		try := func(r request) {
			t.Helper()
			got := stage.send(t, r)
			stage.log.take()
			if got.Status >= 500 || strings.Contains(got.Body, "SQL") || strings.Contains(got.Body, "syntax") {
				t.Errorf("%s %s %s: status %d %s", r.Method, r.Target, r.Body.Content, got.Status, got.Body)
			}
			quote := strings.HasSuffix(r.Target, "=%27") || strings.HasSuffix(r.Target, "=%22") // in O'Brien's name
			if got.Status == 200 && r.Method == "GET" && strings.Contains(r.Target, "=") && got.Body != "[]\n" && !quote {
				t.Errorf("%s shows %s", r.Target, got.Body)
			}
		}
		for _, op := range operations {
			if op.OperationID == "api_auth_logout" { // reads nothing but the token, and revokes it
				continue
			}
			target := stage.request(op.example()).Target
			for _, sql := range injections {
				try(request{Method: op.method, Target: op.target(url.PathEscape(sql)), Token: "token-of-sam"})
				try(request{Method: op.method, Target: target, Token: "x" + url.PathEscape(sql)})
				for _, parameter := range op.Parameters {
					if parameter.Value.In == "query" {
						try(request{Method: op.method, Target: target + "?" + parameter.Value.Name + "=" + url.QueryEscape(sql), Token: "token-of-sam"})
					}
				}
				if op.RequestBody == nil {
					continue
				}
				for mediaType, content := range op.RequestBody.Value.Content {
					for field := range content.Schema.Value.Properties {
						if !slices.Contains(freeTexts, field) {
							try(request{Method: op.method, Target: target, Token: "token-of-sam", Body: encodeBody(t, mediaType, map[string]any{field: sql})})
						}
					}
				}
			}
		}
		if diff := stage.changes(t); diff != "" {
			t.Errorf("the database changed:\n%s", diff)
		}
		// What is written is kept as it is: a field, and the request's id, which audit events have. Nobody
		// keeps a file's name.
		for _, sql := range injections {
			id := strings.ReplaceAll(sql, " ", "/**/")
			image := "Content-Disposition: form-data; name=\"image\"; filename=\"" + strings.ReplaceAll(sql, `"`, `\"`) + "\""
			got := stage.send(t, request{
				Method: "PATCH", Target: stage.names.Replace("…/{tartu}/"), Token: "token-of-sam", Header: http.Header{"X-Request-Id": {id}},
				Body: parts(text("description", sql), part{Header: image, Content: pngFile}),
			})
			var answer struct{ Description string }
			if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != 200 || answer.Description != sql || got.Header.Get("X-Request-ID") != id {
				t.Errorf("%q: %d %s", sql, got.Status, got.Body)
			}
			var kept int
			if err := stage.sql.QueryRow("SELECT count(*) FROM audit_events WHERE request_id = $1", id).Scan(&kept); err != nil || kept != 1 {
				t.Errorf("%q: %d events: %v", id, kept, err)
			}
		}
	})
}

// An image that is something else too is served as the image that it is, whatever its name.
func TestPolyglotImages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		const html = `<html><script>alert(1)</script><svg onload="alert(1)"></html>`
		for content, mediaType := range map[string]string{
			pngFile + html: "image/png", gifFile + "*/=1;alert(1)": "image/gif", jpegFile + svgFile: "image/jpeg", webpFile + html: "image/webp",
		} {
			for _, name := range []string{"x.html", "../../../etc/passwd", `..\..\x.svg`, "x.png\x00.html", "/etc/cron.d/x", "x.js"} {
				header := "Content-Disposition: form-data; name=\"image\"; filename=\"" + name + "\"\r\nContent-Type: text/html"
				got := stage.send(t, request{Method: "PATCH", Target: stage.names.Replace("…/{tartu}/"), Token: "token-of-sam", Body: parts(part{Header: header, Content: content})})
				var answer struct{ Image string }
				if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != 200 {
					if got.Status != 400 || !strings.Contains(name, "\x00") {
						t.Errorf("%q: %d %s", name, got.Status, got.Body)
					}
					continue
				}
				served := stage.send(t, request{Method: "GET", Target: strings.TrimPrefix(answer.Image, publicURL)})
				if served.Body != content || served.Header.Get("Content-Type") != mediaType || served.Header.Get("X-Content-Type-Options") != "nosniff" ||
					served.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
					t.Errorf("%q: %d %v", name, served.Status, served.Header)
				}
			}
		}
	})
}

// Nothing that a client sends ends a header of the answer and begins another.
func TestHeaderInjection(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.plain = true })
	for _, target := range []string{"…/?customer_keyword=%0d%0aX-Evil:%201", "…/?x=%0d%0aX-Evil:%201", "…?%0d%0aX-Evil:%201", "…/%0d%0aX-Evil:%201/", "/api/media/%0d%0aX-Evil:%201/", "…/{tartu}/list_users?a=%0aX-Evil:1"} {
		path := strings.Replace(stage.names.Replace(target), "…", strings.TrimSuffix(base, "/"), 1)
		got := stage.send(t, request{Method: "GET", Target: path, Token: "token-of-sam"})
		if got.Header.Get("X-Evil") != "" || strings.ContainsAny(fmt.Sprint(got.Header), "\r\n") {
			t.Errorf("%s: %v", target, got.Header)
		}
	}
	// Nor does a redirect lead to another host.
	for _, target := range []string{"//evil.example" + base, `/\evil.example` + base, "http://evil.example" + base, "//evil.example/%2e%2e" + base, base + "/evil.example"} {
		got := raw(t, stage.app, "GET "+strings.TrimSuffix(target, "/")+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if _, location, found := strings.Cut(got, "\r\nLocation: "); found && !strings.HasPrefix(location, base) {
			t.Errorf("%s:\n%s", target, got)
		}
	}
}

// Tokens reach the database as digests alone, are kept as such, and are in no log or answer,
// whatever becomes of the request.
func TestTokensStaySecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		var statements storetest.Statements
		var clock clockHook
		stage := newStage(t, engine, clock.use, func(s *setup) { s.store = append(s.store, statements.Use) })
		var answers strings.Builder
		send := func() {
			for _, op := range operations {
				for _, token := range []string{"token-of-sam", "token-of-ines", "expired-token-of-bob", "token-of-nobody"} {
					got := stage.send(t, request{Method: op.method, Target: stage.names.Replace(op.target("{percent}")), Token: token, Body: body{MediaType: "application/json", Content: "{}"}})
					if op.OperationID != "users_me_retrieve" && op.OperationID != "users_list" { // which show one's own token
						fmt.Fprint(&answers, got.Header, got.Body)
					}
				}
			}
		}
		send()
		noClock := func() { panic("no clock") } // to see whether a token has ended
		clock.Store(&noClock)
		send()
		clock.Store(nil)
		dump := fmt.Sprint(storetest.Dump(t, stage.sql))
		if err := stage.store.Close(); err != nil {
			t.Fatal(err)
		}
		send()
		log, sent := stage.log.take(), fmt.Sprint(statements.WithArguments())
		if digest := store.Digest("token-of-sam"); !strings.Contains(sent, digest) {
			t.Errorf("the digest %s is in no statement", digest)
		}
		for _, fault := range []string{"panic: no clock", "closed"} {
			if !strings.Contains(log, fault) {
				t.Errorf("the log says nothing of %q", fault)
			}
		}
		secrets := regexp.MustCompile(`token-of-(sam|ines|bob|nobody)|postgres(ql)?://|\.db\b|pgx|sqlite3`)
		for name, text := range map[string]string{"statements": sent, "answers": answers.String(), "database": dump, "log": log} {
			if found := secrets.FindString(text); found != "" {
				t.Errorf("%s hold %q", name, found)
			}
		}
	})
}
