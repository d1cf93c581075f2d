package store_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/store/storetest"
)

var (
	sqlComment  = regexp.MustCompile(`--.*`)
	sqlSpace    = regexp.MustCompile(`\s+`)
	anyText     = regexp.MustCompile(`\w text( COLLATE "C")?`)
	uuidColumn  = regexp.MustCompile(`(\w) uuid\b`)
	postgresSQL = strings.NewReplacer(` COLLATE "C"`, "", " timestamptz", " datetime", " bytea", " blob", `'\x`, "X'")
)

// schemaOf returns the statements of an engine's migration that make tables and indexes or insert
// rows, in SQLite's types. Triggers differ.
func schemaOf(t *testing.T, engine string) []string {
	t.Helper()
	file, err := os.ReadFile("migrations/" + engine + "/00001_schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(file), "-- +goose Down")
	text = sqlSpace.ReplaceAllString(sqlComment.ReplaceAllString(text, ""), " ")
	if engine == storetest.Postgres {
		for _, column := range anyText.FindAllStringSubmatch(text, -1) {
			if column[1] == "" {
				t.Errorf("a column is not compared bytewise, as SQLite does: %q", column[0])
			}
		}
		text = postgresSQL.Replace(uuidColumn.ReplaceAllString(text, "$1 text"))
	}
	var statements []string
	for statement := range strings.SplitSeq(text, ";") {
		statement = strings.TrimSpace(statement)
		for _, kind := range []string{"CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "INSERT"} {
			if strings.HasPrefix(statement, kind) {
				statements = append(statements, statement)
			}
		}
	}
	return statements
}

// ownIndexes differ: each engine searches texts in its way, and SQLite reads nothing but an index only
// where all columns of the conditions are in it.
var ownIndexes = regexp.MustCompile("customers_search_idx|call_managing_organisations_customer_search_idx|user_roles_(customer|organisation)_uuid_created_idx")

func TestSchemasAreTheSame(t *testing.T) {
	var schemas [2][]string
	for i, engine := range []string{storetest.SQLite, storetest.Postgres} {
		all := schemaOf(t, engine)
		schemas[i] = slices.DeleteFunc(slices.Clone(all), ownIndexes.MatchString)
		if n := len(all) - len(schemas[i]); n != 4 {
			t.Errorf("%s: %d indexes of its own, not 4", engine, n)
		}
	}
	if diff := cmp.Diff(schemas[0], schemas[1]); diff != "" {
		t.Errorf("SQLite (-), Postgres (+):\n%s", diff)
	}
}

// unindexed are the references without an index. What they refer to, users and roles, is never
// removed, nor gets another uuid.
var unindexed = []string{"reviews.reviewer_uuid", "user_roles.created_by_uuid", "user_roles.role_uuid", "user_roles.user_uuid"}

// Removing a row looks for those that refer to it: without an index, through all there are.
func TestReferencesHaveIndexes(t *testing.T) {
	table, reference := regexp.MustCompile(`^CREATE TABLE (\w+)`), regexp.MustCompile(`(\w+) text( NOT NULL)? REFERENCES`)
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		schema := schemaOf(t, engine)
		var without []string
		for _, statement := range schema {
			name := table.FindStringSubmatch(statement)
			for _, column := range reference.FindAllStringSubmatch(statement, -1) {
				// An index of some rows serves where it has all that refer to anything.
				serves := regexp.MustCompile(fmt.Sprintf(`ON %s \(%s\b[^)]*\)( WHERE %[2]s IS NOT NULL)?$`, name[1], column[1]))
				own := regexp.MustCompile(fmt.Sprintf(`(PRIMARY KEY|UNIQUE) \(%s\b`, column[1]))
				if !own.MatchString(statement) && !slices.ContainsFunc(schema, serves.MatchString) {
					without = append(without, name[1]+"."+column[1])
				}
			}
		}
		slices.Sort(without)
		if diff := cmp.Diff(unindexed, without); diff != "" {
			t.Errorf("%s: known to have no index (-), have none (+):\n%s", engine, diff)
		}
	}
}
