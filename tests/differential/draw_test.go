package differential

import (
	"cmp"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// actions draw the steps of a sequence from the model, so that most of them are about what is
// there.
func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"pause":  action(m, func(t *rapid.T) pause { return m.model.drawPause(t) }),
		"import": action(m, func(t *rapid.T) world { return m.model.drawImport(t) }),
	}
	for op := range methods {
		actions[op] = action(m, func(t *rapid.T) request { return m.model.draw(t, op) })
	}
	for _, op := range []string{"addUser", "list", "listUsers"} { // where most can go wrong
		actions[op+" again"] = actions[op]
	}
	return actions
}

func action[S step](m *machine, draw func(*rapid.T) S) func(*rapid.T) {
	return func(t *rapid.T) {
		if err := m.take(rapid.Custom(draw).Draw(t, "step")); err != nil {
			t.Fatal(err)
		}
	}
}

// pick draws one of some values; failures are shortened towards the first of them.
func pick[T any](t *rapid.T, values ...T) T { return rapid.SampledFrom(values).Draw(t, "") }

// seldom is true once in a while.
func seldom(t *rapid.T) bool {
	return pick(t, false, false, false, false, false, false, false, false, false, false, false, false, false, true)
}

// someone draws who sends a request: mostly who may, by the roles of the world; seldom nobody,
// or who has no good token.
func someone(t *rapid.T, op string) string {
	if seldom(t) {
		return pick(t, "", "bob", "ines", "ivan", "stranger", "z_z")
	}
	switch able := pick(t, true, true, false); {
	case able && op == "create":
		return pick(t, "sam", "reg", "sam", "tom", "tina")
	case able && slices.Contains([]string{"update", "patch", "destroy"}, op):
		return pick(t, "sam", "olev", "sam", "tina")
	case able:
		return pick(t, "sam", "olev", "carl", "cora", "mira", "uma", "rex", "tina")
	}
	return pick(t, "sam", "olev", "carl", "mira", "cora", "tina", "reg", "tom", "uma", "rex", "mari", "sue")
}

// draw draws a request of one operation.
func (m *model) draw(t *rapid.T, op string) request {
	r := request{as: someone(t, op), op: op}
	switch op {
	case "list", "count":
		r.query = m.drawListQuery(t)
	case "create":
		m.drawOrganisationBody(t, &r, func() any {
			var free []string
			for _, c := range m.sortedCustomers() {
				if !slices.ContainsFunc(m.sortedOrganisations(), func(o *organisation) bool { return o.Customer == c.UUID }) {
					free = append(free, c.UUID.String())
				}
			}
			if len(free) == 0 || seldom(t) {
				free = []string{m.sortedOrganisations()[0].Customer.String(), id('c', 999).String()}
			}
			return customerLink(t, pick(t, free...))
		})
	case "media":
		images := []string{id('a', 1).String(), "no-id"}
		for _, image := range append(sortedIDs(m.pictures), m.gone...) {
			images = append(images, image.String())
		}
		slices.Reverse(images)
		r.id = spelled(t, pick(t, images...))
	default:
		o := m.drawOrganisation(t)
		r.id = drawID(t, o)
		switch op {
		case "update", "patch":
			m.drawOrganisationBody(t, &r, func() any {
				own := id('c', 999)
				if known := m.organisations[o]; known != nil {
					own = known.Customer
				}
				if seldom(t) {
					own = pick(t, m.sortedCustomers()...).UUID
				}
				return customerLink(t, own.String())
			})
		case "listUsers", "countUsers":
			r.query = m.drawMembersQuery(t, o)
		case "addUser", "updateUser", "deleteUser":
			m.drawRoleBody(t, &r, o)
		case "retrieve", "stats":
			if seldom(t) { // the list's filters are none of a detail's
				r.query = url.Values{"customer_uuid": {"no-id"}, "page": {"0"}}
			}
		}
	}
	return r
}

// sortedIDs makes draws from a map the same in every run.
func sortedIDs[V any](m map[uuid.UUID]V) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return cmp.Compare(a.String(), b.String()) })
	return ids
}

func (m *model) sortedCustomers() []*customer {
	var list []*customer
	for _, id := range sortedIDs(m.customers) {
		list = append(list, m.customers[id])
	}
	return list
}

func (m *model) sortedUsers() []*user {
	var list []*user
	for _, id := range sortedIDs(m.users) {
		list = append(list, m.users[id])
	}
	return list
}

// sortedOrganisations are the organisations in the order of their customers.
func (m *model) sortedOrganisations() []*organisation {
	var list []*organisation
	for _, id := range sortedIDs(m.organisations) {
		list = append(list, m.organisations[id])
	}
	slices.SortStableFunc(list, func(a, b *organisation) int { return cmp.Compare(a.Customer.String(), b.Customer.String()) })
	return list
}

// drawOrganisation draws the first few, on which most is granted, or any one; seldom one that
// is gone, or was never there.
func (m *model) drawOrganisation(t *rapid.T) uuid.UUID {
	list := m.sortedOrganisations()
	if seldom(t) {
		return pick(t, append([]uuid.UUID{id('0', 999)}, m.gone...)...)
	}
	if pick(t, true, false) {
		list = list[:min(3, len(list))]
	}
	return pick(t, list...).UUID
}

// drawID draws how the id stands in the path; seldom what stands there is none.
func drawID(t *rapid.T, id uuid.UUID) string {
	if seldom(t) {
		return pick(t, "no-id", "0", "{"+id.String()+"}", "urn:uuid:"+id.String(), id.String()+"0", id.String()[:35])
	}
	return spelled(t, id.String())
}

// spelled draws one of the forms in which a UUID is read.
func spelled(t *rapid.T, id string) string {
	switch parsed, isID := parseID(id); {
	case !isID || !seldom(t):
		return id
	case pick(t, true, false):
		return hex.EncodeToString(parsed[:])
	}
	return strings.ToUpper(id)
}

// drawPaging adds a page of some rows, and its size.
func drawPaging(t *rapid.T, query url.Values, rows int) {
	size := 10
	if pick(t, true, true, false) {
		size = pick(t, 1, 2, 3, 5, 7, rows, rows+1, 300, 301, 2147483647)
		query.Set("page_size", strconv.Itoa(size))
	}
	if pick(t, true, false) {
		last := max(1, (rows+size-1)/max(1, size)) // of an unfiltered list
		query.Set("page", strconv.Itoa(rapid.IntRange(1, last).Draw(t, "")))
	}
	if seldom(t) {
		query.Set("page_size", pick(t, "0", "-1", "ten", "", "1.5", "2147483648", "99999999999999999999"))
	}
	if seldom(t) {
		query.Set("page", pick(t, "0", "-1", "last", "", "2.5", "400", "99999999999999999999"))
	}
	if seldom(t) {
		query.Set("colour", "blue") // not a parameter
	}
}

// drawNames draws values of a list parameter, in one of the forms in which they are read.
func drawNames(t *rapid.T, query url.Values, name string, known []string) {
	var values []string
	for range pick(t, 0, 1, 1, 2, 2, 3) {
		value := pick(t, known...)
		if name == "o" && pick(t, false, true) {
			value = "-" + value
		}
		if seldom(t) {
			value = pick(t, "colour", "", "-", "--created", " created")
		}
		values = append(values, value)
	}
	if len(values) > 1 && pick(t, true, false) {
		values = []string{strings.Join(values, ",")}
	}
	if len(values) > 0 {
		query[name] = values
	}
}

// part draws a part of one of the texts, in one of the forms that are found alike or not.
func part(t *rapid.T, texts []string) string {
	if seldom(t) {
		return pick(t, "", "%", "_", `\`, " ", "ss", "ß", "\x1f", "zzz", "\x00", "'", strings.Repeat("x", 3000))
	}
	runes := []rune(pick(t, texts...))
	from := rapid.IntRange(0, len(runes)).Draw(t, "")
	to := rapid.IntRange(from, len(runes)).Draw(t, "")
	text := string(runes[from:to])
	return pick(t, text, strings.ToUpper(text), strings.ToLower(text), norm.NFD.String(text), " "+text+"\t")
}

// drawLink draws a hyperlink that a filter reads, or does not.
func drawLink(t *rapid.T, kind, id string) string {
	path := "/api/" + kind + "/" + spelled(t, id)
	if seldom(t) {
		return pick(t, "", "abc", id, "/api/roles/"+id+"/", "ftp://host"+path, "http://"+path, path+"/x", path+"\x00", "//host"+path)
	}
	return pick(t, publicURL, "http://elsewhere", "") + path + pick(t, "/", "")
}

// again adds an earlier value, of which the last one counts.
func again(t *rapid.T, query url.Values) {
	for _, name := range sortedKeys(query) {
		if name != "o" && name != "field" && seldom(t) {
			query[name] = append([]string{pick(t, "", "other")}, query[name]...)
		}
	}
}

func (m *model) drawListQuery(t *rapid.T) url.Values {
	query := url.Values{}
	customers := m.sortedCustomers()
	if pick(t, false, true) {
		c := pick(t, customers...)
		query.Set("customer_keyword", part(t, []string{c.Name, c.Abbreviation, c.NativeName}))
	}
	if seldom(t) {
		query.Set("customer", drawLink(t, pick(t, "customers", "customer"), pick(t, customers...).UUID.String()))
	}
	if seldom(t) {
		query.Set("customer_uuid", drawID(t, pick(t, customers...).UUID))
	}
	drawNames(t, query, "o", organisationOrders)
	drawPaging(t, query, len(m.organisations))
	again(t, query)
	return query
}

func (m *model) drawMembersQuery(t *rapid.T, o uuid.UUID) url.Values {
	query := url.Values{}
	users := m.sortedUsers()
	for _, name := range textFilters {
		if !seldom(t) {
			continue
		}
		u := pick(t, users...)
		texts := map[string][]string{
			"full_name": {u.FullName}, "native_name": {u.NativeName}, "user_slug": {u.Username, u.Slug},
			"search_string": {u.FullName, u.Email, u.Username}, "username": {u.Username}, "role": {pick(t, m.grants...).Role},
		}[name]
		query.Set(name, part(t, texts))
		if (name == "username" || name == "role") && pick(t, true, true, false) {
			query.Set(name, texts[0])
		}
		if name == "role" && pick(t, true, false) {
			query.Set(name, drawID(t, m.role(texts[0]).UUID))
		}
	}
	if seldom(t) {
		query.Set("user", drawID(t, pick(t, users...).UUID))
	}
	if seldom(t) {
		query.Set("user_url", drawLink(t, "users", pick(t, users...).UUID.String()))
	}
	if pick(t, true, false) {
		drawNames(t, query, "field", memberFields)
	}
	drawNames(t, query, "o", memberOrders)
	drawPaging(t, query, len(m.grantsOn(o)))
	again(t, query)
	return query
}

// drawPause draws a bit of time, or how long it is to one of the next moments that matter, or
// to just after it.
func (m *model) drawPause(t *rapid.T) pause {
	now := m.now()
	var moments []time.Duration
	add := func(at *time.Time) {
		if at != nil && at.After(now) {
			moments = append(moments, at.Sub(now))
		}
	}
	for _, g := range m.grants {
		add(g.ExpirationTime)
	}
	for _, r := range m.rounds {
		add(&r.StartTime)
		add(&r.CutoffTime)
	}
	for _, u := range m.users {
		add(u.Tokens[0].Expires)
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)
	next := pick(t, append([]time.Duration{time.Second}, moments[:min(3, len(moments))]...)...)
	return pause(pick(t, time.Microsecond, time.Second, next, next+time.Microsecond, time.Hour, 24*time.Hour, 8*24*time.Hour))
}

// drawName draws a name of characters that are folded, decomposed, compared or escaped in
// some way of their own.
func drawName(t *rapid.T) string {
	characters := []rune("aBzZ1 -_%\\'\"~ßẞſKÅåÄä\u0301\u0308\u0327İıΣσςΆЁё日ﬁＡ😀\u00a0\u200d")
	return rapid.StringOfN(rapid.RuneFrom(characters), 1, 8, -1).Draw(t, "")
}

// drawImport draws an entry of the world, changed or as it is.
func (m *model) drawImport(t *rapid.T) world {
	switch pick(t, "customer", "customer", "user", "role", "call") {
	case "customer":
		c := *pick(t, m.sortedCustomers()...)
		other := pick(t, m.sortedCustomers()...)
		switch pick(t, "name", "name", "texts", "blocked", "archived", "nothing") {
		case "name":
			c.Name = pick(t, other.Name, drawName(t), strings.ToUpper(c.Name), norm.NFD.String(c.Name))
		case "texts":
			c.Abbreviation, c.NativeName = other.Abbreviation, drawName(t)
		case "blocked":
			c.Blocked = !c.Blocked
		case "archived":
			c.Archived = !c.Archived
		}
		return world{Customers: []customer{c}}
	case "user":
		u := *pick(t, m.sortedUsers()...)
		other := pick(t, m.sortedUsers()...)
		switch pick(t, "texts", "active", "support", "nothing") {
		case "texts":
			u.FullName, u.NativeName, u.Email, u.Slug = drawName(t), other.FullName, other.Email, other.Slug
		case "active":
			u.IsActive = u.Username == "sam" || !u.IsActive // sam is needed to the end
		case "support":
			u.IsSupport = !u.IsSupport
		}
		return world{Users: []user{u}}
	case "role":
		r := *m.roles[id('b', pick(t, 1, 2, 3, 4, 5, 6, 7))]
		r.IsActive = !r.IsActive
		return world{Roles: []role{r}}
	}
	c := *pick(t, m.calls...)
	c.State = pick(t, "active", "draft", "archived")
	return world{Calls: []call{c}}
}
