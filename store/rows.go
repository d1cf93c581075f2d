package store

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// The statements that most requests run have fixed texts and are scanned by hand: building them
// anew and filling structs by reflection costs GORM more than SQLite needs to run them, and a
// quarter of a request on Postgres (docs/performance.md has the figures). Their parameters are
// written as ? for both engines.

// mostBound is how many texts are kept as an engine's bind wrote them: more than are asked for again
// and again, 200 KiB or so. Filters and orders make any number of others.
const mostBound = 256

// boundTexts are kept texts: written anew for each statement they are a tenth of the memory that a
// change of a request takes.
type boundTexts struct {
	texts sync.Map // the bound text by the text
	kept  atomic.Int64
}

func (b *boundTexts) bind(e engine, text string) string {
	if bound, ok := b.texts.Load(text); ok {
		return bound.(string)
	}
	bound := e.bind(text)
	if b.kept.Add(1) <= mostBound {
		b.texts.Store(text, bound)
	}
	return bound
}

// asTexts makes UUIDs the texts that both drivers send in the end: pgx looks anew for how to
// encode a type of another package each time.
func asTexts(arguments []any) []any {
	for i, argument := range arguments {
		switch id := argument.(type) {
		case uuid.UUID:
			arguments[i] = id.String()
		case *uuid.UUID:
			if arguments[i] = nil; id != nil {
				arguments[i] = id.String()
			}
		}
	}
	return arguments
}

// eachRow runs a query and calls keep for each row, once its values are in the destinations.
func (q queries) eachRow(ctx context.Context, text string, arguments, destinations []any, keep func()) error {
	rows, err := q.pool.QueryContext(ctx, q.bound.bind(q.engine, text), asTexts(arguments)...)
	if err != nil {
		return q.err(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(destinations...); err != nil {
			return q.err(err)
		}
		keep()
	}
	return q.err(rows.Err())
}

// selectRows returns the rows of a query. There are size of them or a few more; columns are
// where a row's values go, in the order of the query's columns.
func selectRows[T any](ctx context.Context, q queries, size int, text string, arguments []any, columns func(row *T) []any) ([]T, error) {
	list := make([]T, 0, size)
	var row T
	err := q.eachRow(ctx, text, arguments, columns(&row), func() { list = append(list, row) })
	return list, err
}

// selectRow returns the one row of a query; ErrNotFound where there is none.
func selectRow[T any](ctx context.Context, q queries, text string, arguments []any, columns func(row *T) []any) (T, error) {
	var row, none T
	found := false
	if err := q.eachRow(ctx, text, arguments, columns(&row), func() { found = true }); err != nil {
		return none, err
	}
	if !found {
		return none, ErrNotFound
	}
	return row, nil
}

// selectValue is selectRow for one column.
func selectValue[T any](ctx context.Context, q queries, text string, arguments ...any) (T, error) {
	return selectRow(ctx, q, text, arguments, func(value *T) []any { return []any{value} })
}

// exec runs a statement that changes rows.
func (tx *Tx) exec(text string, arguments ...any) error {
	_, err := tx.pool.ExecContext(tx.ctx, tx.bound.bind(tx.engine, text), asTexts(arguments)...)
	return tx.err(err)
}
