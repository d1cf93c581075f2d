package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver's name
	_ "github.com/mattn/go-sqlite3"    // the driver's name

	"github.com/opencalls/opencalls/bench/dataset"
)

// seed makes the data the same in every run.
const seed = 20270131

// database is a database with data, which both servers work on.
type database struct {
	name     string // of nothing else in a run on the engine
	engine   string
	rows     int
	imported time.Duration // how long that took, the program's start included
	url      string
	known    dataset.Known
	admin    *sql.DB // of this very database
	drop     func() error
}

// makeDatabase makes a database and imports so many organisations into it, of which common have the
// common keyword; each twentieth if 0.
func makeDatabase(ctx context.Context, s settings, dir, engine string, rows, common int) (*database, error) {
	d := &database{name: fmt.Sprintf("%d_%d", rows, common), engine: engine, rows: rows}
	var err error
	if engine == postgres {
		err = d.createPostgres(ctx, s.postgres)
	} else {
		err = d.createSQLite(dir)
	}
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, d.name+".jsonl")
	if d.known, err = writeDataset(file, dataset.Config{Organisations: rows, Common: common, Seed: seed, Now: time.Now()}); err != nil {
		return d, err
	}
	for _, arguments := range [][]string{{"migrate", "up"}, {"import", file}} {
		begin := time.Now()
		command := exec.CommandContext(ctx, opencalls, append(arguments, "--database-url", d.url)...)
		if out, err := command.CombinedOutput(); err != nil {
			return d, fmt.Errorf("opencalls %s: %w: %s", arguments[0], err, out)
		}
		d.imported = time.Since(begin) // the import is the last
	}
	return d, d.tidy(ctx)
}

func writeDataset(path string, cfg dataset.Config) (dataset.Known, error) {
	file, err := os.Create(path)
	if err != nil {
		return dataset.Known{}, err
	}
	known, err := dataset.Write(file, cfg)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return known, err
}

func (d *database) createSQLite(dir string) error {
	path := filepath.Join(dir, d.name+".db")
	d.url = "sqlite:" + path
	d.drop = func() error { return nil } // the directory goes as a whole
	var err error
	d.admin, err = sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000&_foreign_keys=on")
	return err
}

func (d *database) createPostgres(ctx context.Context, serverURL string) error {
	server, err := sql.Open("pgx", serverURL)
	if err != nil {
		return err
	}
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := server.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value == "off" {
			return fmt.Errorf("this Postgres has %s=off, with which writes cost nothing: measure on one that keeps what it acknowledged", setting)
		}
	}
	u, err := url.Parse(serverURL)
	if err != nil {
		return fmt.Errorf("OPENCALLS_TEST_POSTGRES_URL is not a URL") // the error would show the password
	}
	name := fmt.Sprintf("opencalls_bench_%d_%s", os.Getpid(), d.name)
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return err
	}
	u.Path = "/" + name
	d.url = u.String()
	d.drop = func() error {
		_, err := server.Exec("DROP DATABASE " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)")
		_ = server.Close()
		return err
	}
	d.admin, err = sql.Open("pgx", d.url)
	return err
}

// tidy takes away what changing operations left behind, so that what comes next finds the data
// as it was, and leaves nothing to be done in the background while something is measured.
func (d *database) tidy(ctx context.Context) error {
	statements := []string{"DELETE FROM user_roles WHERE revoked IS NOT NULL", "DELETE FROM audit_events"}
	if d.engine == postgres {
		statements = append(statements, "VACUUM ANALYZE", "CHECKPOINT")
	} else {
		statements = append(statements, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	for _, statement := range statements {
		if _, err := d.admin.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func (d *database) close() error {
	_ = d.admin.Close()
	return d.drop()
}
