package plans_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

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

// faultsPostgres says what grows with the data in the plan for a statement's arguments, and in the plan
// for any arguments. Postgres may settle on that when a connection has run the statement five times, if
// it looks no worse.
func (w *world) faultsPostgres(t *testing.T, o operation, s storetest.Statement, plan node) []string {
	t.Helper()
	faults := plan.faults(o)
	if isQuery(s) {
		if generic := w.explainGeneric(t, s); generic.Cost <= plan.Cost {
			faults = append(faults, generic.faults(o)...)
		}
	}
	return faults
}

// pages is how many pages the statements of each operation read. visit sees the plan of each.
func (w *world) pages(t *testing.T, visit func(operation, storetest.Statement, node)) map[string]int {
	t.Helper()
	pages := map[string]int{}
	w.each(t, operations, func(o operation, s storetest.Statement) {
		if !isQuery(s) && !strings.HasPrefix(strings.TrimSpace(s.Text), "UPDATE") {
			return // it can't be carried out again
		}
		plan := w.explain(t, s)
		pages[o.name] += plan.Hit + plan.Read
		visit(o, s, plan)
	})
	return pages
}

func isQuery(s storetest.Statement) bool {
	return strings.HasPrefix(strings.TrimSpace(s.Text), "SELECT")
}

const explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "

// explain is the plan for these very arguments.
func (w *world) explain(t *testing.T, s storetest.Statement) node {
	t.Helper()
	tx := w.db.Begin()
	defer tx.Rollback() // it is carried out
	return plan(t, s, tx.Raw(explain+s.Text, arguments(s)...))
}

// explainGeneric is the plan for any arguments.
func (w *world) explainGeneric(t *testing.T, s storetest.Statement) (n node) {
	t.Helper()
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
	tx := w.db.Begin()
	defer tx.Rollback()
	for _, statement := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE it AS " + s.Text} {
		if err := tx.Exec(statement).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	n = plan(t, s, tx.Raw(explain+run))
	if err := tx.Exec("DEALLOCATE it").Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func plan(t *testing.T, s storetest.Statement, query *gorm.DB) node {
	t.Helper()
	var text string
	if err := query.Scan(&text).Error; err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// checkConnections checks that a connection reads no large table whole after it ran the statements
// several times: it may change its mind then on how to carry one out.
func (w *world) checkConnections(t *testing.T) {
	t.Helper()
	before := w.scanned(t)
	indexed := slices.DeleteFunc(slices.Clone(operations), func(o operation) bool { return o.all })
	for range 8 {
		w.each(t, indexed, func(operation, storetest.Statement) {})
	}
	for table, rows := range w.scanned(t) {
		if n := rows - before[table]; n >= many { // tables of a few rows are rightly read so
			t.Errorf("%d rows of %s are read by scans of all", n, table)
		}
	}
}

// checkImport fills the world. A plan that was made while a table had a page reads all of it; an
// import that kept such a plan would take the square of its rows.
func (w *world) checkImport(t *testing.T) {
	t.Helper()
	before := w.scanned(t)
	w.fill(t)
	for table, rows := range w.scanned(t) {
		var all int
		w.scan(t, &all, "SELECT count(*) FROM "+table)
		if n := rows - before[table]; n > 10*all {
			t.Errorf("%d rows of %s, which has %d, are read by scans of all", n, table, all)
		}
	}
}

// scanned is how many rows of each table were read in scans of all of it, checks of references
// included, by all connections that there were: each counts for itself until it ends.
func (w *world) scanned(t *testing.T) map[string]int {
	t.Helper()
	w.close(t)
	defer w.open(t)
	connections, err := sql.Open("pgx", w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer connections.Close()
	connections.SetMaxOpenConns(1)
	w.use(t, connections)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var others int
		w.scan(t, &others, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
		if others == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("connections that were closed are still there")
		}
	}
	var tables []struct {
		Relname    string
		SeqTupRead int
	}
	w.scan(t, &tables, "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'public'")
	read := map[string]int{}
	for _, table := range tables {
		read[table.Relname] = table.SeqTupRead
	}
	return read
}
