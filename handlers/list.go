package handlers

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/opencalls/opencalls/store"
)

const (
	defaultPageSize = 10
	maxPageSize     = 300
	maxLink         = 4096 // of the Link header, in bytes: proxies cut off longer ones
)

// pageOf reads the paging parameters, which the spec has checked.
func pageOf(number, size *int) store.Page {
	return store.Page{Number: cmp.Or(valueOf(number), 1), Size: min(cmp.Or(valueOf(size), defaultPageSize), maxPageSize)}
}

// valueOf is the zero value for nil.
func valueOf[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// orderOf reads names of which some begin with "-".
func orderOf[T ~string](names []T) []store.Ordering {
	order := make([]store.Ordering, len(names))
	for i, name := range names {
		bare, descending := strings.CutPrefix(string(name), "-")
		order[i] = store.Ordering{Name: bare, Descending: descending}
	}
	return order
}

// link is the Link header (RFC 8288) of a page of total rows, nil where it would be too long. Its
// URLs keep the query as it was sent, sorted; commas in them are percent-encoded, since clients
// split on commas. The first page's has no page parameter.
func link(ctx context.Context, page store.Page, total int) *string {
	request := RequestFrom(ctx)
	query := url.Values{}
	maps.Copy(query, request.Query)
	last := int(page.Last(int64(total)))
	var links []string
	add := func(number int, relation string) {
		query.Del("page")
		if number > 1 {
			query.Set("page", strconv.Itoa(number))
		}
		target := request.Origin + request.Path
		if len(query) > 0 {
			target += "?" + query.Encode()
		}
		links = append(links, "<"+target+`>; rel="`+relation+`"`)
	}
	add(1, "first")
	if page.Number > 1 {
		add(page.Number-1, "prev")
	}
	if page.Number < last {
		add(page.Number+1, "next")
	}
	add(last, "last")
	text := strings.Join(links, ", ")
	if len(text) > maxLink {
		return nil
	}
	return &text
}

// listHeaders are the headers of a list's answer. They have the fields of the generated types, into
// which they are converted.
type listHeaders struct {
	Link         *string
	XRequestID   *string // the server sets it for every answer
	XResultCount int
}

// list returns a rendered page of a list and the answer's headers.
func list[Row, Item any](
	ctx context.Context, number, size *int, read func(store.Page) ([]Row, int64, error), render func(Row) Item,
) ([]Item, listHeaders, error) {
	page := pageOf(number, size)
	rows, total, err := read(page)
	items := make([]Item, len(rows))
	for i, row := range rows {
		items[i] = render(row)
	}
	return items, headersOf(ctx, page, total), err
}

// count returns the headers of a list's answer to HEAD.
func count(ctx context.Context, number, size *int, total int64, err error) (listHeaders, error) {
	page := pageOf(number, size)
	if err == nil {
		err = page.Check(total)
	}
	return headersOf(ctx, page, total), err
}

func headersOf(ctx context.Context, page store.Page, total int64) listHeaders {
	return listHeaders{Link: link(ctx, page, int(total)), XResultCount: int(total)}
}

// narrow clears the fields of an answer that are not among the names; without names all stay.
func narrow[Item any, Name ~string](item Item, names []Name) Item {
	if len(names) == 0 {
		return item
	}
	value := reflect.ValueOf(&item).Elem()
	for i := range value.NumField() {
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		if !slices.Contains(names, Name(name)) {
			value.Field(i).SetZero()
		}
	}
	return item
}
