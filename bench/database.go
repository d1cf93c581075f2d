package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// database is one that a program filled.
type database struct {
	url          string
	importTime   time.Duration
	importMemory float64 // MiB

	// On Postgres:
	name    string
	version string
	admin   *pgx.Conn // to another database of the server
}

// fill makes a database and has a program import the data into it.
func fill(ctx context.Context, serverURL, program, engine, dir, name, file string) (d *database, err error) {
	d = &database{url: "sqlite:" + filepath.Join(dir, name+".db")}
	if engine == postgres {
		if err := d.create(ctx, serverURL, fmt.Sprintf("opencalls_bench_%d_%s", os.Getpid(), name)); err != nil {
			return d, err
		}
	}
	if _, _, err := run(ctx, dir, program, "migrate", "up", "--database-url", d.url); err != nil {
		return d, err
	}
	d.importTime, d.importMemory, err = run(ctx, dir, program, "import", file, "--database-url", d.url)
	if err != nil || engine == sqlite {
		return d, err
	}
	// Nothing is left to be done in the background while something is measured.
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return d, err
	}
	defer conn.Close(ctx)
	_, vacuumed := conn.Exec(ctx, "VACUUM ANALYZE")
	_, written := conn.Exec(ctx, "CHECKPOINT")
	return d, errors.Join(vacuumed, written)
}

func (d *database) create(ctx context.Context, serverURL, name string) error {
	u, err := url.Parse(serverURL)
	if err != nil {
		return errors.New("OPENCALLS_TEST_POSTGRES_URL is not a URL") // the error would show the password
	}
	u.Path = "/" + name
	d.url, d.name = u.String(), name
	if d.admin, err = pgx.Connect(ctx, serverURL); err != nil {
		return err
	}
	d.version, _, _ = strings.Cut(d.admin.PgConn().ParameterStatus("server_version"), " ")
	_, err = d.admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return err
}

// cpuTimes is the processor time of each of Postgres' backends that serve the database, by process.
// On SQLite there are none: the server's time includes the database's.
func (d *database) cpuTimes(ctx context.Context) (map[int]time.Duration, error) {
	times := map[int]time.Duration{}
	if d.admin == nil {
		return times, nil
	}
	rows, err := d.admin.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = $1", d.name)
	if err != nil {
		return nil, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	for _, pid := range pids {
		// One that has just ended has no time to read.
		if used, err := cpuTime(pid); err == nil {
			times[pid] = used
		}
	}
	if len(pids) > 0 && len(times) == 0 {
		return nil, errors.New("the processor time of Postgres can't be read: it must run on this machine")
	}
	return times, err
}

// drop removes the database from Postgres; SQLite's goes with the directory.
func (d *database) drop() error {
	if d == nil || d.admin == nil {
		return nil
	}
	ctx := context.Background()
	_, err := d.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{d.name}.Sanitize()+" WITH (FORCE)")
	return errors.Join(err, d.admin.Close(ctx))
}
