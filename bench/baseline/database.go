// Package baseline is the server that ours is measured beside: the same operations on the same
// database, written by hand on net/http and database/sql, as fast as plain code of that kind is.
// It has the same drivers, pools, durability, statements, access rules, time limit and answers;
// it lacks the framework, the validation, the ORM, the request id and the access log. It serves
// the requests that the benchmark sends and no others.
package baseline

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
)

// Database is the data, behind the statements of each operation. Its methods may be called from
// several goroutines.
type Database struct {
	read, write *pool // one and the same on Postgres
	postgres    bool
}

// pool is a set of connections and what is run on them. Both drivers keep what they prepare by
// its text, in transactions too, so the texts are all there is to keep here.
type pool struct {
	db         *sql.DB
	statements [queries]string
}

func newPool(db *sql.DB, postgres bool) *pool {
	p := &pool{db: db}
	for q := range queries {
		p.statements[q] = q.spell(postgres)
	}
	return p
}

// Open opens the database at a URL as package store does, with the schema that is there. wrap,
// if not nil, wraps each connector.
func Open(url string, wrap func(driver.Connector) driver.Connector) (*Database, error) {
	if wrap == nil {
		wrap = func(c driver.Connector) driver.Connector { return c }
	}
	if path, isSQLite := strings.CutPrefix(url, "sqlite:"); isSQLite {
		return openSQLite(path, wrap), nil
	}
	return openPostgres(url, wrap)
}

func openSQLite(path string, wrap func(driver.Connector) driver.Connector) *Database {
	open := func(connections int, options string) *pool {
		connector := sqliteConnector("file:" + path + "?_busy_timeout=5000&_foreign_keys=on&_stmt_cache_size=64&" + options)
		db := sql.OpenDB(wrap(connector))
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return newPool(db, false)
	}
	return &Database{
		write: open(1, "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-32768"),
		read:  open(4, "mode=ro&_query_only=1&_txlock=deferred&_cache_size=-8192"),
	}
}

// sqliteConnector opens connections with a DSN.
type sqliteConnector string

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return c.Driver().Open(string(c))
}
func (sqliteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func openPostgres(url string, wrap func(driver.Connector) driver.Connector) (*Database, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if _, set := config.RuntimeParams["statement_timeout"]; !set {
		config.RuntimeParams["statement_timeout"] = "5000"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	utc := stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		return nil
	})
	db := sql.OpenDB(wrap(stdlib.GetConnector(*config, utc)))
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	db.SetConnMaxLifetime(30 * time.Minute)
	db.SetConnMaxIdleTime(5 * time.Minute)
	p := newPool(db, true)
	return &Database{read: p, write: p, postgres: true}, nil
}

// Close closes every connection.
func (d *Database) Close() error {
	err := d.read.db.Close()
	if d.write != d.read {
		err = errors.Join(err, d.write.db.Close())
	}
	return err
}

// session runs statements, in a transaction or each on its own.
type session struct {
	*pool
	on runner
}

// runner is a pool or a transaction.
type runner interface {
	QueryContext(ctx context.Context, text string, arguments ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, text string, arguments ...any) (sql.Result, error)
}

// each scans every row into the destinations and calls next after each.
func (s session) each(ctx context.Context, text string, arguments, destinations []any, next func()) error {
	rows, err := s.on.QueryContext(ctx, text, arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(destinations...); err != nil {
			return err
		}
		next()
	}
	return rows.Err()
}

// one scans the first row; sql.ErrNoRows where there is none.
func (s session) one(ctx context.Context, q query, arguments []any, destinations ...any) error {
	rows, err := s.on.QueryContext(ctx, s.statements[q], arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(destinations...); err != nil {
		return err
	}
	return rows.Close()
}

func (s session) exec(ctx context.Context, q query, arguments ...any) error {
	_, err := s.on.ExecContext(ctx, s.statements[q], arguments...)
	return err
}

func (d *Database) reads() session { return session{d.read, d.read.db} }

// snapshot runs reads against one state of the database.
func (d *Database) snapshot(ctx context.Context, run func(session) error) error {
	var options *sql.TxOptions
	if d.postgres {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return transaction(ctx, d.read, options, run)
}

// change runs a transaction that writes.
func (d *Database) change(ctx context.Context, run func(session) error) error {
	return transaction(ctx, d.write, &sql.TxOptions{}, run)
}

func transaction(ctx context.Context, p *pool, options *sql.TxOptions, run func(session) error) error {
	tx, err := p.db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	if err := run(session{p, tx}); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
