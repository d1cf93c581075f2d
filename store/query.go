package store

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Page is a part of a list: Size rows, of which Number counts the pages from 1.
type Page struct{ Number, Size int }

// Check says ErrInvalidPage when the page lies past the end of a list of total rows. The
// first page of nothing is a page.
func (p Page) Check(total int64) error {
	if p.Number > 1 && int64(p.Number) > p.Last(total) {
		return ErrInvalidPage
	}
	return nil
}

// offset is how many rows come before the page.
func (p Page) offset() int64 { return int64(p.Number-1) * int64(p.Size) }

// Last is the number of the last page of total rows, at least 1.
func (p Page) Last(total int64) int64 {
	return max(1, (total+int64(p.Size)-1)/int64(p.Size))
}

// maxRows is more than any list has. The offset of a page of so many rows is still an int64.
const maxRows = math.MaxInt64 / 2

// Ordering is the name of an order, such as customer_name, ascending or descending.
type Ordering struct {
	Name       string
	Descending bool
}

// where collects the conditions of a query and their arguments. All of them must hold.
type where struct {
	conditions []string
	arguments  []any
}

func (w *where) add(condition string, arguments ...any) {
	w.conditions = append(w.conditions, condition)
	w.arguments = append(w.arguments, arguments...)
}

// addFlag adds that a truth value is the wanted one; nil adds nothing.
func (w *where) addFlag(column string, wanted *bool) {
	if wanted != nil {
		w.add(column+" = ?", *wanted)
	}
}

// maxPattern bounds a text that is searched for, in bytes: no column is as long, and SQLite refuses LIKE
// patterns of more than 50,000.
const maxPattern = 20_000

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// addText adds that one of the columns contains the text; an empty text adds nothing. On Postgres the
// trigram index serves it. Both texts are folded, so that LIKE compares them as they are.
func (w *where) addText(text string, columns ...string) { w.addBetween(text, "", "", columns...) }

// addBetween is addText for a text that has before and after around it, which are patterns of LIKE.
func (w *where) addBetween(text, before, after string, columns ...string) {
	switch {
	case text == "":
		return
	case len(text) > maxPattern:
		w.add("false")
		return
	}
	contains := make([]string, len(columns))
	for i, column := range columns {
		contains[i] = column + ` LIKE ? ESCAPE '\'`
		w.arguments = append(w.arguments, "%"+before+escapeLike.Replace(text)+after+"%")
	}
	w.add("(" + strings.Join(contains, " OR ") + ")")
}

// String returns the conditions as a WHERE clause, "" where there are none.
func (w where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// term is a column that rows are ordered by.
type term struct {
	column     string
	descending bool
}

// statement is a query with its arguments.
type statement struct {
	text      string
	arguments []any
}

// list describes the rows of a list.
type list struct {
	from      string // the tables by which rows are chosen, counted and ordered
	columns   string // what is shown of a row
	shown     []any  // the arguments of columns
	joins     string // further tables, which are only shown
	key       string // the column that identifies a row
	where     where
	order     []term    // the last one breaks all ties
	total     statement // for the number of rows, where that is cheaper than counting them; else empty
	kept      bool      // the total is a row that is kept, which costs nearly nothing to read
	keysFirst bool      // an index holds all that the conditions look at: the keys are found in it first
}

// orderBy returns the ORDER BY clause, of the list from its end where it is reversed.
func (l list) orderBy(reversed bool) string {
	terms := make([]string, len(l.order))
	for i, t := range l.order {
		terms[i] = t.column
		if t.descending != reversed {
			terms[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(terms, ", ")
}

// counted is the row of a query that counts.
type counted struct {
	Total int64 `gorm:"column:total"`
}

// count returns the number of rows on all pages.
func (q queries) count(ctx context.Context, l list) (int64, error) {
	s := l.total
	if s.text == "" {
		s = statement{"SELECT count(*) AS total FROM " + l.from + l.where.String(), l.where.arguments}
	}
	row, err := scanOne[counted](ctx, q, s.text, s.arguments...)
	return row.Total, err
}

// rows reads some rows. Where rows are skipped, the keys are found first, and then the rows of the keys
// alone: of the skipped ones only the index of the order is read.
func rows[Row any](ctx context.Context, q queries, l list, reversed bool, limit, offset int64) ([]Row, error) {
	order := l.orderBy(reversed)
	part, arguments := l.where.String()+order+" LIMIT ?", slices.Concat(l.shown, l.where.arguments, []any{limit})
	if len(l.where.arguments) == 0 {
		// Postgres keeps the plan of a statement without parameters. With a limit as its only one it makes
		// a plan for each request, which takes longer than to read the rows.
		part, arguments = l.where.String()+order+" LIMIT "+strconv.FormatInt(limit, 10), slices.Clone(l.shown)
	}
	text := "SELECT " + l.columns + " FROM " + l.from + l.joins
	if offset == 0 && !l.keysFirst {
		return scan[Row](ctx, q, text+part, arguments...)
	}
	keys := "SELECT " + l.key + " FROM " + l.from + part + " OFFSET ?"
	text += " WHERE " + l.key + " IN (" + keys + ")" + order
	return scan[Row](ctx, q, text, append(arguments, offset)...)
}

// page returns a page of a list and the number of rows on all pages, of one state of the database.
// ErrInvalidPage past the end.
func page[Row any](ctx context.Context, s *Store, l list, p Page) (result []Row, total int64, err error) {
	if err := p.Check(maxRows); err != nil {
		return nil, 0, err
	}
	if l.kept {
		return pageOfKept[Row](ctx, s.queries, l, p)
	}
	err = s.snapshot(ctx, func(q queries) error {
		// One row more than the page: without it this is the last page, and nothing is left to count.
		if result, err = rows[Row](ctx, q, l, false, int64(p.Size)+1, p.offset()); err != nil {
			return err
		}
		if len(result) == 0 && p.Number > 1 {
			return ErrInvalidPage
		}
		if len(result) <= p.Size {
			total = p.offset() + int64(len(result))
			return nil
		}
		result = result[:p.Size]
		total, err = q.count(ctx, l)
		return err
	})
	return result, total, err
}

// keepTotal has the total of a list that nothing narrows read from the counter of a table, which triggers keep. To
// count 100,000 users takes Postgres 20 ms.
func (l *list) keepTotal(table string) {
	if len(l.where.conditions) == 0 {
		l.total = statement{text: "SELECT value AS total FROM counters WHERE name = '" + table + "'"}
		l.kept = true
	}
}

// withTotal is a row with the number of rows on all pages.
type withTotal[Row any] struct {
	Row   Row   `gorm:"embedded"`
	Total int64 `gorm:"column:total"`
}

// pageOfKept is page for a list whose total is kept. One statement reads page and total, which takes less time
// than a transaction. Pages past the middle are read from the end.
func pageOfKept[Row any](ctx context.Context, q queries, l list, p Page) ([]Row, int64, error) {
	var before int64
	limit, offset, fromEnd := int64(p.Size), p.offset(), false
	if p.Number > 1 {
		var err error
		if before, err = q.count(ctx, l); err == nil {
			err = p.Check(before)
		}
		if err != nil {
			return nil, 0, err
		}
		limit = min(limit, before-offset)
		if fromEnd = offset > before/2; fromEnd {
			offset = before - offset - limit
		}
	}
	counted := l
	counted.columns += ", (" + l.total.text + ") AS total"
	found, err := rows[withTotal[Row]](ctx, q, counted, fromEnd, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	result, total := make([]Row, len(found)), int64(0)
	for i, row := range found {
		result[i], total = row.Row, row.Total
	}
	if p.Number > 1 && total != before {
		return pageOfKept[Row](ctx, q, l, p) // rows came or went in between
	}
	if fromEnd {
		slices.Reverse(result)
	}
	return result, total, nil
}

var schemas sync.Map

// schemaOf is what GORM knows of a row by its tags.
func schemaOf[Row any]() *schema.Schema {
	parsed, err := schema.Parse(new(Row), &schemas, schema.NamingStrategy{})
	if err != nil {
		panic(err) // the tags are wrong
	}
	return parsed
}

// columns returns the SELECT list of a row: for each of its fields the expression of its sql tag,
// or else the column itself, under the column's name.
func columns[Row any]() string {
	var list []string
	for _, field := range schemaOf[Row]().Fields {
		column := field.DBName
		if expression := field.Tag.Get("sql"); expression != "" {
			column = expression + " AS " + column
		}
		list = append(list, column)
	}
	return strings.Join(list, ", ")
}

// scan returns the rows of a query, in which each parameter is a ?. A column goes into the field whose
// tag names it. It does not use GORM, whose Raw and Scan would double the processor time of a list.
func scan[Row any](ctx context.Context, q queries, text string, arguments ...any) (result []Row, err error) {
	defer func() { err = q.engine.Translate(err) }()
	found, err := q.pool.QueryContext(ctx, q.engine.bind(text), arguments...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	names, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var row Row
	value := reflect.ValueOf(&row).Elem()
	fields := schemaOf[Row]().FieldsByDBName
	destinations := make([]any, len(names))
	for i, name := range names {
		destinations[i] = fields[name].ReflectValueOf(ctx, value).Addr().Interface()
	}
	result = []Row{}
	for found.Next() {
		if err := found.Scan(destinations...); err != nil {
			return nil, err
		}
		result = append(result, row)
	}
	return result, found.Err()
}

// scanOne returns the one row of a query; ErrNotFound where there is none.
func scanOne[Row any](ctx context.Context, q queries, text string, arguments ...any) (Row, error) {
	result, err := scan[Row](ctx, q, text, arguments...)
	if err == nil && len(result) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return *new(Row), err
	}
	return result[0], nil
}

// first returns the one row of a table; ErrNotFound where there is none.
func first[Row any](db *gorm.DB, condition string, arguments ...any) (Row, error) {
	var row Row
	err := db.Where(condition, arguments...).Take(&row).Error
	return row, err
}

// find is first for a row that may be missing; nil where it is.
func find[Row any](db *gorm.DB, condition string, arguments ...any) (*Row, error) {
	row, err := first[Row](db, condition, arguments...)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &row, err
}
