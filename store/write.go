package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

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
	ctx     context.Context
	actor   Actor
	newUUID func() uuid.UUID
	imports bool // LockForImport was called
}

// Write runs change in a transaction: all of it is kept, or nothing when change or the
// commit fails. An error of change is returned as it is; the store's own are those of
// errors.go. On SQLite one Write runs at a time; on Postgres one that waits longer for its turn
// than Config.StatementTimeout is ErrUnavailable.
func (s *Store) Write(ctx context.Context, actor Actor, change func(tx *Tx) error) error {
	if err := s.writers.begin(ctx); err != nil {
		return err
	}
	defer s.writers.end()
	return s.transaction(ctx, s.write, &sql.TxOptions{}, func(q queries) error {
		q.db = q.with(ctx) // for the statements that GORM builds
		tx := &Tx{queries: q, ctx: ctx, actor: actor, newUUID: s.newUUID}
		if err := change(tx); err != nil || !tx.imports {
			return err
		}
		return tx.err(tx.engine.endImport(tx.db))
	})
}

// writers bound how many changes have a connection at once; nil bounds nothing.
type writers struct {
	turns    chan struct{}
	patience time.Duration
}

func newWriters(most int, patience time.Duration) *writers {
	return &writers{turns: make(chan struct{}, most), patience: patience}
}

// begin waits for a turn.
func (w *writers) begin(ctx context.Context) error {
	if w == nil {
		return nil
	}
	select {
	case w.turns <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(w.patience)
	defer timer.Stop()
	select {
	case w.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return fmt.Errorf("%w: %d changes are under way for %s", ErrUnavailable, cap(w.turns), w.patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writers) end() {
	if w != nil {
		<-w.turns
	}
}

// audit writes one event for each object, in the transaction that changed it.
func (tx *Tx) audit(action, objectType, details string, objects ...string) error {
	if len(objects) == 0 {
		return nil
	}
	now := tx.now()
	arguments := make([]any, 0, 8*len(objects))
	for _, object := range objects {
		arguments = append(arguments, tx.newUUID(), now, tx.actor.UserUUID, tx.actor.RequestID, objectType+"."+action, objectType, object, details)
	}
	const row = "(?, ?, ?, ?, ?, ?, ?, ?)"
	return tx.exec("INSERT INTO audit_events (uuid, created, actor_uuid, request_id, action, object_type, object_uuid, details) VALUES "+
		row+strings.Repeat(", "+row, len(objects)-1), arguments...)
}

// savepoint runs change so that its failure takes back only what it did itself. It ends the
// savepoint, which GORM's nested transactions don't: an import would have thousands of them
// open, and each change of a page or row costs more with each.
func (tx *Tx) savepoint(change func(tx *Tx) error) error {
	if err := tx.db.Exec("SAVEPOINT change").Error; err != nil {
		return tx.err(err)
	}
	if err := change(tx); err != nil {
		if tx.db.Exec("ROLLBACK TO SAVEPOINT change").Error == nil {
			tx.db.Exec("RELEASE SAVEPOINT change")
		}
		return tx.err(err) // where taking back failed, the transaction can't be committed
	}
	return tx.err(tx.db.Exec("RELEASE SAVEPOINT change").Error)
}

// AuditEvents returns the events on an object, oldest first.
func (q queries) AuditEvents(ctx context.Context, objectType, object string) ([]AuditEvent, error) {
	var events []AuditEvent
	err := q.with(ctx).Where("object_type = ? AND object_uuid = ?", objectType, object).Order("created, uuid").Find(&events).Error
	return events, q.err(err)
}

// Setting returns a mark on the database; "" where it has none of this name.
func (q queries) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := q.err(q.with(ctx).Table("settings").Select("value").Where("name = ?", name).Take(&value).Error)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return value, err
}

// SetSetting marks the database.
func (tx *Tx) SetSetting(name, value string) error {
	err := tx.db.Exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value).Error
	if err != nil {
		return tx.err(err)
	}
	return tx.audit("set", "setting", value, name)
}

// orNow returns the time, brought into the store's form, or the clock's where it is not set.
func (tx *Tx) orNow(t time.Time) time.Time {
	if t.IsZero() {
		return tx.now()
	}
	return truncate(t)
}
