package server_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

const (
	unavailable = `{"detail":"Service temporarily unavailable."}`
	internal    = `{"detail":"Internal server error."}`
)

// breakdown sends every operation's request to a server whose database is broken, and checks that
// the answer and the log's one line say so, each no more than it should.
func breakdown(t *testing.T, stage *stage, status int) {
	t.Helper()
	for _, op := range operations {
		if slices.Contains([]string{"configuration_retrieve", "version_retrieve"}, op.OperationID) {
			continue // which ask the store nothing
		}
		t.Run(op.OperationID, func(t *testing.T) {
			r := stage.request(op.example())
			switch op.OperationID { // by staff these read users or customers alone
			case "users_count":
				r.Target += stage.names.Replace("?customer_uuid={tartu.customer}")
			case "customers_count":
				r.Target += "?owned_by_current_user=true"
			}
			got := stage.send(t, r)
			want := map[int]string{503: unavailable, 500: internal}[status] + "\n"
			if r.Method == http.MethodHead {
				want = ""
			}
			if got.Status != status || got.Body != want || (got.Header.Get("Retry-After") == "1") != (status == 503) {
				t.Errorf("got %d %s, Retry-After %q, want %d %s", got.Status, got.Body, got.Header.Get("Retry-After"), status, want)
			}
			line := stage.log.one(t)
			if line.Level != "ERROR" || line.Message != "request" || line.Status != status || line.RequestID != requestID || line.Error == "" {
				t.Errorf("the log says %+v", line)
			}
		})
	}
}

// A database that is closed, or a request that takes too long, is 503 for every operation; a schema that is
// not the one that the server knows is 500.
func TestEveryOperationBroken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Run("closed", func(t *testing.T) {
			t.Parallel()
			stage := newStage(t, engine)
			if err := stage.store.Close(); err != nil {
				t.Fatal(err)
			}
			breakdown(t, stage, 503)
			stage.log.take()
			// The process is well.
			for path, status := range map[string]int{"/readyz": 503, "/healthz": 200} {
				if got := stage.send(t, request{Method: "GET", Target: path}); got.Status != status {
					t.Errorf("%s: %d %s", path, got.Status, got.Body)
				}
			}
		})
		t.Run("no time", func(t *testing.T) {
			t.Parallel()
			breakdown(t, newStage(t, engine, func(s *setup) { s.server.RequestTimeout = time.Nanosecond }), 503)
		})
		t.Run("another schema", func(t *testing.T) {
			t.Parallel()
			stage := newStage(t, engine)
			for _, table := range []string{"call_managing_organisations", "counters", "roles", "user_roles", "audit_events"} {
				stage.exec(t, "ALTER TABLE "+table+" RENAME TO gone_"+table)
			}
			breakdown(t, stage, 500)
			stage.log.take()
			stage.exec(t, "ALTER TABLE goose_db_version RENAME TO gone")
			if got := stage.send(t, request{Method: "GET", Target: "/readyz"}); got.Status != 503 {
				t.Errorf("readyz: %d %s", got.Status, got.Body)
			}
		})
	})
}

// A newer version adds columns under a running server, whose prepared statements go on: of each connection.
func TestColumnsAreAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		sendAll := func(restore func()) {
			for _, op := range operations {
				r := stage.request(op.example())
				var clients sync.WaitGroup
				for range 16 {
					clients.Go(func() {
						if got := stage.send(t, r); got.Status >= 500 {
							t.Errorf("%s: %d %s", op.OperationID, got.Status, got.Body)
						}
					})
				}
				clients.Wait()
				restore()
			}
		}
		sendAll(func() { stage.restore(t) })
		for _, table := range storetest.Tables {
			stage.exec(t, "ALTER TABLE "+table+" ADD COLUMN zz integer")
		}
		sendAll(func() {})
	})
}

// A panic is a 500, whose stack only the log shows.
func TestPanic(t *testing.T) {
	var clock clockHook
	stage := newStage(t, storetest.SQLite, clock.use, func(s *setup) { s.server.ValidateResponses = server.ValidateFail })
	noClock := func() { panic("no clock") }
	clock.Store(&noClock)
	got := stage.send(t, request{Method: "GET", Target: base, Token: "token-of-bob-until-now"}) // the server looks at its clock
	if got.Status != 500 || got.Body != internal+"\n" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if line := stage.log.one(t); line.Level != "ERROR" || line.Status != 500 || !strings.HasPrefix(line.Error, "panic: no clock\n") || !strings.Contains(line.Error, "uthenticate") {
		t.Errorf("the log says %+v", line)
	}
}

// Nobody answers a client that has gone, and nothing is wrong with the server then.
func TestClientGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		asked, gone := make(chan struct{}), make(chan struct{})
		var clock clockHook
		stage := newStage(t, engine, clock.use, func(s *setup) {
			s.watch = func(r *http.Request) {
				context.AfterFunc(r.Context(), func() { close(gone) })
			}
		})
		leave := sync.OnceFunc(func() { // the server looks at its clock: the client goes meanwhile
			close(asked)
			<-gone
		})
		clock.Store(&leave)
		ctx, cancel := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, stage.url+base, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Token token-of-bob-until-now")
		go func() { <-asked; cancel() }()
		if response, err := stage.client.Do(r); err == nil {
			_ = response.Body.Close()
			t.Fatalf("status %d", response.StatusCode)
		}
		<-stage.handled
		if line := stage.log.one(t); line.Level != "INFO" || line.Status != 499 || line.Error != "" {
			t.Errorf("the log says %+v", line)
		}
	})
}

// server.New needs nothing but a store.
func TestDefaults(t *testing.T) {
	if _, err := server.New(server.Config{Store: &store.Store{}}); err != nil {
		t.Fatal(err)
	}
}
