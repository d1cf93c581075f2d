package main

import (
	"log/slog"

	"github.com/opencalls/opencalls/store"
)

// databaseFlags are those of every command that opens the database.
type databaseFlags struct {
	DatabaseURL string `name:"database-url" default:"sqlite:opencalls.db" placeholder:"URL" help:"sqlite:PATH, sqlite::memory: (a private temporary file, gone at exit) or postgres://…"`
}

// check refuses a wrong URL before anything is opened. Its text never holds the URL, which may
// hold a password.
func (f databaseFlags) check() error {
	if err := store.CheckURL(f.DatabaseURL); err != nil {
		return usageError{err}
	}
	return nil
}

// open opens the database, and makes a SQLite file that is not there unless it has to exist.
func (f databaseFlags) open(env environment, existing bool) (*store.Store, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return store.Open(env.ctx, store.Config{URL: f.DatabaseURL, Existing: existing, Logger: slog.New(slog.NewTextHandler(env.stderr, nil))})
}

// openMigrated opens a database that is there and whose schema is up to date. Only serve and
// migrate change a schema: a newer binary that revokes a token must not migrate production.
func (f databaseFlags) openMigrated(env environment) (*store.Store, error) {
	s, err := f.open(env, true)
	if err != nil {
		return nil, err
	}
	if err := s.CheckMigrated(env.ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
