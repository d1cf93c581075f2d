package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Actor is on whose behalf data changes; its zero value is the command line.
type Actor struct {
	UserUUID  *uuid.UUID
	RequestID string
}

// Tx is a transaction that may change data. It reads what it wrote. The methods that it has
// beyond those of Store are the only ones that change data, and each leaves its audit event.
type Tx struct {
	queries
	actor   Actor
	newUUID func() uuid.UUID
	imports bool           // LockForImport was called
	audited map[string]int // events by their action
}

// Write runs change in a transaction: all of it is kept, or nothing when change or the
// commit fails. An error of change is returned as it is; the store's own are those of
// errors.go. On SQLite one Write runs at a time. On Postgres some connections are left to reads, and a
// Write that waits longer than Config.StatementTimeout for one of the others is ErrUnavailable.
func (s *Store) Write(ctx context.Context, actor Actor, change func(tx *Tx) error) error {
	if s.writers != nil {
		wait, cancel := context.WithTimeout(ctx, s.writeWait)
		defer cancel()
		if err := s.writers.Acquire(wait, 1); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w: all connections for changes were in use for %s", ErrUnavailable, s.writeWait)
		}
		defer s.writers.Release(1)
	}
	audited := map[string]int{}
	err := s.transaction(ctx, s.write, &sql.TxOptions{}, func(q queries) error {
		q.db = q.with(ctx)
		tx := &Tx{queries: q, actor: actor, newUUID: s.newUUID, audited: audited}
		if err := change(tx); err != nil || !tx.imports {
			return err
		}
		return tx.engine.endImport(tx.db)
	})
	if err == nil {
		for action, events := range audited {
			s.audited.WithLabelValues(action).Add(float64(events))
		}
	}
	return err
}

// set sets a field to the new value, if there is one, and adds its name to the details of an event, with the value
// of a flag.
func set[T string | bool](details *[]string, name string, field, value *T) {
	if value == nil {
		return
	}
	*field = *value
	if flag, ok := any(*value).(bool); ok {
		name = fmt.Sprintf("%s %t", name, flag)
	}
	*details = append(*details, name)
}

// savepoint runs change so that its failure rolls back only what change did. It releases the
// savepoint, which GORM's nested transactions don't: an import would have thousands of them open.
func (tx *Tx) savepoint(change func(tx *Tx) error) error {
	if err := tx.db.Exec("SAVEPOINT change").Error; err != nil {
		return err
	}
	if err := change(tx); err != nil {
		if tx.db.Exec("ROLLBACK TO SAVEPOINT change").Error == nil {
			tx.db.Exec("RELEASE SAVEPOINT change")
		}
		return err // where the roll-back failed, the transaction can't be committed
	}
	return tx.db.Exec("RELEASE SAVEPOINT change").Error
}

// Setting returns a mark on the database; "" where it has none of this name.
func (q queries) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := q.with(ctx).Table("settings").Select("value").Where("name = ?", name).Take(&value).Error
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return value, err
}

// SetSetting marks the database.
func (tx *Tx) SetSetting(name, value string) error {
	err := tx.db.Exec(`INSERT INTO settings (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value).Error
	if err != nil {
		return err
	}
	return tx.audit("set", "setting", value, name)
}
