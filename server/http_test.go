package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// Without --public-url the URLs of answers are those that the request was sent to.
func TestOriginOfURLs(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.PublicURL = "" })
	request := "GET " + base + " HTTP/1.0\r\nAuthorization: Token token-of-sam\r\n\r\n"
	if got := raw(t, stage.app, request); !strings.Contains(got, `[{"url":"`+stage.url+base) {
		t.Errorf("without a Host header:\n%s", got)
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

// raw sends bytes, and then those of later, and returns what comes back, byte for byte.
func raw(t *testing.T, a *app, request string, later ...func() string) string {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	write := func(content string) {
		if _, err := io.WriteString(connection, content); err != nil {
			t.Fatal(err)
		}
	}
	write(request)
	for _, next := range later {
		write(next())
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
