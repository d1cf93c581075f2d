package main

import (
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/opencalls/opencalls/store"
)

// DatabaseFlags are those of every command that opens the database.
type DatabaseFlags struct {
	DatabaseURL string `name:"database-url" default:"sqlite:opencalls.db" placeholder:"URL" help:"sqlite:PATH, sqlite::memory: (a private temporary file, gone at exit) or postgres://…"`
}

// AfterApply refuses a wrong URL. Its text never holds the URL, which may hold a password.
func (f DatabaseFlags) AfterApply() error { return store.CheckURL(f.DatabaseURL) }

// newFile is the path of the SQLite file that is not there yet; "" where the database is another.
func (f DatabaseFlags) newFile() string {
	path, isSQLite := strings.CutPrefix(f.DatabaseURL, "sqlite:")
	if _, err := os.Stat(path); !isSQLite || path == ":memory:" || !errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return path
}

// with opens the database for a use of it. A SQLite file that is not there is made, unless it has to exist.
func (f DatabaseFlags) with(env environment, existing bool, use func(*store.Store) error) error {
	log := slog.New(slog.NewTextHandler(env.stderr, nil))
	s, err := store.Open(env.ctx, store.Config{URL: f.DatabaseURL, Existing: existing, Logger: log})
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}

// withMigrated is with for a database that is there and whose schema is up to date. Only serve and
// migrate change a schema: a newer binary that revokes a token must not migrate production.
func (f DatabaseFlags) withMigrated(env environment, use func(*store.Store) error) error {
	return f.with(env, true, func(s *store.Store) error {
		if err := s.CheckMigrated(env.ctx); err != nil {
			return err
		}
		return use(s)
	})
}

// write makes a change of a database as withMigrated opens it.
func (f DatabaseFlags) write(env environment, change func(*store.Tx) error) error {
	return f.withMigrated(env, func(s *store.Store) error { return s.Write(env.ctx, store.Actor{}, change) })
}
