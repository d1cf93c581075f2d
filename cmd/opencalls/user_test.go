package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// signIn signs in by a password, which must have the status, and returns the token.
func (p process) signIn(t *testing.T, username, password string, status int) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	sent := world.Request{Method: http.MethodPost, Target: "/api-auth/password/", Body: world.JSON(string(body))}
	got, err := world.NewClient(p.Address).Send(sent)
	var answer struct{ Token string }
	if err == nil {
		err = json.Unmarshal([]byte(got.Body), &answer)
	}
	if err != nil || got.Status != status {
		t.Errorf("sign-in of %s: %v %d %s, want %d", username, err, got.Status, got.Body, status)
	}
	return answer.Token
}

// An operator makes users, gives them passwords, looks at them and keeps one out, while the server runs.
func TestUserCommands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		database := "--database-url=" + storetest.MigratedURL(t, engine)
		p := start(t, database)
		run := func(input string, status int, want string, arguments ...string) string {
			t.Helper()
			r := programtest.CommandWith(t, input, append(arguments, database)...)
			said := r.Stdout
			if status != 0 { // after what is said of the Postgres of tests
				said += r.Stderr[max(0, strings.LastIndex(r.Stderr, "opencalls: ")):]
			}
			if r.Status != status || !regexp.MustCompile("^"+want+"$").MatchString(said) {
				t.Errorf("%v: exit %d: %q; want %d: %q", arguments, r.Status, said, status, want)
			}
			return said
		}
		const id = `[0-9a-f-]{36}`
		const second = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
		run("", 0, "", "user", "list")
		run("", 0, "", "token", "list")

		run("secret\n", 0, id+"\n", "user", "create", "alice", "--staff", "--full-name=Alice Aed", "--password-stdin")
		token := p.signIn(t, "alice", "secret", 200)
		if status, body := get(t, p.Address+"/api/users/me/", token); status != 200 || !strings.Contains(body, `"is_staff":true`) {
			t.Errorf("alice: %d %s", status, body)
		}
		run("", 0, id+"\n", "user", "create", "bob")
		p.signIn(t, "bob", "bob", 401)
		long := strings.Repeat("\U0001f52d", 128)
		run(long+"\r\n", 0, "", "user", "password", "bob", "--password-stdin")
		p.signIn(t, "bob", long, 200)
		run(" two words ", 0, "", "user", "password", "bob", "--password-stdin")
		p.signIn(t, "bob", long, 401)
		ofBob := p.signIn(t, "bob", " two words ", 200)

		for _, wrong := range []string{"", "\n", strings.Repeat("x", 129), long + "\r\nx", "two\nlines\n", "a\x00b", "\xff"} {
			const text = "opencalls: --password-stdin: a password is one line of 1 to 128 characters\n"
			run(wrong, 1, text, "user", "password", "bob", "--password-stdin")
			run(wrong, 1, text, "user", "create", "carol", "--password-stdin")
		}
		run("x", 1, "opencalls: there is no user carol\n", "user", "password", "carol", "--password-stdin")
		run("x", 1, "opencalls: username bob is taken\n", "user", "create", "bob", "--password-stdin")
		run("x", 2, "opencalls: .*--password-stdin.*\n", "user", "password", "bob")
		run("", 1, "opencalls: there is no user carol\n", "user", "deactivate", "carol")

		run("", 0, "", "user", "deactivate", "bob")
		p.signIn(t, "bob", " two words ", 401)
		if status, body := get(t, p.Address+"/api/users/me/", ofBob); status != 401 {
			t.Errorf("bob: %d %s", status, body)
		}
		run("", 0, fmt.Sprintf("%s\talice\tstaff\tAlice Aed\n%[1]s\tbob\tinactive\t\n", id), "user", "list")
		made := run("", 0, `[0-9a-f]{40}`+"\n", "token", "create", "alice")
		run("", 0, fmt.Sprintf("alice\t%s\t%[1]s\nalice\t%[1]s\tnever\n(bob\t%[1]s\t%[1]s\n){2}", second), "token", "list")
		p.Stop(t)
		for _, secret := range []string{"secret", "two words", long, token, strings.TrimSpace(made)} {
			if strings.Contains(p.Log.String()+programtest.Run(t, "export", database), secret) {
				t.Errorf("%s is shown", secret)
			}
		}
	})
}
