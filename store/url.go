package store

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// postgresURL has three parts: scheme, user and password; hosts and database; parameters.
var postgresURL = regexp.MustCompile(`^(postgres(?:ql)?://)((?:[^@/]*@)?)([^@?]*)(?:\?((?:[^@&=]+=[^@&=]*&?)*))?$`)

// CheckURL says what is wrong with a database URL, without opening anything. Its text never
// holds the password.
func CheckURL(databaseURL string) error {
	kind, rest, _ := strings.Cut(databaseURL, ":")
	switch kind {
	case "sqlite":
		if path, isHost := strings.CutPrefix(rest, "//"); isHost {
			if strings.Contains(path, "@") { // a password may stand before it
				path = "PATH"
			}
			return fmt.Errorf("database URL: want sqlite:%s, without //", path)
		}
		if rest == "" {
			return errors.New("database URL: sqlite: needs a path")
		}
		return nil
	case "postgres", "postgresql":
		if strings.HasPrefix(rest, "//") {
			return checkPostgresURL(databaseURL)
		}
	}
	return errors.New("database URL: want sqlite:PATH, sqlite::memory: or postgres://…")
}

// checkPostgresURL finds what is wrong by leaving parts out: the driver's own text could hold the password.
func checkPostgresURL(databaseURL string) error {
	wrong := func(databaseURL string) bool {
		_, err := pgx.ParseConfig(databaseURL)
		return err != nil
	}
	parts := postgresURL.FindStringSubmatch(databaseURL)
	switch {
	case parts == nil, wrong(parts[1] + parts[2]):
		return errors.New("database URL: percent-encode the password (% is %25, / is %2F, @ is %40)")
	case wrong(parts[1] + parts[3]):
		return errors.New("database URL: want postgres://…, then HOST:PORT/DATABASE")
	case !wrong(databaseURL):
		return nil
	}
	parameters := strings.Split(parts[4], "&")
	for i, parameter := range parameters {
		parameters[i] = "application_name="
		if name, _, _ := strings.Cut(parameter, "="); !wrong(parts[1] + parts[3] + "?" + strings.Join(parameters, "&")) {
			return fmt.Errorf("database URL: wrong value of the parameter %s", name)
		}
		parameters[i] = parameter
	}
	return errors.New("database URL: several parameters are wrong")
}
