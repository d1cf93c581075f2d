package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// While an import holds the writer, be it through this server's store or another one on the same
// database, a write waits and is then 503 with Retry-After. Reads go on, and writes again after it.
func TestRequestsBesideAnImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for name, own := range map[string]bool{"of this store": true, "of another store": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var url string
				a := start(t, engine, func(s *setup) {
					s.server.RequestTimeout = time.Second
					s.store = append(s.store, func(cfg *store.Config) { url = cfg.URL })
				})
				w := storetest.NewWorld(t, a.store)
				o := w.Organisation(w.Customer("Tartu"))
				token := w.Token(w.User("staff", func(u *store.User) { u.IsStaff = true }))
				one := base + o.UUID.String() + "/"
				read := request{method: http.MethodGet, target: one, token: token}
				list := request{method: http.MethodGet, target: base, token: token}
				change := request{method: http.MethodPatch, target: one, token: token, body: jsonBody(`{"description":"new"}`)}

				importing := a.store
				if !own {
					importing = storetest.OpenURL(t, url)
				}
				holds, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
				go func() {
					ended <- importing.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error {
						if err := tx.LockForImport(); err != nil {
							return err
						}
						close(holds)
						<-finish
						return nil
					})
				}()
				select {
				case <-holds:
				case err := <-ended:
					t.Fatal(err)
				}
				for _, r := range []request{read, list} {
					if got := a.send(t, r); got.status != http.StatusOK {
						t.Errorf("%s: %d %s", r.target, got.status, got.body)
					}
				}
				if got := a.send(t, change); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
					t.Errorf("beside the import: %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
				}
				close(finish)
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if got := a.send(t, change); got.status != http.StatusOK {
					t.Errorf("after the import: %d %s", got.status, got.body)
				}
			})
		}
	})
}
