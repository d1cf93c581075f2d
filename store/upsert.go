package store

import (
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// upsert inserts rows, a slice that is not empty, or updates those whose key exists, and returns the keys of the
// rows that it changed. Images stay as they are. Its errors about a row are *RowError.
func upsert(tx *Tx, key string, rows any) ([]string, error) {
	list := reflect.ValueOf(rows)
	changed, err := upsertStatement(tx, key, list)
	if err == nil {
		return changed, nil
	}
	// The engines don't say which row it was, so they are tried one by one. All of them succeed
	// where Postgres only refused one key twice in a statement.
	changed = nil
	err = tx.savepoint(func(tx *Tx) error {
		for i := range list.Len() {
			one, err := upsertStatement(tx, key, list.Slice(i, i+1))
			if err != nil {
				return &RowError{Index: i, Err: err}
			}
			changed = append(changed, one...)
		}
		return nil
	})
	return changed, err
}

// upsertStatement lets GORM build the insert and runs it itself: GORM would match the returned
// keys, which are only those of changed rows, with the given rows by position.
func upsertStatement(tx *Tx, key string, list reflect.Value) ([]string, error) {
	rows := reflect.New(list.Type())
	rows.Elem().Set(list)
	statement := tx.db.Session(&gorm.Session{DryRun: true}).Model(rows.Interface()).Statement
	if err := statement.Parse(rows.Interface()); err != nil {
		return nil, err
	}
	var columns, old, excluded []string
	for _, column := range statement.Schema.DBNames {
		if column != key && column != "image_uuid" {
			columns = append(columns, column)
			old = append(old, statement.Schema.Table+"."+column)
			excluded = append(excluded, "excluded."+column)
		}
	}
	differs := "(" + strings.Join(old, ", ") + ") IS DISTINCT FROM (" + strings.Join(excluded, ", ") + ")"
	insert := tx.db.Session(&gorm.Session{DryRun: true}).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: key}},
		DoUpdates: clause.AssignmentColumns(columns),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: differs}}},
	}).Create(rows.Interface()).Statement
	var keys []string
	err := tx.savepoint(func(tx *Tx) error {
		result, err := tx.pool.QueryContext(insert.Context, insert.SQL.String()+" RETURNING "+key, insert.Vars...)
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
