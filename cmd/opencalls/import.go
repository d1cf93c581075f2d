package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

type importCommand struct {
	databaseFlags
	imageFlags
	Files  []string `arg:"" type:"existingfile" help:"YAML, JSON or JSON Lines files."`
	DryRun bool     `name:"dry-run" help:"Check everything and say what would be loaded, but keep nothing."`
}

// errDryRun takes a transaction back that has done everything but be kept.
var errDryRun = errors.New("dry run")

// Run loads the files and prints how many entries there were.
func (c importCommand) Run(env environment) error {
	if err := c.imageFlags.check(); err != nil {
		return err
	}
	s, err := c.open(env, slog.Default(), true)
	if err != nil {
		return err
	}
	defer s.Close()
	counts, err := importFiles(env.ctx, s, c.Files, c.limits(), c.DryRun)
	if err != nil {
		return err
	}
	done := "imported"
	if c.DryRun {
		done = "would be imported"
	}
	_, err = fmt.Fprintf(env.stdout, "%s %s\n", counts, done)
	return err
}

// importFiles loads import files: all of them or nothing.
func importFiles(ctx context.Context, s *store.Store, paths []string, limits images.Limits, dryRun bool) (fixture.Counts, error) {
	files := make([]*fixture.File, 0, len(paths))
	for _, path := range paths {
		file, err := fixture.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		files = append(files, file)
	}
	var counts fixture.Counts
	err := s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
		var err error
		counts, err = fixture.Import(ctx, tx, files, limits, nil)
		if err == nil && dryRun {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return counts, err
}

type exportCommand struct {
	databaseFlags
	Output string `placeholder:"FILE" help:"Where to write; standard output unless given."`
}

// Run writes the export. A file is complete or not there: it is written beside its place first.
func (c exportCommand) Run(env environment) error {
	s, err := c.open(env, slog.Default(), false)
	if err != nil {
		return err
	}
	defer s.Close()
	if c.Output == "" {
		return fixture.Export(env.ctx, s, env.stdout)
	}
	return writeFile(c.Output, func(w io.Writer) error { return fixture.Export(env.ctx, s, w) })
}

func writeFile(path string, write func(io.Writer) error) error {
	partial := path + ".partial"
	// What is exported holds hashes of tokens: it is for its owner's eyes.
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return os.Rename(partial, path)
}
