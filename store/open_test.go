package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

const secret = "s3cr3t-pa55w0rd"

// refused opens a URL that can't be opened, and checks that the error keeps the password.
func refused(t *testing.T, databaseURL string) error {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: databaseURL})
	if err == nil {
		_ = s.Close()
		t.Fatalf("%s is opened", databaseURL)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error shows the password: %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
	return err
}

func TestURLThatIsNone(t *testing.T) {
	for _, databaseURL := range []string{
		"", secret, "mysql://u:" + secret + "@127.0.0.1/x", "file:" + secret, "SQLITE:x", "sqlite:",
		"postgres://u:" + secret + "@127.0.0.1:port/x",
		"postgres://u:" + secret + "%zz@127.0.0.1/x",
		"postgres://u:" + secret + "@[::1/x",
		"postgresql://u:" + secret + "@127.0.0.1/x?sslmode=bogus",
		"postgres://u:" + secret + "@127.0.0.1/x?connect_timeout=x",
	} {
		err := refused(t, databaseURL)
		if errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q is taken for a database: %v", databaseURL, err)
		}
		checked := store.CheckURL(databaseURL)
		if checked == nil || strings.Contains(checked.Error(), secret) {
			t.Errorf("CheckURL(%q): %v", databaseURL, checked)
		}
	}
	for _, databaseURL := range []string{"sqlite:x", "sqlite::memory:", "postgres://u:p@h/x", "postgresql://h/x?sslmode=disable"} {
		if err := store.CheckURL(databaseURL); err != nil {
			t.Errorf("CheckURL(%q): %v", databaseURL, err)
		}
	}
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
	t.Run("nobody listens", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		_ = listener.Close()
		unavailable(t, refused(t, "postgres://user:"+secret+"@"+address+"/x"))
	})
	t.Run("it hangs up", func(t *testing.T) {
		unavailable(t, refused(t, fakeServer(t, func(c net.Conn) { _ = c.Close() })))
	})
	t.Run("it speaks something else", func(t *testing.T) {
		unavailable(t, refused(t, fakeServer(t, func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		})))
	})
	t.Run("it says nothing until the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var silent sync.Map
		databaseURL := fakeServer(t, func(c net.Conn) {
			silent.Store(c, true) // kept, or it would be closed
			cancel()
		})
		if _, err := store.Open(ctx, store.Config{URL: databaseURL}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		silent.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
	})
}

func TestPostgresThatRefuses(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		u, err := url.Parse(storetest.URL(t, engine))
		if err != nil {
			t.Fatal(err)
		}
		// Nobody of this name, so that it is refused however the server lets people in.
		stranger := *u
		stranger.User = url.UserPassword("opencalls_nobody", secret)
		err = refused(t, stranger.String())
		unavailable(t, err)
		if !strings.Contains(err.Error(), "opencalls_nobody") {
			t.Errorf("the error does not say who: %v", err)
		}
		missing := *u
		missing.Path += "_missing"
		err = refused(t, missing.String())
		unavailable(t, err)
		if !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("the error does not say why: %v", err)
		}
	}
}

func TestPostgresSettingsAreWarnedAbout(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		for _, commit := range []string{"on", "off"} {
			u, err := url.Parse(storetest.URL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Set("synchronous_commit", commit)
			u.RawQuery = query.Encode()
			var log bytes.Buffer
			var tables storetest.SQL
			storetest.OpenURL(t, u.String(), tables.Use, func(cfg *store.Config) { cfg.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
			db := tables.DB(t)
			for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
				off := storetest.Rows(t, db, "SELECT current_setting('"+setting+"') AS v")[0] == `v="off"`
				if warned := strings.Contains(log.String(), `"setting":"`+setting+`"`); warned != off {
					t.Errorf("%s off is %v, warned about is %v: %s", setting, off, warned, log.String())
				}
			}
			if strings.Contains(log.String(), "synchronous_commit") != (commit == "off") {
				t.Errorf("synchronous_commit=%s: %s", commit, log.String())
			}
		}
	}
}

// A statement ends after five seconds unless the URL says otherwise.
func TestPostgresStatementTimeout(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		for set, want := range map[string]string{"": "5s", "1234": "1234ms"} {
			u, err := url.Parse(storetest.URL(t, engine))
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Del("statement_timeout")
			if set != "" {
				query.Set("statement_timeout", set)
			}
			u.RawQuery = query.Encode()
			var tables storetest.SQL
			storetest.OpenURL(t, u.String(), tables.Use)
			if got := storetest.Rows(t, tables.DB(t), "SELECT current_setting('statement_timeout') AS v"); got[0] != `v="`+want+`"` {
				t.Errorf("%q: %s", set, got[0])
			}
		}
	}
}

// A large import and a migration take as long as they take.
func TestImportsAndMigrationsAreNotCutShort(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		var statements storetest.Statements
		var connectors []driver.Connector
		s := storetest.OpenURL(t, storetest.MigratedURL(t, engine), statements.Use, func(cfg *store.Config) {
			storetest.WrapConnector(cfg, func(c driver.Connector) driver.Connector {
				connectors = append(connectors, c)
				return c
			})
		})
		migrations := sql.OpenDB(connectors[len(connectors)-1])
		defer migrations.Close()
		if got := storetest.Rows(t, migrations, "SELECT current_setting('statement_timeout') AS v"); len(connectors) != 2 || got[0] != `v="0"` {
			t.Errorf("of %d connectors the migrations' has %s", len(connectors), got[0])
		}
		err := s.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error { return tx.LockForImport() })
		if err != nil || !slices.Contains(statements.All(), "SET LOCAL statement_timeout = 0") {
			t.Errorf("%v, %q", err, statements.All())
		}
	}
}

// An import plans without reading whole tables. The connection that it had is another's then, for
// whom a small table is best read whole.
func TestPlansOfAnImportEndWithIt(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		var grabbed grabbed
		var tables storetest.SQL
		s := storetest.OpenURL(t, storetest.MigratedURL(t, engine), tables.Use, grabbed.use)
		if _, err := tables.DB(t).ExecContext(t.Context(), "ANALYZE roles"); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), store.Actor{}, func(tx *store.Tx) error {
			if err := tx.LockForImport(); err != nil {
				return err
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
		conn := grabbed.conns[0].(*stdlib.Conn).Conn()
		var name, plan string
		err := conn.QueryRow(t.Context(), `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%FROM "roles" WHERE name = $1%' AND generic_plans > 0`).Scan(&name)
		if err == nil {
			err = conn.QueryRow(t.Context(), `EXPLAIN (FORMAT JSON) EXECUTE "`+name+`" ('x', 1)`).Scan(&plan)
		}
		if err != nil || !strings.Contains(plan, `"Seq Scan"`) {
			t.Errorf("%v, the plan that was kept is %s", err, plan)
		}
	}
}

// An import ends with new statistics: the plans that other processes made while the tables held few
// rows are made anew.
func TestAnImportEndsWithStatistics(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue
		}
		var tables storetest.SQL
		s := storetest.Open(t, engine, tables.Use)
		storetest.NewWorld(t, s).Organisations(100)
		if err := write(s, func(tx *store.Tx) error { return tx.LockForImport() }); err != nil {
			t.Fatal(err)
		}
		if n := storetest.Count(t, tables.DB(t), "SELECT reltuples FROM pg_class WHERE relname = 'call_managing_organisations'"); n != 100 {
			t.Errorf("the planner takes them for %d rows", n)
		}
	}
}
