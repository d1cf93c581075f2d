package main

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }

// process is a server that runs.
type process struct{ *programtest.Server }

// start serves on a free port and waits until the server accepts requests.
func start(t *testing.T, arguments ...string) process {
	t.Helper()
	return process{programtest.Start(t, arguments...)}
}

// get sends a request with a token and returns status and body.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	got, err := world.NewClient(url).Send(world.Request{Method: http.MethodGet, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return got.Status, got.Body
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
		"sqlite with host":    {"serve", "--database-url", "sqlite://rel.db"},
		"bad Postgres URL":    {"serve", "--database-url", "postgres://u:secret@[::1"},
		"listen":              {"serve", "--listen", "8080"},
		"metrics":             {"serve", "--metrics-listen", "9090"},
		"metrics port":        {"serve", "--metrics-listen", "127.0.0.1:99999"},
		"public URL":          {"serve", "--public-url", "calls.example.com"},
		"public URL's path":   {"serve", "--public-url", "https://example.com/calls"},
		"public URL h?":       {"serve", "--public-url", "http://h?"},
		"public URL h#":       {"serve", "--public-url", "http://h#"},
		"public URL h//":      {"serve", "--public-url", "http://h//"},
		"public URL h/%2F":    {"serve", "--public-url", "http://h/%2F"},
		"public URL :80":      {"serve", "--public-url", "http://:80"},
		"public URL a,b":      {"serve", "--public-url", "http://a,b"},
		"public URL quote":    {"serve", "--public-url", "http://a\"b"},
		"public URL port":     {"serve", "--public-url", "http://h:99999"},
		"public URL user":     {"serve", "--public-url", "http://u:secret@h"},
		"drain delay":         {"serve", "--drain-delay", "-1s"},
		"validation mode":     {"serve", "--validate-responses", "maybe"},
		"image limit":         {"serve", "--image-max-bytes", "0"},
		"image overflow":      {"serve", "--image-max-bytes", "9223372036854775807"},
		"read timeout":        {"serve", "--read-timeout", "0s"},
		"statement timeout":   {"serve", "--statement-timeout", "1us"},
		"token lifetime":      {"serve", "--token-lifetime", "1m"},
		"connections":         {"serve", "--database-connections", "0"},
		"header size":         {"serve", "--max-header-bytes", "0"},
		"body size":           {"serve", "--max-body-bytes", "-1"},
		"rate limit":          {"serve", "--rate-limit-token", "-1"},
		"rate limit, no rate": {"serve", "--rate-limit-address", "NaN"},
		"allowed host":        {"serve", "--allowed-hosts", "https://example.com"},
		"trusted proxy":       {"serve", "--trusted-proxies", "10.0.0.x"},
		"CORS origin":         {"serve", "--cors-origin", "https://*.example.com"},
		"TLS without a key":   {"serve", "--tls-cert", "."},
		"body memory":         {"serve", "--body-memory", "25165823"},
		"port":                {"serve", "--listen", "127.0.0.1:99999"},
		"import file":         {"serve", "--import", "nowhere.yaml"},
		"standard input":      {"serve", "--import", "-", "--until-stdin-ends"},
		"username":            {"user", "create", "Alice"},
		"e-mail address":      {"user", "create", "alice", "--email", "nonsense"},
		"expiry":              {"token", "create", "alice", "--expires", "0s"},
		"health URL":          {"health", "localhost"},
		"audit's keep":        {"serve", "--audit-keep", "-1h"},
		"audit's past keep":   {"serve", "--audit-keep=-1h"},
		"audit's short keep":  {"serve", "--audit-keep", "59m"},
		"audit's sandbox":     {"serve", "--audit-keep", "1h", "--sandbox"},
		"audit's since":       {"audit", "--since", "nonsense"},
		"audit's future":      {"audit", "--since", "-24h"},
		"audit's limit":       {"audit", "--limit", "-1"},
		"audit's output":      {"audit", "--output", "xml"},
		"audit's scope":       {"audit", "--organisation", "tartu"},
	} {
		t.Run(name, func(t *testing.T) {
			r := programtest.CommandIn(t, dir, nil, arguments...)
			if r.Status != 2 || strings.Count(r.Stderr, "\n") != 1 || r.Stdout != "" {
				t.Errorf("exit %d, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
			}
			if strings.Contains(r.Stderr, "secret") {
				t.Errorf("a password is shown: %s", r.Stderr)
			}
		})
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("something was opened: %v", left)
	}
}

func TestEnvironmentVariables(t *testing.T) {
	r := programtest.CommandIn(t, t.TempDir(), []string{"OPENCALLS_DATABASE_URL=nonsense:"}, "migrate", "status")
	if r.Status != 2 || !strings.Contains(r.Stderr, "database URL") {
		t.Errorf("exit %d: %s", r.Status, r.Stderr)
	}
}

// A variable that looks like a flag's, but is none, is named with the nearest that is one.
func TestMistypedVariables(t *testing.T) {
	variables := []string{"OPENCALLS_LISTN=:1", "OPENCALLS_DATABASE=x", "OPENCALLS_SERVICE_HOST=x", "OPENCALLS_STAFF=1", "OPENCALLS_LISTEN=:1"}
	r := programtest.CommandIn(t, t.TempDir(), variables, "version")
	lines := strings.Split(strings.TrimSpace(r.Stderr), "\n")
	slices.Sort(lines)
	want := []string{
		"opencalls: OPENCALLS_DATABASE is ignored: did you mean OPENCALLS_DATABASE_URL or OPENCALLS_DATABASE_CONNECTIONS?",
		"opencalls: OPENCALLS_LISTN is ignored: did you mean OPENCALLS_LISTEN?",
	}
	if r.Status != 0 || !slices.Equal(lines, want) {
		t.Errorf("exit %d: %q", r.Status, lines)
	}
}

func TestHelp(t *testing.T) {
	if out := programtest.Run(t, "serve", "--help"); !strings.Contains(out, "OPENCALLS_PUBLIC_URL") {
		t.Errorf("no variable in the help: %s", out)
	}
	for _, command := range []string{"", "serve"} {
		same := strings.Fields(command)
		if out := programtest.Run(t, append([]string{"help"}, same...)...); out != programtest.Run(t, append(same, "--help")...) {
			t.Errorf("help %s: %s", command, out)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	file, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if out := programtest.Run(t, "openapi"); out != string(file) {
		t.Error("openapi prints another file than the repository's")
	}
	if out := programtest.Run(t, "openapi", "--format", "json"); !strings.Contains(out, `"openapi":"3.0.3"`) {
		t.Errorf("JSON: %.80s", out)
	}
	for _, format := range []string{"yaml", "json"} {
		out := programtest.Run(t, "openapi", "--bodies", "json", "--format", format)
		doc, err := openapi3.NewLoader().LoadFromData([]byte(out))
		if err != nil || doc.Validate(t.Context()) != nil {
			t.Errorf("%s with JSON bodies: %v", format, err)
		}
		if strings.Contains(out, "x-www-form-urlencoded:") || strings.Contains(out, "RequestForm") ||
			strings.Contains(out, "RequestMultipart") || strings.Count(out, "requestBody") < 6 {
			t.Errorf("%s with JSON bodies: %s", format, out)
		}
	}
}

func TestMigrate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.URL(t, engine)
		if engine == storetest.SQLite {
			if r := programtest.Command(t, "migrate", "status", url); r.Status != 1 || !strings.Contains(r.Stderr, "no such database") {
				t.Errorf("no database: exit %d: %s", r.Status, r.Stderr)
			}
		}
		if r := programtest.Command(t, "serve", "--listen", "127.0.0.1:0", "--no-migrate", url); r.Status != 1 {
			t.Errorf("without a schema: exit %d: %s", r.Status, r.Stderr)
		}
		if out := programtest.Run(t, "migrate", "up", url); out != "1 step applied\n" {
			t.Errorf("up: %q", out)
		}
		if out := programtest.Run(t, "migrate", "up", url); out != "0 steps applied\n" {
			t.Errorf("up again: %q", out)
		}
		if out := programtest.Run(t, "migrate", "status", url); out != "applied  00001_schema.sql\n" {
			t.Errorf("after up: %s", out)
		}
		p := start(t, url)
		if out := programtest.Run(t, "migrate", "down", url); out != "rolled back: 00001_schema.sql\n" {
			t.Errorf("down: %s", out)
		}
		if status, body := get(t, p.Address+"/readyz", ""); status != http.StatusServiceUnavailable {
			t.Errorf("a server without its schema: %d %s", status, body)
		}
		if r := programtest.Command(t, "migrate", "status", url); r.Status != 3 || r.Stdout != "missing  00001_schema.sql\n" {
			t.Errorf("after down: exit %d: %s%s", r.Status, r.Stdout, r.Stderr)
		}
	})
}

// An operator's first hour: a user, a token, a server, and the token revoked while it serves.
func TestUsersAndTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.URL(t, engine)
		if r := programtest.Command(t, "user", "create", "alice", url); r.Status != 1 {
			t.Errorf("without a schema: exit %d: %s", r.Status, r.Stderr)
		}
		programtest.Run(t, "migrate", "up", url)
		id := strings.TrimSpace(programtest.Run(t, "user", "create", "alice", "--full-name", "Alice Aed", "--email", "alice@example.com", "--staff", url))
		if !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
			t.Errorf("user create prints %q", id)
		}
		if r := programtest.Command(t, "user", "create", "alice", url); r.Status != 1 || !strings.Contains(r.Stderr, "taken") {
			t.Errorf("twice: exit %d: %s", r.Status, r.Stderr)
		}
		if r := programtest.Command(t, "token", "create", "bob", url); r.Status != 1 || !strings.Contains(r.Stderr, "no user bob") {
			t.Errorf("nobody's token: exit %d: %s", r.Status, r.Stderr)
		}
		token := strings.TrimSpace(programtest.Run(t, "token", "create", "alice", "--expires", "1h", url))
		p := start(t, url)
		list := p.Address + "/api/call-managing-organisations/"
		if status, body := get(t, list, token); status != http.StatusOK || strings.TrimSpace(body) != "[]" {
			t.Errorf("with the token: %d %s", status, body)
		}
		if out := programtest.Run(t, "token", "revoke", "alice", url); out != "1 token revoked\n" {
			t.Errorf("revoke: %q", out)
		}
		if status, _ := get(t, list, token); status != http.StatusUnauthorized {
			t.Errorf("after it was revoked: %d", status)
		}
		p.Stop(t)
		if strings.Contains(p.Log.String(), token) {
			t.Error("the token is in the log")
		}
	})
}
