package differential

import (
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/tests/world"
)

// actions draw the steps of a sequence from the model, so that most of them are about what is
// there.
func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"pause": m.action(func(t *rapid.T) step {
			d := m.model.drawPause(t)
			return step{"pause to " + showTime(m.clock.Now().Add(d)), func() error { m.clock.Advance(d); return nil }}
		}),
		"import": m.action(func(t *rapid.T) step {
			w := m.model.drawImport(t)
			return step{"import " + marshal(w), func() error { return m.load(w) }}
		}),
	}
	for op := range methods {
		actions[op] = m.action(func(t *rapid.T) step {
			r := m.model.draw(t, op)
			return step{r.String(), func() error { return m.send(r) }}
		})
	}
	for _, op := range []string{ // where most can go wrong, or where little succeeds
		"addUser", "updateUser", "list", "listUsers",
		"customers.addUser", "customers.updateUser", "customers.list", "users.list",
	} {
		actions[op+" again"] = actions[op]
	}
	return actions
}

func (m *machine) action(draw func(*rapid.T) step) func(*rapid.T) {
	return func(t *rapid.T) {
		m.steps++
		if err := rapid.Custom(draw).Draw(t, "step").take(); err != nil {
			t.Fatal(err)
		}
	}
}

// pick draws one of some values; failures are shortened towards the first of them.
func pick[T any](t *rapid.T, values ...T) T { return rapid.SampledFrom(values).Draw(t, "") }

// seldom is true once in a while.
func seldom(t *rapid.T) bool { return rapid.IntRange(0, 13).Draw(t, "") == 13 }

// someone draws who sends a request: mostly who may, by the roles of the world; seldom nobody,
// or who has no good token.
func someone(t *rapid.T, op string) string {
	if seldom(t) {
		return pick(t, "", "bob", "ines", "ivan", "stranger", "z_z")
	}
	if strings.HasPrefix(op, "roles.") && pick(t, true, false) {
		return "" // they are shown to everybody
	}
	switch able := pick(t, true, true, false); {
	case able && slices.Contains([]string{"customers.create", "customers.destroy", "users.patch"}, op):
		return pick(t, "sam", "sam", "tom")
	case able && slices.Contains([]string{"customers.update", "customers.patch"}, op):
		return pick(t, "sam", "olev", "tina")
	case able && strings.HasPrefix(op, "customers.") && strings.HasSuffix(op, "User"):
		return pick(t, "sam", "olev", "sam", "tina", "mira")
	case able && strings.HasPrefix(op, "customers."):
		return pick(t, "sam", "olev", "tina", "mira", "rex", "reg", "mari", "sue")
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
	switch kind, verb := r.kind(); kind {
	case "customers":
		m.drawCustomers(t, &r, verb)
		return r
	case "users":
		m.drawUsers(t, &r, verb)
		return r
	case "roles":
		m.drawRoles(t, &r, verb)
		return r
	}
	switch op {
	case "list", "count":
		r.query = m.drawListQuery(t)
	case "create":
		organisations, free := m.byCustomer()
		if len(free) == 0 || seldom(t) {
			free = []uuid.UUID{organisations[0].Customer, id('c', 999)}
		}
		m.drawOrganisationBody(t, &r, pick(t, free...))
	case "media":
		images := append(sortedIDs(m.pictures), m.gone...)
		slices.Reverse(images)
		r.id = spelled(t, pick(t, append(images, id('a', 1))...))
	default:
		o := m.drawOrganisation(t)
		r.id = spelled(t, o)
		switch op {
		case "update", "patch":
			customer := one(t, m.customers).UUID
			if known := m.organisations[o]; known != nil && !seldom(t) {
				customer = known.Customer
			}
			m.drawOrganisationBody(t, &r, customer)
		case "listUsers", "countUsers":
			r.query = m.drawMembersQuery(t, o)
		case "addUser", "updateUser", "deleteUser":
			m.drawRoleBody(t, &r, o, pick(t, "HELPER", "CUSTOMER.CALL_ORGANIZER"))
		}
	}
	return r
}

// sortedIDs are the keys of a map in their order, so that draws from it are the same in every run.
func sortedIDs[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
}

// one draws an object.
func one[V any](t *rapid.T, m map[uuid.UUID]V) V { return m[pick(t, sortedIDs(m)...)] }

// byCustomer are the organisations in the order of their customers, and the customers that have none.
func (m *model) byCustomer() (organisations []*organisation, free []uuid.UUID) {
	for _, customer := range sortedIDs(m.customers) {
		if o := m.organisationOf(customer); o != nil {
			organisations = append(organisations, o)
		} else {
			free = append(free, customer)
		}
	}
	return organisations, free
}

// drawOrganisation draws the first few, on which most is granted, or any one; seldom one that
// is gone, or was never there.
func (m *model) drawOrganisation(t *rapid.T) uuid.UUID {
	list, _ := m.byCustomer()
	if seldom(t) {
		return pick(t, append([]uuid.UUID{id('0', 999)}, m.gone...)...)
	}
	if pick(t, true, false) {
		list = list[:min(3, len(list))]
	}
	return pick(t, list...).UUID
}

// spelled draws one of the forms in which a UUID is read.
func spelled(t *rapid.T, id uuid.UUID) string {
	if seldom(t) {
		return pick(t, hex.EncodeToString(id[:]), strings.ToUpper(id.String()))
	}
	return id.String()
}

// drawPaging adds a page of some rows, and its size.
func drawPaging(t *rapid.T, query url.Values, rows int) {
	size := 10
	if pick(t, true, true, false) {
		size = pick(t, 1, 2, 3, 5, 7, max(1, rows), rows+1, 300, 301, 2147483647)
		query.Set("page_size", strconv.Itoa(size))
	}
	if pick(t, true, false) {
		last := max(1, (rows+size-1)/max(1, size)) // of an unfiltered list
		query.Set("page", strconv.Itoa(rapid.IntRange(1, last).Draw(t, "")))
	}
	if seldom(t) {
		query.Set("page", pick(t, "0", "400", "99999999999999999999"))
	}
}

// drawNames draws values of a list parameter, in one of the forms in which they are read.
func drawNames(t *rapid.T, query url.Values, name string, known ...string) {
	for range pick(t, 0, 1, 1, 2, 2, 3) {
		value := pick(t, known...)
		if name == "o" && pick(t, false, true) {
			value = "-" + value
		}
		query.Add(name, value)
	}
	if len(query[name]) > 1 && pick(t, true, false) {
		query.Set(name, strings.Join(query[name], ","))
	}
}

// part draws a part of one of the texts, in one of the forms that are found alike or not.
func part(t *rapid.T, texts []string) string {
	if seldom(t) {
		return pick(t, "", "%", "_", `\`, " ", "ss", "ß", "\x1f", "zzz", "'", strings.Repeat("x", 3000))
	}
	runes := []rune(pick(t, texts...))
	from := rapid.IntRange(0, len(runes)).Draw(t, "")
	to := rapid.IntRange(from, len(runes)).Draw(t, "")
	text := string(runes[from:to])
	return pick(t, text, strings.ToUpper(text), strings.ToLower(text), norm.NFD.String(text), " "+text+"\t")
}

const elsewhere = "http://elsewhere:8080"

// drawLink draws a hyperlink that begins with one of the servers, of which a filter needs none.
func drawLink(t *rapid.T, kind string, id uuid.UUID, servers ...string) string {
	return pick(t, servers...) + "/api/" + kind + "/" + spelled(t, id) + pick(t, "/", "")
}

func (m *model) drawListQuery(t *rapid.T) url.Values {
	query := url.Values{}
	if pick(t, false, true) {
		c := one(t, m.customers)
		query.Set("customer_keyword", part(t, []string{c.Name, c.Abbreviation, c.NativeName}))
	}
	if seldom(t) {
		kind := pick(t, "customers", "customer")
		query.Set("customer", drawLink(t, kind, one(t, m.customers).UUID, publicURL, elsewhere, ""))
	}
	if seldom(t) {
		query.Set("customer_uuid", spelled(t, one(t, m.customers).UUID))
	}
	drawNames(t, query, "o", "customer_name")
	drawPaging(t, query, len(m.organisations))
	return query
}

func (m *model) drawMembersQuery(t *rapid.T, o uuid.UUID) url.Values {
	query := url.Values{}
	for _, name := range []string{"full_name", "native_name", "role", "search_string", "user_slug", "username"} {
		if !seldom(t) {
			continue
		}
		u := one(t, m.users)
		texts := map[string][]string{
			"full_name": {u.fullName()}, "native_name": {u.NativeName}, "user_slug": {u.Username, u.Slug},
			"search_string": {u.fullName(), u.Email, u.Username}, "username": {u.Username}, "role": {pick(t, m.grants...).Role},
		}[name]
		query.Set(name, part(t, texts))
		if (name == "username" || name == "role") && pick(t, true, true, false) {
			query.Set(name, texts[0])
		}
		if name == "role" && pick(t, true, false) {
			query.Set(name, spelled(t, m.role(texts[0]).UUID))
		}
	}
	if seldom(t) {
		query.Set("user", spelled(t, one(t, m.users).UUID))
	}
	if seldom(t) {
		query.Set("user_url", drawLink(t, "users", one(t, m.users).UUID, publicURL, elsewhere, ""))
	}
	if pick(t, true, false) {
		drawNames(t, query, "field", "uuid", "created", "expiration_time", "role_name", "role_uuid", "user_email",
			"user_full_name", "user_username", "user_uuid", "user_image", "created_by_full_name", "created_by_uuid")
	}
	drawNames(t, query, "o", "created", "email", "expiration_time", "full_name", "native_name", "role", "username")
	drawPaging(t, query, len(m.grantsOn(o)))
	return query
}

// drawPause draws a bit of time, or how long it is to one of the next moments that matter, or
// to just after it.
func (m *model) drawPause(t *rapid.T) time.Duration {
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
	for _, c := range m.calls {
		for _, r := range c.rounds {
			add(&r.StartTime)
			add(&r.CutoffTime)
		}
	}
	for _, u := range m.users {
		add(u.Tokens[0].Expires)
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)
	next := pick(t, append([]time.Duration{time.Second}, moments[:min(3, len(moments))]...)...)
	return pick(t, time.Microsecond, time.Second, next, next+time.Microsecond, time.Hour, 24*time.Hour, 8*24*time.Hour)
}

// drawName draws a name of characters that are folded, decomposed, compared or escaped in
// some way of their own.
func drawName(t *rapid.T) string {
	characters := []rune("aBzZ1 -_%\\'\"~ßẞſKÅåÄä\u0301\u0308\u0327İıΣσςΆЁё日ﬁＡ😀\u00a0\u200d")
	return rapid.StringOfN(rapid.RuneFrom(characters), 1, 8, -1).Draw(t, "")
}

// drawImport draws an entry of the world, changed or as it is.
func (m *model) drawImport(t *rapid.T) entries {
	switch pick(t, "customer", "customer", "user", "role", "call") {
	case "customer":
		c := *one(t, m.customers)
		other := one(t, m.customers)
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
		return entries{Customers: []customer{c}}
	case "user":
		u := *one(t, m.users)
		other := one(t, m.users)
		switch pick(t, "texts", "active", "support", "nothing") {
		case "texts":
			u.FirstName, u.LastName, u.NativeName = drawName(t), drawName(t), other.fullName()
			u.Email, u.Slug = other.Email, other.Slug
		case "active":
			u.IsActive = u.Username == "sam" || !u.IsActive // sam is needed to the end
		case "support":
			u.IsSupport = !u.IsSupport
		}
		return entries{Users: []user{u}}
	case "role":
		r := *m.roles[id('b', pick(t, 1, 2, 3, 4, 5, 6, 7, 8))]
		r.IsActive = !r.IsActive
		return entries{Roles: []role{r}}
	}
	c := *one(t, m.calls)
	c.State = pick(t, "active", "draft", "archived")
	return entries{Calls: []call{c}}
}

var files = []file{
	{picture(11), true},
	{picture(12), true},
	{world.PNG(10, 10, 13), true},
	{world.PNG(11, 10, 13), false},
	{picture(14) + strings.Repeat("x", 1000-len(picture(14))), true},
	{picture(14) + strings.Repeat("x", 1001-len(picture(14))), false},
	{picture(15)[:len(picture(15))/2], true}, // with its header
	{picture(15)[:20], false},                // half of its header
	{"", false},
	{"<svg/>", false},
}

// drawOrganisationBody draws the body of create, update and partial update.
func (m *model) drawOrganisationBody(t *rapid.T, r *request, customer uuid.UUID) {
	r.media = pick(t, asJSON, asMultipart, asMultipart, asForm)
	r.body = map[string]any{}
	if r.op != "patch" || seldom(t) {
		r.body["customer"] = drawLink(t, pick(t, "customers", "customer"), customer, publicURL, elsewhere)
	}
	if pick(t, true, false) {
		r.body["description"] = pick(t, "Ünïcode 😀", "", " blanks ", "line\nline", `"'\%_<&>`, strings.Repeat("õ", 2000))
	}
	if pick(t, true, true, false) {
		drawImage(t, r)
	}
}

// drawImage adds an image to a body, or that there is none.
func drawImage(t *rapid.T, r *request) {
	part := pick[any](t, pick(t, files[:3]...), pick(t, files...), "")
	r.body["image"] = map[string]any{asJSON: nil, asForm: "", asMultipart: part}[r.media]
}

func (m *model) grantsOn(o uuid.UUID) []*grant {
	return slices.DeleteFunc(slices.Clone(m.grants), func(g *grant) bool { return !g.on(o) })
}

// drawRoleBody draws the body of a role action on an object: about an existing grant, or about any user and role,
// mostly one of the name.
func (m *model) drawRoleBody(t *rapid.T, r *request, on uuid.UUID, name string) {
	r.media = pick(t, asJSON, asForm, asMultipart)
	u, role := one(t, m.users), one(t, m.roles)
	if pick(t, true, false) {
		role = m.role(name)
	}
	_, verb := r.kind()
	grants, counts := m.grantsOn(on), pick(t, true, true, false)
	if verb != "addUser" {
		grants = slices.DeleteFunc(grants, func(g *grant) bool { return m.active(g) != counts })
	}
	var end *time.Time
	if len(grants) > 0 && (pick(t, true, false) || verb == "updateUser" && !seldom(t)) {
		g := pick(t, grants...)
		u, role, end = m.users[g.User], m.role(g.Role), g.ExpirationTime
	}
	r.body = map[string]any{"user": spelled(t, u.UUID), "role": pick(t, role.Name, role.Name, spelled(t, role.UUID))}
	if pick(t, true, true, false) {
		r.body["expiration_time"] = m.drawEnd(t, r.media)
	}
	if end != nil && pick(t, true, false) {
		r.body["expiration_time"] = showTime(end.Add(pick(t, 0, time.Microsecond, -time.Microsecond)))
	}
	if seldom(t) {
		r.body["user"] = id('e', 999).String()
	}
	if seldom(t) {
		r.body["role"] = pick(t, id('b', 999).String(), "NO.ROLE", strings.ToLower(role.Name))
	}
}

// drawEnd draws when a role ends: at a moment at which other roles end, soon, never, or too early.
func (m *model) drawEnd(t *rapid.T, media string) any {
	now := m.now()
	if media == asJSON && pick(t, true, false, false) {
		return nil
	}
	day := now.Truncate(24 * time.Hour) // so that the same moment is drawn again
	at := pick(t, day.AddDate(0, 0, 2), day.AddDate(0, 0, 1), day.AddDate(0, 0, 10), day.AddDate(0, 0, 100),
		now.Add(time.Hour), now.Add(time.Microsecond), now,
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), now.Add(-time.Microsecond))
	at = at.Add(pick(t, 0, 0, 0, 500*time.Nanosecond)) // more than is kept
	at = at.In(pick(t, time.UTC, time.FixedZone("", 2*3600), time.FixedZone("", -9*3600-1800)))
	if at.Year() > 9999 {
		at = at.UTC()
	}
	return at.Format(time.RFC3339Nano)
}
