package store

import (
	"context"
	"database/sql"
)

// The statements that most requests run have fixed texts and are scanned by hand: building them
// anew and filling structs by reflection costs GORM more than SQLite needs to run them, and a
// quarter of a request on Postgres (docs/performance.md has the figures). Their parameters are
// written as ? for both engines.

// selectRows runs a query and scans its rows; columns are where a row's values go, in the
// order of the query's columns.
func selectRows[T any](ctx context.Context, q queries, text string, arguments []any, columns func(row *T) []any) ([]T, error) {
	rows, err := q.db.Statement.ConnPool.QueryContext(ctx, q.engine.bind(text), arguments...)
	if err != nil {
		return nil, q.err(err)
	}
	defer rows.Close()
	var list []T
	var row T
	destinations := columns(&row)
	for rows.Next() {
		if err := rows.Scan(destinations...); err != nil {
			return nil, q.err(err)
		}
		list = append(list, row)
	}
	return list, q.err(rows.Err())
}

// selectRow is selectRows for the first row; ErrNotFound where there is none.
func selectRow[T any](ctx context.Context, q queries, text string, arguments []any, columns func(row *T) []any) (T, error) {
	list, err := selectRows(ctx, q, text, arguments, columns)
	if err == nil && len(list) == 0 {
		err = q.err(sql.ErrNoRows)
	}
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}

// selectValue is selectRow for one column.
func selectValue[T any](ctx context.Context, q queries, text string, arguments ...any) (T, error) {
	return selectRow(ctx, q, text, arguments, func(value *T) []any { return []any{value} })
}

// exec runs a statement that changes rows.
func (tx *Tx) exec(text string, arguments ...any) error {
	_, err := tx.db.Statement.ConnPool.ExecContext(tx.ctx, tx.engine.bind(text), arguments...)
	return tx.err(err)
}
