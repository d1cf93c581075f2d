package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
)

// sqliteReaders is the size of the read-only pool; more did not measure faster.
const sqliteReaders = 4

// sqliteEngine is GORM's dialect of SQLite with what the store needs beside it.
type sqliteEngine struct {
	gormsqlite.Dialector
	path      string
	temporary *os.File // directory to remove on close, if any
}

func openSQLite(ctx context.Context, cfg Config) (*Store, error) {
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	e := &sqliteEngine{}
	if path == ":memory:" {
		// A file all the same: each connection to :memory: would be a database of its own.
		dir, err := temporaryDirectory()
		if err != nil {
			return nil, err
		}
		e.temporary, path = dir, filepath.Join(dir.Name(), temporaryFile)
	}
	e.path = path
	if err := createSQLiteFile(path, cfg.Existing); err != nil {
		return nil, errors.Join(err, e.close())
	}
	// One writer, whose transactions take the lock at once: two that read first and then both want to
	// write would block each other. FULL: an acknowledged write survives a power cut.
	pragmas := maps.Clone(sqliteWriterPragmas)
	if cfg.Volatile {
		pragmas["synchronous"] = "0"
	}
	write, err := openSQLitePool(ctx, cfg, path, 1, "_txlock=immediate", pragmas)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	read, err := openSQLitePool(ctx, cfg, path, sqliteReaders, "mode=ro&_txlock=deferred", sqliteReaderPragmas)
	if err != nil {
		if pool, poolErr := write.DB(); poolErr == nil {
			_ = pool.Close()
		}
		return nil, errors.Join(err, e.close())
	}
	return newStore(cfg, e, read, write), nil
}

// temporaryFile is the database in a temporary directory.
const temporaryFile = "opencalls.db"

// temporaryDirectory makes a directory that is locked while this process lives, and removes what
// processes that were killed left. A directory without a database is another one's that is not locked yet.
func temporaryDirectory() (*os.File, error) {
	const prefix = "opencalls-memory-"
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*", temporaryFile))
	for _, file := range left {
		if dir, err := lockDirectory(filepath.Dir(file)); err == nil {
			_ = errors.Join(os.RemoveAll(dir.Name()), dir.Close())
		}
	}
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	return lockDirectory(path)
}

// lockDirectory opens a directory that nobody has locked, and locks it until it is closed.
func lockDirectory(path string) (*os.File, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// createSQLiteFile creates the database file where it may and there is none. Only its owner may read
// it, since it holds e-mail addresses and hashes of tokens; SQLite gives its files beside it the same
// mode. An existing file is not opened: closing it would release the locks that another store of this
// process has on it.
func createSQLiteFile(path string, existing bool) error {
	switch _, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist) && existing:
		return fmt.Errorf("open %s: there is no such database", path)
	case !errors.Is(err, os.ErrNotExist):
		return nil // SQLite says what is wrong with it
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil // another process was faster
	case err != nil:
		return fmt.Errorf("open: %w", err)
	}
	return file.Close()
}

// The pragmas of the connections. Those in a DSN are read back, since a misspelt one is ignored. A cache
// of 16 MiB holds the index of 100,000 organisations; with less, a page in its middle takes six times as
// long.
var (
	sqliteWriterPragmas = map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "cache_size": "-16384",
	}
	sqliteReaderPragmas = map[string]string{"query_only": "1", "busy_timeout": "5000", "cache_size": "-16384"}
)

func openSQLitePool(
	ctx context.Context, cfg Config, path string, connections int, options string, pragmas map[string]string,
) (*gorm.DB, error) {
	// Of the characters in a URI's path only %, ? and # mean something.
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	// Each connection keeps the statements that it ran last, by their text.
	dsn := "file:" + name + "?_stmt_cache_size=64&" + options
	for pragma, value := range pragmas {
		dsn += "&_" + pragma + "=" + value
	}
	connector := cfg.WrapConnector(sqliteConnector(dsn))
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	for pragma, want := range pragmas {
		var got string
		if err := pool.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			_ = pool.Close()
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		if got != want {
			_ = pool.Close()
			return nil, fmt.Errorf("open %s: pragma %s is %s, not %s", path, pragma, got, want)
		}
	}
	dialect := &sqliteEngine{Dialector: gormsqlite.Dialector{Conn: pool}}
	return gorm.Open(dialect, gormConfig())
}

// sqliteConnector opens connections with a DSN, which the driver itself only takes by name.
type sqliteConnector string

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return c.Driver().Open(string(c))
}
func (c sqliteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// bind puts a + before each parameter, which hides its value from the planner and does nothing else.
// Otherwise SQLite plans a statement again each time it runs, since the driver clears its values after
// each run: reading one organisation would take twice as long. No statement has a ? elsewhere.
func (*sqliteEngine) bind(text string) string { return strings.ReplaceAll(text, "?", "+?") }

func (*sqliteEngine) locking(string) string { return "" }

func (*sqliteEngine) migrator(pool *sql.DB, migrations fs.FS, _ bool) (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectSQLite3, pool, migrations)
}

func (*sqliteEngine) atOnce(db *gorm.DB, change func() error) error {
	always := db.WithContext(context.WithoutCancel(db.Statement.Context)) // the connection goes back as it was
	if err := always.Exec("PRAGMA busy_timeout = 0").Error; err != nil {
		return err
	}
	err := change()
	return errors.Join(err, always.Exec("PRAGMA busy_timeout = "+sqliteWriterPragmas["busy_timeout"]).Error)
}

func (*sqliteEngine) lockForImport(*gorm.DB) error { return nil } // one Write runs at a time

func (*sqliteEngine) endImport(*gorm.DB) error { return nil }

// Translate turns a driver's error into the store's.
func (*sqliteEngine) Translate(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return translateCommon(err)
	}
	_, what, _ := strings.Cut(e.Error(), "constraint failed: ")
	switch e.ExtendedCode {
	case sqlite3.ErrConstraintPrimaryKey:
		table, _, _ := strings.Cut(what, ".")
		return &UniqueError{Constraint: table + "_pkey"}
	case sqlite3.ErrConstraintUnique:
		return &UniqueError{Constraint: sqliteUniqueName(what)}
	case sqlite3.ErrConstraintForeignKey:
		return &ForeignKeyError{}
	case sqlite3.ErrConstraintCheck:
		return &CheckError{Constraint: what}
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen,
		sqlite3.ErrReadonly, sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return unavailable(err)
	case sqlite3.ErrInterrupt:
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

// sqliteUniqueName returns the name that the migrations give the constraint on the columns
// "t.a, t.b": t_a_b_key.
func sqliteUniqueName(columns string) string {
	names := strings.Split(columns, ", ")
	table, _, _ := strings.Cut(names[0], ".")
	for i, name := range names {
		_, names[i], _ = strings.Cut(name, ".")
	}
	return table + "_" + strings.Join(names, "_") + "_key"
}

func (e *sqliteEngine) close() error {
	if e.temporary == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(e.temporary.Name()), e.temporary.Close())
}
