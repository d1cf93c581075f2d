package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

// post sends a body to a sandbox by a method, and wants a status.
func post(t *testing.T, method, url, body string, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		t.Errorf("%s %s: %d, want %d", method, url, response.StatusCode, status)
	}
}

// A sandbox needs no database of its own, fixes the times of its world by --sandbox-clock, and warns.
func TestSandbox(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.yaml")
	text := "customers:\n  - {uuid: 11111111-1111-4111-8111-111111111111, name: First, created: -48h}\n" +
		"users:\n  - {uuid: 22222222-2222-4222-8222-222222222222, username: staff, is_staff: true, token: staff-token}\n" +
		"call_managing_organisations:\n  - {uuid: 33333333-3333-4333-8333-333333333333, customer: 11111111-1111-4111-8111-111111111111, created: -24h}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--sandbox", "--sandbox-clock=2027-01-31T00:00:00Z", "--import="+file)
	organisation := p.Address + "/api/call-managing-organisations/33333333-3333-4333-8333-333333333333/"
	if _, body := get(t, organisation, "staff-token"); !strings.Contains(body, `"created":"2027-01-30T00:00:00Z"`) {
		t.Errorf("the organisation: %s", body)
	}
	post(t, "POST", p.Address+"/sandbox/clock/advance/", `{"by": "24h"}`, 200)
	post(t, "POST", p.Address+"/sandbox/reset/", "", 204)
	if _, body := get(t, p.Address+"/sandbox/clock/", ""); body != `{"now":"2027-01-31T00:00:00Z","speed":0}`+"\n" {
		t.Errorf("the clock: %s", body)
	}
	if _, body := get(t, p.Address+"/api/schema/", ""); !strings.Contains(body, "sandbox_reset") {
		t.Error("the schema has no operations of the sandbox")
	}
	if left, _ := os.ReadDir(p.Dir); len(left) > 0 {
		t.Errorf("files were made: %v", left)
	}
	p.Stop(t)
	if log := p.Log.String(); strings.Count(log, `"level":"WARN"`) != 1 || !strings.Contains(log, "this is a sandbox") {
		t.Errorf("the log says %s", log)
	}
}

// A sandbox can have a file, which outlives it.
func TestSandboxWithItsOwnFile(t *testing.T) {
	url := storetest.URL(t, storetest.SQLite)
	p := start(t, "--sandbox", "--demo", "--database-url="+url)
	post(t, "POST", p.Address+"/sandbox/reset/", "", 204)
	p.Stop(t)
	if _, err := os.Stat(strings.TrimPrefix(url, "sqlite:")); err != nil {
		t.Error(err)
	}
}

// What a sandbox can't do, or must not, is one line and exit 2.
func TestSandboxRefuses(t *testing.T) {
	variable := []string{"OPENCALLS_DATABASE_URL=postgres://localhost/opencalls"}
	for _, test := range []struct {
		flags       string
		environment []string
		want        string
	}{
		{"--sandbox --database-url postgres://localhost/opencalls", nil, "--sandbox: works on SQLite alone, not on Postgres"},
		{"--sandbox", variable, "--sandbox: works on SQLite alone, not on Postgres"},
		{"--sandbox --listen 0.0.0.0:0", nil, "--sandbox-anywhere"},
		{"--sandbox --listen :0", nil, "--sandbox-anywhere"},
		{"--sandbox --listen [::]:0", nil, "--sandbox-anywhere"},
		{"--sandbox --listen example.com:0", nil, "--sandbox-anywhere"},
		{"--sandbox --sandbox-clock nonsense", nil, "--sandbox-clock"},
		{"--sandbox --sandbox-clock 1969-12-31T23:59:59Z", nil, "--sandbox-clock: want a time from 1970 to 9999"},
		{"--sandbox-clock 2027-01-31T00:00:00Z", nil, "need --sandbox"},
		{"--sandbox-anywhere", nil, "need --sandbox"},
	} {
		r := programtest.CommandIn(t, t.TempDir(), test.environment, append([]string{"serve"}, strings.Fields(test.flags)...)...)
		if r.Status != 2 || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, test.want) {
			t.Errorf("%s: exit %d: %s", test.flags, r.Status, r.Stderr)
		}
	}
	for _, address := range []string{"localhost:0", "[::1]:0", "127.0.0.2:0"} {
		programtest.StartBy(t, nil, "--sandbox", "--listen", address)
	}
	programtest.StartBy(t, nil, "--sandbox", "--sandbox-anywhere", "--listen", "0.0.0.0:0")
}

// Without --sandbox there is nothing of it.
func TestNoSandbox(t *testing.T) {
	p := start(t, "--database-url=sqlite::memory:")
	post(t, "POST", p.Address+"/sandbox/reset/", "", 404)
	if _, body := get(t, p.Address+"/api/schema/", ""); strings.Contains(body, "sandbox") {
		t.Error("the schema has operations of the sandbox")
	}
}
