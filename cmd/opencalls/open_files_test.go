package main

import (
	"net"
	"net/http"
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
		if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"WARN","msg":"http: Accept error: `) {
			t.Errorf("logged: %s", line)
		}
	}
}
