//go:build chaos

package chaos

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// process is a server of ours that runs.
type process struct {
	*exec.Cmd
	address string // http://HOST:PORT
	log     *output
}

// output is what a process wrote so far.
type output struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.content.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.content.String()
}

// serve starts a server on a free port and waits until it accepts requests. It is gone with the test.
func serve(t *testing.T, arguments ...string) *process {
	t.Helper()
	return serveBy(t, nil, append([]string{"--listen=127.0.0.1:0"}, arguments...)...)
}

// serveBy is serve by way of another program, whose command line goes before the server's, on the
// address that the arguments name.
func serveBy(t *testing.T, program []string, arguments ...string) *process {
	t.Helper()
	line := append(append(program, binary, "serve"), arguments...)
	p := &process{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), line[0], line[1:]...), log: &output{}}
	p.Dir, p.Stderr = t.TempDir(), p.log
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server ended: %s", p.log)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
	if !ok {
		t.Fatalf("first line: %q", first)
	}
	p.address = address
	return p
}

// kill ends the server without a warning.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
}

// stop ends the server as an operator would.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v: %s", err, p.log)
	}
}

// run runs the program with arguments to its end, which has to be a good one.
func run(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("opencalls %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// freePort returns a port of the loopback interface that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
