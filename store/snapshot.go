package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
	"gorm.io/gorm"
)

// Snapshot is the file of a SQLite database.
type Snapshot []byte

var errNotSQLite = errors.New("snapshots are for SQLite alone")

// Save copies a SQLite database as it is between two Writes.
func (s *Store) Save(ctx context.Context) (saved Snapshot, err error) {
	pool, err := s.write.DB()
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, s.engine.Translate(err)
	}
	defer conn.Close()
	err = conn.Raw(func(driverConn any) (err error) {
		live, isSQLite := driverConn.(*sqlite3.SQLiteConn)
		if !isSQLite {
			return errNotSQLite
		}
		saved, err = live.Serialize("main")
		return s.engine.Translate(err)
	})
	return saved, err
}

// Restore makes a SQLite database what it was when the snapshot was saved. Nobody may use the store
// meanwhile. ErrUnavailable says that somebody does, or that another process has the file open. It writes
// the file, which takes a sixth of the time of SQLite's own backup.
func (s *Store) Restore(ctx context.Context, saved Snapshot) error {
	e, isSQLite := s.engine.(*sqliteEngine)
	if !isSQLite {
		return errNotSQLite
	}
	// The last connection empties the log into the file and removes it, which a reader can't do.
	for _, db := range []*gorm.DB{s.db, s.write} {
		pool, err := db.DB()
		if err == nil {
			err = pool.PingContext(ctx)
		}
		if err != nil {
			return s.engine.Translate(err)
		}
		pool.SetMaxIdleConns(0) // which closes them
		defer pool.SetMaxIdleConns(sqliteReaders)
		// A query that was cancelled gives its connection back a little later.
		for tries := 0; pool.Stats().OpenConnections > 0; tries++ {
			if tries == 1000 {
				return fmt.Errorf("%w: the database is in use", ErrUnavailable)
			}
			time.Sleep(time.Millisecond)
		}
	}
	if _, err := os.Stat(e.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: another process has the database open", ErrUnavailable)
	}
	file, err := os.OpenFile(e.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(saved)
	return errors.Join(err, file.Truncate(int64(len(saved))), file.Close())
}
