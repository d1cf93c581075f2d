package main

import (
	"fmt"
	"testing"

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
