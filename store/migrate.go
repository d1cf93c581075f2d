package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
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
	if s.engine.dialect() == "postgres" {
		dialect, dir = goose.DialectPostgres, "migrations/postgres"
	}
	steps, err := fs.Sub(migrations, dir)
	if err != nil {
		return nil, err
	}
	pool, err := s.write.DB()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, s.engine.migrationPool(pool), steps)
}

// Migrate brings the schema up to date and returns how many steps that took. On Postgres a step
// that does not get its locks within a short while lets others go first and tries again, until five
// minutes have passed since the call, the wait for other processes that migrate included.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	begun := time.Now()
	m, err := s.migrator()
	if err != nil {
		return 0, err
	}
	// Through the pauses too: several that took turns at them would leave others no time at all.
	unlock, err := s.engine.lockMigrations(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", s.engine.Translate(err))
	}
	defer unlock()
	if err := s.checkSchemaMark(ctx, m); err != nil {
		return 0, err
	}
	taken := 0
	for attempt := 1; ; attempt++ {
		var done []*goose.MigrationResult
		done, err = m.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			done = partial.Applied
		}
		taken += len(done)
		if err == nil {
			return taken, nil
		}
		wait, again := s.engine.migrateAgain(err, attempt, len(m.ListSources()), time.Since(begun))
		if !again {
			return taken, fmt.Errorf("migrate: %w", s.engine.Translate(err))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return taken, fmt.Errorf("migrate: %w", ctx.Err())
		}
	}
}

// checkSchemaMark says ErrOldSchema where there is a schema without the mark that the first step writes.
func (s *Store) checkSchemaMark(ctx context.Context, m *goose.Provider) error {
	if version, err := m.GetDBVersion(ctx); err != nil || version == 0 {
		return s.engine.Translate(err)
	}
	mark, err := s.Setting(ctx, "schema")
	if err == nil && mark == "" {
		err = ErrOldSchema
	}
	return err
}

// MigrateDown rolls the last step back; its data is lost. It returns the step's name, ""
// when there is none.
func (s *Store) MigrateDown(ctx context.Context) (string, error) {
	m, err := s.migrator()
	if err != nil {
		return "", err
	}
	if version, err := m.GetDBVersion(ctx); err != nil || version == 0 {
		return "", s.engine.Translate(err)
	}
	if err := s.checkSchemaMark(ctx, m); err != nil {
		return "", err
	}
	unlock, err := s.engine.lockMigrations(ctx)
	if err != nil {
		return "", fmt.Errorf("migrate down: %w", s.engine.Translate(err))
	}
	defer unlock()
	done, err := m.Down(ctx)
	if err != nil {
		return "", fmt.Errorf("migrate down: %w", s.engine.Translate(err))
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
		return nil, s.engine.Translate(err)
	}
	list := make([]Migration, len(states))
	for i, state := range states {
		list[i] = Migration{Name: state.Source.Path, Applied: state.State == goose.StateApplied}
	}
	return list, nil
}

// CheckMigrated says ErrNotMigrated where steps of the schema are missing, and ErrOldSchema where a
// version before 0.1.0 made it.
func (s *Store) CheckMigrated(ctx context.Context) error {
	m, err := s.migrator()
	if err != nil {
		return err
	}
	if err := s.checkSchemaMark(ctx, m); err != nil {
		return err
	}
	pending, err := m.HasPending(ctx)
	if err == nil && pending {
		return ErrNotMigrated
	}
	return s.engine.Translate(err)
}
