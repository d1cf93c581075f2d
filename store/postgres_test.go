package store_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// withSetting returns the URL with another value of a parameter; "" takes the parameter away.
func withSetting(databaseURL, name, value string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		panic(err)
	}
	query := u.Query()
	query.Del(name)
	if value != "" {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// fakeServer answers each connection with what it is told to, and returns a URL of itself.
func fakeServer(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			answer(c)
		}
	}()
	return "postgres://user:" + secret + "@" + listener.Addr().String() + "/x?sslmode=disable"
}

func TestPostgresThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	answering := func(text string) string {
		return fakeServer(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = c.Write([]byte(text))
			_ = c.Close()
		})
	}
	for databaseURL, cause := range map[string]string{
		"postgres://user:" + secret + "@" + address + "/x":             " to " + address + ": connection refused",
		"postgres://user:" + secret + "@no-such-host.invalid/x":        " to no-such-host.invalid:5432: lookup no-such-host.invalid",
		"postgres://user:" + secret + "@" + address + ",127.0.0.1:1/x": " to " + address + ", 127.0.0.1:1: connection refused",
		answering(""): ": unexpected EOF",
		answering("HTTP/1.1 400 Bad Request\r\n\r\n"):     " to 127.0.0.1:",
		withSetting(answering("N"), "sslmode", "require"): ": server refused TLS connection",
	} {
		err := refused(t, databaseURL)
		unavailable(t, err)
		if !strings.Contains(err.Error(), cause) || strings.Contains(err.Error(), "user") {
			t.Errorf("%v, not %s", err, cause)
		}
	}
	// It says nothing until the caller gives up.
	ctx, cancel := context.WithCancel(t.Context())
	databaseURL := fakeServer(t, func(c net.Conn) {
		t.Cleanup(func() { _ = c.Close() }) // kept, or it would be closed
		cancel()
	})
	if _, err := store.Open(ctx, store.Config{URL: databaseURL}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestPostgresThatRefuses(t *testing.T) {
	onPostgres(t, func(t *testing.T) {
		u, err := url.Parse(storetest.URL(t, storetest.Postgres))
		if err != nil {
			t.Fatal(err)
		}
		// Nobody of this name, so that it is refused however the server lets people in.
		stranger, missing := *u, *u
		stranger.User = url.UserPassword("opencalls_nobody", secret)
		missing.Path += "_missing"
		for databaseURL, text := range map[string]string{stranger.String(): "opencalls_nobody", missing.String(): "does not exist"} {
			err := refused(t, databaseURL)
			unavailable(t, err)
			if !strings.Contains(err.Error(), text) {
				t.Errorf("the error does not say why: %v", err)
			}
		}
	})
}

// A statement ends after five seconds unless the URL says otherwise, and a setting that loses
// acknowledged writes is warned about.
func TestPostgresSettings(t *testing.T) {
	onPostgres(t, func(t *testing.T) {
		databaseURL := storetest.URL(t, storetest.Postgres)
		for given, want := range map[string]string{"": "5s", "1234": "1234ms"} {
			var log bytes.Buffer
			var tables storetest.SQL
			changed := withSetting(withSetting(databaseURL, "statement_timeout", given), "synchronous_commit", "off")
			storetest.OpenURL(t, changed, tables.Use, func(cfg *store.Config) { cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
			if got := storetest.Rows(t, tables.DB(t), "SELECT current_setting('statement_timeout') AS v"); got[0] != `v="`+want+`"` {
				t.Errorf("%q: %s", given, got[0])
			}
			if !strings.Contains(log.String(), `"setting":"synchronous_commit"`) {
				t.Errorf("no warning: %s", log.String())
			}
		}
	})
}

// A large import takes as long as it takes. It plans without reading whole
// tables, but the connection that it had is another's then, for whom a small table is best read whole;
// and the plans that others made while the tables held few rows end with new statistics.
func TestPostgresImports(t *testing.T) {
	onPostgres(t, func(t *testing.T) {
		var spy spy
		s := storetest.Open(t, storetest.Postgres, spy.use)
		db := spy.pool(t, 0)
		setting := func() (value string) {
			t.Helper()
			// The import's own connection, which is idle between its statements.
			if err := spy.conns[0].(*stdlib.Conn).Conn().QueryRow(t.Context(), "SHOW statement_timeout").Scan(&value); err != nil {
				t.Fatal(err)
			}
			return value
		}
		before := setting()
		(&world{store: s}).organisations(100)
		if err := write(s, func(tx *store.Tx) error {
			if err := tx.LockForImport(); err != nil {
				return err
			}
			if got := setting(); got != "0" {
				t.Errorf("a statement of an import has %s", got)
			}
			for range 10 { // after five Postgres keeps a plan
				if _, err := tx.RoleByName(t.Context(), "CUSTOMER.OWNER"); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if after := setting(); after != before {
			t.Errorf("after the import a statement has %s, not %s", after, before)
		}
		conn := spy.conns[0].(*stdlib.Conn).Conn()
		var name, plan string
		err := conn.QueryRow(t.Context(), `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%FROM "roles" WHERE name = $1%' AND generic_plans > 0`).Scan(&name)
		if err == nil {
			err = conn.QueryRow(t.Context(), `EXPLAIN (FORMAT JSON) EXECUTE "`+name+`" ('x', 1)`).Scan(&plan)
		}
		if err != nil || !strings.Contains(plan, `"Seq Scan"`) {
			t.Errorf("%v, the plan that was kept is %s", err, plan)
		}
		if n := storetest.Count(t, db, "SELECT reltuples FROM pg_class WHERE relname = 'call_managing_organisations'"); n != 100 {
			t.Errorf("the planner takes 100 organisations for %d", n)
		}
	})
}

// Changes that don't end leave reads connections of their own; a change that waits for its turn too
// long, or whose caller leaves, does not begin.
func TestPostgresWritersLeaveRoomForReads(t *testing.T) {
	onPostgres(t, func(t *testing.T) { // on SQLite reads have a pool of their own
		s := storetest.Open(t, storetest.Postgres, storetest.StatementTimeout(time.Second))
		const most = 12
		began, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		for range most {
			go func() {
				ended <- write(s, func(tx *store.Tx) error {
					began <- struct{}{}
					<-finish
					return addUser(tx)
				})
			}()
		}
		for range most {
			<-began
		}
		ctx, leave := context.WithCancel(t.Context())
		go leave()
		if err := s.Write(ctx, store.Actor{}, addUser); !errors.Is(err, context.Canceled) {
			t.Errorf("a change whose caller leaves: %v", err)
		}
		unavailable(t, write(s, addUser))
		for range 2 * most {
			if _, err := s.Empty(t.Context()); err != nil {
				t.Errorf("a read: %v", err)
			}
		}
		close(finish)
		for range most {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := write(s, addUser); err != nil {
			t.Errorf("a change after them: %v", err)
		}
	})
}
