package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migration is one numbered step of the schema.
type Migration struct {
	Name    string
	Applied bool
}

func (s *Store) migrator() (*goose.Provider, error) {
	dialect, dir := goose.DialectSQLite3, "migrations/sqlite"
	var options []goose.ProviderOption
	if s.engine.dialect() == "postgres" {
		dialect, dir = goose.DialectPostgres, "migrations/postgres"
		// Several replicas may start at once on an empty database.
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	steps, err := fs.Sub(migrations, dir)
	if err != nil {
		return nil, err
	}
	pool, err := s.pool()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, pool, steps, options...)
}

func (s *Store) pool() (*sql.DB, error) { return s.write.DB() }

// Migrate brings the schema up to date and returns how many steps that took.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	m, err := s.migrator()
	if err != nil {
		return 0, err
	}
	done, err := m.Up(ctx)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", s.err(err))
	}
	return len(done), nil
}

// MigrateDown takes the last step back; its data is lost. It returns the step's name, ""
// when there is none.
func (s *Store) MigrateDown(ctx context.Context) (string, error) {
	m, err := s.migrator()
	if err != nil {
		return "", err
	}
	if version, err := m.GetDBVersion(ctx); err != nil || version == 0 {
		return "", s.err(err)
	}
	done, err := m.Down(ctx)
	if err != nil {
		return "", fmt.Errorf("migrate down: %w", s.err(err))
	}
	return done.Source.Path, nil
}

// Migrations lists the steps in order.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	m, err := s.migrator()
	if err != nil {
		return nil, err
	}
	states, err := m.Status(ctx)
	if err != nil {
		return nil, s.err(err)
	}
	list := make([]Migration, len(states))
	for i, state := range states {
		list[i] = Migration{Name: state.Source.Path, Applied: state.State == goose.StateApplied}
	}
	return list, nil
}
