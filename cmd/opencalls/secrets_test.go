package main

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

// secrets are what must not be seen, by what they are, and everything that the program said while
// they were in use.
type secrets struct {
	hidden map[string]string
	said   strings.Builder
}

// run runs a command, whatever comes of it.
func (s *secrets) run(t *testing.T, arguments ...string) programtest.Result {
	t.Helper()
	r := programtest.Command(t, arguments...)
	fmt.Fprintln(&s.said, r.Stdout, r.Stderr)
	return r
}

// send sends a request with a body, which may be empty, and lines of a header.
func (s *secrets) send(t *testing.T, client *http.Client, method, target, content string, header ...string) int {
	t.Helper()
	r := world.Request{Method: method, Header: http.Header{}, Body: world.Body{Content: content}}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	got, err := (&world.Client{URL: target, HTTP: client}).Send(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Link", "Location"} {
		got.Header.Del(name) // leads to the client's own query, as it was sent
	}
	fmt.Fprintln(&s.said, got.Header, got.Body)
	return got.Status
}

// check looks for the secrets, and for what shows that the program said something at all.
func (s *secrets) check(t *testing.T, said ...string) {
	t.Helper()
	text := s.said.String()
	for what, secret := range s.hidden {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s is seen: …%s…", what, text[max(0, i-200):min(len(text), i+200)])
		}
	}
	for _, want := range said {
		if !strings.Contains(text, want) {
			t.Errorf("nothing was said of %q in\n%s", want, text)
		}
	}
}

// Whatever is done with secrets, and whatever fails meanwhile: they are in no line that commands
// and the server print or log, and in no answer.
func TestSecretsStaySecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		databaseURL := storetest.URL(t, engine)
		flag := "--database-url=" + databaseURL
		certificate, key, pool := selfSigned(t)
		keyText, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "users.yaml")
		const users = "users: [{uuid: 6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a02, username: bob, token: token-in-a-file}]"
		if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
			t.Fatal(err)
		}
		s := &secrets{hidden: map[string]string{
			"a token of an import file": "token-in-a-file", "a token that nobody has": "token-of-nobody", "an image": "bytes-of-an-image",
			"the TLS key": strings.Split(string(keyText), "\n")[1], "a PEM file": "-----BEGIN",
		}}
		if u, err := url.Parse(databaseURL); err == nil && u.User != nil {
			s.hidden["the database's password"], _ = u.User.Password()
		}
		s.run(t, "migrate", "up", flag)
		s.run(t, "user", "create", "alice", "--staff", flag)
		token := strings.TrimSpace(programtest.Run(t, "token", "create", "alice", flag)) // the one place where it is shown
		s.hidden["a token"] = token
		s.run(t, "import", file, flag)
		s.run(t, "export", flag)

		p := start(t, flag, "--import="+file, "--tls-cert="+certificate, "--tls-key="+key, "--metrics-listen=127.0.0.1:0")
		client := trusting(pool, tls.VersionTLS13)
		if status := s.send(t, client, "GET", p.Address+organisations, "", "Authorization: Token "+token); status != http.StatusOK {
			t.Fatalf("with the token: status %d", status)
		}
		s.misplace(t, client, p.Address, token)
		breakTokens(t, databaseURL)
		if status := s.send(t, client, "GET", p.Address+organisations, "", "Authorization: Token "+token); status != http.StatusInternalServerError {
			t.Errorf("with a broken database: status %d", status)
		}
		s.misplace(t, client, p.Address, token)
		s.run(t, "token", "create", "alice", flag)
		s.run(t, "import", file, flag)
		metrics := metricsAddress.FindStringSubmatch(p.Log.String())[1]
		for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline"} {
			s.send(t, client, "GET", metrics+path, "")
		}
		fmt.Fprintln(&s.said, p.Stop(t), p.Log.String())
		s.check(t, `"level":"ERROR"`, `"status":500`, `"status":401`, `"status":415`, "tokens")
	})
}

// misplace sends tokens in every place where somebody may put one by mistake, and an image that is
// none.
func (s *secrets) misplace(t *testing.T, client *http.Client, address, token string) {
	t.Helper()
	basic := base64.StdEncoding.EncodeToString([]byte("alice:" + token))
	s.hidden["a token in Basic"] = basic
	list := address + organisations
	for _, token := range []string{token, "token-in-a-file", "token-of-nobody"} {
		for _, header := range []string{
			"Authorization: Token " + token, "Authorization: Bearer " + token, "Authorization: Token " + token + " x", "Authorization: Token" + token,
			"Authorization: " + token, "Authorization: Token \"" + token + "\"", "Authorization: Basic " + basic, "Authorization: Token \x80" + token,
			"X-Auth-Token: " + token, "Cookie: token=" + token, "Referer: https://x/?token=" + token, "User-Agent: " + token, "X-Forwarded-For: " + token,
			"Accept: " + token, "Content-Type: " + token,
		} {
			s.send(t, client, "GET", list, "", header)
		}
		s.send(t, client, "GET", list+"?token="+token+"&customer_keyword="+token, "", "Authorization: Token "+token)
		s.send(t, client, "GET", strings.TrimSuffix(list, "/")+"?token="+token, "")
		for mediaType, content := range map[string]string{
			"application/json": `{"token": "` + token, "application/x-www-form-urlencoded": "token=" + token + "&customer=%zz", "text/plain": token,
			"multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\x1a\nbytes-of-an-image\r\n--x--\r\n",
		} {
			s.send(t, client, "POST", list, content, "Authorization: Token "+token, "Content-Type: "+mediaType)
		}
	}
}

// breakTokens takes the tokens' table from under a server.
func breakTokens(t *testing.T, databaseURL string) {
	t.Helper()
	var tables storetest.SQL
	storetest.OpenURL(t, databaseURL, tables.Use)
	if _, err := tables.DB(t).ExecContext(t.Context(), "DROP TABLE tokens"); err != nil {
		t.Fatal(err)
	}
}

// A wrong configuration shows none of the secrets in it.
func TestSecretsOfAWrongConfiguration(t *testing.T) {
	certificate, key, _ := selfSigned(t)
	garbage, noToken := filepath.Join(t.TempDir(), "key.pem"), filepath.Join(t.TempDir(), "users.yaml")
	for path, content := range map[string]string{
		garbage: "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----\n",
		noToken: "users:\n  - {uuid: 6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a02, username: bob, token: \"S3CRET with blanks\"}\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	database := "--database-url=sqlite:" + filepath.Join(t.TempDir(), "opencalls.db")
	programtest.Run(t, "migrate", "up", database)
	wrong := [][]string{
		{"serve", "postgres://opencalls:S3CRET@localhost/opencalls"},
		{"serve", "postgres://opencalls:pa/S3CRET@localhost/opencalls"},
		{"serve", "postgres://opencalls:pass S3CRET@localhost/opencalls"},
		{"serve", "postgres://localhost/opencalls?user=opencalls&password=S3CRET"},
		{"serve", "postgres://localhost/opencalls?sslPassword=S3CRET&user=opencalls"},
		{"serve", "host=localhost password='S3CRET with blanks, S3CRET'"},
		{"serve", "--statement-timeout=postgres://localhost/opencalls?password=S3CRET"},
		{"serve", "--statement-timeout", "postgres://opencalls:S3CRET@localhost/opencalls"},
		{"serve", database, "--import=postgres://opencalls:S3CRET@localhost/opencalls"},
		{"serve", database, "--import=postgres://localhost/opencalls?password=S3CRET"},
		{"import", database, "postgres://opencalls:pa/S3CRET@localhost/opencalls"},
		{"serve", "--database-urls=postgres://opencalls:S3CRET@localhost/opencalls"},
		{"health", "http://opencalls:S3CRET@127.0.0.1:1"},
		{"serve", "--public-url=http://opencalls:S3CRET@localhost"},
		{"serve", "--tls-cert=" + certificate, "--tls-key=" + garbage},
		{"serve", "--tls-cert=" + garbage, "--tls-key=" + key},
		{"import", noToken, database},
	}
	for _, u := range []string{
		"postgres://opencalls:S3CRET@127.0.0.1:1/opencalls", // nobody is there
		"postgres://opencalls:S3CRET@127.0.0.1:99999/opencalls",
		"postgres://opencalls:S3CRET%zz@127.0.0.1/opencalls",
		"postgres://opencalls:S3CRET@127.0.0.1:1/opencalls?sslmode=S3CRET",
		"postgres://127.0.0.1:1/opencalls?user=opencalls&password=S3CRET",
		"postgres://opencalls:S3CRET@[::1/opencalls",
		"mysql://opencalls:S3CRET@localhost/opencalls",
		"host=localhost password=S3CRET",
	} {
		for _, command := range [][]string{{"migrate", "status"}, {"serve", "--listen=127.0.0.1:0"}, {"token", "create", "alice"}} {
			wrong = append(wrong, append(command, "--database-url="+u))
		}
	}
	for _, engine := range storetest.Engines() {
		if engine == storetest.Postgres { // which knows another password, if it wants one
			u, err := url.Parse(storetest.MigratedURL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword(u.User.Username(), "S3CRET")
			wrong = append(wrong, []string{"token", "create", "nobody", "--database-url=" + u.String()})
		}
	}
	for _, arguments := range wrong {
		r := programtest.Command(t, arguments...)
		if r.Status == 0 || r.Stderr == "" {
			t.Errorf("%v: exit %d: %s", arguments, r.Status, r.Stderr)
		}
		if strings.Contains(r.Stdout+r.Stderr, "S3CRET") {
			t.Errorf("%v: %s%s", arguments, r.Stdout, r.Stderr)
		}
	}
}
