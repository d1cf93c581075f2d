package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// Snapshot is a copy of a SQLite database in memory.
type Snapshot struct{ conn *sqlite3.SQLiteConn }

// Close frees the snapshot's memory.
func (s *Snapshot) Close() error { return s.conn.Close() }

// errNotSQLite says that a Snapshot was asked of another engine.
var errNotSQLite = errors.New("snapshots are for SQLite alone")

// Save copies the database as it is between two Writes. The caller closes the copy.
func (s *Store) Save(ctx context.Context) (*Snapshot, error) {
	opened, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		return nil, err
	}
	saved := &Snapshot{opened.(*sqlite3.SQLiteConn)}
	err = s.withWriter(ctx, func(live *sqlite3.SQLiteConn) error { return copySQLite(saved.conn, live) })
	if err != nil {
		return nil, errors.Join(err, saved.Close())
	}
	return saved, nil
}

// Restore makes the database what it was when the snapshot was saved. It is one transaction between two
// Writes. A snapshot can be restored any number of times.
func (s *Store) Restore(ctx context.Context, saved *Snapshot) error {
	return s.withWriter(ctx, func(live *sqlite3.SQLiteConn) error { return copySQLite(live, saved.conn) })
}

// withWriter lends SQLite's only connection that writes.
func (s *Store) withWriter(ctx context.Context, use func(*sqlite3.SQLiteConn) error) error {
	pool, err := s.write.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return s.engine.Translate(err)
	}
	defer conn.Close()
	return conn.Raw(func(driverConn any) error {
		live, isSQLite := driverConn.(*sqlite3.SQLiteConn)
		if !isSQLite {
			return errNotSQLite
		}
		return s.engine.Translate(use(live))
	})
}

// copySQLite replaces the content of a database by that of another.
func copySQLite(to, from *sqlite3.SQLiteConn) error {
	backup, err := to.Backup("main", from, "main")
	if err != nil {
		return err
	}
	complete, err := backup.Step(-1)
	if err == nil && !complete {
		err = fmt.Errorf("%w: another process writes", ErrUnavailable)
	}
	return errors.Join(err, backup.Finish())
}
