package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"gorm.io/gorm"
)

var (
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that the database can't be reached, is busy, full or shutting down, or gave
	// up on this transaction. The same call may succeed later.
	ErrUnavailable = errors.New("database unavailable")
	// ErrNotMigrated says that the database's schema is older than this program.
	ErrNotMigrated = errors.New("the database's schema is not up to date: run opencalls migrate up")
	// ErrOldSchema says that a version before 0.1.0 made the database.
	ErrOldSchema = errors.New("a version before 0.1.0 made this database: " +
		"export it with that version's opencalls, then import the file into a new database")
	// ErrInvalidPage says that the page lies past the end.
	ErrInvalidPage = errors.New("invalid page")
	// ErrHasCalls says that the organisation has calls.
	ErrHasCalls = errors.New("the organisation has calls")
	// ErrHasOrganisation says that the customer has a call managing organisation.
	ErrHasOrganisation = errors.New("the customer has an organisation")
	// ErrAlreadyGranted says that the user holds the role in the scope for at least as long.
	ErrAlreadyGranted = errors.New("already granted")
)

// UniqueError says that a row would be there twice. Constraint is the name in the migrations,
// the same on both engines.
type UniqueError struct{ Constraint string }

func (e *UniqueError) Error() string { return "unique constraint " + e.Constraint }

// ForeignKeyError says that a row refers to nothing, or that another refers to it. SQLite does not
// name the constraint.
type ForeignKeyError struct{ Constraint string }

func (e *ForeignKeyError) Error() string { return "foreign key " + e.Constraint }

// CheckError says that a value is not one of the allowed ones.
type CheckError struct{ Constraint string }

func (e *CheckError) Error() string { return "check constraint " + e.Constraint }

// unavailable marks a driver's error as ErrUnavailable.
func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }

// translateCommon turns the errors of database/sql and GORM into the store's; others pass.
func translateCommon(err error) error {
	var network net.Error
	switch {
	case err == nil, errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.EOF), err.Error() == "sql: database is closed",
		errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded): // which is a net.Error too
		return unavailable(err)
	}
	return err
}
