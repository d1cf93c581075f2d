package server_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// importLock is a server with an organisation, and what is asked of it while an import holds its locks.
type importLock struct {
	*app
	url          string // of the database
	reads        []request
	change       request
	began, ended chan struct{}
	err          error
}

func newImportLock(t *testing.T, engine string, changes ...func(*setup)) *importLock {
	t.Helper()
	l := &importLock{began: make(chan struct{}), ended: make(chan struct{})}
	changes = append(changes, func(s *setup) {
		s.store = append(s.store, func(cfg *store.Config) { l.url = cfg.URL })
	})
	l.app = start(t, engine, changes...)
	l.world.Load(t)
	one := base + l.world.IDs["tartu"].String() + "/"
	l.reads = []request{{Method: http.MethodGet, Target: one, Token: "token-of-sam"}, {Method: http.MethodGet, Target: base, Token: "token-of-sam"}}
	l.change = request{Method: http.MethodPatch, Target: one, Token: "token-of-sam", Body: jsonBody(`{"description":"new"}`)}
	return l
}

// hold has a store begin an import, which holds its locks until the returned function is called.
func (l *importLock) hold(t *testing.T, s *store.Store) (finish func()) {
	t.Helper()
	content, writer := io.Pipe()
	go func() {
		l.err = world.New(s).ImportFrom(content)
		_ = content.Close()
		close(l.ended)
	}()
	// The import takes its locks before it reads.
	if _, err := writer.Write([]byte("customers:\n")); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		_, _ = writer.Write([]byte("  []\n"))
		_ = writer.Close()
		if <-l.ended; l.err != nil {
			t.Error(l.err)
		}
	}
}

func (l *importLock) checkReads(t *testing.T) {
	t.Helper()
	for _, r := range l.reads {
		if got := l.send(t, r); got.Status != http.StatusOK {
			t.Errorf("%s: %d %s", r.Target, got.Status, got.Body)
		}
	}
}

// While an import holds the writer, be it through this server's store or another one on the same
// database, a write waits and is then 503 with Retry-After. Reads go on, and writes again after it.
func TestRequestsBesideAnImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for name, own := range map[string]bool{"of this store": true, "of another store": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l := newImportLock(t, engine, func(s *setup) {
					switch {
					case engine == storetest.Postgres: // what ends the wait is the time of a statement
						s.store = append(s.store, storetest.StatementTimeout(500*time.Millisecond))
					case own: // it is the time of a request; for another process SQLite waits 5 s
						s.server.RequestTimeout = time.Second
					}
				})
				importing := l.store
				if !own {
					importing = storetest.OpenURL(t, l.url)
				}
				finish := l.hold(t, importing)
				l.checkReads(t)
				if got := l.send(t, l.change); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
					t.Errorf("beside the import: %d %s, Retry-After %q", got.Status, got.Body, got.Header.Get("Retry-After"))
				}
				finish()
				if got := l.send(t, l.change); got.Status != http.StatusOK {
					t.Errorf("after the import: %d %s", got.Status, got.Body)
				}
			})
		}
	})
}
