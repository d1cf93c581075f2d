package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
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

// A client that is led to another server with each request sees one service.
func TestClientOfReplicas(t *testing.T) {
	onPostgres(t, func(t *testing.T, flag string) {
		var addresses []string
		for range 3 {
			addresses = append(addresses, start(t, "--demo", "--validate-responses=fail", flag).Address)
		}
		useClient(t, programtest.Proxy(t, addresses...))
	})
}

// A token that is revoked, and a user who is made inactive, are refused by every server at once.
func TestReplicasRefuseAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.yaml")
	const bob = "users: [{uuid: 6b0fb1a0-8a51-4a3c-9a3e-2f0f4d1f1a02, username: bob, token: token-of-bob, is_active: %t}]"
	importBob := func(t *testing.T, active bool, flag string) {
		if err := os.WriteFile(file, fmt.Appendf(nil, bob, active), 0o600); err != nil {
			t.Fatal(err)
		}
		programtest.Run(t, "import", file, flag)
	}
	onPostgres(t, func(t *testing.T, flag string) {
		replicas := []process{start(t, flag), start(t, flag), start(t, flag)}
		everywhere := func(what string, want int) {
			t.Helper()
			for n, replica := range replicas {
				if status, body := get(t, replica.Address+"/api/call-managing-organisations/", "token-of-bob"); status != want {
					t.Errorf("%s, at server %d: %d %s", what, n, status, body)
				}
			}
		}
		everywhere("before there is a user", http.StatusUnauthorized)
		importBob(t, true, flag)
		everywhere("an active user", http.StatusOK)
		importBob(t, false, flag)
		everywhere("an inactive user", http.StatusUnauthorized)
		importBob(t, true, flag)
		everywhere("active again", http.StatusOK)
		programtest.Run(t, "token", "revoke", "bob", flag)
		everywhere("a revoked token", http.StatusUnauthorized)
	})
}
