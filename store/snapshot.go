package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gorm.io/gorm"
)

// Save copies a SQLite database. Nobody may use the store meanwhile. ErrUnavailable says that somebody
// does, or that another process has the file open.
func (s *Store) Save(ctx context.Context) (saved []byte, err error) {
	err = s.withFile(ctx, func(path string) (err error) {
		saved, err = os.ReadFile(path)
		return err
	})
	return saved, err
}

// Restore makes a SQLite database what it was when it was saved, under the conditions of Save. It writes
// over the file, which takes an eighth of the time of SQLite's own backup, or of a new file.
func (s *Store) Restore(ctx context.Context, saved []byte) error {
	return s.withFile(ctx, func(path string) error {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = file.Write(saved)
		return errors.Join(err, file.Truncate(int64(len(saved))), file.Close())
	})
}

// withFile closes all connections, and lends SQLite's file until there are new ones.
func (s *Store) withFile(ctx context.Context, use func(path string) error) error {
	e, isSQLite := s.engine.(*sqliteEngine)
	if !isSQLite {
		return errors.New("snapshots are for SQLite alone")
	}
	// The last connection empties the log into the file and removes it, which a reader can't do.
	for _, db := range []*gorm.DB{s.db, s.write} {
		pool, _ := db.DB() // it was opened with one
		if err := pool.PingContext(ctx); err != nil {
			return e.Translate(err)
		}
		pool.SetMaxIdleConns(0) // which closes them
		defer pool.SetMaxIdleConns(sqliteReaders)
		// A query that was cancelled gives its connection back a little later.
		for tries := 0; pool.Stats().OpenConnections > 0 && tries < 1000; tries++ {
			time.Sleep(time.Millisecond)
		}
	}
	if _, err := os.Stat(e.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the database is in use, maybe by another process", ErrUnavailable)
	}
	return use(e.path)
}
