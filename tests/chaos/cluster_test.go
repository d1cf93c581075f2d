//go:build chaos

package chaos

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	random "math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// cluster is a Postgres server with data of its own, which keeps what it acknowledged.
type cluster struct {
	dir      string
	port     string // the one that it got when it was started first
	password string
}

// newCluster makes a server and starts it. It is gone with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	var secret [16]byte
	_, _ = rand.Read(secret[:])
	c := emptyCluster(t, hex.EncodeToString(secret[:]))
	passwordFile := c.path("password")
	if err := os.WriteFile(passwordFile, []byte(c.password), 0o600); err != nil {
		t.Fatal(err)
	}
	c.own(t, passwordFile)
	c.run(t, "initdb", "-D", c.data(), "-U", "postgres", "-A", "scram-sha-256", "--pwfile="+passwordFile, "-E", "UTF8", "--locale=C")
	c.configure(t, "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "wal_keep_size = '256MB'")
	c.start(t)
	return c
}

// standby makes a copy of a running server that follows it, and starts it. The server goes on to
// acknowledge what the standby has written to its disk too.
func (c *cluster) standby(t *testing.T) *cluster {
	t.Helper()
	s := emptyCluster(t, c.password)
	s.run(t, "pg_basebackup", "-d", c.url("postgres"), "-D", s.data(), "-R", "-c", "fast")
	s.start(t)
	c.configure(t, "synchronous_standby_names = '*'")
	c.run(t, "pg_ctl", "-D", c.data(), "-s", "reload")
	programtest.Within(t, "the standby follows", func() bool {
		return c.query(t, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1"
	})
	return s
}

// emptyCluster is a directory for a server.
func emptyCluster(t *testing.T, password string) *cluster {
	t.Helper()
	// In /tmp, since the server's user may not be let into the test's directory.
	dir, err := os.MkdirTemp("/tmp", "opencalls-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{dir: dir, password: password}
	c.own(t, dir)
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(c.data(), "postmaster.pid")); err == nil {
			_ = c.command("pg_ctl", "-D", c.data(), "-m", "immediate", "-s", "stop").Run()
		}
		_ = os.RemoveAll(dir)
	})
	return c
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }
func (c *cluster) data() string            { return c.path("data") }

// url is the URL of one of its databases.
func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%s/%s?sslmode=disable", c.password, c.port, database)
}

// configure adds lines to the server's configuration.
func (c *cluster) configure(t *testing.T, lines ...string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
}

// start starts the server and waits until it takes connections.
func (c *cluster) start(t *testing.T) {
	t.Helper()
	start := func() error {
		return c.command("pg_ctl", "-D", c.data(), "-l", c.path("log"), "-o", "-p "+c.port, "-w", "-s", "start").Run()
	}
	if c.port != "" {
		if err := start(); err != nil {
			t.Fatalf("the server does not start again: %v: %s", err, c.log(t))
		}
		return
	}
	// Another program may hold a port, so several are tried; they lie below those that the system
	// gives to outgoing connections, or one of these could have it when the server starts again.
	for range 8 {
		c.port = strconv.Itoa(20000 + random.IntN(12000))
		if start() == nil {
			return
		}
	}
	t.Fatalf("the server does not start: %s", c.log(t))
}

// crash stops the server as a crash would: what it has not written is lost.
func (c *cluster) crash(t *testing.T) {
	t.Helper()
	c.run(t, "pg_ctl", "-D", c.data(), "-m", "immediate", "-s", "stop")
}

// kill kills the server's main process, after which the others end by themselves.
func (c *cluster) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(c.pid(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// pid is the server's main process.
func (c *cluster) pid(t *testing.T) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// promote makes a standby a server that takes writes, and waits until it does.
func (c *cluster) promote(t *testing.T) {
	t.Helper()
	c.run(t, "pg_ctl", "-D", c.data(), "-w", "-s", "promote")
}

// freeze stops every process of the server where it is, until the returned function is called.
func (c *cluster) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	server := c.pid(t)
	send := func(s syscall.Signal, pids ...int) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Error(err)
			}
		}
	}
	send(syscall.SIGSTOP, server) // which makes the others
	others := children(t, server)
	send(syscall.SIGSTOP, others...)
	thaw = sync.OnceFunc(func() { send(syscall.SIGCONT, append(others, server)...) })
	t.Cleanup(thaw)
	return thaw
}

// children are the processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for text := range strings.FieldsSeq(string(list)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// query returns what a query says, as text.
func (c *cluster) query(t *testing.T, query string) string {
	t.Helper()
	return strings.TrimSpace(c.run(t, "psql", "-d", c.url("postgres"), "-qAtX", "-c", query))
}

// run runs one of the server's programs to its end, which has to be a good one.
func (c *cluster) run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	out, err := c.command(program, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", program, err, out, c.log(t))
	}
	return string(out)
}

// log is what the server logged.
func (c *cluster) log(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(c.path("log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

// command is one of the server's programs, run by the server's user.
func (c *cluster) command(program string, arguments ...string) *exec.Cmd {
	bin := os.Getenv("OPENCALLS_TEST_POSTGRES_BIN")
	if bin == "" {
		panic("OPENCALLS_TEST_POSTGRES_BIN is not set: run these tests by `make chaos`")
	}
	line := append([]string{filepath.Join(bin, program)}, arguments...)
	if name := serverUser(); name != "" {
		line = append([]string{"runuser", "-u", name, "--"}, line...)
	}
	command := exec.Command(line[0], line[1:]...)
	command.Dir = c.dir
	return command
}

// own makes a file the server's user's.
func (c *cluster) own(t *testing.T, path string) {
	t.Helper()
	if name := serverUser(); name != "" {
		if out, err := exec.Command("chown", name, path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// serverUser is who runs the server in place of root, as whom Postgres refuses to run; else "".
func serverUser() string {
	if os.Getuid() != 0 {
		return ""
	}
	if _, err := user.Lookup("postgres"); err != nil {
		return "nobody"
	}
	return "postgres"
}
