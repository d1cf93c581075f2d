package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store"
)

type importCommand struct {
	DatabaseFlags
	ImageFlags
	Files  []string `arg:"" type:"existingfile" help:"YAML, JSON or JSON Lines files."`
	DryRun bool     `name:"dry-run" help:"Check everything and say what would be loaded, but keep nothing."`
}

// progressInterval is the time between two lines that say how far an import is.
const progressInterval = 5 * time.Second

// errDryRun rolls a transaction back in which everything succeeded.
var errDryRun = errors.New("dry run")

// Run loads the files and prints how many entries there were.
func (c importCommand) Run(env environment) error {
	shown := time.Now()
	progress := func(kind string, rows int) {
		if time.Since(shown) > progressInterval {
			fmt.Fprintf(env.stderr, "%d %s read\n", rows, kind)
			shown = time.Now()
		}
	}
	var counts fixture.Counts
	err := fixture.WithFiles(c.Files, func(files []*fixture.File) error {
		return c.write(env, func(tx *store.Tx) (err error) {
			counts, err = fixture.Import(env.ctx, tx, files, c.limits(), progress)
			if err == nil && c.DryRun {
				return errDryRun
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	done := "imported"
	if c.DryRun {
		done = "would be imported"
	}
	fmt.Fprintf(env.stdout, "%s %s\n", counts, done)
	return nil
}

type exportCommand struct {
	DatabaseFlags
	Output string `placeholder:"FILE" help:"Where to write; standard output unless given."`
}

// Run writes the export. A file is replaced only once the export is complete.
func (c exportCommand) Run(env environment) error {
	return c.withMigrated(env, func(s *store.Store) error { return c.export(env, s) })
}

func (c exportCommand) export(env environment, s *store.Store) error {
	export := func(w io.Writer) error { return fixture.Export(env.ctx, s, w) }
	if c.Output == "" {
		return export(env.stdout)
	}
	if there, err := os.Stat(c.Output); err == nil && !there.Mode().IsRegular() { // a pipe or a device
		file, err := os.OpenFile(c.Output, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(export(file), file.Close())
	}
	return writeFile(c.Output, export)
}

// writeFile replaces a file, for its owner's eyes alone: there are hashes of tokens in it.
func writeFile(path string, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := errors.Join(write(partial), partial.Sync(), partial.Close()); err != nil {
		return errors.Join(err, os.Remove(partial.Name()))
	}
	return os.Rename(partial.Name(), path)
}
