package differential

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What openapi.yaml alone shows to be wrong.

// checkMedia says whether a body can't be read, and with which answer.
func checkMedia(r request) (want, bool) {
	if !slices.Contains([]string{"create", "update", "patch", "addUser", "updateUser", "deleteUser"}, r.op) {
		return want{}, false
	}
	media, content := r.content()
	switch {
	case content == "": // whatever its media type is
		return nonField("No data provided"), r.op != "patch"
	case r.media == asBroken:
		return refuse(400, ""), true
	case r.media == asText:
		return refuse(415, "Unsupported media type \""+media+"\" in request."), true
	}
	return want{}, false
}

// timeForms are RFC 3339, a time without a zone and a date alone, both in UTC.
var timeForms = []*regexp.Regexp{
	regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`),
	regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$`),
	regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
}

func parseTime(text string) (time.Time, bool) {
	text = strings.ToUpper(text)
	for i, missing := range []string{"", "Z", "T00:00:00Z"} {
		if timeForms[i].MatchString(text) {
			t, err := time.Parse(time.RFC3339Nano, text+missing)
			return t, err == nil && t.UTC().Year() <= 9999 // in UTC too it has four digits
		}
	}
	return time.Time{}, false
}

// wrongFields are the fields of a body that can't be right, whatever the data is.
func wrongFields(r request) []string {
	if _, content := r.content(); content == "" {
		return nil
	}
	rules := map[string]func(value any, sent bool) bool{}
	text := func(value any) (string, bool) {
		s, is := value.(string)
		return s, is && !strings.Contains(s, "\x00")
	}
	switch r.op {
	case "create", "update":
		rules["customer"] = func(value any, sent bool) bool {
			link, is := text(value)
			_, isLink := parseLink(link, "customer", false)
			return is && isLink
		}
		fallthrough
	case "patch":
		rules["description"] = func(value any, sent bool) bool {
			s, is := text(value)
			return !sent || is && utf8.RuneCountInString(s) <= 2000
		}
		rules["image"] = func(value any, sent bool) bool {
			return !sent || r.media == asMultipart || r.media == asJSON && value == nil || r.media == asForm && value == ""
		}
	case "addUser", "updateUser", "deleteUser":
		rules["role"] = func(value any, sent bool) bool {
			s, is := text(value)
			return is && s != ""
		}
		rules["user"] = func(value any, sent bool) bool {
			s, _ := value.(string)
			_, isID := parseID(s)
			return isID
		}
		rules["expiration_time"] = func(value any, sent bool) bool {
			s, _ := value.(string)
			_, isTime := parseTime(s)
			return value == nil || isTime || value == "" && r.media != asJSON
		}
	}
	var fields []string
	for _, field := range sortedKeys(rules) {
		if value, sent := r.body[field]; !rules[field](value, sent) {
			fields = append(fields, field)
		}
	}
	return fields
}

// last returns the value of a parameter, of which the last one counts.
func (r request) last(name string) (string, bool) {
	values := r.query[name]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// text returns the value of a text filter; an empty one is none.
func (r request) text(name string) string {
	value, _ := r.last(name)
	return value
}

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

// wrongParameters are the filters that can't be right, whatever the data is.
func wrongParameters(r request) []string {
	var fields []string
	check := func(name string, right func(value string) bool) {
		if value, sent := r.last(name); sent && !right(value) {
			fields = append(fields, name)
		}
	}
	choices := func(name string, known []string) {
		if slices.ContainsFunc(r.names(name), func(value string) bool { return !slices.Contains(known, value) }) {
			fields = append(fields, name)
		}
	}
	orders := func(known []string) {
		all := slices.Clone(known)
		for _, name := range known {
			all = append(all, "-"+name)
		}
		choices("o", all)
	}
	isID := func(value string) bool { _, is := parseID(value); return is }
	noNUL := func(value string) bool { return !strings.Contains(value, "\x00") }
	switch r.op {
	case "list", "count":
		check("customer", func(value string) bool { _, is := parseLink(value, "customer", true); return is })
		check("customer_keyword", noNUL)
		check("customer_uuid", isID)
		orders(organisationOrders)
	case "listUsers", "countUsers":
		check("user", isID)
		check("user_url", func(value string) bool { _, is := parseLink(value, "user", true); return is })
		for _, name := range textFilters {
			check(name, noNUL)
		}
		choices("field", memberFields)
		orders(memberOrders)
	default:
		return nil // parameters that are not known are ignored
	}
	check("page_size", func(value string) bool {
		n, err := strconv.ParseInt(value, 10, 64)
		return err == nil && n >= 1 && n <= 2147483647
	})
	return fields
}

var textFilters = []string{"full_name", "native_name", "role", "search_string", "user_slug", "username"}

// paging returns the page that a list is asked for, and whether it can be one.
func paging(r request) (page, size int, isPage bool) {
	page, size = 1, 10
	if !slices.Contains([]string{"list", "count", "listUsers", "countUsers"}, r.op) {
		return page, size, true
	}
	if value, sent := r.last("page_size"); sent {
		size, _ = strconv.Atoi(value)
		size = min(size, 300)
	}
	if value, sent := r.last("page"); sent {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 {
			return 0, size, false
		}
		page = int(n)
	}
	return page, size, true
}

// cut returns the part of a list's rows that is the asked page, and what else the answer says
// of the list; ok is false where there is no such page.
func cut[T any](rows []T, r request) (part []T, w want, ok bool) {
	page, size, _ := paging(r)
	last := max(1, (len(rows)+size-1)/size)
	if page > last {
		return nil, refuse(404, noSuchPage), false
	}
	w = want{status: 200, rows: len(rows), pages: map[string]int{"first": 1, "last": last}}
	if page > 1 {
		w.pages["prev"] = page - 1
	}
	if page < last {
		w.pages["next"] = page + 1
	}
	from := (page - 1) * size
	return rows[from:min(from+size, len(rows))], w, true
}
