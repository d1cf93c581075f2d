package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

const (
	wrongPassword = `{"detail":"Invalid username/password."}`
	lockedOut     = `{"detail":"Username is locked out. Try in 10 minutes."}`
)

// signIn is a sign-in without a token.
func signIn(name, username, password string, status int, want string) scenario {
	return scenario{name: name, as: "nobody", request: "POST /api-auth/password/", body: jsonBody(fmt.Sprintf(`{"username":%q,"password":%q}`, username, password)), status: status, want: want}
}

var passwordScenarios = []scenario{
	{name: "a password", as: "nobody", request: "POST /api-auth/password/", body: jsonBody(`{"username":"bob","password":"the password","zzz":1}`), status: 200,
		want: `{"token":"token-of-sign-in-1"}`, events: []string{"token.create {bob} by bob"}},
	{name: "a wrong token beside the password", header: []string{"Authorization: Token x"}, request: "POST /api-auth/password/",
		body: jsonBody(`{"username":"bob","password":"the password"}`), status: 401, want: `{"detail":"Invalid token."}`},
	signIn("an empty password", "bob", "", 400, `{"password":["This field may not be blank."]}`),
	signIn("a password of 129 characters", "bob", strings.Repeat("x", 129), 400, `{"password":["Ensure this field has no more than 128 characters."]}`),
	signIn("a username of 129 characters", strings.Repeat("x", 129), "x", 400, `{"username":["Ensure this field has no more than 128 characters."]}`),
	{name: "neither", as: "nobody", request: "POST /api-auth/password/", body: jsonBody(`{}`), status: 400, want: `{"password":["This field is required."],"username":["This field is required."]}`},
}

var logoutScenarios = []scenario{
	{name: "out", as: "bob", request: "POST /api-auth/logout/", status: 204, events: []string{"token.revoke {bob} by bob"}},
	{name: "a query that is not UTF-8", as: "bob", request: "POST /api-auth/logout/?zzz=%FF", status: 400, want: notUTF8},
}

// Whatever is wrong with a sign-in is the same text, and too many of them lock the username out for the address,
// with the right password too.
func TestLockOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		try := func(username, password string, status int, want string) {
			t.Helper()
			got := stage.send(t, stage.request(signIn("", username, password, 0, "")))
			if log := stage.log.take(); strings.Contains(log, password) {
				t.Errorf("the log holds the password: %s", log)
			}
			if got.Status != status || strings.TrimSpace(got.Body) != want {
				t.Errorf("%s with %q: %d %s, want %d %s", username, password, got.Status, got.Body, status, want)
			}
		}
		for _, username := range []string{"bob", "nobody-at-all", "ines", "sam", "Bob", "' OR 1=1 --"} {
			password := "the password"
			if username == "bob" {
				password = "The password"
			}
			for range 4 {
				try(username, password, 401, wrongPassword)
			}
			try(username, "the password", 401, lockedOut)
		}
		stage.clock.Advance(10*time.Minute - time.Microsecond)
		try("bob", "the password", 401, lockedOut)
		stage.clock.Advance(time.Microsecond)
		for range 3 {
			try("bob", "The password", 401, wrongPassword)
		}
		try("bob", "the password", 200, `{"token":"token-of-sign-in-1"}`)
		if left := storetest.Rows(t, stage.sql, "SELECT username FROM sign_in_failures"); len(left) > 0 {
			t.Errorf("failures are kept: %v", left)
		}
		stage.exec(t, "DELETE FROM tokens")
		for range 4 { // the three before are forgotten
			try("bob", "The password", 401, wrongPassword)
		}
		try("bob", "the password", 401, lockedOut)
	})
}

// Another address is not locked out, unless it is of the same /64.
func TestLockOutByAddress(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for _, try := range []struct{ address, password, want string }{
		{"2001:db8::1", "x", wrongPassword},
		{"2001:db8::2", "x", wrongPassword},
		{"2001:db8::3", "x", wrongPassword},
		{"2001:db8::4", "x", wrongPassword},
		{"2001:db8::5", "the password", lockedOut},
		{"2001:db8:0:1::1", "the password", `{"token":"token-of-sign-in-1"}`},
		{"192.0.2.1", "x", wrongPassword},
		{"192.0.2.1", "x", wrongPassword},
		{"192.0.2.1", "x", wrongPassword},
		{"::ffff:192.0.2.1", "x", wrongPassword},
		{"192.0.2.1", "the password", lockedOut},
		{"192.0.2.2", "the password", `{"token":"token-of-sign-in-2"}`},
	} {
		r := stage.request(signIn("", "bob", try.password, 0, ""))
		r.Header = http.Header{"X-Forwarded-For": {try.address}}
		if got := stage.send(t, r); strings.TrimSpace(got.Body) != try.want {
			t.Errorf("from %s with %q: %d %s, want %s", try.address, try.password, got.Status, got.Body, try.want)
		}
		stage.log.take()
	}
}

// A token of a sign-in ends a day after its last use. What moves its end is written at most once a minute.
func TestTokenLifetime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		send := func(method, target, token string) answer {
			t.Helper()
			r := request{Method: method, Target: target, Token: token}
			if target == "/api-auth/password/" {
				r.Body = jsonBody(`{"username":"bob","password":"the password"}`)
			}
			defer stage.log.take()
			return stage.send(t, r)
		}
		ends := func(want string) {
			t.Helper()
			got := send("GET", "/api/users/me/?field=token_expires_at", "token-of-sign-in-1")
			if want := `{"token_expires_at":"2027-` + want + `"}`; strings.TrimSpace(got.Body) != want {
				t.Errorf("%d %s, want %s", got.Status, got.Body, want)
			}
		}
		send("POST", "/api-auth/password/", "")
		ends("02-01T12:30:45.123456Z")
		stage.clock.Advance(time.Minute - time.Microsecond)
		ends("02-01T12:30:45.123456Z")
		stage.clock.Advance(time.Microsecond)
		ends("02-01T12:31:45.123456Z")
		stage.clock.Advance(24 * time.Hour)
		ends("02-02T12:31:45.123456Z")
		stage.clock.Advance(24*time.Hour + time.Microsecond)
		if got := send("GET", "/api/users/me/", "token-of-sign-in-1"); got.Status != 401 || !strings.Contains(got.Body, "Token has expired.") {
			t.Errorf("%d %s", got.Status, got.Body)
		}
		if got := send("GET", "/api/users/me/?field=token_expires_at", "token-of-bob"); strings.TrimSpace(got.Body) != `{"token_expires_at":null}` {
			t.Errorf("a token without an end: %s", got.Body)
		}
		stage.clock.Advance(24 * time.Hour)
		send("POST", "/api-auth/password/", "") // takes the ended token away
		if got := send("POST", "/api-auth/logout/", "token-of-sign-in-2"); got.Status != 204 {
			t.Errorf("logout: %d %s", got.Status, got.Body)
		}
		if got := send("GET", "/api/users/me/", "token-of-sign-in-2"); got.Status != 401 || !strings.Contains(got.Body, "Invalid token.") {
			t.Errorf("after logout: %d %s", got.Status, got.Body)
		}
	})
}

// A file may take away the end of a sign-in's token. Such a token works for good.
func TestImportedTokenWithoutEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		stage.send(t, stage.request(signIn("", "bob", "the password", 0, "")))
		file := filepath.Join(t.TempDir(), "tokens.yaml")
		tokens := stage.names.Replace("users: [{uuid: {bob}, tokens: [{sha256: " + store.Digest("token-of-sign-in-1") + ", expires: ~}]}]")
		if err := os.WriteFile(file, []byte(tokens), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := fixture.Load(t.Context(), stage.store, false, []string{file}, images.Limits{}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got := stage.send(t, request{Method: "GET", Target: "/api/users/me/?field=token_expires_at", Token: "token-of-sign-in-1"})
			if strings.TrimSpace(got.Body) != `{"token_expires_at":null}` {
				t.Errorf("%d %s", got.Status, got.Body)
			}
			stage.clock.Advance(1000 * time.Hour)
		}
		stage.log.take()
	})
}

// While other passwords are checked in both turns, a sign-in waits as long as a request may, and changes nothing.
func TestNoTurnToCheck(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.RequestTimeout = 100 * time.Millisecond })
	err := passwords.Checking(context.Background(), func() error {
		return passwords.Checking(context.Background(), func() error {
			got := stage.send(t, stage.request(signIn("", "bob", "the password", 0, "")))
			if changed := stage.changes(t); got.Status != 503 || got.Header.Get("Retry-After") == "" || changed != "" {
				t.Errorf("%d %v %s; changed: %s", got.Status, got.Header, got.Body, changed)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	stage.log.take()
}
