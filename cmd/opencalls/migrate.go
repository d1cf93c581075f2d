package main

import (
	"errors"
	"fmt"

	"github.com/opencalls/opencalls/store"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the steps that are missing."`
	Status migrateStatusCommand `cmd:"" help:"List the steps and whether they are applied."`
	Down   migrateDownCommand   `cmd:"" help:"Roll the last step back; its data is lost."`
}

type migrateUpCommand struct{ DatabaseFlags }

// Run applies the missing steps.
func (c migrateUpCommand) Run(env environment) error {
	return c.with(env, false, func(s *store.Store) error {
		n, err := s.Migrate(env.ctx)
		if err == nil {
			fmt.Fprintln(env.stdout, counted(n, "step")+" applied")
		}
		return err
	})
}

type migrateStatusCommand struct{ DatabaseFlags }

// errOtherSchema says that steps are missing or unknown.
var errOtherSchema = errors.New("the schema is not this version's")

// Run lists the steps.
func (c migrateStatusCommand) Run(env environment) error {
	return c.with(env, true, func(s *store.Store) error {
		steps, err := s.Migrations(env.ctx)
		for _, step := range steps {
			fmt.Fprintf(env.stdout, "%s  %s\n", step.State, step.Name)
			if step.State != "applied" && err == nil {
				err = errOtherSchema
			}
		}
		return err
	})
}

type migrateDownCommand struct{ DatabaseFlags }

// Run rolls the last step back.
func (c migrateDownCommand) Run(env environment) error {
	return c.with(env, true, func(s *store.Store) error {
		name, err := s.MigrateDown(env.ctx)
		if name == "" {
			name = "nothing"
		}
		if err == nil {
			fmt.Fprintln(env.stdout, "rolled back: "+name)
		}
		return err
	})
}
