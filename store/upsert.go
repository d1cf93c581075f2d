package store

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// upsert inserts rows, or brings those whose uuid is there already up to what they say, and
// audits those that it changed. It returns their uuids. Its errors are *ErrRow.
func upsert[T any](tx *Tx, objectType string, rows []T) ([]string, error) {
	changed, err := upsertBy(tx, "uuid", rows)
	if err != nil {
		return nil, err
	}
	return changed, tx.audit("import", objectType, "", changed...)
}

// upsertBy is upsert by another key, without the events.
func upsertBy[T any](tx *Tx, key string, rows []T) ([]string, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	changed, err := upsertStatement(tx, key, rows)
	if err == nil {
		return changed, nil
	}
	// The engines don't say which row it was, so they are tried one by one. All of them go
	// through where it was only that Postgres refuses one key twice in a statement.
	changed = nil
	err = tx.savepoint(func(tx *Tx) error {
		for i := range rows {
			one, err := upsertStatement(tx, key, rows[i:i+1])
			if err != nil {
				return &ErrRow{Index: i, Err: err}
			}
			changed = append(changed, one...)
		}
		return nil
	})
	return changed, err
}

// upsertStatement lets GORM build the insert and runs it itself: GORM would match the returned
// keys, which are only those of changed rows, with the given rows by position.
func upsertStatement[T any](tx *Tx, key string, rows []T) ([]string, error) {
	statement := tx.db.Session(&gorm.Session{DryRun: true}).Model(new(T)).Statement
	if err := statement.Parse(new(T)); err != nil {
		return nil, err
	}
	var columns, old, excluded []string
	for _, column := range statement.Schema.DBNames {
		if column != key {
			columns = append(columns, column)
			old = append(old, statement.Schema.Table+"."+column)
			excluded = append(excluded, "excluded."+column)
		}
	}
	differs := clause.Expr{SQL: "(" + strings.Join(old, ", ") + ") IS DISTINCT FROM (" + strings.Join(excluded, ", ") + ")"}
	insert := tx.db.Session(&gorm.Session{DryRun: true}).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: key}},
		DoUpdates: clause.AssignmentColumns(columns),
		Where:     clause.Where{Exprs: []clause.Expression{differs}},
	}).Create(&rows).Statement
	var keys []string
	err := tx.savepoint(func(tx *Tx) error {
		result, err := tx.db.Statement.ConnPool.QueryContext(tx.db.Statement.Context, insert.SQL.String()+" RETURNING "+key, insert.Vars...)
		if err != nil {
			return err
		}
		defer result.Close()
		for result.Next() {
			var k string
			if err := result.Scan(&k); err != nil {
				return err
			}
			keys = append(keys, k)
		}
		return result.Err()
	})
	return keys, tx.engine.Translate(err)
}

// created returns when the rows with these keys were created, for those that exist: an
// import that does not say keeps it.
func (tx *Tx) created(table string, ids []uuid.UUID) (map[uuid.UUID]time.Time, error) {
	var rows []struct {
		UUID    uuid.UUID
		Created time.Time
	}
	if err := tx.db.Table(table).Select("uuid, created").Where("uuid IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, err
	}
	times := make(map[uuid.UUID]time.Time, len(rows))
	for _, row := range rows {
		times[row.UUID] = row.Created
	}
	return times, nil
}

// fillCreated gives rows without a time the one that they have, or the clock's.
func fillCreated[T any](tx *Tx, table string, rows []T, field func(*T) (uuid.UUID, *time.Time)) error {
	ids := make([]uuid.UUID, len(rows))
	for i := range rows {
		ids[i], _ = field(&rows[i])
	}
	times, err := tx.created(table, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		id, created := field(&rows[i])
		if created.IsZero() {
			*created = times[id]
		}
		*created = tx.orNow(*created)
	}
	return nil
}
