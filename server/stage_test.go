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
	ids    *ids
	names  *strings.Replacer   // what stands for the world's names in braces
	before map[string][]string // what is in the database
}

// newStage returns an app with the tests' world.
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
	s.exec(t, "DELETE FROM audit_events") // nobody asks how the world came about
	s.ids.serve()
	s.remember(t)
	return s
}

func (a *stage) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := a.sql.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// remember takes what is in the database for the world.
func (a *stage) remember(t testing.TB) {
	t.Helper()
	a.before = storetest.Dump(t, a.sql)
	for _, table := range storetest.Tables {
		a.exec(t, fmt.Sprintf("DROP TABLE IF EXISTS kept_%s; CREATE TABLE kept_%[1]s AS SELECT * FROM %[1]s", table))
	}
}

// restore makes the world what it was at first, and the ids of requests too.
func (a *stage) restore(t testing.TB) {
	t.Helper()
	tables := slices.DeleteFunc(slices.Clone(storetest.Tables), func(table string) bool { return table == "counters" }) // triggers keep them
	statements := "BEGIN;"
	for _, table := range slices.Backward(tables) {
		statements += "DELETE FROM " + table + ";"
	}
	for _, table := range tables {
		statements += fmt.Sprintf("INSERT INTO %s SELECT * FROM kept_%[1]s;", table)
	}
	a.exec(t, statements+"COMMIT")
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
