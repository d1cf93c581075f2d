// Package store keeps organisations, users, roles and what happens in calls, in SQLite or
// Postgres. It knows no HTTP. Reads are methods of Store; every change goes through
// Store.Write, which also leaves the change's audit event.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Config says where the data is and what the store takes from outside.
type Config struct {
	// URL is sqlite:PATH, sqlite::memory: (a private temporary file, gone on Close) or
	// postgres://….
	URL string
	// Existing refuses a SQLite file that is not there instead of making it.
	Existing bool
	// Volatile has SQLite not wait for the disk: what was written may be lost in a power cut.
	Volatile bool
	// Now is the clock; time.Now if nil. No SQL uses the database's clock.
	Now func() time.Time
	// NewUUID makes the ids of new rows; version 7 if nil.
	NewUUID func() uuid.UUID
	// Connections bounds the connections to Postgres; 16 if 0. SQLite has five.
	Connections int
	// StatementTimeout is how long a statement may take on Postgres, unless the URL's
	// statement_timeout says otherwise, and how long a Write waits there for a connection; 5 s if 0.
	StatementTimeout time.Duration
	// Logger receives warnings about the database's settings; slog.Default() if nil.
	Logger *slog.Logger
	// WrapConnector, if set, wraps each connector before it is used, so that a caller sees
	// every statement that reaches the driver.
	WrapConnector func(driver.Connector) driver.Connector
	// Metrics, if set, registers what the store counts for Prometheus, once for each store.
	Metrics prometheus.Registerer
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewUUID == nil {
		c.NewUUID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	c.Connections = cmp.Or(c.Connections, 16)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 5*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.WrapConnector == nil {
		c.WrapConnector = func(c driver.Connector) driver.Connector { return c }
	}
	return c
}

// Store is an open database. Its methods may be called from several goroutines.
type Store struct {
	queries
	write     *gorm.DB
	writers   *semaphore.Weighted // bounds concurrent Writes; nil is no bound
	writeWait time.Duration       // how long a Write waits for one of writers
	newUUID   func() uuid.UUID
	audited   *prometheus.CounterVec // by action
}

// engine is what differs between SQLite and Postgres beyond what GORM hides.
type engine interface {
	// Name is GORM's name of the engine.
	Name() string
	// bind writes the parameters of a statement, each a ?, as the driver wants them.
	bind(text string) string
	// locking returns what a query ends with that locks rows: the clause on Postgres, "" on SQLite,
	// where one Write runs at a time.
	locking(clause string) string
	// atOnce runs a change of one statement on a connection. On SQLite it waits for no other process.
	atOnce(db *gorm.DB, change func() error) error
	// lockForImport is Tx.LockForImport.
	lockForImport(db *gorm.DB) error
	// endImport comes last in a transaction that lockForImport was called in.
	endImport(db *gorm.DB) error
	// migrator is Store.migrator, given the pool of other changes.
	migrator(pool *sql.DB, migrations fs.FS, applies bool) (*goose.Provider, error)
	// Translate turns a driver's error into the store's.
	Translate(err error) error
	// close releases what the engine holds besides its connections.
	close() error
}

// queries are the reads, which a Store and a Tx share.
type queries struct {
	db     *gorm.DB      // for statements that GORM builds
	pool   gorm.ConnPool // the connections of db, or the transaction that this is in
	engine engine
	now    func() time.Time
}

// Open opens the database, checks that its settings are what the store relies on, and warns
// about those of Postgres that would lose acknowledged writes. It does not migrate.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := CheckURL(cfg.URL); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if strings.HasPrefix(cfg.URL, "sqlite:") {
		return openSQLite(ctx, cfg)
	}
	return openPostgres(ctx, cfg)
}

func newStore(cfg Config, e engine, read, write *gorm.DB) *Store {
	now := func() time.Time { return truncate(cfg.Now()) }
	reads := queries{db: read, pool: read.Statement.ConnPool, engine: e, now: now}
	showPools(cfg.Metrics, e.Name(), read, write)
	audited := promauto.With(cfg.Metrics).NewCounterVec(prometheus.CounterOpts{
		Name: "opencalls_audit_events_total",
		Help: "Audit events that this process wrote, by their action.",
	}, []string{"action"})
	return &Store{queries: reads, write: write, newUUID: cfg.NewUUID, audited: audited}
}

// showPools registers how many connections each pool has, and how long they are waited for, unless the
// registerer is nil.
func showPools(registerer prometheus.Registerer, engine string, read, write *gorm.DB) {
	pools := map[string]*gorm.DB{engine + "_read": read, engine + "_write": write}
	if read == write {
		pools = map[string]*gorm.DB{engine: read}
	}
	for name, db := range pools {
		if pool, err := db.DB(); err == nil && registerer != nil {
			registerer.MustRegister(collectors.NewDBStatsCollector(pool, name))
		}
	}
}

// gormConfig has GORM prepare no statements: both drivers keep prepared ones by themselves, in
// transactions too.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,           // Write opens the transactions
		QueryFields:            true,           // no SELECT *: a new column breaks no prepared statement
		TranslateError:         true,           // by the engine
		Logger:                 logger.Discard, // errors are returned, and logged once by the caller
	}
}

// truncate brings a time into the form in which both engines give back what was put in.
func truncate(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func truncatePtr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := truncate(*t)
	return &u
}

// Now is the store's clock: UTC, in microseconds.
func (q queries) Now() time.Time { return q.now() }

// with returns GORM on the store's connections or transaction, bound to a context, which cancels its
// statements.
func (q queries) with(ctx context.Context) *gorm.DB {
	db := q.db.WithContext(ctx)
	db.Statement.ConnPool = q.pool
	return db
}

// Ping says whether the database answers and has this version's newest step: nil, or ErrUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	var applied int64
	err := s.with(ctx).Table("goose_db_version").Where("version_id = ?", newestStep).Count(&applied).Error
	switch {
	case err == nil && applied == 0:
		return unavailable(ErrNotMigrated)
	case err != nil && !isContextError(err):
		return unavailable(err) // goose's table may be gone
	}
	return err
}

// Close closes every connection; running statements fail.
func (s *Store) Close() error {
	for _, db := range []*gorm.DB{s.db, s.write} {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close()
		}
	}
	return s.engine.close()
}

// snapshot runs reads against one state of the database.
func (s *Store) snapshot(ctx context.Context, read func(queries) error) error {
	// SQLite's driver ignores them: a reader of a WAL sees one state anyway.
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return s.transaction(ctx, s.db, options, read)
}

// transaction runs a function in a transaction of db's connections. The function's error comes
// back as it is: it may be one that only looks like the database's, such as io.EOF.
func (q queries) transaction(ctx context.Context, db *gorm.DB, options *sql.TxOptions, run func(queries) error) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return q.engine.Translate(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	q.pool = tx
	if err := run(q); err != nil {
		return err
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err() // its end rolled the transaction back before the commit
	}
	return q.engine.Translate(err)
}
