package main

import "fmt"

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the steps that are missing."`
	Status migrateStatusCommand `cmd:"" help:"List the steps and whether they are applied."`
	Down   migrateDownCommand   `cmd:"" help:"Roll the last step back; its data is lost."`
}

type migrateUpCommand struct{ databaseFlags }

// Run applies the missing steps.
func (c migrateUpCommand) Run(env environment) error {
	s, err := c.open(env, false)
	if err != nil {
		return err
	}
	defer s.Close()
	n, err := s.Migrate(env.ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%d steps applied\n", n)
	return err
}

type migrateStatusCommand struct{ databaseFlags }

// Run lists the steps.
func (c migrateStatusCommand) Run(env environment) error {
	s, err := c.open(env, true)
	if err != nil {
		return err
	}
	defer s.Close()
	steps, err := s.Migrations(env.ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		state := "missing"
		if step.Applied {
			state = "applied"
		}
		if _, err := fmt.Fprintf(env.stdout, "%s  %s\n", state, step.Name); err != nil {
			return err
		}
	}
	return nil
}

type migrateDownCommand struct{ databaseFlags }

// Run rolls the last step back.
func (c migrateDownCommand) Run(env environment) error {
	s, err := c.open(env, true)
	if err != nil {
		return err
	}
	defer s.Close()
	name, err := s.MigrateDown(env.ctx)
	if err != nil {
		return err
	}
	if name == "" {
		name = "nothing"
	}
	_, err = fmt.Fprintln(env.stdout, "rolled back: "+name)
	return err
}
