package differential

import (
	"slices"
	"strconv"
	"strings"
)

// names returns the values of a list parameter.
func (r request) names(name string) []string {
	if len(r.query[name]) == 0 {
		return nil
	}
	return strings.Split(strings.Join(r.query[name], ","), ",")
}

var (
	organisationOrders = []string{"customer_name"}
	memberOrders       = []string{"created", "email", "expiration_time", "full_name", "native_name", "role", "username"}
	memberFields       = []string{
		"uuid", "created", "expiration_time", "role_name", "role_uuid", "user_email", "user_full_name", "user_username",
		"user_uuid", "user_image", "created_by_full_name", "created_by_uuid",
	}
)

var textFilters = []string{"full_name", "native_name", "role", "search_string", "user_slug", "username"}

// paging returns the page that a list is asked for, and whether it can be one.
func paging(r request) (page, size int, isPage bool) {
	page, size = 1, 10
	if !slices.Contains([]string{"list", "count", "listUsers", "countUsers"}, r.op) {
		return page, size, true
	}
	if r.query.Has("page_size") {
		size, _ = strconv.Atoi(r.query.Get("page_size"))
		size = min(size, 300)
	}
	if value := r.query.Get("page"); value != "" {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 {
			return 0, size, false
		}
		page = int(n)
	}
	return page, size, true
}

// page is the answer to a list: the asked page of some rows, in their order.
func page[T any](r request, rows []T, compare func(a, b T) int, show func(T) any) want {
	number, size, _ := paging(r)
	last := max(1, (len(rows)+size-1)/size)
	if number > last {
		return refuse(404, noSuchPage)
	}
	w := want{status: 200, count: strconv.Itoa(len(rows)), pages: map[string]int{"first": 1, "last": last}}
	if number > 1 {
		w.pages["prev"] = number - 1
	}
	if number < last {
		w.pages["next"] = number + 1
	}
	slices.SortFunc(rows, compare)
	from := (number - 1) * size
	w.body = func() any {
		list := []any{}
		for _, row := range rows[from:min(from+size, len(rows))] {
			list = append(list, show(row))
		}
		return list
	}
	return w
}
