package store

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
)

var errPostgresURL = errors.New("database URL: not a Postgres URL")

// CheckURL says what is wrong with a database URL, without opening anything. Its text never
// holds the URL, which may hold a password.
func CheckURL(databaseURL string) error {
	kind, rest, _ := strings.Cut(databaseURL, ":")
	switch kind {
	case "sqlite":
		if rest == "" {
			return errors.New("database URL: sqlite: needs a path")
		}
		return nil
	case "postgres", "postgresql":
		if _, err := pgx.ParseConfig(databaseURL); err != nil {
			return errPostgresURL // the driver's own text could hold the password
		}
		return nil
	}
	return errors.New("database URL: want sqlite:PATH, sqlite::memory: or postgres://…")
}
