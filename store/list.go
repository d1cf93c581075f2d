package store

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"
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

// Last is the number of the last page of total rows, at least 1.
func (p Page) Last(total int64) int64 {
	return max(1, (total+int64(p.Size)-1)/int64(p.Size))
}

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

func (q queries) filteredOrganisations(ctx context.Context, f OrganisationFilter) *gorm.DB {
	db := q.with(ctx).Table("call_managing_organisations AS o")
	for _, customer := range f.Customers {
		db = db.Where("o.customer_uuid = ?", customer)
	}
	if f.Keyword != "" {
		condition, argument := q.engine.contains("o.customer_search", FoldCase(f.Keyword))
		db = db.Where(condition, argument)
	}
	return db
}

// CountOrganisations counts what ListOrganisations lists.
func (q queries) CountOrganisations(ctx context.Context, f OrganisationFilter) (int64, error) {
	var total int64
	if f.none() {
		// Triggers keep this row, since counting all rows grows with them.
		err := q.with(ctx).Table("counters").Select("value").Where("name = 'call_managing_organisations'").Take(&total).Error
		return total, q.err(err)
	}
	err := q.filteredOrganisations(ctx, f).Count(&total).Error
	return total, q.err(err)
}

// ListOrganisations returns a page and the number of rows on all pages, of one state of the
// database. The order is that of the customers' names, case-folded, and rows of one name are
// ordered by their uuid; only customer_name can be ordered by. ErrInvalidPage past the end.
func (s *Store) ListOrganisations(ctx context.Context, f OrganisationFilter, order []Ordering, page Page) ([]Organisation, int64, error) {
	var list []Organisation
	var total int64
	err := s.snapshot(ctx, func(q queries) error {
		var err error
		if total, err = q.CountOrganisations(ctx, f); err != nil {
			return err
		}
		if err := page.Check(total); err != nil || total == 0 {
			return err
		}
		list, err = q.organisationPage(ctx, f, len(order) > 0 && order[0].Descending, page, total)
		return err
	})
	return list, total, err
}

// organisationPage walks the index of the order for the page's ids and reads only their rows.
// A page past the middle is walked to from the end.
func (q queries) organisationPage(ctx context.Context, f OrganisationFilter, descending bool, page Page, total int64) ([]Organisation, error) {
	offset := int64(page.Number-1) * int64(page.Size)
	limit := min(int64(page.Size), total-offset)
	fromEnd := offset > total/2
	if fromEnd {
		offset = total - offset - limit
	}
	order := "o.customer_key, o.uuid"
	if descending != fromEnd {
		order = "o.customer_key DESC, o.uuid DESC"
	}
	// GORM's Limit would write the numbers into the SQL on SQLite, where each text is prepared
	// and kept: a statement for each page.
	ids := q.filteredOrganisations(ctx, f).Select("o.uuid").Order(order)
	var list []Organisation
	err := q.organisations(ctx).Where("o.uuid IN (? LIMIT ? OFFSET ?)", ids, limit, offset).Order(order).Scan(&list).Error
	if fromEnd {
		slices.Reverse(list)
	}
	return list, q.err(err)
}
