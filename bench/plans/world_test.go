package plans_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// world is a server on a database of so many organisations.
type world struct {
	engine     string
	url        string
	store      *store.Store
	handler    http.Handler
	statements storetest.Statements
	db         *sql.DB
	replace    *strings.Replacer
	tokens     []string
	bereft     string // a customer whose organisation has no calls
}

// memory is what an import or an export may take at most, resident, in MiB.
const memory = 300

// run runs the program, and fails if that takes more than memory: it looks every 20 ms, on Linux.
func run(t *testing.T, arguments ...string) {
	t.Helper()
	command := exec.Command(programtest.Binary, arguments...)
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- command.Wait() }()
	var peak int64
	for running := true; running; {
		// It fails for one that has just ended.
		if now, err := programtest.PeakMemory(command.Process.Pid); err == nil {
			peak = now >> 20
		}
		select {
		case err := <-end:
			if err != nil {
				t.Fatalf("%v: %s", err, &printed)
			}
			running = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Logf("%s: %d MiB", arguments[0], peak)
	if peak == 0 && runtime.GOOS == "linux" || peak > memory {
		t.Errorf("%s took %d MiB of memory; it may take %d", arguments[0], peak, memory)
	}
}

// writeDataset writes the import file of a world.
func writeDataset(t *testing.T, organisations int) (path string, known dataset.Known) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "dataset.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	known, err = dataset.Write(file, dataset.Config{Organisations: organisations, Seed: 1, Now: time.Now()})
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return path, known
}

func newWorld(t *testing.T, engine string, organisations int) *world {
	t.Helper()
	path, known := writeDataset(t, organisations)
	w := &world{engine: engine, url: storetest.MigratedURL(t, engine), tokens: []string{known.StaffToken, known.OwnerToken}}
	run(t, "import", "--database-url", w.url, path)
	run(t, "export", "--database-url", w.url, "--output", os.DevNull)
	w.open(t)
	// Everybody has a token.
	w.exec(t, "INSERT INTO tokens (digest, user_uuid, created) SELECT username, uuid, created FROM users")
	if engine == storetest.Postgres {
		w.exec(t, "VACUUM ANALYZE") // as autovacuum does; SQLite has no statistics in production either
	}
	// Nobody has calls in it.
	err := w.db.QueryRow(`SELECT o.customer_uuid FROM call_managing_organisations AS o
		WHERE NOT EXISTS (SELECT 1 FROM calls AS c WHERE c.organisation_uuid = o.uuid) ORDER BY o.uuid LIMIT 1`).Scan(&w.bereft)
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.store.Organisation(t.Context(), known.Organisation)
	if err != nil {
		t.Fatal(err)
	}
	w.replace = strings.NewReplacer("{last}", fmt.Sprint(organisations/page), "{middle}", fmt.Sprint(organisations/page/2),
		"{rare}", known.Keyword.Rare, "{common}", known.Keyword.Common, "{customer}", o.CustomerUUID.String(), "{bereft}", w.bereft,
		"{it}", known.Organisation.String(), "{crowded}", known.Crowded.String(), "{newcomer}", known.Newcomers[0].String())
	return w
}

// open serves the database.
func (w *world) open(t *testing.T) {
	t.Helper()
	var tables storetest.SQL
	w.store = storetest.OpenURL(t, w.url, tables.Use, w.statements.Use)
	w.db = tables.DB(t)
	var err error
	w.handler, err = server.New(server.Config{Store: w.store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
}

// close ends all connections.
func (w *world) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(w.store.Close(), w.db.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := w.db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// run carries out an operation and returns its statements.
func (w *world) run(t *testing.T, o operation, token string) []storetest.Statement {
	t.Helper()
	var spare string // the organisation that is destroyed, and created once more
	if err := w.db.QueryRow("SELECT uuid FROM call_managing_organisations WHERE customer_uuid = $1", w.bereft).Scan(&spare); err != nil && o.name != "create" {
		t.Fatal(err)
	}
	method, target, _ := strings.Cut(strings.ReplaceAll(w.replace.Replace(o.request), "{spare}", spare), " ")
	content, contentType := []byte(w.replace.Replace(o.body)), "application/json"
	if o.image {
		content, contentType = picture(t)
	}
	r := httptest.NewRequest(method, "/api/call-managing-organisations"+target, bytes.NewReader(content))
	r.Header.Set("Authorization", "Token "+token)
	r.Header.Set("Content-Type", contentType)
	w.statements.Reset()
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		t.Fatalf("%s: status %d: %s", o.name, answer.Code, answer.Body)
	}
	return w.statements.WithArguments()
}

// picture is a body with an image.
func picture(t *testing.T) ([]byte, string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "image.png")
	if err == nil {
		err = png.Encode(part, image.NewGray(image.Rect(0, 0, 1, 1)))
	}
	if err := errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	return body.Bytes(), form.FormDataContentType()
}

// each carries out operations, and visits the statements of each.
func (w *world) each(t *testing.T, operations []operation, visit func(o operation, statements []storetest.Statement)) {
	t.Helper()
	for _, o := range operations {
		for _, token := range w.tokens {
			if !o.staff || token == w.tokens[0] {
				visit(o, w.run(t, o, token))
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
