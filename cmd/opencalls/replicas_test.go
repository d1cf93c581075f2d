package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
)

// onPostgres runs a test of several servers on one database, which is Postgres's part.
func onPostgres(t *testing.T, test func(t *testing.T, flag string)) {
	t.Helper()
	for _, engine := range storetest.Engines() {
		if engine == storetest.Postgres {
			t.Run(engine, func(t *testing.T) { test(t, "--database-url="+storetest.URL(t, engine)) })
		}
	}
}

// Servers that start at once on an empty database migrate it once, and fill in the demo data once.
func TestReplicasStartAtOnce(t *testing.T) {
	onPostgres(t, func(t *testing.T, flag string) {
		t.Run("start", func(t *testing.T) {
			for n := range 5 {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					t.Parallel()
					start(t, "--demo", flag)
				})
			}
		})
		var tables storetest.SQL
		storetest.OpenURL(t, flag[len("--database-url="):], tables.Use)
		db := tables.DB(t)
		if rows := storetest.Rows(t, db, "SELECT version_id FROM goose_db_version GROUP BY version_id HAVING count(*) > 1"); len(rows) > 0 {
			t.Errorf("steps taken twice: %v", rows)
		}
		if rows := storetest.Rows(t, db, "SELECT object_uuid FROM audit_events WHERE object_type = 'call_managing_organisation' AND details = '' GROUP BY object_uuid HAVING count(*) > 1"); len(rows) > 0 {
			t.Errorf("demo data twice: %v", rows)
		}
	})
}

// A token that is revoked, and a user who is deactivated, are refused by every server at once.
func TestReplicasRefuseAtOnce(t *testing.T) {
	inactive := filepath.Join(t.TempDir(), "users.yaml")
	const users = "users: [{uuid: %s, is_active: false}]"
	onPostgres(t, func(t *testing.T, flag string) {
		replicas := []process{start(t, "--demo", flag), start(t, flag)}
		everywhere := func(token string, want int) {
			t.Helper()
			for n, replica := range replicas {
				if status, body := get(t, replica.Address+organisations, token); status != want {
					t.Errorf("server %d: status %d, not %d: %s", n, status, want, body)
				}
			}
		}
		bob := strings.TrimSpace(programtest.Run(t, "user", "create", "bob", flag))
		token := strings.TrimSpace(programtest.Run(t, "token", "create", "bob", flag))
		everywhere(token, http.StatusOK)
		if err := os.WriteFile(inactive, fmt.Appendf(nil, users, bob), 0o600); err != nil {
			t.Fatal(err)
		}
		programtest.Run(t, "import", inactive, flag)
		everywhere(token, http.StatusUnauthorized)
		everywhere(fixture.DemoStaffToken, http.StatusOK)
		programtest.Run(t, "token", "revoke", "demo.staff", flag)
		everywhere(fixture.DemoStaffToken, http.StatusUnauthorized)
	})
}
