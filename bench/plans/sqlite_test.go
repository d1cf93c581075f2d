package plans_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// The indexes that may be walked along from one end by a statement with a LIMIT: that of the
// list's order, without the rows where it has an OFFSET too, and for a keyword the one that is
// looked through for it.
const (
	firstIndex  = "USING INDEX call_managing_organisations_customer_key_idx"
	orderIndex  = "USING COVERING INDEX call_managing_organisations_customer_key_idx"
	searchIndex = "USING COVERING INDEX call_managing_organisations_customer_search_idx"
)

// faultsSQLite says what in a statement's plan grows with the data. The page that a statement
// found may be sorted, which the step LIST SUBQUERY says, since the rows of a page are looked up
// by their ids.
func (w *world) faultsSQLite(t *testing.T, o operation, s storetest.Statement) []string {
	t.Helper()
	if changes(s) {
		return w.walksSQLite(t, s)
	}
	limited, countsMembers := strings.Contains(s.Text, "LIMIT"), strings.HasPrefix(s.Text, "SELECT count(*) AS total FROM user_roles AS g WHERE")
	countsMatches := o.scans && strings.HasPrefix(s.Text, "SELECT count(*)")
	var faults []string
	pageFound := "" // the step that finds a page's ids
	for _, step := range w.explainSQLite(t, "EXPLAIN QUERY PLAN ", s) {
		id, parent, detail := step[0], step[1], step[3]
		table := strings.Fields(detail + " -")[1]
		walks := strings.HasSuffix(detail, "users_inactive_uuid_idx") || // of deactivated users alone
			limited && strings.HasSuffix(detail, orderIndex) ||
			limited && !strings.Contains(s.Text, "OFFSET") && strings.HasSuffix(detail, firstIndex) ||
			o.scans && strings.HasSuffix(detail, searchIndex)
		switch {
		case limited && strings.HasPrefix(detail, "LIST SUBQUERY"):
			pageFound = id
		case strings.HasPrefix(detail, "SCAN") && !walks && !slices.Contains(tiny, table),
			strings.Contains(detail, "TEMP B-TREE") && !o.members && (pageFound == "" || parent == pageFound),
			countsMembers && strings.HasPrefix(detail, "SEARCH") && !strings.Contains(detail, "COVERING INDEX") && !strings.Contains(detail, "users_inactive_uuid_idx"),
			countsMatches && strings.HasPrefix(detail, "SEARCH o ") && !strings.Contains(detail, searchIndex+" "):
			faults = append(faults, detail)
		}
	}
	return faults
}

// walksSQLite says where a change walks along all of a table or index: it looks so for what refers
// to a removed row, of which a query plan says nothing.
func (w *world) walksSQLite(t *testing.T, s storetest.Statement) []string {
	t.Helper()
	if s.Text == "BEGIN" || s.Text == "COMMIT" {
		return nil
	}
	var faults []string
	for _, step := range w.explainSQLite(t, "EXPLAIN ", s) {
		if opcode := step[1]; opcode == "Rewind" || opcode == "Last" {
			faults = append(faults, "walks along all of a table")
		}
	}
	return faults
}

// explainSQLite returns the rows of an explanation.
func (w *world) explainSQLite(t *testing.T, how string, s storetest.Statement) [][]string {
	t.Helper()
	rows, err := w.db.Query(how+s.Text, arguments(s)...)
	if err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(columns))
		for i, value := range values {
			texts[i] = fmt.Sprint(value)
		}
		all = append(all, texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
