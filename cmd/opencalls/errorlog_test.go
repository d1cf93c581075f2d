package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// Where no more files can be opened, the log says why nobody gets in, and with files again everybody
// does.
func TestTooManyOpenFiles(t *testing.T) {
	const files = 64
	p := process{programtest.StartBy(t, []string{"/bin/sh", "-c", `ulimit -n 64 && exec "$0" "$@"`},
		"--listen=127.0.0.1:0", "--demo", "--database-url=sqlite::memory:")}
	p.serves(t)
	connections := make([]net.Conn, files)
	for i := range connections {
		connections[i] = p.dial(t, "")
	}
	programtest.Within(t, "the log says that there are too many", func() bool { return strings.Contains(p.Log.String(), "too many open files") })
	for _, connection := range connections {
		if err := connection.Close(); err != nil {
			t.Fatal(err)
		}
	}
	http.DefaultClient.CloseIdleConnections() // of the one that got in before
	p.serves(t)
	p.Stop(t)
	for line := range strings.Lines(p.Log.String()) {
		if !strings.Contains(line, `"level":"INFO"`) && (!strings.Contains(line, `"level":"WARN","msg":"no connection can be accepted"`) || !strings.Contains(line, "too many open files") || strings.Contains(line, "retrying")) {
			t.Errorf("logged: %s", line)
		}
	}
}

// Of what the HTTP library says only what an operator has to know reaches the log, and no flood of it.
func TestErrorLog(t *testing.T) {
	var logged programtest.Output
	log := errorLog(slog.New(slog.NewTextHandler(&logged, nil)))
	log.Print("http: TLS handshake error from 127.0.0.1:1: EOF")
	log.Print("http2: server connection error from 127.0.0.1:1: connection error: PROTOCOL_ERROR")
	log.Print("timeout waiting for SETTINGS frames from 127.0.0.1:1")
	if logged.String() != "" {
		t.Errorf("logged: %s", logged.String())
	}
	for range 10_000 {
		log.Print("http: Accept error: accept tcp: too many open files; retrying in 5ms")
	}
	if n := strings.Count(logged.String(), "\n"); n < 1 || n > 1000 {
		t.Errorf("%d lines", n)
	}
	for version, says := range map[int][]string{1: {"out of the blue", "superfluous response.WriteHeader"}, 2: {"out of the blue"}} {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			var logged programtest.Output
			web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/twice" {
					panic("out of the blue")
				}
				w.WriteHeader(http.StatusOK)
				w.WriteHeader(http.StatusOK)
			}))
			web.Config.ErrorLog = errorLog(slog.New(slog.NewTextHandler(&logged, nil)))
			web.EnableHTTP2 = version == 2
			web.StartTLS()
			defer web.Close()
			if response, err := web.Client().Get(web.URL); err == nil {
				_ = response.Body.Close()
				t.Errorf("status %d", response.StatusCode)
			}
			response, err := web.Client().Get(web.URL + "/twice")
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.ProtoMajor != version {
				t.Errorf("answered by HTTP/%d", response.ProtoMajor)
			}
			for _, text := range says { // maybe after the client has seen it
				programtest.Within(t, "the log says "+text, func() bool { return strings.Contains(logged.String(), text) })
			}
			if n := strings.Count(logged.String(), "level=ERROR"); n != len(says) {
				t.Errorf("%d errors: %s", n, logged.String())
			}
		})
	}
}
