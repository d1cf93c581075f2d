package main

import (
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
	log.Print("http: response.WriteHeader on hijacked connection")
	if logged.String() != "" {
		t.Errorf("logged: %s", logged.String())
	}
	for range 10_000 {
		log.Print("http: Accept error: accept tcp: too many open files; retrying in 5ms")
	}
	if n := strings.Count(logged.String(), "\n"); n < 1 || n > 1000 {
		t.Errorf("%d lines", n)
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of the blue") }))
	web.Config.ErrorLog = log
	web.Start()
	if response, err := http.Get(web.URL); err == nil {
		_ = response.Body.Close()
		t.Errorf("status %d", response.StatusCode)
	}
	web.Close()
	if !strings.Contains(logged.String(), "level=ERROR") || !strings.Contains(logged.String(), "out of the blue") {
		t.Errorf("a panic is not logged: %s", logged.String())
	}
}
