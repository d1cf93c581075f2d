package server_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// Without --public-url the URLs of answers are those that the request was sent to.
func TestOriginOfURLs(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.PublicURL = "" })
	request := stage.names.Replace("GET …/{tartu}/ HTTP/1.1\r\nHost: calls.example.org:81\r\nX-Forwarded-Host: evil.example.org\r\nX-Forwarded-Proto: https\r\n" +
		"Authorization: Token token-of-sam\r\nConnection: close\r\n\r\n")
	want := strings.ReplaceAll(stage.names.Replace(organisation["tartu"]), publicURL, "http://calls.example.org:81")
	if got := raw(t, stage.app, request); !strings.HasSuffix(got, "\r\n\r\n"+want+"\n") {
		t.Errorf("by the Host header:\n%s\nwant\n%s", got, want)
	}
	request = stage.names.Replace("GET …/{tartu}/ HTTP/1.0\r\nAuthorization: Token token-of-sam\r\n\r\n")
	want = strings.ReplaceAll(stage.names.Replace(organisation["tartu"]), publicURL, stage.url)
	if got := raw(t, stage.app, request); !strings.HasSuffix(got, "\r\n\r\n"+want+"\n") {
		t.Errorf("without a Host header:\n%s\nwant\n%s", got, want)
	}
	request = "GET " + base + "?page_size=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Token token-of-sam\r\nConnection: close\r\n\r\n"
	link := "Link: <http://x/api/call-managing-organisations/?page_size=1>; rel=\"first\", "
	if got := raw(t, stage.app, request); !strings.Contains(got, link) {
		t.Errorf("the links of\n%s\ndo not begin with %s", got, link)
	}

	handler, err := server.New(server.Config{Store: stage.store, Now: stage.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "https://calls.example.org"+base, nil)
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("Authorization", "Token token-of-sam")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if got := recorder.Body.String(); !strings.HasPrefix(got, `[{"url":"https://calls.example.org/api/`) {
		t.Errorf("over TLS: %.100s", got)
	}
}

// A body whose chunks are none is a 400, and nothing of it counts.
func TestBodyInBrokenChunks(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	head := stage.names.Replace("PATCH …/{tartu}/ HTTP/1.1\r\nHost: x\r\nAuthorization: Token token-of-sam\r\nConnection: close\r\n" +
		"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, chunks := range []string{"zz\r\n", "15\r\n{\"description\":\"new\"}!!", "15\r\n{\"description\":\"new\"}\r\n-1\r\n"} {
		got := raw(t, stage.app, head+chunks)
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.HasSuffix(got, "\r\n\r\n{\"detail\":\"Malformed request: the body could not be read.\"}\n") {
			t.Errorf("%q:\n%s", chunks, got)
		}
		stage.checkChanges(t, scenario{})
		if line := stage.log.one(t); line.Level != "INFO" || line.Status != 400 {
			t.Errorf("%q: the log says %+v", chunks, line)
		}
	}
}

// raw sends bytes and returns what comes back, byte for byte.
func raw(t *testing.T, a *app, request string) string {
	t.Helper()
	address, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), refusedByLibrary) {
		<-a.handled
	}
	return string(content)
}

// refusedByLibrary is in the answer to what Go's HTTP library does not let through to the server.
const refusedByLibrary = "\r\n\r\n400 Bad Request"

// An answer to HEAD has no byte of a body, not even one that an HTTP library would hide.
func TestHeadHasNoBody(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, target := range []string{"…/", "…/?o=x", "…/?page=0", "…/{tartu}/list_users/", "…/abc/list_users/", "…/{tartu}/stats/", "/nothing", "/healthz", "/api/media/{tartu.image}/"} {
		request := "HEAD " + stage.names.Replace(target) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Token token-of-sam\r\nConnection: close\r\n\r\n"
		if got := raw(t, stage.app, request); !strings.HasSuffix(got, "\r\n\r\n") || strings.Count(got, "\r\n\r\n") != 1 {
			t.Errorf("HEAD %s:\n%s", target, got)
		}
	}
}

// A request's own id is taken over where a log can hold it, else it gets one.
func TestRequestID(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, test := range []struct{ sent, want string }{
		{"", requestID},
		{"a", "a"},
		{"trace/1:2#3~!", "trace/1:2#3~!"},
		{strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{strings.Repeat("x", 129), requestID},
		{"two words", requestID},
		{"tökén", requestID},
		{"a\tb", requestID},
	} {
		header := http.Header{}
		if test.sent != "" {
			header.Set("X-Request-ID", test.sent)
		}
		got := stage.send(t, request{Method: "GET", Target: base, Header: header, Token: "token-of-sam"})
		if id := got.Header.Get("X-Request-ID"); id != test.want {
			t.Errorf("%q: X-Request-ID is %q", test.sent, id)
		}
		if line := stage.log.one(t); line.RequestID != test.want || line.User != names["sam"].String() {
			t.Errorf("%q: the log says %+v", test.sent, line)
		}
	}
	got := stage.send(t, request{Method: "DELETE", Target: stage.names.Replace("…/{zagreb}/"), Header: http.Header{"X-Request-Id": {"my-request"}}, Token: "token-of-olev"})
	if got.Status != 204 {
		t.Fatalf("status %d %s", got.Status, got.Body)
	}
	event := "SELECT count(*) FROM audit_events WHERE action = 'call_managing_organisation.delete' AND object_uuid = '" + names["zagreb"].String() +
		"' AND request_id = 'my-request' AND actor_uuid = '" + names["olev"].String() + "'"
	if storetest.Count(t, stage.sql, event) != 1 {
		t.Error("no audit event tells who deleted it with which request")
	}
}

// An image is served as it was sent, with headers that keep it an image.
func TestImage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		upload := request{Method: "PATCH", Target: stage.names.Replace("…/{zagreb}/"), Token: "token-of-sam", Body: parts(file("image", "a.svg", "image/svg+xml", pngFile))}
		if got := stage.send(t, upload); got.Status != 200 {
			t.Fatal(got)
		}
		sum := sha256.Sum256([]byte(pngFile))
		etag := `"` + hex.EncodeToString(sum[:]) + `"`
		for _, test := range []struct {
			name, method, header, value string
			status                      int
			body                        string
		}{
			{"whole", "GET", "", "", 200, pngFile},
			{"HEAD", "HEAD", "", "", 200, ""},
			{"known", "GET", "If-None-Match", etag, 304, ""},
			{"another", "GET", "If-None-Match", `"x"`, 200, pngFile},
		} {
			header := http.Header{}
			if test.header != "" {
				header.Set(test.header, test.value)
			}
			got := stage.send(t, request{Method: test.method, Target: newMedia, Header: header})
			if got.Status != test.status || got.Body != test.body || got.Header.Get("ETag") != etag || got.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
				got.Header.Get("X-Content-Type-Options") != "nosniff" || test.status == 200 && got.Header.Get("Content-Type") != "image/png" {
				t.Errorf("%s: %d %v", test.name, got.Status, got.Header)
			}
		}
		// What replaces it removes it, and so does the organisation's end.
		countImages := func() int { return storetest.Count(t, stage.sql, "SELECT count(*) FROM images") }
		with := countImages()
		upload.Body = parts(file("image", "a", "", gifFile))
		if got := stage.send(t, upload); got.Status != 200 || countImages() != with {
			t.Errorf("replaced: %d, %d images", got.Status, countImages())
		}
		if got := stage.send(t, request{Method: "DELETE", Target: upload.Target, Token: "token-of-sam"}); got.Status != 204 || countImages() != with-1 {
			t.Errorf("deleted: %d, %d images", got.Status, countImages())
		}
	})
}

// The limits of images are the configuration's.
func TestImageLimits(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.Images.MaxBytes, s.server.Images.MaxPixels = int64(len(pngFile)), 3 })
	for content, want := range map[string]string{
		pngFile:       "Ensure this image has no more than 3 pixels.",
		pngFile + "x": fmt.Sprintf("Ensure this file is no larger than %d bytes.", len(pngFile)),
	} {
		stage.play(t, scenario{request: "PATCH …/{tartu}/", body: parts(file("image", "a", "", content)), status: 400, want: fmt.Sprintf(`{"image":[%q]}`, want)})
	}
}

// Each page is reached by the links of the one before, and every row is on one page.
func TestLinksLeadThroughAllPages(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, start := range []string{"…/?page_size=1", "…/{tartu}/list_users/?page_size=1&o=-role,username&search_string=%25&search_string="} {
		var seen []string
		for target := stage.names.Replace(start); target != ""; {
			got := stage.send(t, request{Method: "GET", Target: target, Token: "token-of-sam"})
			seen = append(seen, strings.TrimSpace(got.Body))
			target = ""
			for link := range strings.SplitSeq(got.Header.Get("Link"), ",") { // as the clients split it
				if link, next := strings.CutSuffix(strings.TrimSpace(link), `>; rel="next"`); next {
					target = strings.TrimPrefix(link, "<"+publicURL)
				}
			}
		}
		whole := stage.send(t, request{Method: "GET", Target: strings.Replace(stage.names.Replace(start), "page_size=1", "page_size=300", 1), Token: "token-of-sam"})
		joined := strings.ReplaceAll("["+strings.Join(seen, ",")+"]", "],[", ",")
		if diff := gocmp.Diff(strings.TrimSpace(whole.Body), strings.TrimSuffix(strings.TrimPrefix(joined, "["), "]")); diff != "" {
			t.Errorf("%s:\n%s", start, diff)
		}
	}
}
