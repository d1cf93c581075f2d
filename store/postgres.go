package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sync/semaphore"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// migrationTurn is how long a migration waits for those of other processes.
const migrationTurn = 5 * time.Minute

// lockNotAvailable is Postgres's code of a lock that was waited for too long.
const lockNotAvailable = "55P03"

// postgresEngine is GORM's dialect of Postgres with what the store needs beside it.
type postgresEngine struct{ gormpostgres.Dialector }

func openPostgres(ctx context.Context, cfg Config) (*Store, error) {
	config, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, checkPostgresURL(cfg.URL) // it has said so already
	}
	if _, set := config.RuntimeParams["statement_timeout"]; !set {
		config.RuntimeParams["statement_timeout"] = strconv.FormatInt(cfg.StatementTimeout.Milliseconds(), 10)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	// A machine that is gone is noticed in 5 s where nothing is under way, else by the request's time limit.
	keepAlive := net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3}
	config.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	pool := openPostgresPool(cfg, *config)
	pool.SetMaxOpenConns(cfg.Connections)
	pool.SetMaxIdleConns(cfg.Connections)
	pool.SetConnMaxLifetime(30 * time.Minute)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	e := &postgresEngine{Dialector: gormpostgres.Dialector{Config: &gormpostgres.Config{Conn: pool}}}
	if err := checkPostgres(ctx, pool, cfg.Logger); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open Postgres: %w", e.Translate(err))
	}
	db, err := gorm.Open(e, gormConfig())
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open Postgres: %w", err)
	}
	s := newStore(cfg, e, db, db)
	// While an import keeps every change waiting, reads have the other connections.
	s.writers, s.writeWait = semaphore.NewWeighted(int64(max(1, cfg.Connections*3/4))), cfg.StatementTimeout
	return s, nil
}

// openPostgresPool connects only when it is used.
func openPostgresPool(cfg Config, config pgx.ConnConfig) *sql.DB {
	timesInUTC := func(_ context.Context, c *pgx.Conn) error { // as from SQLite
		codec := &pgtype.TimestamptzCodec{ScanLocation: time.UTC}
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: codec})
		return nil
	}
	return sql.OpenDB(cfg.WrapConnector(stdlib.GetConnector(config, stdlib.OptionAfterConnect(timesInUTC))))
}

// checkPostgres refuses a server that the store can't work with, and warns about settings that lose
// acknowledged writes.
func checkPostgres(ctx context.Context, pool *sql.DB, log *slog.Logger) error {
	settings := map[string]string{}
	durable := []string{"fsync", "full_page_writes", "synchronous_commit"}
	for _, name := range append([]string{"server_version_num", "server_encoding"}, durable...) {
		var value string
		if err := pool.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return err
		}
		settings[name] = value
	}
	if version, err := strconv.Atoi(settings["server_version_num"]); err != nil || version < 140000 {
		return fmt.Errorf("version 14 or later is needed, not %d", version/10000)
	}
	if encoding := settings["server_encoding"]; encoding != "UTF8" {
		return fmt.Errorf("the database's encoding must be UTF8, not %s", encoding)
	}
	for _, name := range durable {
		if settings[name] == "off" {
			log.Warn("Postgres may lose acknowledged writes in a crash", "setting", name, "value", "off")
		}
	}
	return nil
}

// bind numbers the parameters. No statement has a ? elsewhere.
func (*postgresEngine) bind(text string) string {
	parts := strings.Split(text, "?")
	for i := range parts[1:] {
		parts[i+1] = "$" + strconv.Itoa(i+1) + parts[i+1]
	}
	return strings.Join(parts, "")
}

func (*postgresEngine) locking(clause string) string { return " " + clause }

func (*postgresEngine) atOnce(_ *gorm.DB, change func() error) error { return change() }

// lockForImport locks the table of customers. Each change of a request begins by locking a row of it
// (LockCustomer, LockOrganisation), and so waits for the import. The lock itself is waited for with the
// usual time limit; the statements of the import have none.
func (*postgresEngine) lockForImport(db *gorm.DB) error {
	if err := db.Exec("LOCK TABLE customers IN EXCLUSIVE MODE").Error; err != nil {
		return err
	}
	if err := db.Exec("SET LOCAL statement_timeout = 0").Error; err != nil {
		return err
	}
	// Postgres keeps plans. One that reads all of a table, made while that held few rows, would do so for
	// each row of the file.
	return db.Exec("SET LOCAL enable_seqscan = off").Error
}

// endImport discards plans: of this connection those made under lockForImport's setting, of all
// others, by new statistics, those made while the tables held few rows.
func (*postgresEngine) endImport(db *gorm.DB) error {
	tables := append(KindNames(), "tokens", "role_permissions")
	if err := db.Exec("ANALYZE " + strings.Join(tables, ", ")).Error; err != nil {
		return err
	}
	return db.Exec("DISCARD PLANS").Error
}

// migrator takes goose's lock to apply steps, and looks once a second whether it is free.
func (*postgresEngine) migrator(pool *sql.DB, migrations fs.FS, applies bool) (*goose.Provider, error) {
	if !applies {
		return goose.NewProvider(goose.DialectPostgres, pool, migrations)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrationTurn/time.Second)))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, pool, migrations, goose.WithSessionLocker(locker))
}

// Translate turns a driver's error into the store's.
func (*postgresEngine) Translate(err error) error {
	var connect *pgconn.ConnectError
	var e *pgconn.PgError
	switch answered := errors.As(err, &e); {
	case errors.As(err, &connect):
		return noConnection(connect)
	case !answered && pgconn.SafeToRetry(err) && !isContextError(err):
		return unavailable(err) // the connection was gone before anything was sent
	case !answered:
		return translateCommon(err)
	}
	switch e.Code {
	case "23505":
		return &UniqueError{Constraint: e.ConstraintName}
	case "23503":
		return &ForeignKeyError{Constraint: e.ConstraintName}
	case "23514":
		return &CheckError{Constraint: e.ConstraintName}
	case "25006", lockNotAvailable: // read-only: a standby
		return unavailable(err)
	case "0A000": // the plan of a prepared statement is outdated, since a table changed
		return unavailable(err)
	case "26000", "42P05": // prepared statements don't survive a transaction pooler
		return fmt.Errorf("%w; behind a transaction pooler the URL needs default_query_exec_mode=exec", unavailable(err))
	}
	switch e.Code[:min(2, len(e.Code))] { // a proxy may answer anything
	// Connection, transaction rollback (deadlock), resources, operator intervention (time-outs,
	// shutdown), system error.
	case "08", "40", "53", "57", "58":
		return unavailable(err)
	}
	return err
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// noConnection says hosts, ports and causes. The driver's own text names the user.
func noConnection(err *pgconn.ConnectError) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("no connection: %w", context.Canceled)
	}
	_, first := pgconn.NetworkAddress(err.Config.Host, err.Config.Port)
	addresses := []string{first}
	for _, other := range err.Config.Fallbacks { // each host twice where TLS is tried first
		_, address := pgconn.NetworkAddress(other.Host, other.Port)
		addresses = append(addresses, address)
	}
	hosts, causes := strings.Join(slices.Compact(addresses), ", "), strings.Join(slices.Compact(causesOf(err)), "; ")
	return fmt.Errorf("%w: no connection to %s: %s", ErrUnavailable, hosts, causes)
}

// causesOf returns the texts of the errors that are behind an error and have none behind them.
func causesOf(err error) (causes []string) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			causes = append(causes, causesOf(err)...)
		}
		return causes
	}
	if inner := errors.Unwrap(err); inner != nil {
		return causesOf(inner)
	}
	return []string{err.Error()}
}

func (*postgresEngine) close() error { return nil }
