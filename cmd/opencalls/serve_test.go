package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
)

// The HTTPie samples of the API's reference page, as docs/samples.md has them.
func TestSamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/samples.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile("(?s)## HTTPie\n\n```bash\n(.*?)```").FindSubmatch(page)
	if section == nil {
		t.Fatal("docs/samples.md has no HTTPie samples")
	}
	if n := strings.Count(string(section[1]), "http "); n != 11 {
		t.Fatalf("%d samples, not 11", n)
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		p := start(t, "--demo", "--validate-responses=fail", "--database-url="+storetest.URL(t, engine))
		script := strings.ReplaceAll(string(section[1]), "http://127.0.0.1:8080", p.Address)
		script = regexp.MustCompile(`(?m)^http `).ReplaceAllString(script, "http --check-status ")
		bash := exec.CommandContext(t.Context(), "bash", "-euxc", script)
		if out, err := bash.CombinedOutput(); err != nil {
			t.Errorf("%v (HTTPie has to be installed):\n%s", err, out)
		}
		p.Stop(t)
		if n := strings.Count(p.Log.String(), `"msg":"request"`); n != 11 {
			t.Errorf("%d lines in the log for 11 requests:\n%s", n, p.Log.String())
		}
	})
}

// postgresWarnings counts what is said at the start of settings that lose writes in a crash:
// the Postgres of tests may have them for speed.
func postgresWarnings(log string) int {
	return strings.Count(log, "Postgres may lose acknowledged writes")
}

// A database that demo data filled is left as it is; one with anything else in it is refused.
func TestDemo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.URL(t, engine)
		p := start(t, "--demo", url)
		status, body := get(t, p.Address+"/api/call-managing-organisations/", fixture.DemoStaffToken)
		if status != http.StatusOK || strings.Count(body, `"uuid"`) != 10 {
			t.Errorf("the first page: %d %s", status, body)
		}
		image := regexp.MustCompile(`"image":"([^"]+)"`).FindStringSubmatch(body)
		if image == nil {
			t.Fatal("no organisation has an image")
		}
		if status, _ := get(t, image[1], ""); status != http.StatusOK {
			t.Errorf("image: %d", status)
		}
		organisation := p.Address + "/api/call-managing-organisations/" + fixture.DemoOrganisation + "/"
		if status, _ := get(t, organisation+"list_users/", fixture.DemoOwnerToken); status != http.StatusOK {
			t.Errorf("the owner's team: %d", status)
		}
		if status, _ := get(t, organisation+"list_users/", fixture.DemoUserToken); status != http.StatusForbidden {
			t.Errorf("somebody else's team: %d", status)
		}
		busy := "/api/call-managing-organisations/" + fixture.DemoBusyOrganisation + "/stats/"
		if _, body := get(t, p.Address+busy, fixture.DemoStaffToken); strings.Contains(body, `":0`) {
			t.Errorf("a busy organisation: %s", body)
		}
		for _, username := range []string{"demo.staff", "marta.virtanen", "jurgen.magi", "nils.oberg"} {
			if status, body := get(t, p.Address+"/api/users/me/", p.signIn(t, username, "demo", http.StatusOK)); status != http.StatusOK {
				t.Errorf("%s: %d %s", username, status, body)
			}
		}
		said := p.Stop(t)
		for _, what := range []string{"demo data", "other users is demo.", fixture.DemoStaffToken, busy, "CUSTOMER.OWNER of Northern Lakes Supercomputing Centre"} {
			if !strings.Contains(said, what) {
				t.Errorf("said on start: %s", said)
			}
		}
		before := programtest.Run(t, "export", url)
		start(t, "--demo", url).Stop(t)
		if programtest.Run(t, "export", url) != before {
			t.Error("the second start changed the demo data")
		}
		other := "--database-url=" + storetest.MigratedURL(t, engine)
		programtest.Run(t, "user", "create", "alice", other)
		if r := programtest.Command(t, "serve", "--listen=127.0.0.1:0", "--demo", other); r.Status != 1 || strings.Count(r.Stderr, "opencalls: ") != 1 {
			t.Errorf("a database with other data: exit %d: %s", r.Status, r.Stderr)
		}
	})
}

// A demo database that a server has open is not thrown away.
func TestDemoReset(t *testing.T) {
	makefile, err := filepath.Abs("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "opencalls.db"), filepath.Join(dir, "bin", "opencalls")
	err = os.Mkdir(filepath.Dir(binary), 0o700)
	if err := errors.Join(err, os.Symlink("/bin/true", binary)); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--demo", "--database-url=sqlite:"+file)
	for _, open := range []bool{true, false} {
		reset := exec.CommandContext(t.Context(), "make", "-f", makefile, "-o", "build", "demo-reset")
		reset.Dir = dir
		out, err := reset.CombinedOutput()
		_, gone := os.Stat(file)
		if (err != nil) != open || (gone == nil) != open || open && !strings.Contains(string(out), "A server has opencalls.db open") {
			t.Errorf("open: %t; %v, %v: %s", open, err, gone, out)
		}
		if open {
			p.Stop(t)
		}
	}
}

// In an empty folder the server says that it made the database, and the commands that let somebody in.
func TestNewDatabase(t *testing.T) {
	p := start(t)
	said := p.Stop(t)
	commands := regexp.MustCompile(`(?m)^  opencalls .*`).FindAllString(said, -1)
	if !strings.HasPrefix(said, "made the database opencalls.db\n") || len(commands) != 2 {
		t.Fatalf("said on start: %s", said)
	}
	token := ""
	for _, command := range commands {
		shell := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "opencalls", programtest.Binary, 1))
		shell.Dir = p.Dir
		out, err := shell.Output()
		if err != nil {
			t.Errorf("%s: %v", command, err)
		}
		token = strings.TrimSpace(string(out))
	}
	file := "--database-url=sqlite:" + filepath.Join(p.Dir, "opencalls.db")
	p = start(t, file)
	if status, body := get(t, p.Address+organisations, token); status != http.StatusOK {
		t.Errorf("with the token: %d %s", status, body)
	}
	if said := p.Stop(t); said != "" {
		t.Errorf("said on the second start: %s", said)
	}
	if said := start(t, "--demo").Stop(t); !strings.HasPrefix(said, "made the database opencalls.db\n") || strings.Contains(said, "user create") {
		t.Errorf("said with demo data: %s", said)
	}
}

func TestImportAndExport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "fixture.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const customer = "customers:\n  - {uuid: 6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a01, name: University of Tartu}\n"
	storetest.Each(t, func(t *testing.T, engine string) {
		url := "--database-url=" + storetest.MigratedURL(t, engine)
		write(customer)
		if out := programtest.Run(t, "import", "--dry-run", file, url); !strings.Contains(out, "1 customer") {
			t.Errorf("dry run: %s", out)
		}
		if out := programtest.Run(t, "export", url); strings.Contains(out, "Tartu") {
			t.Error("a dry run wrote")
		}
		if out := programtest.Run(t, "import", file, url); !strings.Contains(out, "1 customer") {
			t.Errorf("import: %s", out)
		}
		exported := filepath.Join(dir, engine+".jsonl")
		programtest.Run(t, "export", "--output", exported, url)
		for _, target := range storetest.Engines() {
			copied := "--database-url=" + storetest.MigratedURL(t, target)
			programtest.Run(t, "import", exported, copied)
			if programtest.Run(t, "export", copied) != programtest.Run(t, "export", url) {
				t.Errorf("the copy on %s exports something else", target)
			}
		}
		write(customer + "users:\n  - {uuid: nonsense, username: alice}\n")
		r := programtest.Command(t, "import", file, url)
		if r.Status != 1 || !strings.Contains(r.Stderr, "fixture.yaml:4: users[0]") {
			t.Errorf("a wrong file: exit %d: %s", r.Status, r.Stderr)
		}
		if r := programtest.Command(t, "serve", "--listen=127.0.0.1:0", "--import", file, url); r.Status != 1 {
			t.Errorf("served with a wrong file: exit %d", r.Status)
		}
	})
}

// A private database is gone with the server, and the health check sees both.
func TestMemoryAndHealth(t *testing.T) {
	p := start(t, "--demo", "--database-url=sqlite::memory:", "--public-url=https://calls.example.com/", "--anonymous-read")
	if out := programtest.Run(t, "health", p.Address); out != "ready\n" {
		t.Errorf("health: %q", out)
	}
	status, body := get(t, p.Address+"/api/call-managing-organisations/", "")
	if status != http.StatusOK || !strings.Contains(body, `"url":"https://calls.example.com/api/`) {
		t.Errorf("without a token, at the public URL: %d %.200s", status, body)
	}
	p.Stop(t)
	if r := programtest.Command(t, "health", p.Address); r.Status != 1 {
		t.Errorf("health of a server that is gone: exit %d", r.Status)
	}
}

// The health check asks where serve listens by the same variables.
func TestHealthBySettings(t *testing.T) {
	certificate, key, _ := selfSigned(t)
	for host, secure := range map[string]bool{"127.0.0.1": false, "0.0.0.0": false, "": true} {
		t.Run(host, func(t *testing.T) {
			if secure {
				t.Setenv("OPENCALLS_TLS_CERT", certificate)
				t.Setenv("OPENCALLS_TLS_KEY", key)
			}
			p := programtest.StartBy(t, nil, "--listen="+host+":0", "--database-url=sqlite::memory:")
			t.Setenv("OPENCALLS_LISTEN", host+p.Address[strings.LastIndex(p.Address, ":"):])
			if out := programtest.Run(t, "health"); out != "ready\n" {
				t.Errorf("health: %q", out)
			}
		})
	}
}
