package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// Objects of the world in which auditWorld's changes are made.
const (
	auditCustomer     = "6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a01"
	auditOrganisation = "6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a02"
	auditAlice        = "6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a03"
	auditBob          = "6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a04"
)

// The second customer's name would look like two events.
const auditWorld = `
customers:
  - {uuid: ` + auditCustomer + `, name: University of Tartu}
  - {uuid: 6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a05, name: "Ghent\n2026-01-01\tbob"}
users:
  - {uuid: ` + auditAlice + `, username: alice, is_staff: true, token: token-of-alice}
  - {uuid: ` + auditBob + `, username: bob, full_name: Bob Builder, email: bob@example.com, token: token-of-bob}
call_managing_organisations:
  - {uuid: ` + auditOrganisation + `, customer: ` + auditCustomer + `}
`

// importText imports a file with this content.
func importText(t *testing.T, databaseURL, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	programtest.Run(t, "import", file, databaseURL)
}

// audit lists events without their times, the columns apart from each other by bars.
func audit(t *testing.T, databaseURL string, arguments ...string) []string {
	t.Helper()
	events := []string{}
	for line := range strings.Lines(programtest.Run(t, append([]string{"audit", databaseURL}, arguments...)...)) {
		at, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if when, err := time.Parse(time.RFC3339, at); err != nil || time.Since(when) > time.Hour || when.Location() != time.UTC {
			t.Errorf("not the time of what was just done: %s", line)
		}
		events = append(events, strings.ReplaceAll(rest, "\t", "|"))
	}
	return events
}

func sameEvents(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("want (-), got (+):\n%s", cmp.Diff(want, got))
	}
}

// An operator finds out who granted and revoked a role, and who removed an organisation.
func TestAudit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		flag := "--database-url=" + storetest.URL(t, engine)
		programtest.Run(t, "migrate", "up", flag)
		importText(t, flag, auditWorld)
		p := start(t, flag)
		number := 0
		send := func(method, path, body string) {
			t.Helper()
			number++
			got, err := world.NewClient(p.Address + organisations + auditOrganisation + "/" + path).Send(world.Request{
				Method: method, Token: "token-of-alice", Body: world.JSON(body),
				Header: http.Header{"X-Request-Id": {fmt.Sprintf("request-%d", number)}},
			})
			if err != nil || got.Status >= 300 {
				t.Fatalf("%s %s: %d %s %v", method, path, got.Status, got.Body, err)
			}
		}
		const role = `{"role": "CUSTOMER.CALL_ORGANIZER", "user": "` + auditBob + `"}`
		send(http.MethodPost, "add_user/", role)
		send(http.MethodPost, "delete_user/", role)
		send(http.MethodPatch, "", `{"description": "changed"}`)
		programtest.Run(t, "token", "revoke", "bob", flag)
		const (
			alice   = "alice (" + auditAlice + ")"
			bob     = "bob (" + auditBob + ")"
			tartu   = "University of Tartu (" + auditOrganisation + ")"
			granted = bob + ", CUSTOMER.CALL_ORGANIZER (00000000-0000-4000-8000-000000000004), " + tartu

			adds    = alice + "|user_role.create|" + granted + "|until further notice|request-1"
			revokes = alice + "|user_role.revoke|" + granted + "||request-2"
			updates = alice + "|call_managing_organisation.update|" + tartu + "|description|request-3"
			token   = "command line|token.revoke|" + bob + "||"
			removes = alice + "|call_managing_organisation.delete|" + tartu + "||request-4"
			made    = "command line|call_managing_organisation.import|" + tartu + "||"
			known   = "command line|customer.import|University of Tartu (" + auditCustomer + ")||"
		)
		sameEvents(t, audit(t, flag, "--limit=4"), token, updates, revokes, adds)
		sameEvents(t, audit(t, flag, "--since=1h", "--user=bob"), token, revokes, adds,
			"command line|token.import|"+bob+"||", "command line|user.import|"+bob+"||")
		sameEvents(t, audit(t, flag, "--user="+auditAlice, "--limit=2"), updates, revokes)
		sameEvents(t, audit(t, flag, "--organisation="+auditOrganisation), updates, revokes, adds, made, known)
		sameEvents(t, audit(t, flag, "--organisation="+auditCustomer, "--user=alice"), updates, revokes, adds)
		sameEvents(t, audit(t, flag, "--user="+uuid.NewString()))
		sameEvents(t, audit(t, flag, "--since="+time.Now().Add(time.Hour).Format(time.RFC3339)))
		if all := audit(t, flag, "--limit=0"); len(all) != 11 || !slices.Contains(all,
			"command line|customer.import|Ghent�2026-01-01�bob (6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a05)||") {
			t.Errorf("all of it: %q", all)
		}

		send(http.MethodDelete, "", "")
		sameEvents(t, audit(t, flag, "--organisation="+auditOrganisation, "--limit=2"), removes, updates)
		var got map[string]any
		out := programtest.Run(t, "audit", flag, "--output=json", "--limit=1")
		if err := json.Unmarshal([]byte(out), &got); err != nil || strings.Count(out, "\n") != 1 {
			t.Fatalf("%v: %s", err, out)
		}
		for _, differs := range []string{"uuid", "created"} {
			if got[differs] == nil {
				t.Errorf("no %s: %s", differs, out)
			}
			delete(got, differs)
		}
		want := map[string]any{
			"actor_uuid": auditAlice, "actor_username": "alice", "action": "call_managing_organisation.delete",
			"object_type": "call_managing_organisation", "object_uuid": auditOrganisation, "organisation_uuid": auditOrganisation,
			"customer_uuid": auditCustomer, "customer_name": "University of Tartu", "request_id": "request-4", "details": "",
			"user_uuid": nil, "user_username": nil, "role_uuid": nil, "role_name": nil,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("want (-), got (+):\n%s", diff)
		}
		if r := programtest.Command(t, "audit", flag, "--user=nobody"); r.Status != 1 || !strings.HasSuffix(r.Stderr, "opencalls: there is no user nobody\n") {
			t.Errorf("nobody: exit %d: %s", r.Status, r.Stderr)
		}
	})
}

// A server removes events that are too old when it starts, several batches of them, and leaves the others.
func TestAuditKeep(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		url := storetest.MigratedURL(t, engine)
		flag := "--database-url=" + url
		const old = 2*auditBatch + 1
		s := storetest.OpenURL(t, url, func(cfg *store.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(-3 * time.Hour) }
		})
		err := s.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error {
			for n := range old {
				if _, err := tx.CreateUser(store.User{Username: fmt.Sprint("user", n)}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		programtest.Run(t, "user", "deactivate", "user1", flag)
		listed := func() int { return strings.Count(programtest.Run(t, "audit", flag, "--limit=0"), "\n") }

		start(t, flag).Stop(t)
		p := start(t, flag, "--audit-keep=4h")
		time.Sleep(3 * auditPause)
		p.Stop(t)
		if n := listed(); n != old+1 {
			t.Fatalf("without a need for it: %d events, not %d", n, old+1)
		}
		p = start(t, flag, "--audit-keep=2h")
		programtest.Within(t, "old events are removed", func() bool { return listed() == 1 })
		p.Stop(t)
		if said := fmt.Sprintf(`"msg":"old audit events removed","events":%d}`, old); !strings.Contains(p.Log.String(), said) {
			t.Errorf("not in the log: %s\n%s", said, p.Log.String())
		}
		if events := audit(t, flag); len(events) != 1 || !strings.HasPrefix(events[0], "command line|user.update|user1 (") {
			t.Errorf("left: %q", events)
		}
	})
}

// What docs/operations.md says about removing a person leaves neither their name nor anything else of theirs.
func TestForgetPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		flag := "--database-url=" + storetest.URL(t, engine)
		programtest.Run(t, "migrate", "up", flag)
		importText(t, flag, auditWorld)
		picture := base64.StdEncoding.EncodeToString([]byte(world.PNG(1, 1, 0)))
		importText(t, flag, fmt.Sprintf("users: [{uuid: %s, native_name: Боб, image: %q, password_hash: %q}]", auditBob,
			"data:image/png;base64,"+picture, passwords.Hash("of bob")))
		page, err := os.ReadFile("../../docs/operations.md")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(page), "```yaml\nusers:")
		entry, _, _ := strings.Cut(after, "```")
		programtest.Run(t, "token", "revoke", "bob", flag)
		importText(t, flag, "users:"+strings.ReplaceAll(entry, "UUID", auditBob))
		everything := programtest.Run(t, "export", flag) + programtest.Run(t, "audit", flag, "--limit=0", "--output=json")
		everything = strings.ReplaceAll(everything, `2026-01-01\tbob`, "") // a customer
		for _, theirs := range []string{"bob", "Bob", "Боб", "argon2id", "image/png"} {
			if strings.Contains(everything, theirs) {
				t.Errorf("%s is left: %s", theirs, everything)
			}
		}
		if !strings.Contains(everything, "removed-") {
			t.Errorf("no user in their place: %s", everything)
		}
	})
}
