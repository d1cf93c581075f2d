package plans_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// node is a step of a plan of Postgres.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Actual Rows"` // of each loop
	Loops    float64 `json:"Actual Loops"`
	Cost     float64 `json:"Total Cost"` // as Postgres estimates it
	Hit      int     `json:"Shared Hit Blocks"`
	Read     int     `json:"Shared Read Blocks"`
	Plans    []node
}

// faults says what in the plan grows with the data.
func (n node) faults(o operation) []string {
	var faults []string
	if n.Type == "Seq Scan" && !o.all && !slices.Contains(tiny, n.Relation) {
		faults = append(faults, "reads all of "+n.Relation)
	}
	for _, inner := range n.Plans {
		if strings.Contains(n.Type, "Sort") && inner.Rows*inner.Loops > page+1 && !o.sorts {
			faults = append(faults, fmt.Sprintf("sorts %v rows", inner.Rows*inner.Loops))
		}
		faults = append(faults, inner.faults(o)...)
	}
	return faults
}

const explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "

// explain is the plan for these very arguments.
func (w *world) explain(t *testing.T, s storetest.Statement) node {
	t.Helper()
	tx, err := w.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // it is carried out
	return plan(t, s, tx.QueryRow(explain+s.Text, arguments(s)...))
}

// explainGeneric is the plan for any arguments, which Postgres may settle on when a connection
// has run the statement five times.
func (w *world) explainGeneric(t *testing.T, s storetest.Statement) node {
	t.Helper()
	ctx := context.Background()
	conn, err := w.db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := "EXECUTE it"
	var literals []string
	for _, argument := range arguments(s) {
		if at, isTime := argument.(time.Time); isTime {
			argument = at.Format(time.RFC3339Nano)
		}
		literals = append(literals, "'"+fmt.Sprint(argument)+"'")
	}
	if len(literals) > 0 {
		run += "(" + strings.Join(literals, ", ") + ")"
	}
	for _, statement := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE it AS " + s.Text} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	n := plan(t, s, conn.QueryRowContext(ctx, explain+run))
	for _, statement := range []string{"DEALLOCATE it", "RESET plan_cache_mode"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func plan(t *testing.T, s storetest.Statement, row *sql.Row) node {
	t.Helper()
	var text string
	if err := row.Scan(&text); err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// scanned is how many rows of each table were read in scans of all of it, checks of references
// included, by all connections that there were: each counts for itself until it ends.
func (w *world) scanned(t *testing.T) map[string]int {
	t.Helper()
	w.close(t)
	defer w.open(t)
	db, err := sql.Open("pgx", w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
	for deadline := time.Now().Add(time.Minute); storetest.Count(t, db, others) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("connections that were closed are still there")
		}
	}
	rows, err := db.Query("SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := map[string]int{}
	for rows.Next() {
		var table string
		var n int
		if err := rows.Scan(&table, &n); err != nil {
			t.Fatal(err)
		}
		read[table] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return read
}
