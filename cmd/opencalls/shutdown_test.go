package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3/lock"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// ends waits for the server's end and checks how it came: an exit status, or a signal.
func (p process) ends(t *testing.T, status int, by syscall.Signal) {
	t.Helper()
	_, _ = p.End()
	wait := p.ProcessState.Sys().(syscall.WaitStatus)
	if wait.Signaled() != (by != 0) || wait.Signaled() && wait.Signal() != by || wait.Exited() && wait.ExitStatus() != status {
		t.Errorf("it ended with %s, want exit %d or signal %d: %s", p.ProcessState, status, by, p.Log.String())
	}
}

// endsAtOnce sends a second signal, and again, since within a second it is the same as the first.
func (p process) endsAtOnce(t *testing.T, by syscall.Signal) {
	t.Helper()
	go func() {
		for p.Process.Signal(by) == nil {
			time.Sleep(50 * time.Millisecond)
		}
	}()
	p.ends(t, 0, by)
}

// drains waits until the server says that it is draining: readyz is 503 and closes the connection.
// A request that comes at that very moment may be told so without the connection being closed.
func (p process) drains(t *testing.T) {
	t.Helper()
	programtest.Within(t, "it drains, and closes connections", func() bool {
		response, err := http.Get(p.Address + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		draining := response.StatusCode == http.StatusServiceUnavailable && string(body) == `{"status":"draining"}`+"\n"
		if err != nil || !draining && (response.Close || response.StatusCode != http.StatusOK) {
			t.Errorf("readyz is %d: %q %v", response.StatusCode, body, err)
		}
		return draining && response.Close
	})
}

// slowRequest is a request under way: the server waits for the rest of its body.
type slowRequest struct {
	net.Conn
	answers *bufio.Reader
}

const slowBody = "description=Under+way"

// begin sends a request up to the middle of its body, when the server has begun to read it.
func begin(t *testing.T, p process) slowRequest {
	t.Helper()
	host := strings.TrimPrefix(p.Address, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := slowRequest{conn, bufio.NewReader(conn)}
	fmt.Fprintf(conn, "PATCH /api/call-managing-organisations/%s/ HTTP/1.1\r\nHost: %s\r\nAuthorization: Token %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		fixture.DemoOrganisation, host, fixture.DemoStaffToken, len(slowBody))
	if line, err := r.answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := r.answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return r
}

// finish sends the rest and returns the answer's status.
func (r slowRequest) finish(t *testing.T) int {
	t.Helper()
	if _, err := io.WriteString(r, slowBody); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// refuses waits until the server accepts no connection any more.
func (p process) refuses(t *testing.T) {
	t.Helper()
	programtest.Within(t, "it accepts no connection", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.Address, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

// On SIGTERM a server serves for a while more, stops accepting, and finishes what is under way.
func TestDrainAndShutdown(t *testing.T) {
	serve := func(t *testing.T, arguments ...string) process {
		return start(t, append(arguments, "--demo", "--database-url=sqlite::memory:")...)
	}
	list := "/api/call-managing-organisations/"
	t.Run("it serves while it drains, until a second signal", func(t *testing.T) {
		p := serve(t, "--drain-delay=1h")
		p.Signal(t, syscall.SIGTERM)
		p.drains(t)
		if status, body := get(t, p.Address+list, fixture.DemoStaffToken); status != http.StatusOK {
			t.Errorf("a request meanwhile: %d %s", status, body)
		}
		p.endsAtOnce(t, syscall.SIGTERM)
	})
	for _, test := range []struct {
		name   string
		delay  time.Duration // the server's
		signal os.Signal
		after  time.Duration // how long it accepts connections at least
	}{
		{"the delay ends", 300 * time.Millisecond, syscall.SIGTERM, 300 * time.Millisecond},
		{"no delay", 0, syscall.SIGTERM, 0},
		{"SIGINT", 0, os.Interrupt, 0},
		{"SIGHUP", 0, syscall.SIGHUP, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := serve(t, "--drain-delay="+test.delay.String())
			r := begin(t, p)
			signalled := time.Now()
			p.Signal(t, test.signal)
			p.refuses(t)
			if after := time.Since(signalled); after < test.after {
				t.Errorf("it stopped accepting after %s", after)
			}
			if status := r.finish(t); status != http.StatusOK {
				t.Errorf("the request under way: %d", status)
			}
			p.ends(t, 0, 0)
		})
	}
	t.Run("a second signal while it finishes", func(t *testing.T) {
		p := serve(t, "--shutdown-timeout=1h")
		begin(t, p)
		p.Signal(t, syscall.SIGTERM)
		p.refuses(t)
		p.endsAtOnce(t, syscall.SIGINT)
	})
	t.Run("the request under way takes too long", func(t *testing.T) {
		p := serve(t, "--shutdown-timeout=50ms")
		begin(t, p)
		p.Signal(t, syscall.SIGTERM)
		p.ends(t, 1, 0)
		if !strings.Contains(p.Log.String(), "requests under way were cut off after 50ms") {
			t.Errorf("it said: %s", p.Log.String())
		}
	})
}

// The directory of a private database goes with the server, however that ends. Where it is killed, the next
// server removes it; that of a server that lives stays.
func TestPrivateDatabaseGoes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const listen, memory = "--listen=127.0.0.1:0", "--database-url=sqlite::memory:"
	left := func() int {
		t.Helper()
		databases, err := filepath.Glob(filepath.Join(dir, "*", "opencalls.db"))
		if err != nil {
			t.Fatal(err)
		}
		return len(databases)
	}
	for name, end := range map[string]func(*testing.T, process){
		"SIGHUP":               func(t *testing.T, p process) { p.Signal(t, syscall.SIGHUP) },
		"two SIGTERMs at once": func(t *testing.T, p process) { p.Signal(t, syscall.SIGTERM); _ = p.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, memory)
			if left() != 1 {
				t.Fatal("there is no database")
			}
			end(t, p)
			p.ends(t, 0, 0)
			if n := left(); n != 0 {
				t.Errorf("%d databases are left", n)
			}
		})
	}
	t.Run("nobody reads its log", func(t *testing.T) {
		p := programtest.StartBy(t, []string{"sh", "-c", `"$0" "$@" 2>&1 | grep --line-buffered -m 1 ^listening`}, listen, memory)
		programtest.Within(t, "it ends and its database is gone", func() bool {
			if response, err := http.Get(p.Address + organisations); err == nil { // a line of the log
				_ = response.Body.Close()
			}
			return left() == 0
		})
	})
	t.Run("its standard input ends", func(t *testing.T) {
		input := filepath.Join(t.TempDir(), "input")
		if err := syscall.Mkfifo(input, 0o600); err != nil {
			t.Fatal(err)
		}
		writer, err := os.OpenFile(input, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("INPUT", input)
		byInput := []string{"sh", "-c", `exec "$0" "$@" <"$INPUT"`}
		p := process{programtest.StartBy(t, byInput, listen, memory, "--until-stdin-ends")}
		if _, err := writer.WriteString("ignored\n"); err != nil {
			t.Fatal(err)
		}
		get(t, p.Address+"/readyz", "")
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		p.ends(t, 0, 0)
		if n := left(); n != 0 {
			t.Errorf("%d databases are left", n)
		}
	})
	t.Run("killed", func(t *testing.T) {
		lives := start(t, memory)
		start(t, memory).Kill(t)
		if n := left(); n != 2 {
			t.Fatalf("%d databases", n)
		}
		start(t, memory).Stop(t)
		if n := left(); n != 1 {
			t.Errorf("%d databases are left, not that of the server that lives", n)
		}
		lives.Stop(t)
	})
}

// A server that is stopped before it serves says so in one line, and leaves nothing half-done.
func TestStoppedBeforeItServes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for signal, word := range map[os.Signal]string{syscall.SIGTERM: "terminated", os.Interrupt: "interrupt"} {
			t.Run("while it imports/"+word, func(t *testing.T) {
				t.Parallel()
				stopImport(t, engine, signal, word)
			})
		}
		if engine == storetest.Postgres {
			t.Run("while it waits for its turn to migrate", func(t *testing.T) {
				t.Parallel()
				stopMigration(t)
			})
		}
	})
}

// stopImport stops a server that waits for another change before it fills in the demo data.
func stopImport(t *testing.T, engine string, signal os.Signal, word string) {
	t.Helper()
	databaseURL := storetest.MigratedURL(t, engine)
	var tables storetest.SQL
	s := storetest.OpenURL(t, databaseURL, tables.Use)
	db := tables.DB(t)
	if err := s.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error {
		if err := tx.LockForImport(); err != nil {
			return err
		}
		stopOnce(t, databaseURL, signal, word, func(pid int) bool {
			if engine == storetest.Postgres {
				return storetest.Count(t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
			}
			files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
			return slices.ContainsFunc(files, func(file string) bool {
				target, _ := os.Readlink(file)
				return target == strings.TrimPrefix(databaseURL, "sqlite:")
			})
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Empty(t.Context()); err != nil || !empty {
		t.Errorf("something is left (%v)", err)
	}
}

// stopMigration stops a server on an empty Postgres that another one seems to migrate.
func stopMigration(t *testing.T) {
	t.Helper()
	databaseURL := storetest.URL(t, storetest.Postgres)
	var tables storetest.SQL
	storetest.OpenURL(t, databaseURL, tables.Use)
	db := tables.DB(t)
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
		t.Fatal(err)
	}
	stopOnce(t, databaseURL, syscall.SIGTERM, "terminated", func(int) bool {
		return storetest.Count(t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock(%'") > 0
	})
	if left := storetest.Rows(t, db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// stopOnce starts a server, and stops it once it waits.
func stopOnce(t *testing.T, databaseURL string, signal os.Signal, word string, waits func(pid int) bool) {
	t.Helper()
	var stderr programtest.Output
	server := exec.CommandContext(t.Context(), programtest.Binary, "serve", "--listen=127.0.0.1:0", "--demo", "--database-url="+databaseURL)
	server.Stderr = &stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	programtest.Within(t, "the server waits", func() bool { return waits(server.Process.Pid) })
	if err := server.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	_ = server.Wait()
	said := slices.DeleteFunc(strings.SplitAfter(stderr.String(), "\n"), func(line string) bool { return postgresWarnings(line) > 0 })
	if status, want := server.ProcessState.ExitCode(), "opencalls: stopped before it served: "+word+" signal received\n"; status != 1 || strings.Join(said, "") != want {
		t.Errorf("exit %d: %q, want %q", status, stderr.String(), want)
	}
}
