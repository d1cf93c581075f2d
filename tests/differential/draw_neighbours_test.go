package differential

import (
	"net/url"
	"strings"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// drawCustomers draws a request under /api/customers/.
func (m *model) drawCustomers(t *rapid.T, r *request, verb string) {
	switch verb {
	case "list", "count":
		r.query = m.drawCustomersQuery(t)
		return
	case "create":
		m.drawCustomerBody(t, r)
		return
	}
	c := m.drawCustomer(t, verb)
	r.id = spelled(t, c)
	switch verb {
	case "retrieve":
		r.query = url.Values{}
		drawCustomerFields(t, r.query)
	case "update", "patch":
		m.drawCustomerBody(t, r)
	case "listUsers", "countUsers":
		r.query = m.drawMembersQuery(t, c)
	case "listHolders", "countHolders":
		r.query = m.drawHoldersQuery(t, c)
	case "addUser", "updateUser", "deleteUser":
		m.drawRoleBody(t, r, c, pick(t, "CUSTOMER.MANAGER", "CUSTOMER.OWNER", "steward"))
	}
}

// drawCustomer draws one of the first few, on which most is granted, or any one, and to retrieve and delete one
// without an organisation; seldom one that is gone, or was never there.
func (m *model) drawCustomer(t *rapid.T, verb string) uuid.UUID {
	_, free := m.byCustomer()
	all := sortedIDs(m.customers)
	switch {
	case seldom(t):
		return pick(t, append([]uuid.UUID{id('c', 999)}, m.gone...)...)
	case len(free) > 0 && pick(t, verb == "destroy", verb == "destroy", verb == "retrieve", false):
		return pick(t, free...)
	case pick(t, true, true, false):
		return pick(t, all[:min(3, len(all))]...)
	}
	return pick(t, all...)
}

func drawCustomerFields(t *rapid.T, query url.Values) {
	if pick(t, false, true) {
		drawNames(t, query, "field", "uuid", "url", "created", "name", "native_name", "abbreviation", "country", "image",
			"blocked", "archived", "users_count", "call_managing_organization_uuid", "organization_groups")
	}
}

// drawFlag seldom adds a filter by a flag.
func drawFlag(t *rapid.T, query url.Values, name string) {
	if seldom(t) {
		query.Set(name, pick(t, "true", "false"))
	}
}

func (m *model) drawCustomersQuery(t *rapid.T) url.Values {
	query := url.Values{}
	for _, name := range []string{"name", "abbreviation", "native_name", "query"} {
		if !seldom(t) {
			continue
		}
		c := one(t, m.customers)
		texts := map[string][]string{
			"name": {c.Name}, "abbreviation": {c.Abbreviation}, "native_name": {c.NativeName},
			"query": {c.Name, c.Abbreviation, c.NativeName},
		}[name]
		query.Set(name, part(t, texts))
	}
	if seldom(t) {
		name := one(t, m.customers).Name
		query.Set("name_exact", pick(t, name, name, strings.ToUpper(name)))
	}
	if seldom(t) {
		query.Set("user_uuid", spelled(t, pick(t, append(sortedIDs(m.users), id('e', 999))...)))
	}
	drawFlag(t, query, "archived")
	drawFlag(t, query, "owned_by_current_user")
	drawCustomerFields(t, query)
	drawNames(t, query, "o", "name", "abbreviation", "native_name", "created")
	drawPaging(t, query, len(m.customers))
	return query
}

func (m *model) drawHoldersQuery(t *rapid.T, c uuid.UUID) url.Values {
	query := url.Values{}
	u := one(t, m.users)
	m.drawUserTexts(t, query, "full_name", "username", "email", "user_keyword")
	if seldom(t) {
		query.Set("username", u.Username)
	}
	drawFlag(t, query, "is_active")
	if pick(t, true, false) {
		query.Set("o", pick(t, "concatenated_name", "-concatenated_name"))
	}
	if pick(t, true, false) {
		drawNames(t, query, "field", "email", "expiration_time", "full_name", "image", "role_name", "url", "username", "uuid")
	}
	drawPaging(t, query, len(m.grantsOn(c)))
	return query
}

// drawUserTexts seldom adds filters by texts of users.
func (m *model) drawUserTexts(t *rapid.T, query url.Values, names ...string) {
	for _, name := range names {
		if !seldom(t) {
			continue
		}
		u := one(t, m.users)
		texts := map[string][]string{
			"full_name": {u.fullName()}, "native_name": {u.NativeName}, "username": {u.Username}, "email": {u.Email},
			"user_keyword": {u.fullName(), u.NativeName, u.Username, u.Email}, "query": {u.fullName(), u.Email},
		}[name]
		query.Set(name, part(t, texts))
	}
}

// drawCustomerBody draws the body of create, update and partial update.
func (m *model) drawCustomerBody(t *rapid.T, r *request) {
	r.media = pick(t, asJSON, asMultipart, asMultipart, asForm)
	r.body = map[string]any{}
	if !strings.HasSuffix(r.op, "patch") || pick(t, true, false) {
		r.body["name"] = pick(t, drawName(t), one(t, m.customers).Name, strings.Repeat("õ", 150))
	}
	if seldom(t) {
		r.body["name"] = pick(t, "", strings.Repeat("õ", 151))
	}
	if seldom(t) {
		delete(r.body, "name")
	}
	if pick(t, true, false) {
		r.body["native_name"] = pick(t, drawName(t), "")
	}
	if pick(t, true, false) {
		r.body["abbreviation"] = pick(t, "", drawName(t), one(t, m.customers).Abbreviation)
	}
	if pick(t, true, false) {
		r.body["country"] = pick(t, "EE", "DE", "")
	}
	if seldom(t) {
		r.body[pick(t, "abbreviation", "country")] = "thirteen char"
	}
	for _, name := range []string{"blocked", "archived"} {
		if pick(t, false, false, true) {
			r.body[name] = pick(t, false, true)
		}
	}
	if pick(t, true, true, false) {
		drawImage(t, r)
	}
}

// drawUsers draws a request under /api/users/.
func (m *model) drawUsers(t *rapid.T, r *request, verb string) {
	u := one(t, m.users)
	if pick(t, true, false) {
		u = m.users[id('e', pick(t, 1, 2, 3, 4))] // on whom most is granted
	}
	if verb == "retrieve" || verb == "patch" {
		r.id = spelled(t, u.UUID)
		if seldom(t) {
			r.id = id('e', 999).String()
		}
	}
	switch verb {
	case "list", "count":
		r.query = m.drawUsersQuery(t)
	case "me", "retrieve":
		r.query = url.Values{}
		drawUserFields(t, r.query)
	case "patch":
		if seldom(t) {
			r.as = u.Username
		}
		drawUserBody(t, r, u)
	}
}

func drawUserFields(t *rapid.T, query url.Values) {
	if pick(t, false, true) {
		drawNames(t, query, "field", "url", "uuid", "username", "slug", "full_name", "first_name", "last_name",
			"native_name", "email", "image", "is_staff", "is_support", "is_active", "date_joined", "agreement_date",
			"token", "token_expires_at", "permissions")
	}
}

func (m *model) drawUsersQuery(t *rapid.T) url.Values {
	query := url.Values{}
	m.drawUserTexts(t, query, "full_name", "native_name", "email", "user_keyword", "query")
	if seldom(t) {
		query.Set("username", one(t, m.users).Username)
	}
	if seldom(t) {
		query.Set("customer_uuid", spelled(t, m.drawCustomer(t, "")))
	}
	for _, name := range []string{"is_active", "is_staff", "is_support"} {
		drawFlag(t, query, name)
	}
	drawUserFields(t, query)
	drawNames(t, query, "o", "username", "email", "full_name", "native_name", "is_active", "is_staff", "is_support")
	drawPaging(t, query, len(m.users))
	return query
}

// drawUserBody draws the body of a partial update of a user.
func drawUserBody(t *rapid.T, r *request, u *user) {
	r.media = pick(t, asJSON, asMultipart, asForm)
	r.body = map[string]any{}
	for _, name := range []string{"first_name", "last_name", "native_name"} {
		if pick(t, true, false) {
			r.body[name] = pick(t, drawName(t), "", strings.Repeat("õ", 100))
		}
	}
	if u.Username != "sam" && pick(t, false, false, true) { // sam is needed to the end
		r.body["is_active"] = pick(t, true, false)
	}
	if pick(t, false, false, true) {
		r.body["is_support"] = pick(t, true, false)
	}
	if pick(t, false, false, true) {
		drawImage(t, r)
	}
}

// drawRoles draws a request under /api/roles/.
func (m *model) drawRoles(t *rapid.T, r *request, verb string) {
	r.query = url.Values{}
	role := one(t, m.roles)
	if verb == "retrieve" {
		r.id = spelled(t, role.UUID)
		if seldom(t) {
			r.id = id('b', 999).String()
		}
	} else {
		if pick(t, false, false, true) {
			r.query.Set("name", part(t, []string{role.Name}))
		}
		if pick(t, false, false, true) {
			r.query.Set("description", part(t, []string{role.Description}))
		}
		drawFlag(t, r.query, "is_active")
		drawPaging(t, r.query, len(m.roles))
	}
	if pick(t, true, false) {
		drawNames(t, r.query, "field", "content_type", "description", "is_active", "name", "permissions", "uuid")
	}
}
