package store

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
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

// mostRows is more than any list has, and little enough for the place where a page of such a list
// begins to be an int64.
const mostRows = math.MaxInt64 / 2

// fewRows is the largest LIMIT that is a number in a text, since a text more is a plan more, some
// 50 KiB, for each connection to Postgres to keep: a page of the default size.
const fewRows = 10

// Ordering is a name of an order, such as customer_name, as it is or the other way round.
type Ordering struct {
	Name       string
	Descending bool
}

// OrganisationFilter narrows the list of organisations; each part that is set narrows further.
type OrganisationFilter struct {
	Customers []uuid.UUID // the customer is each of these
	Keyword   string      // text in the customer's name, abbreviation or native name, in any case
}

func (f OrganisationFilter) none() bool { return len(f.Customers) == 0 && f.Keyword == "" }

// filteredOrganisations is the part of a query that chooses organisations, o, and its arguments.
func (q queries) filteredOrganisations(f OrganisationFilter) (string, []any) {
	var conditions []string
	var arguments []any
	for _, customer := range f.Customers {
		conditions, arguments = append(conditions, "o.customer_uuid = ?"), append(arguments, customer)
	}
	if f.Keyword != "" {
		condition, argument := q.engine.contains("o.customer_search", FoldCase(f.Keyword))
		conditions, arguments = append(conditions, condition), append(arguments, argument)
	}
	from := fromOrganisations
	if len(conditions) > 0 {
		from += " WHERE " + strings.Join(conditions, " AND ")
	}
	return from, arguments
}

// CountOrganisations counts what ListOrganisations lists.
func (q queries) CountOrganisations(ctx context.Context, f OrganisationFilter) (int64, error) {
	if f.none() {
		// Triggers keep this row, since counting all rows grows with them.
		return selectValue[int64](ctx, q, "SELECT value FROM counters WHERE name = 'call_managing_organisations'")
	}
	from, arguments := q.filteredOrganisations(f)
	return selectValue[int64](ctx, q, "SELECT count(*) "+from, arguments...)
}

// ListOrganisations returns a page and the number of rows on all pages, of one state of the
// database. The order is that of the customers' names, case-folded, and rows of one name are
// ordered by their uuid; only customer_name can be ordered by. ErrInvalidPage past the end.
func (s *Store) ListOrganisations(ctx context.Context, f OrganisationFilter, order []Ordering, page Page) ([]Organisation, int64, error) {
	var list []Organisation
	var total int64
	descending := len(order) > 0 && order[0].Descending
	err := s.snapshot(ctx, func(q queries) error {
		var err error
		if f.none() {
			list, total, err = q.pageOfAll(ctx, descending, page)
		} else {
			list, total, err = q.pageOfMatches(ctx, f, descending, page)
		}
		return err
	})
	return list, total, err
}

// pageOfAll looks up the total, and walks to a page past the middle from the end.
func (q queries) pageOfAll(ctx context.Context, descending bool, page Page) ([]Organisation, int64, error) {
	total, err := q.CountOrganisations(ctx, OrganisationFilter{})
	if err == nil {
		err = page.Check(total)
	}
	if err != nil || total == 0 {
		return nil, total, err
	}
	offset := page.offset()
	limit := min(int64(page.Size), total-offset)
	fromEnd := offset > total/2
	if fromEnd {
		offset = total - offset - limit
	}
	list, err := q.organisationRows(ctx, OrganisationFilter{}, descending != fromEnd, limit, offset)
	if fromEnd {
		slices.Reverse(list)
	}
	return list, total, err
}

// pageOfMatches reads the page and one row more. Without that row the page is the last one, and
// says how many matches there are; else those after the row are counted. So few matches are
// looked for once, and SQLite, which looks at every organisation, looks once at each.
func (q queries) pageOfMatches(ctx context.Context, f OrganisationFilter, descending bool, page Page) ([]Organisation, int64, error) {
	if err := page.Check(mostRows); err != nil {
		return nil, 0, err
	}
	list, err := q.organisationRows(ctx, f, descending, int64(page.Size)+1, page.offset())
	if err == nil && len(list) == 0 && page.Number > 1 {
		err = ErrInvalidPage
	}
	if err != nil {
		return nil, 0, err
	}
	total := page.offset() + int64(len(list))
	if len(list) <= page.Size {
		return list, total, nil
	}
	from, arguments := q.filteredOrganisations(f)
	after := ">"
	if descending {
		after = "<"
	}
	rest, err := selectValue[int64](ctx, q, "SELECT count(*) "+from+" AND (o.customer_key, o.uuid) "+after+
		" (SELECT l.customer_key, l.uuid FROM call_managing_organisations AS l WHERE l.uuid = ?)", append(arguments, list[page.Size].UUID)...)
	return list[:page.Size], total + rest, err
}

// organisationRows reads some rows of the list, of all along the index of its order. Those before them
// are passed over by what this index holds.
func (q queries) organisationRows(ctx context.Context, f OrganisationFilter, descending bool, limit, offset int64) ([]Organisation, error) {
	order := " ORDER BY o.customer_key, o.uuid"
	if descending {
		order = " ORDER BY o.customer_key DESC, o.uuid DESC"
	}
	if f.none() && offset == 0 && limit <= fewRows {
		// A parameter Postgres would take for a tenth of all rows, find the plan for this very number
		// better than that for all, and make it anew each time, which takes longer than to read the rows.
		first := " LIMIT " + strconv.FormatInt(limit, 10)
		return selectRows(ctx, q, int(limit), selectOrganisations+order+first, nil, (*Organisation).columns)
	}
	from, arguments := q.filteredOrganisations(f)
	part := from + order + " LIMIT ? OFFSET ?"
	text := selectOrganisations + " WHERE o.uuid IN (SELECT o.uuid " + part + ")" + order
	if !f.none() && offset == 0 && q.engine.matchesDirectly() {
		text = "SELECT " + organisationColumns + " " + part
	}
	return selectRows(ctx, q, int(limit), text, append(arguments, limit, offset), (*Organisation).columns)
}
