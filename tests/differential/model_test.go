package differential

import (
	"encoding/base64"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// model is the app as its users are promised it: maps, and rules over them.
type model struct {
	now func() time.Time

	customers     map[uuid.UUID]*customer
	users         map[uuid.UUID]*user
	roles         map[uuid.UUID]*role
	organisations map[uuid.UUID]*organisation
	grants        []*grant
	calls         map[uuid.UUID]*call

	imageOf  map[uuid.UUID]uuid.UUID // the image of a customer, a user or an organisation
	pictures map[uuid.UUID]string    // the bytes of each image
	gone     []uuid.UUID             // organisations and customers that were deleted, and images
	events   map[string]int          // how many changes there were of each kind
}

// newModel is the model of a world whose images have got these ids.
func newModel(w entries, now func() time.Time, imageOf map[uuid.UUID]uuid.UUID) *model {
	m := &model{now: now, imageOf: imageOf, pictures: map[uuid.UUID]string{}, events: map[string]int{}}
	m.customers, m.users, m.roles = byKey(m, w.Customers), byKey(m, w.Users), byKey(m, slices.Concat(builtin, w.Roles))
	m.organisations, m.calls = byKey(m, w.Organisations), byKey(m, w.Calls)
	for _, g := range w.Grants {
		m.grants = append(m.grants, &g)
	}
	return m
}

func byKey[T keyed](m *model, list []T) map[uuid.UUID]*T {
	rows := map[uuid.UUID]*T{}
	for _, row := range list {
		id := row.common().UUID
		rows[id] = &row
		if _, encoded, has := strings.Cut(row.common().Image, ","); has {
			picture, _ := base64.StdEncoding.DecodeString(encoded) // newWorld encoded it
			m.pictures[m.imageOf[id]] = string(picture)
		}
	}
	return rows
}

// want is what the model says of an answer, and what becomes of the model when it comes.
type want struct {
	status int
	count  string                 // X-Result-Count
	pages  map[string]int         // the pages in Link, by their relation
	body   func() any             // after change; nil: there is none
	keys   bool                   // the body is the keys of an object, whose texts the model does not know
	change func(got object) error // for a success: changes the model
}

// object is a JSON object.
type object = map[string]any

func refuse(status int, detail string) want {
	return want{status: status, body: func() any { return object{"detail": detail} }}
}

// wrong is the refusal that names the fields that are wrong, if any is.
func wrong(fields map[string]bool) (w want, isWrong bool) {
	names := slices.Sorted(maps.Keys(fields))
	names = slices.DeleteFunc(names, func(name string) bool { return !fields[name] })
	return want{status: 400, body: func() any { return names }, keys: true}, len(names) > 0
}

func nonField(text string) want {
	return want{status: 400, body: func() any { return object{"non_field_errors": []any{text}} }}
}

const (
	noSuchPage   = "Invalid page."
	forbidden    = "You do not have permission to perform this action."
	notAvailable = "Customer is not available."
)

// predict says what the answer to a request is: the checks in the order that is promised.
func (m *model) predict(r request) want {
	if r.op == "media" { // for which nobody needs a token
		picture, known := m.pictures[parseID(r.id)]
		if !known {
			return refuse(404, "Not found.")
		}
		return want{status: 200, body: func() any { return picture }}
	}
	kind, verb := r.kind()
	u, refusal := m.signIn(r.as)
	if refusal != "" && (kind != "roles" || r.as != "") {
		return refuse(401, refusal)
	}
	if number, _ := paging(r); number < 1 {
		return refuse(404, noSuchPage)
	}
	switch kind {
	case "customers":
		return m.predictCustomers(u, verb, r)
	case "users":
		return m.predictUsers(u, verb, r)
	case "roles":
		return m.predictRoles(verb, r)
	}
	o := m.organisations[parseID(r.id)]
	if o == nil && strings.Contains(methods[r.op].path, "{id}") {
		return refuse(404, "No CallManagingOrganisation matches the given query.")
	}
	switch r.op {
	case "list", "count":
		return m.list(r)
	case "create":
		return m.create(u, r)
	case "retrieve":
		return want{status: 200, body: func() any { return m.show(o) }}
	case "update", "patch":
		return m.update(u, o, r)
	case "destroy":
		return m.destroy(u, o)
	case "stats":
		return want{status: 200, body: func() any { return m.stats(o) }}
	case "listUsers", "countUsers":
		return m.listUsers(u, m.teamOf(o), r)
	}
	return m.manageRole(u, m.teamOf(o), verb, r)
}

// signIn returns who has the token, or why nobody has.
func (m *model) signIn(name string) (*user, string) {
	if name == "" {
		return nil, "Authentication credentials were not provided."
	}
	for _, u := range m.users {
		if u.Username != name {
			continue
		}
		if !u.IsActive {
			return nil, "User inactive or deleted."
		}
		if end := u.Tokens[0].Expires; end != nil && end.Before(m.now()) {
			return nil, "Token has expired."
		}
		return u, ""
	}
	return nil, "Invalid token."
}

// active says whether a grant counts at this moment. It does at the one at which it ends.
func (m *model) active(g *grant) bool {
	return g.Revoked == nil && (g.ExpirationTime == nil || !g.ExpirationTime.Before(m.now()))
}

func (g *grant) on(scope uuid.UUID) bool { return g.Scope.object() == scope }

// holds says whether a user holds a role on an object, such that it passes a test.
func (m *model) holds(u *user, on uuid.UUID, test func(*role) bool) bool {
	return slices.ContainsFunc(m.grants, func(g *grant) bool {
		return g.User == u.UUID && g.on(on) && m.active(g) && test(m.role(g.Role))
	})
}

// may says whether a user has a permission on an object.
func (m *model) may(u *user, permission string, on uuid.UUID) bool {
	return u.IsStaff || m.holds(u, on, func(r *role) bool { return slices.Contains(r.Permissions, permission) })
}

// role finds a role by its UUID or its exact name.
func (m *model) role(uuidOrName string) *role {
	for _, r := range m.roles {
		if r.Name == uuidOrName {
			return r
		}
	}
	return m.roles[parseID(uuidOrName)]
}

// parseID reads a UUID, with dashes or without, in either case; of a hyperlink, its last segment.
// It is uuid.Nil where there is none.
func parseID(text string) uuid.UUID {
	id, _ := uuid.Parse(path.Base(text))
	return id
}

// showTime is a time as answers have it: six digits of the second, or none where they are zero.
func showTime(t time.Time) string {
	if t.Truncate(time.Microsecond).Nanosecond() == 0 {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// showImage is the URL of an object's image, or nil.
func (m *model) showImage(owner uuid.UUID) any {
	image, has := m.imageOf[owner]
	if !has {
		return nil
	}
	return publicURL + "/api/media/" + image.String() + "/"
}

// stats counts what is going on in the active calls of an organisation.
func (m *model) stats(o *organisation) object {
	now, week := m.now(), m.now().Add(7*24*time.Hour)
	n := object{
		"open_calls": 0.0, "active_rounds": 0.0, "accepted_proposals": 0.0, "pending_proposals": 0.0, "pending_review": 0.0,
		"rounds_closing_in_one_week": 0.0, "calls_closing_in_one_week": 0.0, "offering_requests_pending": 0.0,
	}
	count := func(key string, counts bool) {
		if counts {
			n[key] = n[key].(float64) + 1
		}
	}
	for _, c := range m.calls {
		if c.Organisation != o.UUID || c.State != "active" {
			continue
		}
		count("open_calls", true)
		for _, state := range c.offerings {
			count("offering_requests_pending", state == "requested")
		}
		closes := false
		for _, r := range c.rounds {
			closing := !r.CutoffTime.Before(now) && !r.CutoffTime.After(week)
			closes = closes || closing
			count("rounds_closing_in_one_week", closing)
			count("active_rounds", !r.StartTime.After(now) && !r.CutoffTime.Before(now))
			count("accepted_proposals", r.proposal == "accepted")
			count("pending_proposals", r.proposal == "submitted" || r.proposal == "in_review")
			count("pending_review", r.review == "created" || r.review == "in_review")
		}
		count("calls_closing_in_one_week", closes)
	}
	return n
}

// load takes over what an import file changes.
func (m *model) load(w entries) {
	replace(m, "customer.import", m.customers, w.Customers)
	replace(m, "user.import", m.users, w.Users)
	replace(m, "role.import", m.roles, w.Roles)
	replace(m, "call.import", m.calls, w.Calls)
}

// replace puts rows in the place of those with the same keys.
func replace[T keyed](m *model, event string, rows map[uuid.UUID]*T, by []T) {
	for _, row := range by {
		if !reflect.DeepEqual(*rows[row.common().UUID], row) {
			rows[row.common().UUID] = &row
			m.events[event]++
		}
	}
}

// takeText takes over a text of the body.
func takeText(r request, name string, field *string) {
	if value, sent := r.body[name].(string); sent {
		*field = value
	}
}

// takeFlag takes over a flag of the body.
func takeFlag(r request, name string, field *bool) {
	if value, sent := r.body[name].(bool); sent {
		*field = value
	}
}

// sendsAny says whether a body has one of some fields.
func sendsAny(r request, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, sent := r.body[name]; return sent })
}

// flagIs says whether an object passes a filter by a flag.
func flagIs(r request, name string, value bool) bool {
	return !r.query.Has(name) || r.query.Get(name) == strconv.FormatBool(value)
}

// flagKey orders true after false.
func flagKey(value bool) string { return strconv.FormatBool(value) }

// narrow leaves of an object the fields that are asked for.
func narrow(all object, fields []string) object {
	maps.DeleteFunc(all, func(key string, _ any) bool { return len(fields) > 0 && !slices.Contains(fields, key) })
	return all
}

// orderBy compares by names that may begin with "-", of which keys are the texts that are compared bytewise. Ties
// are broken by uuid, from the last one where reversed.
func orderBy[T keyed](names []string, reversed bool, keys func(T) map[string]string) func(a, b T) int {
	return func(a, b T) int {
		x, y := keys(a), keys(b)
		for _, name := range names {
			bare, descending := strings.CutPrefix(name, "-")
			order := strings.Compare(x[bare], y[bare])
			if descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		order := strings.Compare(a.common().UUID.String(), b.common().UUID.String())
		if reversed {
			order = -order
		}
		return order
	}
}

// reversed says whether the first of some orders descends.
func reversed(names []string) bool { return strings.HasPrefix(names[0], "-") }

// paging returns the page that a list is asked for, 0 for what is no number, and its size.
func paging(r request) (number, size int) {
	number, size = 1, 10
	if text := r.query.Get("page_size"); text != "" {
		size, _ = strconv.Atoi(text)
	}
	if text := r.query.Get("page"); text != "" {
		var err error
		if number, err = strconv.Atoi(text); err != nil {
			number = 0
		}
	}
	return number, min(size, 300)
}

// page is the answer to a list: the asked page of some rows, in their order.
func page[T any](r request, rows []T, compare func(a, b T) int, show func(T) any) want {
	number, size := paging(r)
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
