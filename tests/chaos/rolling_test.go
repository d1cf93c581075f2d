//go:build chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

const replicas = 3

// Three servers behind haproxy, with the configuration that docs/operations.md shows, are restarted
// one after another under load: no request fails.
func TestRollingRestart(t *testing.T) {
	databaseURL := storetest.URL(t, storetest.Postgres)
	flag := populate(t, databaseURL)
	replica := func(address string) *programtest.Server {
		return programtest.StartBy(t, nil, "--listen="+address, "--drain-delay=5s", "--log-level=debug", flag)
	}
	var servers [replicas]*programtest.Server
	var addresses [replicas]string
	for n := range replicas {
		// A host of its own, where no outgoing connection takes the port while the server is away.
		servers[n] = replica(fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250)))
		addresses[n] = strings.TrimPrefix(servers[n].Address, "http://")
	}
	proxy := startHaproxy(t, addresses)

	l := newLoad()
	stop := l.run(proxy)
	inUse := func() bool { // by haproxy, since they were started
		return !slices.ContainsFunc(servers[:], func(s *programtest.Server) bool { return !strings.Contains(s.Log.String(), base) })
	}
	for n := range replicas {
		programtest.Within(t, "every server has requests", inUse)
		servers[n].Stop(t)
		if !strings.Contains(servers[n].Log.String(), `"status":503`) {
			t.Errorf("haproxy never saw that server %d is draining", n)
		}
		servers[n] = replica(addresses[n])
	}
	programtest.Within(t, "every server has requests", inUse)
	stop()
	answers := l.taken()
	none(t, answers, "a request fails", failed)
	t.Logf("%d answers", len(answers))
	for _, server := range servers {
		server.Kill(t)
	}
	l.check(t, databaseURL)
}

// startHaproxy runs the documented configuration before servers at three addresses, and returns its
// own. It is given its socket, so that nobody else takes the port.
func startHaproxy(t *testing.T, addresses [replicas]string) string {
	t.Helper()
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```haproxy\n(.*?)```").FindSubmatch(document)
	if block == nil {
		t.Fatal("docs/operations.md shows no haproxy configuration")
	}
	config := string(block[1])
	replace := func(old, with string) {
		if strings.Count(config, old) != 1 {
			t.Fatalf("the configuration names %s not once", old)
		}
		config = strings.Replace(config, old, with, 1)
	}
	replace("bind :80\n", "bind fd@3\n")
	for n := range replicas {
		replace(fmt.Sprintf("10.0.0.%d:8080", n+1), addresses[n])
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	log := &programtest.Output{}
	command := exec.Command("haproxy", "-db", "-f", writeFile(t, "haproxy.cfg", []byte(config)))
	command.Stdout, command.Stderr, command.ExtraFiles = log, log, []*os.File{socket}
	err = command.Start()
	_, _ = socket.Close(), listener.Close() // haproxy has its own
	if err != nil {
		t.Fatalf("haproxy has to be installed: %v", err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("haproxy said: %s", log)
		}
	})
	address := "http://" + listener.Addr().String()
	programtest.Within(t, "haproxy serves", func() bool {
		response, err := http.Get(address + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return address
}
