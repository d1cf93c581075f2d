package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// Snapshot is a copy of a SQLite database in memory.
type Snapshot []byte

// Save copies a SQLite database as it is between two Writes.
func (s *Store) Save(ctx context.Context) (saved Snapshot, err error) {
	err = s.withWriter(ctx, func(live *sqlite3.SQLiteConn) (err error) {
		saved, err = live.Serialize("main")
		return err
	})
	if err == nil {
		saved[18], saved[19] = 1, 1 // a database in memory has no WAL: https://sqlite.org/fileformat2.html
	}
	return saved, err
}

// Restore makes a SQLite database what it was when the snapshot was saved. It is one transaction between
// two Writes.
func (s *Store) Restore(ctx context.Context, saved Snapshot) error {
	opened, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		return err
	}
	defer opened.Close()
	memory := opened.(*sqlite3.SQLiteConn)
	if err := memory.Deserialize(saved, "main"); err != nil {
		return err
	}
	return s.withWriter(ctx, func(live *sqlite3.SQLiteConn) error {
		backup, err := live.Backup("main", memory, "main")
		if err != nil {
			return err
		}
		complete, err := backup.Step(-1)
		if err == nil && !complete {
			err = fmt.Errorf("%w: another process writes", ErrUnavailable)
		}
		return errors.Join(err, backup.Finish())
	})
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
			return errors.New("snapshots are for SQLite alone")
		}
		return s.engine.Translate(use(live))
	})
}
