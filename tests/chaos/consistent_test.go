//go:build chaos

package chaos

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
)

// open opens the tables of a database that no server of ours has open any more.
func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	var tables storetest.SQL
	storetest.OpenURL(t, databaseURL, tables.Use)
	db := tables.DB(t)
	if !strings.HasPrefix(databaseURL, "sqlite:") {
		settle(t, db)
	}
	return db
}

// settle waits until Postgres has done with the connections of servers that were killed: it
// carries out what they sent last.
func settle(t *testing.T, db *sql.DB) {
	t.Helper()
	const busy = `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')`
	programtest.Within(t, "the connections of servers that were killed end", func() bool { return storetest.Count(t, db, busy) == 0 })
}

// consistent checks what holds of every database of ours, whatever happened to it.
func consistent(t *testing.T, databaseURL string, db *sql.DB) {
	t.Helper()
	if strings.HasPrefix(databaseURL, "sqlite:") {
		if rows := storetest.Rows(t, db, "PRAGMA integrity_check"); len(rows) != 1 || rows[0] != `integrity_check="ok"` {
			t.Errorf("the file is damaged: %v", rows)
		}
		if rows := storetest.Rows(t, db, "PRAGMA foreign_key_check"); len(rows) > 0 {
			t.Errorf("references to nothing: %v", rows)
		}
	}
	for what, query := range map[string]string{
		"the counter of organisations is wrong by": `SELECT (SELECT value FROM counters WHERE name = 'call_managing_organisations') - count(*) FROM call_managing_organisations`,
		"images of nothing": `SELECT count(*) FROM images WHERE uuid NOT IN (
			SELECT image_uuid FROM call_managing_organisations WHERE image_uuid IS NOT NULL
			UNION SELECT image_uuid FROM customers WHERE image_uuid IS NOT NULL
			UNION SELECT image_uuid FROM users WHERE image_uuid IS NOT NULL)`,
		"organisations out of step with their customer": storetest.OutOfStep,
		"organisations without an event": `SELECT count(*) FROM call_managing_organisations WHERE CAST(uuid AS text) NOT IN (
			SELECT object_uuid FROM audit_events WHERE object_type = 'call_managing_organisation')`,
		"grants without an event": `SELECT count(*) FROM user_roles WHERE CAST(uuid AS text) NOT IN (
			SELECT object_uuid FROM audit_events WHERE object_type = 'user_role')`,
	} {
		if n := storetest.Count(t, db, query); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	wholeImages(t, db)
}

// wholeImages checks that the bytes of each image are those that were written.
func wholeImages(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.Query("SELECT sha256, bytes FROM images")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var digest string
		var content []byte
		if err := rows.Scan(&digest, &content); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != digest {
			t.Errorf("an image of %d bytes is not the one of %s", len(content), digest)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// check opens a database that no server has open any more and compares it with what the workers
// were told.
func (l *load) check(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	db := open(t, databaseURL)
	consistent(t, databaseURL, db)
	events := map[string]int{} // of each request
	rows, err := db.Query("SELECT request_id, count(*) FROM audit_events WHERE request_id <> '' GROUP BY request_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		events[id] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, w := range l.workers {
		want := w.expect(t, events)
		if diff := cmp.Diff(want, w.found(t, db), cmp.AllowUnexported(belongings{})); diff != "" {
			t.Errorf("worker %d: what it wrote (-) and what is there (+):\n%s", w.number, diff)
		}
	}
	if len(events) > 0 {
		t.Errorf("events of requests that nobody sent: %v", events)
	}
	return db
}

// expect goes through a worker's ledger and returns what it has to have. Whether a write was done
// of which it heard nothing, or 503, its audit event tells. The events seen are taken out.
func (w *worker) expect(t *testing.T, events map[string]int) belongings {
	t.Helper()
	var has belongings
	for _, write := range w.written {
		left, changes := events[write.id], write.changes(has)
		delete(events, write.id)
		switch {
		case write.acknowledged() && changes && left == 0:
			t.Errorf("worker %d was told that it is done, and it is not: %s (%s)", w.number, write.what, write.id)
		case write.refused() && changes:
			t.Errorf("worker %d was refused what it may do: %s: %d", w.number, write.what, write.status)
		case left > 1, left == 1 && (!changes || write.refused()):
			t.Errorf("worker %d: %s, answered %d, left %d events", w.number, write.what, write.status, left)
		}
		if left == 1 {
			write.apply(&has)
		}
	}
	return has
}

// found returns what a worker has in the database.
func (w *worker) found(t *testing.T, db *sql.DB) belongings {
	t.Helper()
	var has belongings
	own := ownOrganisation(w.number)
	err := db.QueryRow(`SELECT o.description, coalesce(i.sha256, '') FROM call_managing_organisations AS o
		LEFT JOIN images AS i ON i.uuid = o.image_uuid WHERE o.uuid = $1`, own).Scan(&has.description, &has.image)
	if err != nil {
		t.Fatal(err)
	}
	for n := range has.grants {
		held := storetest.Count(t, db, fmt.Sprintf("SELECT count(*) FROM user_roles WHERE organisation_uuid = '%s' AND user_uuid = '%s' AND revoked IS NULL", own, grantee(n)))
		has.grants[n] = held == 1
	}
	has.spare = storetest.Count(t, db, fmt.Sprintf("SELECT count(*) FROM call_managing_organisations WHERE customer_uuid = '%s'", spareCustomer(w.number))) == 1
	return has
}

// checkBatch checks that an import is there as a whole or not at all, and returns which.
func checkBatch(t *testing.T, db *sql.DB, set int) bool {
	t.Helper()
	ids := fmt.Sprintf("LIKE '_%07x-%%'", set)
	counts := map[string]int{}
	for _, query := range []string{
		"customers WHERE CAST(uuid AS text) " + ids,
		"call_managing_organisations WHERE CAST(uuid AS text) " + ids,
		"call_managing_organisations WHERE image_uuid IS NOT NULL AND CAST(uuid AS text) " + ids,
		"user_roles WHERE CAST(uuid AS text) " + ids,
		"audit_events WHERE object_type = 'customer' AND object_uuid " + ids,
		"audit_events WHERE object_type = 'user_role' AND object_uuid " + ids,
		"audit_events WHERE object_type = 'call_managing_organisation' AND details = '' AND object_uuid " + ids,
		"audit_events WHERE object_type = 'call_managing_organisation' AND details = 'image' AND object_uuid " + ids,
	} {
		counts[query] = storetest.Count(t, db, "SELECT count(*) FROM "+query)
	}
	there := counts["customers WHERE CAST(uuid AS text) "+ids] > 0
	for query, n := range counts {
		if there && n != batchSize || !there && n != 0 {
			t.Errorf("half of an import is there: %d of %s", n, query)
		}
	}
	return there
}
