package server_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/store/storetest"
)

// stage is an app with a world, which can be made what it was at first.
type stage struct {
	*app
	ids     *ids
	names   *strings.Replacer   // what stands for the world's names in braces
	before  map[string][]string // what is in the database
	inserts []insert            // that put it there
}

// insert is a statement that fills a table.
type insert struct {
	statement string
	values    []any
}

// newStage returns an app with the scenarios' world.
func newStage(t testing.TB, engine string, changes ...func(*setup)) *stage {
	t.Helper()
	return newStageOf(t, engine, fill, changes...)
}

// newStageOf returns an app with the world that fill makes.
func newStageOf(t testing.TB, engine string, fill func(testing.TB, *app) *strings.Replacer, changes ...func(*setup)) *stage {
	t.Helper()
	s := &stage{ids: &ids{}}
	s.app = start(t, engine, append([]func(*setup){func(c *setup) { c.store = append(c.store, s.ids.use) }}, changes...)...)
	s.names = fill(t, s.app)
	if _, err := s.sql.Exec("DELETE FROM audit_events"); err != nil { // nobody asks how the world came about
		t.Fatal(err)
	}
	s.ids.serve()
	s.remember(t)
	return s
}

// remember takes what is in the database for the world.
func (a *stage) remember(t testing.TB) {
	t.Helper()
	a.before, a.inserts = storetest.Dump(t, a.sql), nil
	for _, table := range storetest.Tables {
		if table != "counters" { // triggers keep them
			a.rememberTable(t, table)
		}
	}
}

func (a *stage) rememberTable(t testing.TB, table string) {
	t.Helper()
	rows, err := a.sql.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	var all []any
	for rows.Next() {
		values, pointers, place := make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
		for i := range columns {
			pointers[i], place[i] = &values[i], fmt.Sprintf("$%d", len(all)+i+1)
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		places, all = append(places, "("+strings.Join(place, ", ")+")"), append(all, values...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(places) > 0 {
		statement := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Join(places, ", ")
		a.inserts = append(a.inserts, insert{statement, all})
	}
}

// restore makes the world what it was at first, and the ids of requests too.
func (a *stage) restore(t testing.TB) {
	t.Helper()
	tx, err := a.sql.Begin()
	if err != nil {
		t.Fatal(err)
	}
	run := func(statement string, values ...any) {
		if _, err := tx.Exec(statement, values...); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range slices.Backward(storetest.Tables) {
		if table != "counters" {
			run("DELETE FROM " + table)
		}
	}
	for _, insert := range a.inserts {
		run(insert.statement, insert.values...)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	a.ids.serve()
	if diff := a.changes(t); diff != "" {
		t.Fatalf("the world is not what it was:\n%s", diff)
	}
}

// changes says how the database differs from what it was at first.
func (a *stage) changes(t testing.TB) string {
	t.Helper()
	after := storetest.Dump(t, a.sql)
	if maps.EqualFunc(a.before, after, slices.Equal[[]string]) {
		return ""
	}
	return gocmp.Diff(a.before, after)
}
