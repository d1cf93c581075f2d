package store_test

import (
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm/schema"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// A description of a schema says the same of both engines, a line for each thing:
//
//	customers.image_uuid: text NULL
//	customers: primary key (uuid)
//	…
type description []string

// ownIndexes differ, and nothing else: each engine searches texts in its way, and SQLite reads
// nothing but an index only where all columns of the conditions are in it.
var ownIndexes = map[string][]string{
	storetest.Postgres: {
		"call_managing_organisations: index call_managing_organisations_customer_search_idx (customer_search)",
		"user_roles: index user_roles_organisation_uuid_created_idx (organisation_uuid, created, uuid, user_uuid, expiration_time) where revoked IS NULL AND organisation_uuid IS NOT NULL",
	},
	storetest.SQLite: {
		"call_managing_organisations: index call_managing_organisations_customer_search_idx (customer_key, uuid, customer_search)",
		"user_roles: index user_roles_organisation_uuid_created_idx (organisation_uuid, created, uuid, user_uuid, expiration_time, revoked) where revoked IS NULL AND organisation_uuid IS NOT NULL",
	},
}

// unindexed are the references without an index. What they refer to, users and roles, is never
// removed, nor gets another uuid.
var unindexed = []string{
	"user_roles: foreign key (user_uuid) to users", "user_roles: foreign key (created_by_uuid) to users", "user_roles: foreign key (role_uuid) to roles",
	"reviews: foreign key (reviewer_uuid) to users",
}

func describe(t *testing.T, engine string, db *sql.DB) description {
	t.Helper()
	if engine == storetest.Postgres {
		return describePostgres(t, db)
	}
	return describeSQLite(t, db)
}

// values returns the rows of a query whose columns are texts.
func values(t *testing.T, db *sql.DB, query string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		texts := make([]sql.NullString, len(columns))
		pointers := make([]any, len(columns))
		for i := range texts {
			pointers[i] = &texts[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, text := range texts {
			row[i] = text.String
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// kinds are Postgres's types by SQLite's.
var kinds = map[string]string{
	"uuid": "text", "text": "text", "timestamp with time zone": "datetime", "boolean": "boolean", "bytea": "blob", "bigint": "bigint",
}

var spaces = regexp.MustCompile(`\s+`)

// condition brings the two engines' spelling of a condition into one.
func condition(text string) string {
	text = strings.ReplaceAll(text, "= ANY (ARRAY[", "IN (")
	for _, noise := range []string{"::text", "[", "]", "(", ")"} {
		text = strings.ReplaceAll(text, noise, "")
	}
	return strings.TrimSpace(spaces.ReplaceAllString(text, " "))
}

func describePostgres(t *testing.T, db *sql.DB) description {
	t.Helper()
	var d description
	for _, r := range values(t, db, `SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.collation_name, c.column_default
		FROM information_schema.columns c WHERE c.table_schema = 'public'`) {
		kind := kinds[r[2]]
		if r[2] == "text" && r[4] != "C" {
			kind = "text that is not compared bytewise"
		}
		d = append(d, column(r[0], r[1], kind, r[3] == "YES", strings.TrimSuffix(r[5], "::text")))
	}
	for _, r := range values(t, db, `SELECT k.conrelid::regclass, k.contype, k.conname,
			(SELECT string_agg(a.attname, ', ' ORDER BY p.i) FROM unnest(k.conkey) WITH ORDINALITY AS p(n, i) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.n),
			k.confrelid::regclass,
			(SELECT string_agg(a.attname, ', ' ORDER BY p.i) FROM unnest(k.confkey) WITH ORDINALITY AS p(n, i) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.n),
			CASE k.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' END,
			pg_get_expr(k.conbin, k.conrelid)
		FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')`) {
		columns := strings.ReplaceAll(r[3], ", ", "_")
		want := map[string]string{"p": r[0] + "_pkey", "u": r[0] + "_" + columns + "_key", "f": r[0] + "_" + columns + "_fkey", "c": r[2]}[r[1]]
		if r[2] != want {
			t.Errorf("constraint %s is not called %s, as SQLite's errors call it", r[2], want)
		}
		d = append(d, constraint(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]))
	}
	for _, r := range values(t, db, `SELECT i.indrelid::regclass, i.indexrelid::regclass, i.indisunique,
			(SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid),
			pg_get_expr(i.indpred, i.indrelid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace
			AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))`) {
		d = append(d, index(t, r[0], r[1], r[2] == "true", r[3], r[4]))
	}
	for _, r := range values(t, db, `SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal`) {
		d = append(d, fmt.Sprintf("%s: trigger %s", r[0], r[1]))
	}
	return d.finish()
}

func column(table, name, kind string, null bool, defaultValue string) string {
	line := fmt.Sprintf("%s.%s: %s", table, name, kind)
	if !null {
		line += " NOT NULL"
	}
	if defaultValue != "" {
		line += " DEFAULT " + defaultValue
	}
	return line
}

func constraint(table, kind, name, columns, other, otherColumns, onDelete, expression string) string {
	switch kind {
	case "p":
		return fmt.Sprintf("%s: primary key (%s)", table, columns)
	case "u":
		return fmt.Sprintf("%s: unique (%s)", table, columns)
	case "f":
		return fmt.Sprintf("%s: foreign key (%s) to %s (%s) on delete %s", table, columns, other, otherColumns, onDelete)
	}
	return fmt.Sprintf("%s: check %s: %s", table, name, condition(expression))
}

func index(t *testing.T, table, name string, unique bool, columns, where string) string {
	t.Helper()
	line := fmt.Sprintf("%s: index %s (%s)", table, name, columns)
	if unique {
		line = fmt.Sprintf("%s: unique index %s (%s)", table, name, columns)
		// SQLite's errors name a unique index by its columns.
		if want := table + "_" + strings.ReplaceAll(columns, ", ", "_") + "_key"; name != want {
			t.Errorf("unique index %s is not called %s", name, want)
		}
	}
	if where != "" {
		line += " where " + condition(where)
	}
	return line
}

var (
	sqliteCheck = regexp.MustCompile(`CONSTRAINT (\w+) CHECK (\(.*\))`)
	sqliteWhere = regexp.MustCompile(`(?s)\bWHERE\b(.*)`)
)

func describeSQLite(t *testing.T, db *sql.DB) description {
	t.Helper()
	var d description
	for _, table := range values(t, db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		name := table[0]
		var primary [8]string
		for _, r := range values(t, db, "SELECT name, lower(type), \"notnull\", dflt_value, pk FROM pragma_table_info('"+name+"')") {
			d = append(d, column(name, r[0], r[1], r[2] == "0", r[3]))
			if r[4] != "0" {
				primary[r[4][0]-'0'] = r[0]
			}
		}
		d = append(d, fmt.Sprintf("%s: primary key (%s)", name, strings.Join(slices.DeleteFunc(primary[:], func(c string) bool { return c == "" }), ", ")))
		for _, r := range values(t, db, "SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list('"+name+"')") {
			d = append(d, constraint(name, "f", "", r[0], r[1], r[2], r[3], ""))
		}
		for _, check := range sqliteCheck.FindAllStringSubmatch(table[1], -1) {
			d = append(d, constraint(name, "c", check[1], "", "", "", "", check[2]))
		}
		for _, r := range values(t, db, "SELECT l.name, l.\"unique\", l.origin, m.sql, (SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name) i) FROM pragma_index_list('"+name+"') l LEFT JOIN sqlite_master m ON m.name = l.name") {
			switch r[2] {
			case "u":
				d = append(d, constraint(name, "u", "", r[4], "", "", "", ""))
			case "c":
				var where string
				if m := sqliteWhere.FindStringSubmatch(r[3]); m != nil {
					where = m[1]
				}
				d = append(d, index(t, name, r[0], r[1] == "1", r[4], where))
			}
		}
	}
	for _, r := range values(t, db, "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'") {
		d = append(d, fmt.Sprintf("%s: trigger %s", r[0], r[1]))
	}
	return d.finish()
}

// finish sorts the description and leaves out what goose keeps for itself.
func (d description) finish() description {
	d = slices.DeleteFunc(d, func(line string) bool { return strings.HasPrefix(line, "goose_db_version") })
	slices.Sort(d)
	return d
}

// migrated returns what describes the migrated schema of an engine.
func migrated(t *testing.T, engine string) description {
	t.Helper()
	var tables storetest.SQL
	storetest.Open(t, engine, tables.Use)
	return describe(t, engine, tables.DB(t))
}

func TestSchemasAreTheSame(t *testing.T) {
	schemas := map[string]description{}
	for _, engine := range storetest.Engines() {
		schemas[engine] = migrated(t, engine)
	}
	if len(schemas) < 2 {
		return // the half that was asked for is compared with the models below
	}
	for engine, lines := range ownIndexes {
		for _, line := range lines {
			place := slices.Index(schemas[engine], line)
			if place < 0 {
				t.Fatalf("%s has no %s", engine, line)
			}
			schemas[engine] = slices.Delete(schemas[engine], place, place+1)
		}
	}
	if diff := cmp.Diff(schemas[storetest.SQLite], schemas[storetest.Postgres]); diff != "" {
		t.Errorf("SQLite (-), Postgres (+):\n%s", diff)
	}
}

// Removing a row looks for those that refer to it: without an index, through all there are.
func TestReferencesHaveIndexes(t *testing.T) {
	reference := regexp.MustCompile(`^(\w+): foreign key \((\w+)\) to \w+`)
	storetest.Each(t, func(t *testing.T, engine string) {
		schema := migrated(t, engine)
		var without []string
		for _, line := range schema {
			match := reference.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			// An index of some rows serves where it has all that refer to anything.
			serves := regexp.MustCompile(fmt.Sprintf(`^%s: [\w ]*(index \w+|primary key|unique) \(%s\b[^)]*\)( where %[2]s IS NOT NULL)?$`, match[1], match[2]))
			if !slices.ContainsFunc(schema, serves.MatchString) {
				without = append(without, match[0])
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(unindexed)), slices.Sorted(slices.Values(without))); diff != "" {
			t.Errorf("known to have no index (-), have none (+):\n%s", diff)
		}
	})
}

// The kinds of columns by the models' types.
var columnKinds = map[reflect.Type]string{
	reflect.TypeFor[uuid.UUID](): "text", reflect.TypeFor[string](): "text", reflect.TypeFor[store.Scope](): "text",
	reflect.TypeFor[time.Time](): "datetime", reflect.TypeFor[bool](): "boolean", reflect.TypeFor[[]byte](): "blob",
}

// withoutModel are the tables that no model stands for.
var withoutModel = []string{"counters", "settings"}

func TestModelsAreTheSchema(t *testing.T) {
	models := []any{
		store.Image{}, store.Customer{}, store.User{}, store.Token{}, store.Role{}, store.RolePermission{}, store.CallManagingOrganisation{},
		store.UserRole{}, store.Call{}, store.Round{}, store.Proposal{}, store.Review{}, store.RequestedOffering{}, store.AuditEvent{},
	}
	var want description
	tables := slices.Clone(withoutModel)
	for _, model := range models {
		parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, parsed.Table)
		for _, field := range parsed.Fields {
			if field.DBName == "" {
				continue
			}
			goType, null := field.FieldType, field.FieldType.Kind() == reflect.Pointer
			if null {
				goType = goType.Elem()
			}
			want = append(want, column(parsed.Table, field.DBName, columnKinds[goType], null, ""))
		}
		var keys []string
		for _, field := range parsed.PrimaryFields {
			keys = append(keys, field.DBName)
		}
		want = append(want, fmt.Sprintf("%s: primary key (%s)", parsed.Table, strings.Join(keys, ", ")))
	}
	slices.Sort(want)
	storetest.Each(t, func(t *testing.T, engine string) {
		all := map[string]bool{}
		got := slices.DeleteFunc(migrated(t, engine), func(line string) bool {
			what, _, _ := strings.Cut(line, ":")
			table, _, column := strings.Cut(what, ".")
			all[table] = true
			return slices.Contains(withoutModel, table) || !column && !strings.Contains(line, ": primary key")
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("models (-), schema (+):\n%s", diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(tables)), slices.Sorted(maps.Keys(all))); diff != "" {
			t.Errorf("tables of models (-), of the schema (+):\n%s", diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(storetest.Tables)), slices.Sorted(maps.Keys(all))); diff != "" {
			t.Errorf("storetest.Tables (-), of the schema (+):\n%s", diff)
		}
	})
}
