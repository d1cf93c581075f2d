package main

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
)

// blocks are the code blocks in a language of a section of docs/operations.md.
func blocks(t *testing.T, section, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n## "+section+"\n")
	if !found {
		t.Fatalf("there is no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var list []string
	for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(rest, -1) {
		list = append(list, block[1])
	}
	return list
}

// script runs lines of a page in a directory, with the program in its path and more variables.
func script(t *testing.T, dir, lines string, environment ...string) {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "-euxc", lines)
	bash.Dir = dir
	path := "PATH=" + filepath.Dir(programtest.Binary) + ":" + os.Getenv("PATH")
	bash.Env = append(append(os.Environ(), path), environment...)
	if out, err := bash.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

// ofTools is a database's URL without the parameters that Postgres's own tools don't know.
func ofTools(databaseURL string) string {
	address, _, _ := strings.Cut(databaseURL, "&statement_timeout")
	return address
}

// A copy that is made while a server serves has all data, once it is restored elsewhere.
func TestBackUpAndRestore(t *testing.T) {
	commands := blocks(t, "Back up and restore", "bash")
	if len(commands) != 3 {
		t.Fatalf("%d blocks", len(commands))
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		dir := t.TempDir()
		database, restored := "sqlite:"+filepath.Join(dir, "opencalls.db"), "sqlite:"+filepath.Join(dir, "copy.db")
		if engine == storetest.Postgres {
			database, restored = storetest.URL(t, engine), storetest.URL(t, engine)
		}
		p := start(t, "--demo", "--database-url="+database)
		if engine == storetest.SQLite {
			script(t, dir, commands[0])
		} else {
			script(t, dir, commands[1]+commands[2], "OPENCALLS_DATABASE_URL="+ofTools(database), "RESTORED_DATABASE_URL="+ofTools(restored))
		}
		p.Stop(t)
		if programtest.Run(t, "export", "--database-url="+restored) != programtest.Run(t, "export", "--database-url="+database) {
			t.Error("the exports differ")
		}
		again := start(t, "--database-url="+restored)
		if status, body := get(t, again.Address+organisations, fixture.DemoStaffToken); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	})
}

// All that an export has goes from SQLite to Postgres.
func TestSQLiteToPostgres(t *testing.T) {
	commands := strings.Join(blocks(t, "SQLite to Postgres", "bash"), "")
	onPostgres(t, func(t *testing.T, flag string) {
		dir := t.TempDir()
		lite := "--database-url=sqlite:" + filepath.Join(dir, "opencalls.db")
		start(t, "--demo", lite).Stop(t)
		script(t, dir, commands, "POSTGRES_URL="+strings.TrimPrefix(flag, "--database-url="))
		if programtest.Run(t, "export", lite) != programtest.Run(t, "export", flag) {
			t.Error("the exports differ")
		}
	})
}

// The role and the database that the page makes are all that the program needs.
func TestPostgresFromNothing(t *testing.T) {
	lines := strings.Join(blocks(t, "Postgres from nothing", "sql"), "")
	onPostgres(t, func(t *testing.T, flag string) {
		name := "opencalls_" + strings.ReplaceAll(uuid.NewString(), "-", "")
		superuser := "POSTGRES_URL=" + ofTools(strings.TrimPrefix(flag, "--database-url="))
		psql := func(sql string) {
			script(t, t.TempDir(), `psql -v ON_ERROR_STOP=1 "$POSTGRES_URL" -c "$SQL"`, superuser, "SQL="+sql)
		}
		for line := range strings.Lines(strings.ReplaceAll(lines, "opencalls", name)) {
			psql(line)
		}
		defer psql("DROP ROLE " + name)
		defer psql("DROP DATABASE " + name + " WITH (FORCE)")
		u, err := url.Parse(strings.TrimPrefix(flag, "--database-url="))
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.Path = url.UserPassword(name, "change-me"), "/"+name
		p := start(t, "--demo", "--database-url="+u.String())
		if status, body := get(t, p.Address+organisations, fixture.DemoStaffToken); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
		p.Stop(t)
	})
}
