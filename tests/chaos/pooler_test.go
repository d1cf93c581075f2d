//go:build chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// Behind PgBouncer, which pools transactions, all is well with default_query_exec_mode=exec in the URL.
// Without it prepared statements are missing: that is a 503, and the log names the parameter.
func TestPgBouncer(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	populate(t, databaseURL)
	t.Run("with the parameter", func(t *testing.T) {
		p := programtest.Start(t, "--database-url="+startPgBouncer(t, c)+"&default_query_exec_mode=exec")
		l := newLoad()
		stop := l.run(p.Address)
		l.wait(t, 100*workers, "behind a pooler", done)
		stop()
		none(t, l.taken(), "a request fails", failed)
		p.Stop(t)
		l.check(t, databaseURL)
	})
	t.Run("without it", func(t *testing.T) {
		p := programtest.Start(t, "--database-url="+startPgBouncer(t, c))
		l := newLoad()
		stop := l.run(p.Address)
		l.wait(t, 10, "without the parameter", failed)
		stop()
		none(t, l.taken(), "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
		if log := p.Log.String(); !strings.Contains(log, "the URL needs default_query_exec_mode=exec") {
			t.Errorf("the log does not name the parameter: %s", log)
		}
	})
}

// startPgBouncer runs PgBouncer before a server, and returns the URL of the server's database behind it.
func startPgBouncer(t *testing.T, c *cluster) string {
	t.Helper()
	port := fmt.Sprint(20000 + rand.IntN(12000))
	config := c.path("pgbouncer-" + port + ".ini")
	text := fmt.Sprintf(`[databases]
postgres = host=127.0.0.1 port=%s user=postgres password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
ignore_startup_parameters = statement_timeout
`, c.port, c.password, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.own(t, config)
	command := exec.Command("pgbouncer", config)
	if name := serverUser(); name != "" { // it does not run as root
		command.Args = append(command.Args, "-u", name)
	}
	log := &programtest.Output{}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatalf("PgBouncer has to be installed: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("PgBouncer said: %s", log)
		}
	})
	behind := *c
	behind.port = port
	url := behind.url("postgres")
	programtest.Within(t, "PgBouncer serves", func() bool {
		return c.command("psql", "-d", url, "-c", "SELECT 1").Run() == nil
	})
	return url
}
