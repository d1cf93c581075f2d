package differential

import (
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"
)

// predictCustomers says what the answer to a request under /api/customers/ is.
func (m *model) predictCustomers(u *user, verb string, r request) want {
	if w, isWrong := wrongCustomer(verb, r); isWrong {
		return w
	}
	switch verb {
	case "list", "count":
		return m.listCustomers(u, r)
	case "create":
		return m.createCustomer(u, r)
	}
	c := m.customers[parseID(r.id)]
	if c == nil || !m.seesCustomer(u, c) {
		return refuse(404, "No Customer matches the given query.")
	}
	switch verb {
	case "retrieve":
		return want{status: 200, body: func() any { return narrow(m.showCustomer(c), r.names("field")) }}
	case "update", "patch":
		return m.updateCustomer(u, c, r)
	case "destroy":
		return m.destroyCustomer(u, c)
	case "listUsers", "countUsers":
		return m.listUsers(u, team{c.UUID, c}, r)
	case "listHolders", "countHolders":
		return m.listHolders(u, c, r)
	}
	return m.manageRole(u, team{c.UUID, c}, verb, r)
}

// wrongCustomer is the refusal of fields that are wrong whatever is there.
func wrongCustomer(verb string, r request) (want, bool) {
	name, named := r.body["name"].(string)
	country, _ := r.body["country"].(string)
	abbreviation, _ := r.body["abbreviation"].(string)
	missing := !named && (verb == "create" || verb == "update")
	return wrong(map[string]bool{
		"name":         missing || named && (name == "" || utf8.RuneCountInString(name) > 150),
		"abbreviation": utf8.RuneCountInString(abbreviation) > 12,
		"country":      country != "" && len(country) != 2,
	})
}

// seesCustomer says whether a user sees a customer: everybody sees those with an organisation.
func (m *model) seesCustomer(u *user, c *customer) bool {
	return u.seesAll() || m.organisationOf(c.UUID) != nil || m.holds(u, c.UUID, anyRole)
}

// showCustomer is a customer as answers have it.
func (m *model) showCustomer(c *customer) object {
	holders := map[uuid.UUID]bool{}
	for _, g := range m.grants {
		if g.on(c.UUID) && m.active(g) && m.users[g.User].IsActive {
			holders[g.User] = true
		}
	}
	shown := object{
		"url": publicURL + customersPath + c.UUID.String() + "/", "uuid": c.UUID.String(), "created": showTime(c.Created),
		"name": c.Name, "native_name": c.NativeName, "abbreviation": c.Abbreviation, "country": c.Country,
		"image": m.showImage(c.UUID), "blocked": c.Blocked, "archived": c.Archived, "users_count": float64(len(holders)),
		"call_managing_organization_uuid": nil, "organization_groups": []any{},
	}
	if o := m.organisationOf(c.UUID); o != nil {
		shown["call_managing_organization_uuid"] = o.UUID.String()
	}
	return shown
}

// listCustomers is a page of the customers on which a user holds a role, or of all.
func (m *model) listCustomers(u *user, r request) want {
	var rows []*customer
	for _, c := range m.customers {
		if (u.seesAll() || m.holds(u, c.UUID, anyRole)) && m.customerMatches(u, c, r) {
			rows = append(rows, c)
		}
	}
	orders := r.names("o")
	if len(orders) == 0 {
		orders = []string{"name"}
	}
	keys := func(c *customer) map[string]string {
		return map[string]string{
			"name": collate(c.Name), "abbreviation": collate(c.Abbreviation), "native_name": collate(c.NativeName),
			"created": c.Created.Format(sortable),
		}
	}
	show := func(c *customer) any { return narrow(m.showCustomer(c), r.names("field")) }
	return page(r, rows, orderBy(orders, reversed(orders), keys), show)
}

func (m *model) customerMatches(u *user, c *customer, r request) bool {
	if r.query.Has("user_uuid") {
		holder := m.users[parseID(r.query.Get("user_uuid"))]
		if holder == nil || !m.holds(holder, c.UUID, anyRole) {
			return false
		}
	}
	isOwner := func(r *role) bool { return r.Name == "CUSTOMER.OWNER" }
	if r.query.Get("owned_by_current_user") == "true" && !m.holds(u, c.UUID, isOwner) {
		return false
	}
	exact, keyword := r.query.Get("name_exact"), r.query.Get("query")
	return (exact == "" || exact == c.Name) && flagIs(r, "archived", c.Archived) &&
		contains(c.Name, r.query.Get("name")) && contains(c.Abbreviation, r.query.Get("abbreviation")) &&
		contains(c.NativeName, r.query.Get("native_name")) &&
		(contains(c.Name, keyword) || contains(c.Abbreviation, keyword) || contains(c.NativeName, keyword))
}

func (m *model) createCustomer(u *user, r request) want {
	if !u.IsStaff {
		return refuse(403, forbidden)
	}
	if w, isWrong := wrong(map[string]bool{"image": wrongImage(r)}); isWrong {
		return w
	}
	c := &customer{Created: m.now()}
	return want{
		status: 201,
		body:   func() any { return m.showCustomer(c) },
		change: func(got object) error {
			made, err := m.newID(got["uuid"])
			if err != nil {
				return err
			}
			c.UUID = made
			m.customers[made] = c
			m.events["customer.create"]++
			return m.setCustomer(c, r, got)
		},
	}
}

// setCustomer changes a customer to what a body says.
func (m *model) setCustomer(c *customer, r request, got object) error {
	takeText(r, "name", &c.Name)
	takeText(r, "native_name", &c.NativeName)
	takeText(r, "abbreviation", &c.Abbreviation)
	takeText(r, "country", &c.Country)
	takeFlag(r, "blocked", &c.Blocked)
	takeFlag(r, "archived", &c.Archived)
	return m.setImage(&c.row, r, got)
}

func (m *model) updateCustomer(u *user, c *customer, r request) want {
	if !m.mayChange(u, c.UUID) {
		return refuse(403, forbidden)
	}
	differs := func(name string, is bool) bool {
		sent, has := r.body[name].(bool)
		return has && sent != is && !u.IsStaff
	}
	fields := map[string]bool{
		"blocked": differs("blocked", c.Blocked), "archived": differs("archived", c.Archived), "image": wrongImage(r),
	}
	if w, isWrong := wrong(fields); isWrong {
		return w
	}
	return want{
		status: 200,
		body:   func() any { return m.showCustomer(c) },
		change: func(got object) error {
			if len(r.body) > 0 {
				m.events["customer.update"]++
			}
			return m.setCustomer(c, r, got)
		},
	}
}

func (m *model) destroyCustomer(u *user, c *customer) want {
	if !u.IsStaff {
		return refuse(403, forbidden)
	}
	if m.organisationOf(c.UUID) != nil {
		return refuse(400, "Cannot delete customer with existing call managing organisation.")
	}
	return want{status: 204, change: func(object) error {
		m.forgetImage(c.UUID)
		m.grants = slices.DeleteFunc(m.grants, func(g *grant) bool { return g.on(c.UUID) })
		delete(m.customers, c.UUID)
		m.gone = append(m.gone, c.UUID)
		m.events["customer.delete"]++
		return nil
	}}
}

// listHolders is a page of the users who hold a role on a customer, each with the oldest of their active grants.
func (m *model) listHolders(u *user, c *customer, r request) want {
	t := team{c.UUID, c}
	if !m.mayList(u, t) {
		return refuse(403, forbidden)
	}
	oldest := map[uuid.UUID]*grant{}
	before := orderBy([]string{"created"}, false, m.orderKeys)
	for _, g := range m.grants {
		if g.on(c.UUID) && m.active(g) && (oldest[g.User] == nil || before(g, oldest[g.User]) < 0) {
			oldest[g.User] = g
		}
	}
	emails := m.seesEmails(u, t)
	var rows []*grant
	for _, g := range oldest {
		if m.holderMatches(m.users[g.User], r, emails, emails || g.User == u.UUID) {
			rows = append(rows, g)
		}
	}
	orders := []string{"created"}
	switch r.query.Get("o") {
	case "concatenated_name":
		orders = []string{"full_name", "username"}
	case "-concatenated_name":
		orders = []string{"-full_name", "-username"}
	}
	show := func(g *grant) any {
		return narrow(m.showHolder(g, emails || g.User == u.UUID), r.names("field"))
	}
	return page(r, rows, orderBy(orders, false, m.orderKeys), show)
}

// holderMatches says whether a user passes the filters; emails says that the caller sees all e-mail addresses of
// the team, and email that they see this one.
func (m *model) holderMatches(h *user, r request, emails, email bool) bool {
	keyword, address := r.query.Get("user_keyword"), r.query.Get("email")
	return (r.query.Get("username") == "" || r.query.Get("username") == h.Username) &&
		containsPlain(h.fullName(), r.query.Get("full_name")) && flagIs(r, "is_active", h.IsActive) &&
		(address == "" || email && contains(h.Email, address)) &&
		(contains(h.fullName(), keyword) || contains(h.NativeName, keyword) || contains(h.Username, keyword) ||
			emails && contains(h.Email, keyword))
}

// showHolder is a user who holds a role on a customer, as answers have it.
func (m *model) showHolder(g *grant, email bool) object {
	h := m.users[g.User]
	shown := object{
		"url": publicURL + "/api/users/" + h.UUID.String() + "/", "uuid": h.UUID.String(), "username": h.Username,
		"full_name": h.fullName(), "image": m.showImage(h.UUID), "role_name": g.Role,
		"expiration_time": showEnd(g.ExpirationTime),
	}
	if email && h.Email != "" {
		shown["email"] = h.Email
	}
	return shown
}
