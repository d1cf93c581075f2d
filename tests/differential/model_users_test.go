package differential

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// predictUsers says what the answer to a request under /api/users/ is.
func (m *model) predictUsers(u *user, verb string, r request) want {
	switch verb {
	case "list", "count":
		return m.listAllUsers(u, r)
	case "me":
		return want{status: 200, body: func() any { return narrow(m.showUser(u, u), r.names("field")) }}
	}
	other := m.users[parseID(r.id)]
	if other == nil || !m.sharesScope(u, other, anyRole) {
		return refuse(404, "No User matches the given query.")
	}
	if verb == "retrieve" {
		return want{status: 200, body: func() any { return narrow(m.showUser(u, other), r.names("field")) }}
	}
	return m.updateUser(u, other, r)
}

// customerOf is the customer on which a grant is, or on whose organisation.
func (m *model) customerOf(g *grant) *customer {
	if g.Scope.Customer != nil {
		return m.customers[*g.Scope.Customer]
	}
	return m.customers[m.organisations[*g.Scope.Organisation].Customer]
}

// holdsWhere says whether a user holds a role where a grant is, or on the customer of that organisation, such that
// it passes a test.
func (m *model) holdsWhere(u *user, g *grant, test func(*role) bool) bool {
	own := g.Scope.Organisation != nil && m.holds(u, *g.Scope.Organisation, test)
	return own || m.holds(u, m.customerOf(g).UUID, test)
}

// sharesScope says whether a user is the other, sees all, or holds a role that passes a test where the other holds
// one.
func (m *model) sharesScope(u, other *user, test func(*role) bool) bool {
	return u == other || u.seesAll() || slices.ContainsFunc(m.grants, func(g *grant) bool {
		return g.User == other.UUID && m.active(g) && m.holdsWhere(u, g, test)
	})
}

// showUser is a user as answers to a viewer have them.
func (m *model) showUser(viewer, u *user) object {
	shown := object{
		"url": publicURL + "/api/users/" + u.UUID.String() + "/", "uuid": u.UUID.String(), "username": u.Username,
		"slug": u.slug(), "full_name": u.fullName(), "first_name": u.FirstName, "last_name": u.LastName,
		"native_name": u.NativeName, "image": m.showImage(u.UUID), "date_joined": showTime(u.Created),
		"agreement_date": showTime(u.Created), "permissions": m.showPermissions(viewer, u),
	}
	if u.Email != "" && m.sharesScope(viewer, u, grants) {
		shown["email"] = u.Email
	}
	if viewer.seesAll() {
		shown["is_staff"], shown["is_support"], shown["is_active"] = u.IsStaff, u.IsSupport, u.IsActive
	}
	if viewer == u {
		shown["token"], shown["token_expires_at"] = tokenOf(u.Username), showEnd(u.Tokens[0].Expires)
	}
	return shown
}

// showPermissions are the roles of a user that a viewer sees, the oldest first.
func (m *model) showPermissions(viewer, u *user) []any {
	var rows []*grant
	for _, g := range m.grants {
		if g.User == u.UUID && m.active(g) && (viewer == u || viewer.seesAll() || m.holdsWhere(viewer, g, anyRole)) {
			rows = append(rows, g)
		}
	}
	slices.SortFunc(rows, orderBy([]string{"created"}, false, m.orderKeys))
	list := []any{}
	for _, g := range rows {
		role, c := m.role(g.Role), m.customerOf(g)
		shown := object{
			"user_uuid": u.UUID.String(), "user_name": u.fullName(), "user_slug": u.slug(), "created": showTime(g.Created),
			"expiration_time": showEnd(g.ExpirationTime), "role_name": role.Name, "role_description": role.Description,
			"role_uuid": role.UUID.String(), "scope_type": scopeTypes[role.Scope], "scope_uuid": c.UUID.String(),
			"scope_name": c.Name, "customer_uuid": c.UUID.String(), "customer_name": c.Name,
		}
		if g.Scope.Organisation != nil {
			shown["scope_uuid"] = g.Scope.Organisation.String()
		}
		if g.CreatedBy != nil {
			by := m.users[*g.CreatedBy]
			shown["created_by_full_name"], shown["created_by_username"] = by.fullName(), by.Username
		}
		list = append(list, shown)
	}
	return list
}

// scopeTypes are the names of the scopes in answers.
var scopeTypes = map[string]string{onCustomer: "customer", onOrganisation: "call_organizer"}

// listAllUsers is a page of the users whom a user sees.
func (m *model) listAllUsers(u *user, r request) want {
	var rows []*user
	for _, other := range m.users {
		if m.sharesScope(u, other, anyRole) && m.userMatches(u, other, r) {
			rows = append(rows, other)
		}
	}
	orders := slices.DeleteFunc(r.names("o"), func(name string) bool {
		return strings.HasSuffix(name, "email") && !u.seesAll() // the order would tell of addresses
	})
	if len(orders) == 0 {
		orders = []string{"username"}
	}
	keys := func(u *user) map[string]string {
		return map[string]string{
			"username": collate(u.Username), "full_name": collate(u.fullName()), "native_name": collate(u.NativeName),
			"email": collate(u.Email), "is_active": flagKey(u.IsActive), "is_staff": flagKey(u.IsStaff),
			"is_support": flagKey(u.IsSupport),
		}
	}
	show := func(other *user) any { return narrow(m.showUser(u, other), r.names("field")) }
	return page(r, rows, orderBy(orders, reversed(orders), keys), show)
}

func (m *model) userMatches(viewer, u *user, r request) bool {
	for _, name := range []string{"user_keyword", "query"} {
		keyword := r.query.Get(name)
		if !contains(u.fullName(), keyword) && !contains(u.NativeName, keyword) && !contains(u.Username, keyword) &&
			!(viewer.seesAll() && contains(u.Email, keyword)) {
			return false
		}
	}
	if r.query.Has("customer_uuid") && !m.seenOn(parseID(r.query.Get("customer_uuid")), viewer, u) {
		return false
	}
	address := r.query.Get("email")
	return (r.query.Get("username") == "" || r.query.Get("username") == u.Username) &&
		containsPlain(u.fullName(), r.query.Get("full_name")) && contains(u.NativeName, r.query.Get("native_name")) &&
		(address == "" || contains(u.Email, address) && m.sharesScope(viewer, u, grants)) &&
		flagIs(r, "is_active", u.IsActive) && flagIs(r, "is_staff", u.IsStaff) && flagIs(r, "is_support", u.IsSupport)
}

// seenOn says whether the viewer sees a role of a user on a customer or on its organisation.
func (m *model) seenOn(customer uuid.UUID, viewer, u *user) bool {
	return slices.ContainsFunc(m.grants, func(g *grant) bool {
		return g.User == u.UUID && m.active(g) && m.customerOf(g).UUID == customer &&
			(viewer.seesAll() || m.holdsWhere(viewer, g, anyRole))
	})
}

// containsPlain says whether a text holds another, in any case and without regard to accents.
func containsPlain(text, part string) bool {
	return strings.Contains(store.FoldAccents(text), store.FoldAccents(part))
}

// updateUser changes a user: their names and image by themselves, and everything by staff.
func (m *model) updateUser(u, other *user, r request) want {
	if !u.IsStaff && u != other {
		return refuse(403, forbidden)
	}
	differs := func(name string, is bool) bool {
		sent, has := r.body[name].(bool)
		return has && sent != is && !u.IsStaff
	}
	fields := map[string]bool{
		"is_active": differs("is_active", other.IsActive), "is_support": differs("is_support", other.IsSupport),
		"image": wrongImage(r),
	}
	if w, isWrong := wrong(fields); isWrong {
		return w
	}
	return want{
		status: 200,
		body:   func() any { return m.showUser(u, other) },
		change: func(got object) error {
			if len(r.body) > 0 {
				m.events["user.update"]++
			}
			takeText(r, "first_name", &other.FirstName)
			takeText(r, "last_name", &other.LastName)
			takeText(r, "native_name", &other.NativeName)
			takeFlag(r, "is_active", &other.IsActive)
			takeFlag(r, "is_support", &other.IsSupport)
			return m.setImage(&other.row, r, got)
		},
	}
}
