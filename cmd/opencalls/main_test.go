package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// binary is the program as a user builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "opencalls-binary-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "opencalls")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return storetest.Main(m)
}

// result is what a command left behind.
type result struct {
	status         int
	stdout, stderr string
}

// command runs the binary with arguments and waits for its end.
func command(t *testing.T, arguments ...string) result {
	t.Helper()
	return commandIn(t, t.TempDir(), nil, arguments...)
}

func commandIn(t *testing.T, dir string, environment []string, arguments ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), binary, arguments...)
	c.Dir, c.Stdout, c.Stderr, c.Env = dir, &stdout, &stderr, append(os.Environ(), environment...)
	err := c.Run()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustRun is command for one that has to succeed.
func mustRun(t *testing.T, arguments ...string) string {
	t.Helper()
	r := command(t, arguments...)
	if r.status != 0 {
		t.Fatalf("opencalls %s: exit %d: %s", strings.Join(arguments, " "), r.status, r.stderr)
	}
	return r.stdout
}

// process is a server that runs.
type process struct {
	*exec.Cmd
	address string
	log     output
	stdout  *bufio.Reader
}

// output is what a process wrote, which may be looked at while it goes on.
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

// start serves on a free port and waits until it accepts requests.
func start(t *testing.T, arguments ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, arguments...)...)}
	p.Dir, p.Stderr = t.TempDir(), &p.log
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	p.stdout = bufio.NewReader(stdout)
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("the server ended: %s", p.log.String())
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("first line: %q", line)
	}
	p.address = address
	return p
}

// stop ends the server as an operator would and returns what else it printed.
func (p *process) stop(t *testing.T) string {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(p.stdout)
	if err := p.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v: %s", err, p.log.String())
	}
	return string(rest)
}

// get sends a request with a token and returns status and body.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// A wrong command line or configuration is one line and exit 2, and nothing is opened.
func TestConfigurationErrors(t *testing.T) {
	dir := t.TempDir()
	for name, arguments := range map[string][]string{
		"no command":          {},
		"unknown command":     {"fly"},
		"unknown flag":        {"serve", "--fly"},
		"other database":      {"serve", "--database-url", "mysql://root:secret@localhost"},
		"sqlite without path": {"migrate", "up", "--database-url", "sqlite:"},
		"bad Postgres URL":    {"serve", "--database-url", "postgres://u:secret@[::1"},
		"listen":              {"serve", "--listen", "8080"},
		"public URL":          {"serve", "--public-url", "calls.example.com"},
		"public URL's path":   {"serve", "--public-url", "https://example.com/calls"},
		"drain delay":         {"serve", "--drain-delay", "-1s"},
		"validation mode":     {"serve", "--validate-responses", "maybe"},
		"image limit":         {"serve", "--image-max-bytes", "0"},
		"image overflow":      {"serve", "--image-max-bytes", "9223372036854775807"},
		"read timeout":        {"serve", "--read-timeout", "0s"},
		"write timeout":       {"serve", "--read-timeout", "2m"},
		"statement timeout":   {"serve", "--statement-timeout", "1us"},
		"header size":         {"serve", "--max-header-bytes", "0"},
		"body size":           {"serve", "--max-body-bytes", "-1"},
		"rate limit":          {"serve", "--rate-limit-token", "-1"},
		"rate limit, no rate": {"serve", "--rate-limit-address", "NaN"},
		"rate limit, burst":   {"serve", "--rate-limit-token-burst", "1000001"},
		"allowed host":        {"serve", "--allowed-hosts", "https://example.com"},
		"trusted proxy":       {"serve", "--trusted-proxies", "10.0.0.0"},
		"CORS origin":         {"serve", "--cors-origin", "https://*.example.com"},
		"TLS without a key":   {"serve", "--tls-cert", "."},
		"decoders":            {"serve", "--image-decoders", "0"},
		"port":                {"serve", "--listen", "127.0.0.1:99999"},
		"import file":         {"serve", "--import", "nowhere.yaml"},
		"username":            {"user", "create", "Alice"},
		"expiry":              {"token", "create", "alice", "--expires", "0s"},
		"health URL":          {"health", "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			r := commandIn(t, dir, nil, arguments...)
			if r.status != 2 || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
				t.Errorf("exit %d, stdout %q, stderr %q", r.status, r.stdout, r.stderr)
			}
			if strings.Contains(r.stderr, "secret") {
				t.Errorf("a password is shown: %s", r.stderr)
			}
		})
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("something was opened: %v", left)
	}
}

func TestEnvironmentVariables(t *testing.T) {
	r := commandIn(t, t.TempDir(), []string{"OPENCALLS_DATABASE_URL=nonsense:"}, "migrate", "status")
	if r.status != 2 || !strings.Contains(r.stderr, "database URL") {
		t.Errorf("exit %d: %s", r.status, r.stderr)
	}
}

func TestHelp(t *testing.T) {
	if out := mustRun(t, "serve", "--help"); !strings.Contains(out, "OPENCALLS_PUBLIC_URL") {
		t.Errorf("no variable in the help: %s", out)
	}
	if out := mustRun(t, "version"); !strings.HasPrefix(out, "opencalls ") {
		t.Errorf("version: %q", out)
	}
}

func TestOpenAPI(t *testing.T) {
	file, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, "openapi"); out != string(file) {
		t.Error("openapi prints another file than the repository's")
	}
	if out := mustRun(t, "openapi", "--format", "json"); !strings.Contains(out, `"openapi":"3.0.3"`) {
		t.Errorf("JSON: %.80s", out)
	}
}

func TestMigrate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.URL(t, engine)
		if engine == storetest.SQLite {
			if r := command(t, "migrate", "status", url); r.status != 1 || !strings.Contains(r.stderr, "no such database") {
				t.Errorf("no database: exit %d: %s", r.status, r.stderr)
			}
		}
		if r := command(t, "serve", "--listen", "127.0.0.1:0", "--no-migrate", url); r.status != 1 {
			t.Errorf("without a schema: exit %d: %s", r.status, r.stderr)
		}
		mustRun(t, "migrate", "up", url)
		if out := mustRun(t, "migrate", "status", url); strings.Contains(out, "missing") {
			t.Errorf("after up: %s", out)
		}
		mustRun(t, "migrate", "down", url)
		if out := mustRun(t, "migrate", "status", url); !strings.Contains(out, "missing") {
			t.Errorf("after down: %s", out)
		}
	})
}

// An operator's first hour: a user, a token, a server, and the token revoked while it serves.
func TestUsersAndTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.URL(t, engine)
		if r := command(t, "user", "create", "alice", url); r.status != 1 {
			t.Errorf("without a schema: exit %d: %s", r.status, r.stderr)
		}
		mustRun(t, "migrate", "up", url)
		id := strings.TrimSpace(mustRun(t, "user", "create", "alice", "--full-name", "Alice Aed", "--email", "alice@example.com", "--staff", url))
		if !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
			t.Errorf("user create prints %q", id)
		}
		if r := command(t, "user", "create", "alice", url); r.status != 1 || !strings.Contains(r.stderr, "taken") {
			t.Errorf("twice: exit %d: %s", r.status, r.stderr)
		}
		if r := command(t, "token", "create", "bob", url); r.status != 1 || !strings.Contains(r.stderr, "no user bob") {
			t.Errorf("nobody's token: exit %d: %s", r.status, r.stderr)
		}
		token := strings.TrimSpace(mustRun(t, "token", "create", "alice", "--expires", "1h", url))
		p := start(t, url)
		list := p.address + "/api/call-managing-organisations/"
		if status, body := get(t, list, token); status != http.StatusOK || strings.TrimSpace(body) != "[]" {
			t.Errorf("with the token: %d %s", status, body)
		}
		if out := mustRun(t, "token", "revoke", "alice", url); !strings.HasPrefix(out, "1 ") {
			t.Errorf("revoke: %q", out)
		}
		if status, _ := get(t, list, token); status != http.StatusUnauthorized {
			t.Errorf("after it was revoked: %d", status)
		}
		p.stop(t)
		if strings.Contains(p.log.String(), token) {
			t.Error("the token is in the log")
		}
	})
}
