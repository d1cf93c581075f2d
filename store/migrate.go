package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Migration is one numbered step of the schema.
type Migration struct {
	Name  string
	State string // applied, missing, or unknown: applied by another version
}

// newestStep is the version of the last step, which is the same on both engines.
var newestStep = func() int64 {
	steps, _ := migrations.ReadDir("migrations/sqlite")              // they are in the program
	version, _ := goose.NumericComponent(steps[len(steps)-1].Name()) // goose has read it
	return version
}()

// migrator applies steps, or only says which are applied. Then it waits for no other process.
func (s *Store) migrator(applies bool) (*goose.Provider, error) {
	steps, err := fs.Sub(migrations, "migrations/"+s.engine.Name())
	if err != nil {
		return nil, err
	}
	pool, err := s.write.DB()
	if err != nil {
		return nil, err
	}
	return s.engine.migrator(pool, steps, applies)
}

// Migrate brings the schema up to date and returns how many steps that took. On Postgres it waits for
// other processes that migrate, and is ErrUnavailable where a step does not get its locks within 2 s.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	m, err := s.migrator(true)
	if err != nil {
		return 0, err
	}
	if err := s.checkSchemaMark(ctx, m); err != nil {
		return 0, err
	}
	taken := 0
	// On SQLite another process may apply a step meanwhile, whose tables are then there. The next attempt
	// sees that.
	for attempt := 0; attempt <= len(m.ListSources()); attempt++ {
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
	}
	return taken, fmt.Errorf("migrate: %w", s.engine.Translate(err))
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
	m, err := s.migrator(true)
	if err != nil {
		return "", err
	}
	if version, err := m.GetDBVersion(ctx); err != nil || version == 0 {
		return "", s.engine.Translate(err)
	}
	if err := s.checkSchemaMark(ctx, m); err != nil {
		return "", err
	}
	done, err := m.Down(ctx)
	if err != nil {
		return "", fmt.Errorf("migrate down: %w", s.engine.Translate(err))
	}
	return done.Source.Path, nil
}

// Migrations lists the steps in order, those that this version doesn't know last.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	m, err := s.migrator(false)
	if err != nil {
		return nil, err
	}
	states, err := m.Status(ctx)
	if err != nil {
		return nil, s.engine.Translate(err)
	}
	var list []Migration
	known := []int64{0}
	for _, state := range states {
		known = append(known, state.Source.Version)
		step := Migration{Name: state.Source.Path, State: "missing"}
		if state.State == goose.StateApplied {
			step.State = "applied"
		}
		list = append(list, step)
	}
	var unknown []int64
	err = s.with(ctx).Table("goose_db_version").Where("version_id NOT IN ?", known).
		Order("version_id").Pluck("version_id", &unknown).Error
	for _, version := range unknown {
		list = append(list, Migration{Name: fmt.Sprintf("%05d", version), State: "unknown"})
	}
	return list, err
}

// CheckMigrated says ErrNotMigrated where steps of the schema are missing, and ErrOldSchema where a
// version before 0.1.0 made it.
func (s *Store) CheckMigrated(ctx context.Context) error {
	m, err := s.migrator(false)
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
