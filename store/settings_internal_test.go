package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// The driver ignores what it does not know in a DSN: a setting that did not take is noticed.
func TestSQLiteOptionsThatDoNotTake(t *testing.T) {
	cfg := Config{WrapConnector: func(c driver.Connector) driver.Connector { return c }}
	for options, pragma := range map[string]string{"_fk=off": "foreign_keys", "_timeout=1": "busy_timeout", "_sync=0": "synchronous"} {
		_, err := openSQLitePool(t.Context(), cfg, filepath.Join(t.TempDir(), "x.db"), 1, options, sqliteWriterPragmas)
		if err == nil || !strings.Contains(err.Error(), "pragma "+pragma) {
			t.Errorf("%s: %v", options, err)
		}
	}
	misspelt := map[string]string{"cachesize": "-8192"}
	if _, err := openSQLitePool(t.Context(), cfg, filepath.Join(t.TempDir(), "x.db"), 1, "", misspelt); err == nil {
		t.Error("a misspelt pragma was not noticed")
	}
}

func TestPostgresVersionAndSettings(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings map[string]string
		warned   []string
		err      string
	}{
		{"as it should be", map[string]string{"server_version_num": "140000"}, nil, ""},
		{"too old", map[string]string{"server_version_num": "130022"}, nil, "version 14 or later is needed, not 13"},
		{"weaker, but nothing is lost", map[string]string{"synchronous_commit": "local"}, nil, ""},
		{"one is off", map[string]string{"full_page_writes": "off"}, []string{"full_page_writes"}, ""},
		{"all are off", map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}, []string{"fsync", "full_page_writes", "synchronous_commit"}, ""},
		{"another encoding", map[string]string{"server_encoding": "LATIN1"}, nil, "encoding must be UTF8, not LATIN1"},
		{"it does not answer", map[string]string{"fsync": ""}, nil, "no such setting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := settingsServer{"server_version_num": "160001", "server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
			for name, value := range c.settings {
				settings[name] = value
			}
			pool := sql.OpenDB(settings)
			defer pool.Close()
			var log bytes.Buffer
			err := checkPostgres(t.Context(), pool, slog.New(slog.NewTextHandler(&log, nil)))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error is %v, not %q", err, c.err)
			}
			if n := strings.Count(log.String(), "level=WARN"); n != len(c.warned) {
				t.Errorf("%d warnings: %s", n, log.String())
			}
			for _, setting := range c.warned {
				if !strings.Contains(log.String(), "setting="+setting+" value=off") {
					t.Errorf("no warning about %s: %s", setting, log.String())
				}
			}
		})
	}
}

// settingsServer answers queries for settings, as no server at hand would.
type settingsServer map[string]string

func (s settingsServer) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s settingsServer) Driver() driver.Driver                        { return nil }
func (s settingsServer) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (s settingsServer) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (s settingsServer) Close() error                                 { return nil }

func (s settingsServer) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	name := args[0].Value.(string)
	if s[name] == "" {
		return nil, errors.New("no such setting")
	}
	return &oneRow{s[name]}, nil
}

type oneRow struct{ value string }

func (*oneRow) Columns() []string { return []string{"current_setting"} }
func (*oneRow) Close() error      { return nil }
func (r *oneRow) Next(dest []driver.Value) error {
	if r.value == "" {
		return io.EOF
	}
	dest[0], r.value = r.value, ""
	return nil
}

// A lock that was waited for too long, or a connection that the system gives up, is a database that is not
// there, also where the system calls that a time-out. A time-out of the request's own is the request's, and a
// code of no class is an error.
func TestPostgresErrors(t *testing.T) {
	code := func(code string) error { return &pgconn.PgError{Code: code} }
	read := func(errno syscall.Errno) error {
		return &net.OpError{Op: "read", Err: os.NewSyscallError("read", errno)}
	}
	ended := func(err error) error { return fmt.Errorf("timeout: %w", err) } // as the driver has it
	for err, unavailable := range map[error]bool{
		code(""): false, code("5"): false, code("XX000"): false,
		code(lockNotAvailable): true, code("40P01"): true, code("0A000"): true, code("26000"): true, code("42P05"): true,
		read(syscall.ETIMEDOUT): true, ended(read(syscall.ETIMEDOUT)): true, read(syscall.ECONNRESET): true, read(syscall.EHOSTUNREACH): true,
		ended(context.DeadlineExceeded): false, context.DeadlineExceeded: false, context.Canceled: false,
	} {
		got := (&postgresEngine{}).Translate(err)
		if got == nil || errors.Is(got, ErrUnavailable) != unavailable || !errors.Is(got, err) {
			t.Errorf("%v becomes %v", err, got)
		}
		// Prepared statements are gone or taken behind a pooler.
		pooler := strings.Contains(err.Error(), "26000") || strings.Contains(err.Error(), "42P05")
		if advice := strings.Contains(got.Error(), "default_query_exec_mode=exec"); advice != pooler {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
