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

// open opens the database and, unless it is to be left as it is, brings its schema up to date.
func (f databaseFlags) open(env environment, log *slog.Logger, migrate bool) (*store.Store, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	s, err := store.Open(env.ctx, store.Config{URL: f.DatabaseURL, Logger: log})
	if err != nil {
		return nil, err
	}
	if migrate {
		if _, err := s.Migrate(env.ctx); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}
