package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// postgresConnections bounds the pool of one process, and postgresWriters those of them that
// changes may hold: while an import keeps every change waiting, reads have the others.
const (
	postgresConnections = 16
	postgresWriters     = postgresConnections * 3 / 4
)

// migrationLockTimeout is how long a migration waits for a lock: as long as it does, every request
// that needs the table waits behind it.
const migrationLockTimeout = 2 * time.Second

// migrationPatience is how long a migration goes on trying to get its locks, and waits for others.
const migrationPatience = 5 * time.Minute

// lockNotAvailable is Postgres's code of a lock that was waited for too long.
const lockNotAvailable = "55P03"

// postgresEngine holds the connections of migrations, whose statements may take any time.
type postgresEngine struct {
	migrations    *sql.DB
	asciiTrigrams bool // the database's are of ASCII letters alone
}

func openPostgres(ctx context.Context, cfg Config) (*Store, error) {
	config, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		// The driver's own text could hold the password.
		return nil, errors.New("database URL: not a Postgres URL")
	}
	if _, set := config.RuntimeParams["statement_timeout"]; !set {
		config.RuntimeParams["statement_timeout"] = strconv.FormatInt(cfg.StatementTimeout.Milliseconds(), 10)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	config.DialFunc = dialDatabase
	pool := openPostgresPool(cfg, *config)
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxLifetime(30 * time.Minute)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := checkPostgres(ctx, pool, cfg.Logger); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open Postgres: %w", postgresEngine{}.translate(err))
	}
	ascii, err := asciiTrigrams(ctx, pool, cfg.Logger)
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open Postgres: %w", postgresEngine{}.translate(err))
	}
	db, err := gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: pool}), gormConfig())
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("open Postgres: %w", err)
	}
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	config.RuntimeParams["statement_timeout"] = "0"
	if _, set := config.RuntimeParams["lock_timeout"]; !set {
		config.RuntimeParams["lock_timeout"] = strconv.FormatInt(migrationLockTimeout.Milliseconds(), 10)
	}
	migrations := openPostgresPool(cfg, *config)
	migrations.SetMaxIdleConns(0) // lockMigrations relies on it
	s := newStore(cfg, postgresEngine{migrations: migrations, asciiTrigrams: ascii}, db, db)
	s.writers = newWriters(postgresWriters, cfg.StatementTimeout)
	return s, nil
}

// openPostgresPool connects only when it is used.
func openPostgresPool(cfg Config, config pgx.ConnConfig) *sql.DB {
	return sql.OpenDB(cfg.WrapConnector(stdlib.GetConnector(config, stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		// Times come back in UTC, as from SQLite.
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		return nil
	}))))
}

func checkPostgres(ctx context.Context, pool *sql.DB, log *slog.Logger) error {
	var version int
	if err := pool.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return err
	}
	if version < 140000 {
		return fmt.Errorf("version 14 or later is needed, not %d", version/10000)
	}
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := pool.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value == "off" {
			log.Warn("Postgres may lose acknowledged writes in a crash", "setting", setting, "value", value)
		}
	}
	return nil
}

// asciiTrigrams says whether pg_trgm sees letters in ASCII alone, and warns if so.
func asciiTrigrams(ctx context.Context, pool *sql.DB, log *slog.Logger) (bool, error) {
	var ctype string
	if err := pool.QueryRowContext(ctx, "SELECT datctype FROM pg_database WHERE datname = current_database()").Scan(&ctype); err != nil {
		return false, err
	}
	ascii := ctype == "C" || ctype == "POSIX"
	if ascii {
		log.Warn("Postgres looks at every row for a keyword whose letters are not ASCII", "LC_CTYPE", ctype)
	}
	return ascii, nil
}

func (postgresEngine) dialect() string { return "postgres" }

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contains uses LIKE, which the trigram index serves, where the text has a trigram. Looking by the
// index for one that has none, as Postgres does once it has settled on one plan for any text, takes
// several times as long as looking at each row.
func (e postgresEngine) contains(column, text string) (string, any) {
	if !e.hasTrigram(text) {
		return "strpos(" + column + ", ?) > 0", text
	}
	return column + ` LIKE ? ESCAPE '\'`, "%" + escapeLike.Replace(text) + "%"
}

// hasTrigram says that three letters or digits of the text follow one another.
func (e postgresEngine) hasTrigram(text string) bool {
	n := 0
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || e.asciiTrigrams && r >= utf8.RuneSelf {
			n = 0
		} else if n++; n == 3 {
			return true
		}
	}
	return false
}

// matchesDirectly does: with each table more a plan takes longer to make, and one for a rare keyword
// is made each time.
func (postgresEngine) matchesDirectly() bool { return true }

func (postgresEngine) indexedBy(string) string { return "" }

// bind numbers the parameters. No statement has a ? elsewhere.
func (postgresEngine) bind(text string) string {
	bound := make([]byte, 0, len(text)+16)
	number := int64(0)
	for i := range len(text) {
		if text[i] != '?' {
			bound = append(bound, text[i])
			continue
		}
		number++
		bound = strconv.AppendInt(append(bound, '$'), number, 10)
	}
	return string(bound)
}

// lockedByID joins the customer for its lock alone.
func (postgresEngine) lockedByID() string {
	return " JOIN customers AS c ON c.uuid = o.customer_uuid WHERE o.uuid = ? FOR UPDATE OF o FOR KEY SHARE OF c"
}

func (postgresEngine) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// lockForImport locks the table of which LockCustomer and LockOrganisation, with one of which the
// change of a request begins, lock a row. They don't change it: for that they would wait behind this,
// and this for them.
// It waits for the lock no longer than for anything else; what comes after it may take any time.
func (postgresEngine) lockForImport(db *gorm.DB) error {
	if err := db.Exec("LOCK TABLE customers IN EXCLUSIVE MODE").Error; err != nil {
		return err
	}
	if err := db.Exec("SET LOCAL statement_timeout = 0").Error; err != nil {
		return err
	}
	// Plans are kept: one that reads all of a table, made while that held few rows, would go on to
	// do so for each row of the file.
	return db.Exec("SET LOCAL enable_seqscan = off").Error
}

// endImport has every statement planned anew: the setting ends with the transaction, but the plans
// that were made under it would stay with the connection, which requests are served with next. Where
// an import fails they do stay, with a process that ends. Other connections, of other processes too,
// may have plans that read all of a table that has few rows: new statistics have them made anew.
func (postgresEngine) endImport(db *gorm.DB) error {
	err := db.Exec(`ANALYZE customers, users, roles, role_permissions, call_managing_organisations, user_roles,
		tokens, calls, rounds, proposals, reviews, requested_offerings`).Error
	if err != nil {
		return err
	}
	return db.Exec("DISCARD PLANS").Error
}

func (e postgresEngine) migrationPool(*sql.DB) *sql.DB { return e.migrations }

// lockMigrations takes goose's lock, which earlier versions take too, on a connection of its own,
// with which it ends. Who comes second looks every second whether it is free.
func (e postgresEngine) lockMigrations(ctx context.Context) (func(), error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrationPatience/time.Second)))
	if err != nil {
		return nil, err
	}
	conn, err := e.migrations.Conn(ctx)
	if err != nil {
		return nil, err
	}
	unlock := func() { _ = conn.Close() } // the pool keeps none
	if err := locker.SessionLock(ctx, conn); err != nil {
		unlock()
		return nil, fmt.Errorf("wait for another migration: %w", err)
	}
	return unlock, nil
}

// migrateAgain waits for requests and imports that hold what the migration needs.
func (postgresEngine) migrateAgain(err error, _, _ int, since time.Duration) (time.Duration, bool) {
	var answer *pgconn.PgError
	return 3 * time.Second, errors.As(err, &answer) && answer.Code == lockNotAvailable && since < migrationPatience
}

func (postgresEngine) translate(err error) error {
	var connect *pgconn.ConnectError
	var e *pgconn.PgError
	switch answered := errors.As(err, &e); {
	case errors.As(err, &connect):
		return noConnection(err, e)
	case !answered && pgconn.SafeToRetry(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrUnavailable, err) // the connection was gone before anything was sent
	case !answered:
		return translateCommon(err)
	}
	switch e.Code {
	case "23505":
		return &ErrUnique{Constraint: e.ConstraintName}
	case "23503":
		return &ErrForeignKey{Constraint: e.ConstraintName}
	case "23514":
		return &ErrCheck{Constraint: e.ConstraintName}
	case "25006", lockNotAvailable: // read-only: a standby
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	switch e.Code[:min(2, len(e.Code))] { // what is between us and Postgres may answer anything
	// Connection, transaction rollback (deadlock), resources, operator intervention (time-outs,
	// shutdown), system error.
	case "08", "40", "53", "57", "58":
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// noConnection leaves out the driver's text, which names user and host; answer is the
// server's, if it gave one.
func noConnection(err error, answer *pgconn.PgError) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("no connection: %w", context.Canceled)
	case answer != nil:
		return fmt.Errorf("%w: %s", ErrUnavailable, answer.Message)
	}
	return fmt.Errorf("%w: no connection", ErrUnavailable)
}

func (e postgresEngine) close() error { return e.migrations.Close() }
