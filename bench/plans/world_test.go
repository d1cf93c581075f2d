package plans_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// few and many are how many organisations a world has, before and after grow.
const (
	few  = 1000
	many = 100 * few
)

var limits = images.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}

// world is a server on a database.
type world struct {
	engine     string
	url        string
	store      *store.Store
	handler    http.Handler
	statements storetest.Statements
	db         *gorm.DB
	known      dataset.Known
	customer   string // of the organisation that known names
	bereft     string // a customer whose organisation has no calls
}

// newWorld is a world of few organisations, and those of the demo world.
func newWorld(t *testing.T, engine string) *world {
	t.Helper()
	w := &world{engine: engine, url: storetest.MigratedURL(t, engine)}
	w.open(t)
	w.write(t, func(tx *store.Tx) error { return fixture.Demo(t.Context(), tx, limits) })
	w.settle(t)
	if engine == storetest.Postgres {
		w.checkImport(t)
	} else {
		w.fill(t)
	}
	w.scan(t, &w.customer, "SELECT customer_uuid FROM call_managing_organisations WHERE uuid = ?", w.known.Organisation)
	w.scan(t, &w.bereft, `SELECT o.customer_uuid FROM call_managing_organisations AS o
		WHERE NOT EXISTS (SELECT 1 FROM calls AS c WHERE c.organisation_uuid = o.uuid) ORDER BY o.uuid LIMIT 1`)
	w.settle(t)
	return w
}

// fill imports the data.
func (w *world) fill(t *testing.T) {
	t.Helper()
	var file bytes.Buffer
	var err error
	if w.known, err = dataset.Write(&file, dataset.Config{Organisations: few, Seed: 1, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	w.write(t, func(tx *store.Tx) error {
		source := &fixture.File{Name: "dataset.jsonl", Content: &file}
		_, err := fixture.Import(t.Context(), tx, []*fixture.File{source}, limits, nil)
		return err
	})
}

func (w *world) write(t *testing.T, change func(tx *store.Tx) error) {
	t.Helper()
	if err := w.store.Write(t.Context(), store.Actor{}, change); err != nil {
		t.Fatal(err)
	}
}

// grow copies each organisation, its owner and all that belongs to it, until there are many. An
// import of so many takes too long for a test.
func (w *world) grow(t *testing.T) {
	t.Helper()
	const owners = "(SELECT user_uuid FROM user_roles WHERE customer_uuid IS NOT NULL)"
	for _, kind := range store.Kinds {
		condition := "true"
		switch kind.Name {
		case "roles":
			continue
		case "users":
			condition = "uuid IN " + owners
		case "user_roles":
			condition = "user_uuid IN " + owners
		}
		row := map[string]any{}
		if err := w.db.Table(kind.Name).Take(row).Error; err != nil {
			t.Fatal(err)
		}
		columns := slices.Collect(maps.Keys(row))
		var values []string
		for _, column := range columns {
			values = append(values, w.copied(column))
		}
		w.exec(t, fmt.Sprintf(`
			WITH RECURSIVE copies (k) AS (SELECT 100 UNION ALL SELECT k + 1 FROM copies WHERE k < 198)
			INSERT INTO %[1]s (%[2]s) SELECT %[3]s FROM %[1]s, copies WHERE %[4]s`,
			kind.Name, strings.Join(columns, ", "), strings.Join(values, ", "), condition))
	}
	w.settle(t)
}

// copied is what the copy k has in a column. Its UUIDs differ from others in their version, which is 8.
func (w *world) copied(column string) string {
	sqlite := w.engine == storetest.SQLite
	switch {
	case column == "role_uuid", column == "created_by_uuid", column == "reviewer_uuid":
		return column
	case column == "image_uuid":
		return "NULL"
	case strings.HasSuffix(column, "uuid"):
		text := "CAST(" + column + " AS text)"
		text = "substr(" + text + ", 1, 14) || '8' || k || substr(" + text + ", 19)"
		if sqlite {
			return text
		}
		return "CAST(" + text + " AS uuid)"
	case column == "username":
		return "username || k"
	case strings.HasSuffix(column, "_key") && sqlite:
		return "CAST(" + column + " || k AS blob)"
	case strings.HasSuffix(column, "_key"):
		return column + " || CAST(CAST(k AS text) AS bytea)"
	case strings.HasSuffix(column, "search"):
		return fmt.Sprintf("replace(%s, '%s', '')", column, strings.ToLower(w.known.Keyword.Rare))
	}
	return column
}

// settle gives everybody a token, and makes Postgres's statistics as autovacuum does. SQLite has none in
// production either.
func (w *world) settle(t *testing.T) {
	t.Helper()
	w.exec(t, `INSERT INTO tokens (digest, user_uuid, created, lifetime)
		SELECT username, uuid, created, 0 FROM users WHERE true ON CONFLICT DO NOTHING`)
	if w.engine == storetest.Postgres {
		w.exec(t, "VACUUM ANALYZE")
	}
}

// open serves the database.
func (w *world) open(t *testing.T) {
	t.Helper()
	var tables storetest.SQL
	w.store = storetest.OpenURL(t, w.url, tables.Use, w.statements.Use)
	w.use(t, tables.DB(t))
	var err error
	w.handler, err = server.New(server.Config{Store: w.store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
}

// use makes connections those by which the test looks at the database.
func (w *world) use(t *testing.T, connections *sql.DB) {
	t.Helper()
	dialectors := map[string]gorm.Dialector{
		storetest.SQLite:   sqlite.New(sqlite.Config{Conn: connections}),
		storetest.Postgres: postgres.New(postgres.Config{Conn: connections}),
	}
	var err error
	if w.db, err = gorm.Open(dialectors[w.engine], &gorm.Config{Logger: logger.Discard}); err != nil {
		t.Fatal(err)
	}
}

// close ends all connections.
func (w *world) close(t *testing.T) {
	t.Helper()
	db, err := w.db.DB()
	if err := errors.Join(err, db.Close(), w.store.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) exec(t *testing.T, statement string) {
	t.Helper()
	if err := w.db.Exec(statement).Error; err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// scan reads what a statement returns.
func (w *world) scan(t *testing.T, into any, statement string, arguments ...any) {
	t.Helper()
	if err := w.db.Raw(statement, arguments...).Scan(into).Error; err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// run carries out an operation and returns its statements.
func (w *world) run(t *testing.T, o operation, token string) []storetest.Statement {
	t.Helper()
	var spare string // the organisation that is destroyed, and created once more
	w.scan(t, &spare, "SELECT uuid FROM call_managing_organisations WHERE customer_uuid = ?", w.bereft)
	var pages int
	w.scan(t, &pages, "SELECT value / ? FROM counters WHERE name = 'call_managing_organisations'", page)
	fill := strings.NewReplacer("{last}", fmt.Sprint(pages), "{middle}", fmt.Sprint(pages/2),
		"{rare}", w.known.Keyword.Rare, "{common}", w.known.Keyword.Common, "{customer}", w.customer, "{bereft}", w.bereft,
		"{it}", w.known.Organisation.String(), "{crowded}", w.known.Crowded.String(), "{spare}", spare,
		"{newcomer}", w.known.Newcomers[0].String())
	method, target, _ := strings.Cut(fill.Replace(o.request), " ")
	body := strings.NewReader(fill.Replace(o.body))
	if !strings.HasPrefix(target, "/api/") {
		target = "/api/call-managing-organisations" + target
	}
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("Authorization", "Token "+token)
	r.Header.Set("Content-Type", "application/json")
	if o.body == picture {
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	}
	w.statements.Reset()
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		t.Fatalf("%s: status %d: %s", o.name, answer.Code, answer.Body)
	}
	return w.statements.WithArguments()
}

// each carries out operations as staff and as an owner, and visits the statements of each.
func (w *world) each(t *testing.T, operations []operation, visit func(o operation, s storetest.Statement)) {
	t.Helper()
	for _, o := range operations {
		for _, token := range []string{w.known.StaffToken, w.known.OwnerToken} {
			if o.staff && token == w.known.OwnerToken {
				continue
			}
			for _, s := range w.run(t, o, token) {
				visit(o, s)
			}
		}
	}
}

func arguments(s storetest.Statement) []any {
	values := make([]any, len(s.Arguments))
	for i, a := range s.Arguments {
		values[i] = a.Value
	}
	return values
}
