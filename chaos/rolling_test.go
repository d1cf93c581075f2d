//go:build chaos

package chaos

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

const replicas = 3

// Three servers behind haproxy, with the configuration that docs/operations.md shows, are restarted
// one after another under load: no request fails.
func TestRollingRestart(t *testing.T) {
	databaseURL := storetest.URL(t, storetest.Postgres)
	flag := "--database-url=" + databaseURL
	run(t, "migrate", "up", flag)
	run(t, "import", world(t), flag)
	var ports [replicas]string
	var servers [replicas]*process
	replica := func(n int) *process {
		return serveBy(t, nil, "--listen=127.0.0.1:"+ports[n], "--drain-delay=5s", flag)
	}
	for n := range replicas {
		ports[n] = freePort(t)
		servers[n] = replica(n)
	}
	proxy := startHaproxy(t, ports)

	l := newLoad()
	stop := l.run(proxy)
	for n := range replicas {
		time.Sleep(time.Second)
		servers[n].stop(t)
		down := strings.Count(servers[n].log.String(), `"status":503`)
		if down == 0 {
			t.Errorf("server %d was never told to be draining", n)
		}
		servers[n] = replica(n)
		// The next one goes when haproxy has found this one ready: two checks, a second apart.
		time.Sleep(4 * time.Second)
	}
	stop()
	answers := l.taken()
	none(t, answers, "a request fails", failed)
	t.Logf("%d answers", len(answers))
	for n, server := range servers {
		if !strings.Contains(server.log.String(), base) {
			t.Errorf("server %d has had no request since it was restarted", n)
		}
		server.kill(t)
	}
	db := open(t, databaseURL)
	consistent(t, databaseURL, db)
	l.check(t, db)
}

// startHaproxy runs the documented configuration before servers on three ports, and returns the
// address that it listens on.
func startHaproxy(t *testing.T, ports [replicas]string) string {
	t.Helper()
	document, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```haproxy\n(.*?)```").FindSubmatch(document)
	if block == nil {
		t.Fatal("docs/operations.md shows no haproxy configuration")
	}
	config, port := string(block[1]), freePort(t)
	replace := func(old, with string) {
		if strings.Count(config, old) != 1 {
			t.Fatalf("the configuration names %s not once", old)
		}
		config = strings.Replace(config, old, with, 1)
	}
	replace("bind :80\n", "bind 127.0.0.1:"+port+"\n")
	for n := range replicas {
		replace(fmt.Sprintf("10.0.0.%d:8080", n+1), "127.0.0.1:"+ports[n])
	}
	log := &output{}
	command := exec.Command("haproxy", "-db", "-f", writeFile(t, "haproxy.cfg", []byte(config)))
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatalf("haproxy has to be installed: %v", err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	address := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(address + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return address
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("haproxy does not serve: %v: %s", err, log)
		}
	}
}
