// Package plans_test reads how the databases carry out each operation's statements at 100,000
// organisations, and how much memory the import and the export of them take: what grows with the
// data there has to be a decision.
package plans_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// page is how many rows a page has.
const page = 10

// The operations, in an order in which each has what it needs. What the plans of one may hold that
// those of the others must not:
//   - scans: on SQLite a keyword is looked for in one scan of a column;
//   - sorts: on Postgres the index of a keyword gives its matches in no order.
//
// A page in the middle is walked to along an index; that is no scan of a table and no sort.
// grows says that the pages read on Postgres may grow with the data.
var operations = []struct {
	name, request, body string
	scans, sorts, grows bool
}{
	{name: "list", request: "GET /"},
	{name: "list_last", request: "GET /?page={last}"},
	{name: "list_middle", request: "GET /?page={middle}", grows: true},
	{name: "list_keyword_rare", request: "GET /?customer_keyword={rare}", scans: true, sorts: true},
	{name: "list_keyword_common", request: "GET /?customer_keyword={common}", scans: true, sorts: true, grows: true},
	{name: "list_count", request: "HEAD /"},
	{name: "list_customer", request: "GET /?customer_uuid={customer}"},
	{name: "retrieve", request: "GET /{it}/"},
	{name: "stats", request: "GET /{it}/stats/"},
	{name: "list_users", request: "GET /{it}/list_users/"},
	{name: "list_users_count", request: "HEAD /{it}/list_users/"},
	{name: "list_users_5000", request: "GET /{crowded}/list_users/"},
	{name: "partial_update", request: "PATCH /{it}/", body: `{"description":"new"}`},
	{name: "add_user", request: "POST /{it}/add_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}"}`},
	{name: "update_user", request: "POST /{it}/update_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}","expiration_time":"2099-01-01T00:00:00Z"}`},
	{name: "delete_user", request: "POST /{it}/delete_user/", body: `{"role":"CUSTOMER.CALL_ORGANIZER","user":"{newcomer}"}`},
}

// world is a server on a database of so many organisations.
type world struct {
	handler    http.Handler
	statements storetest.Statements
	db         *sql.DB
	replace    *strings.Replacer
	tokens     []string
}

// build makes the program: what imports is then not slowed down by the race detector.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opencalls")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/opencalls").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// memory is what an import or an export may take at most, resident, in KiB.
const memory = 300 << 10

// run runs the program, and fails if that takes more than memory. The system's figure is no less
// than what this process had when it began, which is a part of that.
func run(t *testing.T, program string, arguments ...string) {
	t.Helper()
	command := exec.Command(program, arguments...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	used := command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "darwin" { // there it is in bytes
		used >>= 10
	}
	t.Logf("%s: %d KiB", arguments[0], used)
	if used > memory {
		t.Errorf("%s took %d KiB of memory, more than %d", arguments[0], used, memory)
	}
}

func newWorld(t *testing.T, program, engine string, organisations int) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dataset.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	known, err := dataset.Write(file, dataset.Config{Organisations: organisations, Seed: 1, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	url := storetest.MigratedURL(t, engine)
	run(t, program, "import", "--database-url", url, path)
	run(t, program, "export", "--database-url", url, "--output", os.DevNull)
	w := &world{tokens: []string{known.StaffToken, known.OwnerToken}}
	var tables storetest.SQL
	s := storetest.OpenURL(t, url, tables.Use, w.statements.Use)
	w.db = tables.DB(t)
	// Everybody has a token.
	if _, err := w.db.Exec("INSERT INTO tokens (digest, user_uuid, created) SELECT username, uuid, created FROM users"); err != nil {
		t.Fatal(err)
	}
	tidy := map[string]string{storetest.SQLite: "ANALYZE", storetest.Postgres: "VACUUM ANALYZE"}[engine]
	if _, err := w.db.Exec(tidy); err != nil {
		t.Fatal(err)
	}
	w.handler, err = server.New(server.Config{Store: s, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Organisation(t.Context(), known.Organisation)
	if err != nil {
		t.Fatal(err)
	}
	w.replace = strings.NewReplacer("{last}", fmt.Sprint(organisations/page), "{middle}", fmt.Sprint(organisations/page/2),
		"{rare}", known.Keyword.Rare, "{common}", known.Keyword.Common, "{customer}", o.CustomerUUID.String(),
		"{it}", known.Organisation.String(), "{crowded}", known.Crowded.String(), "{newcomer}", known.Newcomers[0].String())
	return w
}

// selects carries out an operation and returns the statements that read.
func (w *world) selects(t *testing.T, request, body, token string) []storetest.Statement {
	t.Helper()
	method, target, _ := strings.Cut(w.replace.Replace(request), " ")
	r := httptest.NewRequest(method, "/api/call-managing-organisations"+target, strings.NewReader(w.replace.Replace(body)))
	r.Header.Set("Authorization", "Token "+token)
	r.Header.Set("Content-Type", "application/json")
	w.statements.Reset()
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		t.Fatalf("%s: status %d: %s", request, answer.Code, answer.Body)
	}
	return slices.DeleteFunc(w.statements.WithArguments(), func(s storetest.Statement) bool {
		return !strings.HasPrefix(strings.TrimSpace(s.Text), "SELECT")
	})
}

func arguments(s storetest.Statement) []any {
	values := make([]any, len(s.Arguments))
	for i, a := range s.Arguments {
		values[i] = a.Value
	}
	return values
}

// node is a step of a plan of Postgres.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Actual Rows"` // of each loop
	Loops    float64 `json:"Actual Loops"`
	Hit      int     `json:"Shared Hit Blocks"`
	Read     int     `json:"Shared Read Blocks"`
	Plans    []node
}

// tiny are the tables whose rows don't come with organisations: reading all of one is right.
var tiny = []string{"roles", "role_permissions", "counters"}

// faults says what in the plan grows with the data.
func (n node) faults(sorts bool) []string {
	var faults []string
	if n.Type == "Seq Scan" && !slices.Contains(tiny, n.Relation) {
		faults = append(faults, "reads all of "+n.Relation)
	}
	for _, inner := range n.Plans {
		if strings.Contains(n.Type, "Sort") && inner.Rows*inner.Loops > page && !sorts {
			faults = append(faults, fmt.Sprintf("sorts %v rows", inner.Rows*inner.Loops))
		}
		faults = append(faults, inner.faults(sorts)...)
	}
	return faults
}

func (w *world) explainPostgres(t *testing.T, s storetest.Statement) node {
	t.Helper()
	var text string
	if err := w.db.QueryRow("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+s.Text, arguments(s)...).Scan(&text); err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// faultsSQLite says what in a statement's plan grows with the data. A statement with a LIMIT may
// walk along an index; and it may sort the page that it found so, which the step LIST SUBQUERY
// says, since the rows of a page are looked up by their ids.
func (w *world) faultsSQLite(t *testing.T, s storetest.Statement, scans bool) []string {
	t.Helper()
	rows, err := w.db.Query("EXPLAIN QUERY PLAN "+s.Text, arguments(s)...)
	if err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	defer rows.Close()
	limited := strings.Contains(s.Text, "LIMIT")
	var faults []string
	pageFound := 0 // the step that finds a page's ids
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		table := strings.Fields(step + " -")[1]
		switch {
		case limited && strings.HasPrefix(step, "LIST SUBQUERY"):
			pageFound = id
		case strings.HasPrefix(step, "SCAN") && !scans && !(limited && strings.Contains(step, "INDEX")) && !slices.Contains(tiny, table),
			strings.Contains(step, "TEMP B-TREE") && (pageFound == 0 || parent == pageFound):
			faults = append(faults, step)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return faults
}

// each carries out the operations, as staff and, where it is no change of somebody's roles, as an
// owner too, and visits their statements that read.
func (w *world) each(t *testing.T, visit func(name string, s storetest.Statement)) {
	t.Helper()
	for _, o := range operations {
		for _, token := range w.tokens {
			if strings.HasSuffix(o.name, "_user") && token != w.tokens[0] {
				continue
			}
			for _, s := range w.selects(t, o.request, o.body, token) {
				visit(o.name, s)
			}
		}
	}
}

func TestNoPlanGrowsWithTheData(t *testing.T) {
	program := build(t)
	allowed := map[string]struct{ scans, sorts, grows bool }{}
	for _, o := range operations {
		allowed[o.name] = struct{ scans, sorts, grows bool }{o.scans, o.sorts, o.grows}
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		large := newWorld(t, program, engine, 100_000)
		pages := map[string]int{}
		large.each(t, func(name string, s storetest.Statement) {
			var faults []string
			if engine == storetest.SQLite {
				faults = large.faultsSQLite(t, s, allowed[name].scans)
			} else {
				plan := large.explainPostgres(t, s)
				faults = plan.faults(allowed[name].sorts)
				pages[name] += plan.Hit + plan.Read
			}
			for _, fault := range faults {
				t.Errorf("%s: %s: %s", name, fault, s.Text)
			}
		})
		if engine == storetest.SQLite {
			return
		}
		few := map[string]int{}
		small := newWorld(t, program, engine, 1000)
		small.each(t, func(name string, s storetest.Statement) {
			plan := small.explainPostgres(t, s)
			few[name] += plan.Hit + plan.Read
		})
		for name, n := range pages {
			t.Logf("%s: %d pages, and %d of 1,000 organisations", name, n, few[name])
			if n > 2*few[name] && !allowed[name].grows {
				t.Errorf("%s reads %d pages, and %d of 1,000 organisations", name, n, few[name])
			}
		}
	})
}
