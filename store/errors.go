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
	// ErrUnavailable says that the database can't be reached, is busy, full or shutting down, or it gave
	// up on this transaction; the same call may go through later.
	ErrUnavailable = errors.New("database unavailable")
	// ErrNotMigrated says that the database's schema is older than this program.
	ErrNotMigrated = errors.New("the database's schema is not up to date: run opencalls migrate up")
	// ErrInvalidPage says that the page lies past the end.
	ErrInvalidPage = errors.New("invalid page")
	// ErrAlreadyGranted says that the user holds the role in the scope for at least as long.
	ErrAlreadyGranted = errors.New("already granted")
)

// ErrUnique says that a row would be there twice. Constraint is the name in the migrations,
// the same on both engines.
type ErrUnique struct{ Constraint string }

func (e *ErrUnique) Error() string { return "unique constraint " + e.Constraint }

// ErrForeignKey says that a row refers to nothing, or is referred to. SQLite does not say
// which constraint it was.
type ErrForeignKey struct{ Constraint string }

func (e *ErrForeignKey) Error() string { return "foreign key " + e.Constraint }

// ErrCheck says that a value is not one of the allowed ones.
type ErrCheck struct{ Constraint string }

func (e *ErrCheck) Error() string { return "check constraint " + e.Constraint }

// translateCommon turns the errors that database/sql and GORM make themselves into the
// store's; others pass.
func translateCommon(err error) error {
	var network net.Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.EOF), err.Error() == "sql: database is closed",
		errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded): // which is a net.Error too
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
