package differential

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

const (
	publicURL = "https://calls.example.com"
	base      = "/api/call-managing-organisations/"
)

// limits are so small that tiny pictures are over them.
var limits = images.Limits{MaxBytes: 1000, MaxPixels: 100}

// engine is the app on one of the databases, behind a real listener.
type engine struct {
	name   string
	store  *store.Store
	db     *sql.DB
	client *world.Client

	rows, requests counter // of new rows, and of requests
	kept           int     // the last id of the kept rows
}

// counter makes ids that are the same in every run: those of new rows come after the ones of
// the world, and in the order in which the rows were made.
type counter struct {
	prefix string
	last   int
}

func (c *counter) next() uuid.UUID {
	c.last++
	return uuid.MustParse(fmt.Sprintf("%s-0000-7000-8000-%012d", c.prefix, c.last))
}

// start serves the world until the test ends. Nothing asks for ids in two places at
// once, since each request is sent after the answer to the one before it.
func start(t *testing.T, name string, clock *storetest.Clock) *engine {
	t.Helper()
	e := &engine{name: name, rows: counter{prefix: "ffff0000"}, requests: counter{prefix: "5eed0000"}}
	var tables storetest.SQL
	e.store = storetest.Open(t, name, clock.Use, tables.Use, func(cfg *store.Config) { cfg.NewUUID = e.rows.next })
	e.db = tables.DB(t)
	handler, err := server.New(server.Config{
		Store: e.store, Now: clock.Now, NewUUID: e.requests.next, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		PublicURL: publicURL, Images: limits, ValidateResponses: server.ValidateFail,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(handler)
	t.Cleanup(listener.Close)
	e.client = world.NewClient(listener.URL)
	if err := errors.Join(e.load(newWorld(clock.Now())), e.keep()); err != nil {
		t.Fatal(err)
	}
	return e
}

// keep copies the tables as they are, for reset.
func (e *engine) keep() error {
	var b strings.Builder
	for _, table := range storetest.Tables {
		fmt.Fprintf(&b, "CREATE TABLE kept_%s AS SELECT * FROM %s;", table, table)
	}
	_, err := e.db.Exec(b.String())
	e.kept = e.rows.last
	return err
}

// reset brings the tables back to what keep saw. To import the world again, or into a database
// of its own, would take longer than the sequence that follows.
func (e *engine) reset() error {
	var b strings.Builder
	b.WriteString("BEGIN;")
	tables := slices.DeleteFunc(slices.Clone(storetest.Tables), func(table string) bool { return table == "counters" })
	for _, table := range slices.Backward(tables) {
		fmt.Fprintf(&b, "DELETE FROM %s;", table)
	}
	for _, table := range tables {
		fmt.Fprintf(&b, "INSERT INTO %s SELECT * FROM kept_%s;", table, table)
	}
	// Whatever the triggers have counted: a sequence that found it wrong must not make the next
	// one fail too.
	for _, table := range []string{"call_managing_organisations", "customers", "users"} {
		fmt.Fprintf(&b, "UPDATE counters SET value = (SELECT count(*) FROM %s) WHERE name = '%[1]s';", table)
	}
	b.WriteString("COMMIT")
	_, err := e.db.Exec(b.String())
	e.rows.last, e.requests.last = e.kept, 0
	return err
}

// load imports what is in the world, as opencalls import does.
func (e *engine) load(w entries) error {
	return e.store.Write(context.Background(), store.Actor{}, func(tx *store.Tx) error {
		files := []*fixture.File{{Name: "world.json", Content: strings.NewReader(marshal(w))}}
		_, err := fixture.Import(context.Background(), tx, files, limits, nil)
		return err
	})
}

func (e *engine) send(r request) (world.Answer, error) {
	sent := world.Request{Method: r.method(), Target: r.target(), Body: r.content()}
	if r.as != "" {
		sent.Token = tokenOf(r.as)
	}
	got, err := e.client.Send(sent)
	got.Header.Del("Date") // the only thing on which the engines need not agree
	return got, err
}
