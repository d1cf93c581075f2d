package main

import (
	"context"
	"errors"
)

// As many matches of a keyword among more organisations lie further apart: how much that costs on
// Postgres, which looks for them by an index, is measured with one client. On SQLite a keyword is
// looked for in every organisation.
const (
	manyMatches     = 5000
	manyMatchesRows = 10_000
	commonShare     = 20 // one in so many has the common keyword
)

// growth is how long one client waits, in milliseconds, with manyMatchesRows organisations and with
// more.
type growth struct {
	from, to float64
	more     int
}

// hasManyMatches says that the operation looks for a keyword which that many names have.
func hasManyMatches(op operation, engine string, rows int) bool {
	return op.name == "list_keyword_common" && engine == postgres && rows == commonShare*manyMatches
}

// manyMatches measures the operation on a database with as many matches among fewer organisations,
// and on the given one, in turns.
func (b *benchmark) manyMatches(ctx context.Context, op operation, large contest) (g growth, err error) {
	d, err := makeDatabase(ctx, b.settings, b.dir, large.engine, manyMatchesRows, manyMatches)
	if d == nil {
		return growth{}, err
	}
	small := contest{database: d}
	defer func() { err = errors.Join(err, small.end()) }()
	if err != nil {
		return growth{}, err
	}
	if err := b.start(&small); err != nil {
		return growth{}, err
	}
	both := []contest{small, large}
	for _, c := range both { // both connections have settled on a plan
		if _, err := (load{c.ours.address, op.name, b.workload(c.database), 1, warmUp}).run(); err != nil {
			return growth{}, err
		}
	}
	p50s, err := b.oneClientP50s(op, both)
	if err != nil {
		return growth{}, err
	}
	return growth{from: p50s[0], to: p50s[1], more: large.rows}, nil
}
