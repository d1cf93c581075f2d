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

// While an import holds the writer, be it through this server's store or another one on the same
// database, a write waits and is then 503 with Retry-After. Reads go on, and writes again after it.
func TestRequestsBesideAnImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for name, own := range map[string]bool{"of this store": true, "of another store": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var url string
				stage := newStage(t, engine, func(s *setup) {
					s.store = append(s.store, func(cfg *store.Config) { url = cfg.URL })
					switch {
					case engine == storetest.Postgres: // what ends the wait is the time of a statement
						s.store = append(s.store, storetest.StatementTimeout(500*time.Millisecond))
					case own: // it is the time of a request; for another process SQLite waits 5 s
						s.server.RequestTimeout = time.Second
					}
				})
				importing := world.New(stage.store)
				if !own {
					importing = world.New(storetest.OpenURL(t, url))
				}
				content, writer := io.Pipe()
				ended := make(chan error, 1)
				go func() {
					err := importing.ImportFrom(content)
					_ = content.CloseWithError(err)
					ended <- err
				}()
				// The import takes its locks before it reads.
				if _, err := io.WriteString(writer, "customers:\n"); err != nil {
					t.Fatal(err)
				}
				expect := func(status int, s scenario) {
					t.Helper()
					if got := stage.send(t, stage.request(s)); got.Status != status || (got.Header.Get("Retry-After") != "") != (status == 503) {
						t.Errorf("%s: %d %v %s", s.request, got.Status, got.Header, got.Body)
					}
				}
				change := scenario{request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"new"}`)}
				expect(http.StatusOK, scenario{request: "GET …/{tartu}/"})
				expect(http.StatusOK, scenario{request: "GET …/"})
				expect(http.StatusServiceUnavailable, change)
				_, _ = io.WriteString(writer, "  []\n")
				_ = writer.Close()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				expect(http.StatusOK, change)
			})
		}
	})
}
