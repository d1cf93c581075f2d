// Package programtest builds the program as a user does, runs its commands and starts its server,
// for the tests that need the real thing:
//
//	func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		flag := "--database-url=" + storetest.URL(t, storetest.SQLite)
//		programtest.Run(t, "migrate", "up", flag)
//		p := programtest.Start(t, flag)
//		http.Get(p.Address + "/readyz")
//		p.Stop(t)
//		p.Log.String()
//	}
package programtest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// Binary is the program's path, once Main has built it.
var Binary string

// Main builds the program and runs a package's tests: call it from TestMain in place of storetest.Main.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "opencalls-binary-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	Binary = filepath.Join(dir, "opencalls")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", Binary, "github.com/opencalls/opencalls/cmd/opencalls")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return storetest.Main(m)
}

// Result is what a command left behind.
type Result struct {
	Status         int // its exit status
	Stdout, Stderr string
}

// Command runs the program with arguments in an empty directory and waits for its end.
func Command(t testing.TB, arguments ...string) Result {
	t.Helper()
	return CommandIn(t, t.TempDir(), nil, arguments...)
}

// CommandIn is Command in a directory, with more variables (NAME=value) in its environment.
func CommandIn(t testing.TB, dir string, environment []string, arguments ...string) Result {
	t.Helper()
	c := exec.CommandContext(t.Context(), Binary, arguments...)
	c.Dir, c.Env = dir, append(os.Environ(), environment...)
	return resultOf(t, c)
}

// CommandWith is Command with a text on its standard input.
func CommandWith(t testing.TB, input string, arguments ...string) Result {
	t.Helper()
	c := exec.CommandContext(t.Context(), Binary, arguments...)
	c.Dir, c.Stdin = t.TempDir(), strings.NewReader(input)
	return resultOf(t, c)
}

func resultOf(t testing.TB, c *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return Result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Run is Command for one that has to succeed, and returns its standard output.
func Run(t testing.TB, arguments ...string) string {
	t.Helper()
	r := Command(t, arguments...)
	if r.Status != 0 {
		t.Fatalf("opencalls %s: exit %d: %s", strings.Join(arguments, " "), r.Status, r.Stderr)
	}
	return r.Stdout
}

// Server is the program serving.
type Server struct {
	*exec.Cmd
	Address string // http://HOST:PORT, or https
	Log     Output // its standard error

	stdout *bufio.Reader
}

// Start serves on a free port and waits until the server accepts requests. It is gone with the test.
func Start(t testing.TB, arguments ...string) *Server {
	t.Helper()
	return StartBy(t, nil, append([]string{"--listen=127.0.0.1:0"}, arguments...)...)
}

// StartBy is Start by way of another program, whose command line goes before the server's, on the
// address that the arguments name.
func StartBy(t testing.TB, program []string, arguments ...string) *Server {
	t.Helper()
	line := append(append(program, Binary, "serve"), arguments...)
	p := &Server{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), line[0], line[1:]...)}
	p.Dir, p.Stderr = t.TempDir(), &p.Log
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	p.stdout = bufio.NewReader(stdout)
	first, err := p.stdout.ReadString('\n')
	if err != nil {
		_ = p.Wait() // for all of the log
		t.Fatalf("the server ended: %s", p.Log.String())
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
	if !ok {
		t.Fatalf("first line: %q", first)
	}
	p.Address = address
	return p
}

// Signal sends the server a signal.
func (p *Server) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server as an operator would, which has to go well, and returns what it printed
// after its first line.
func (p *Server) Stop(t testing.TB) string {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	said, err := p.End()
	if err != nil {
		t.Fatalf("after SIGTERM: %v: %s", err, p.Log.String())
	}
	return said
}

// Kill ends the server without a warning.
func (p *Server) Kill(t testing.TB) {
	t.Helper()
	p.Signal(t, os.Kill)
	_, _ = p.End()
}

// End waits for the server's end. It returns what it printed after its first line, and an error
// unless it ended well.
func (p *Server) End() (string, error) {
	said, _ := io.ReadAll(p.stdout)
	return string(said), p.Wait()
}

// PeakMemory is the most memory that a process has had resident since its program began, in bytes,
// as Linux tells it while the process lives. What Linux tells after that (ru_maxrss) is no less
// than what the process that started it had by then.
func PeakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0, fmt.Errorf("no VmHWM in\n%s", status)
	}
	return kib << 10, nil
}

// Output is what a process wrote, which may be looked at while it goes on.
type Output struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write appends to it.
func (o *Output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.content.Write(text)
}

// String is all of it so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.content.String()
}

// Within polls until a condition holds, and fails the test where it does not within a minute:
// longer than any machine that tests run on is busy with something else.
func Within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
