package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
)

// Tables are those of the schema, each after those that it refers to.
var Tables = []string{
	"images", "customers", "users", "tokens", "sign_in_failures", "roles", "role_permissions", "call_managing_organisations", "user_roles",
	"calls", "rounds", "proposals", "reviews", "requested_offerings", "audit_events", "settings", "counters",
}

// SQL is access to a store's tables past the store, to look at what it left there.
type SQL struct{ connector driver.Connector }

// Use is the Option that remembers how the store connects.
func (s *SQL) Use(cfg *store.Config) {
	WrapConnector(cfg, func(c driver.Connector) driver.Connector {
		if s.connector == nil { // SQLite's first one is the writer's
			s.connector = c
		}
		return c
	})
}

// DB returns connections of its own, closed when the test ends.
func (s *SQL) DB(t testing.TB) *sql.DB {
	db := sql.OpenDB(s.connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// WrapConnector wraps a store's connectors, after what earlier options do with them.
func WrapConnector(cfg *store.Config, wrap func(driver.Connector) driver.Connector) {
	before := cfg.WrapConnector
	cfg.WrapConnector = func(c driver.Connector) driver.Connector {
		if before != nil {
			c = before(c)
		}
		return wrap(c)
	}
}

// Dump returns every row of every table as text that is the same on both engines.
func Dump(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	dump := make(map[string][]string, len(Tables))
	for _, table := range Tables {
		dump[table] = Rows(t, db, "SELECT * FROM "+table)
		slices.Sort(dump[table])
	}
	return dump
}

// OutOfStep counts the organisations whose copies are not what their customers are.
const OutOfStep = `SELECT count(*) FROM call_managing_organisations o JOIN customers c ON c.uuid = o.customer_uuid
	WHERE (o.customer_key, o.customer_search) IS DISTINCT FROM (c.name_key, c.search)`

// Rows returns the rows of a query as text, each as column=value and so on.
func Rows(t testing.TB, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for rows.Next() {
		values := make([]any, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(columns))
		for i, column := range columns {
			cells[i] = column + "=" + cell(values[i])
		}
		texts = append(texts, strings.Join(cells, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []byte:
		return fmt.Sprintf("%q", v)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(value)
}

// Count runs a query that returns one number.
func Count(t testing.TB, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Roles returns every role by name, with its permissions.
func Roles(s *store.Store) ([]store.Role, error) {
	var roles []store.Role
	err := s.Export(context.Background(), func(e store.Export) error {
		if rows, ok := e.Rows.([]store.Role); ok {
			roles = append(roles, rows...)
		}
		return nil
	})
	slices.SortFunc(roles, func(a, b store.Role) int { return strings.Compare(a.Name, b.Name) })
	return roles, err
}
