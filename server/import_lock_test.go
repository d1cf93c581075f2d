package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// besideImport is a server with an organisation, and what is asked of it.
type besideImport struct {
	*app
	url                string // of the database
	read, list, change request
}

func newBesideImport(t *testing.T, engine string, changes ...func(*setup)) *besideImport {
	t.Helper()
	b := &besideImport{}
	changes = append(changes, func(s *setup) {
		s.store = append(s.store, func(cfg *store.Config) { b.url = cfg.URL })
	})
	b.app = start(t, engine, changes...)
	w := storetest.NewWorld(t, b.store)
	token := w.Token(w.User("staff", func(u *store.User) { u.IsStaff = true }))
	one := base + w.Organisation(w.Customer("Tartu")).UUID.String() + "/"
	b.read = request{method: http.MethodGet, target: one, token: token}
	b.list = request{method: http.MethodGet, target: base, token: token}
	b.change = request{method: http.MethodPatch, target: one, token: token, body: jsonBody(`{"description":"new"}`)}
	return b
}

// begin has a store begin an import, which holds its locks until the returned function is called.
func (b *besideImport) begin(t *testing.T, importing *store.Store) (finish func()) {
	t.Helper()
	holds, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- importing.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error {
			if err := tx.LockForImport(); err != nil {
				return err
			}
			close(holds)
			<-release
			return nil
		})
	}()
	select {
	case <-holds:
	case err := <-ended:
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
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
				b := newBesideImport(t, engine, func(s *setup) {
					switch {
					case engine == storetest.Postgres: // what ends the wait is the time of a statement
						s.store = append(s.store, storetest.StatementTimeout(500*time.Millisecond))
					case own: // it is the time of a request; for another process SQLite waits 5 s
						s.server.RequestTimeout = time.Second
					}
				})
				importing := b.store
				if !own {
					importing = storetest.OpenURL(t, b.url)
				}
				finish := b.begin(t, importing)
				for _, r := range []request{b.read, b.list} {
					if got := b.send(t, r); got.status != http.StatusOK {
						t.Errorf("%s: %d %s", r.target, got.status, got.body)
					}
				}
				if got := b.send(t, b.change); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
					t.Errorf("beside the import: %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
				}
				finish()
				if got := b.send(t, b.change); got.status != http.StatusOK {
					t.Errorf("after the import: %d %s", got.status, got.body)
				}
			})
		}
	})
}

// More writes than there are connections wait for an import: reads are answered all the same, while
// not one of the writes is, and all of these after it.
func TestReadsGoOnBesideWritesThatWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		b := newBesideImport(t, engine, func(s *setup) {
			s.server.RequestTimeout = time.Minute
			s.store = append(s.store, storetest.StatementTimeout(time.Minute))
		})
		finish := b.begin(t, b.store)
		const writes = 40
		changed := make(chan answer, writes)
		for range writes {
			go func() {
				got, err := b.try(b.change)
				if err != nil {
					t.Error(err)
				}
				changed <- got
			}()
		}
		time.Sleep(time.Second) // so that they wait; those that don't yet change nothing here
		for range 3 {
			for _, r := range []request{b.read, b.list} {
				if got := b.send(t, r); got.status != http.StatusOK {
					t.Errorf("%s: %d %s", r.target, got.status, got.body)
				}
			}
		}
		if len(changed) > 0 {
			t.Errorf("%d writes ended beside the import", len(changed))
		}
		finish()
		for range writes {
			if got := <-changed; got.status != http.StatusOK {
				t.Errorf("a write that waited: %d %s", got.status, got.body)
			}
		}
	})
}
