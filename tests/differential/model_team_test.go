package differential

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// team is who holds roles on an object, whose id it has: on an organisation or on a customer.
type team struct {
	id       uuid.UUID
	customer *customer // of the organisation, or the object itself
}

func (m *model) teamOf(o *organisation) team { return team{o.UUID, m.customers[o.Customer]} }

func (t team) ofCustomer() bool { return t.id == t.customer.UUID }

// anyRole passes every role.
func anyRole(*role) bool { return true }

// mayList says whether a user may list a team: by any role in it, or on the organisation's customer.
func (m *model) mayList(u *user, t team) bool {
	return u.seesAll() || m.holds(u, t.id, anyRole) || m.holds(u, t.customer.UUID, anyRole)
}

// seesEmails says whether a user sees the e-mail addresses of a team, beside their own.
func (m *model) seesEmails(u *user, t team) bool {
	return !t.ofCustomer() || u.seesAll() || m.holds(u, t.id, grants)
}

// grants says whether a role is one by which others are granted.
func grants(r *role) bool {
	return slices.Contains(r.Permissions, create) || slices.Contains(r.Permissions, createOnCustomer)
}

// listUsers is a page of the grants in a team that are active, as their users are.
func (m *model) listUsers(u *user, t team, r request) want {
	if !m.mayList(u, t) {
		return refuse(403, forbidden)
	}
	emails := m.seesEmails(u, t)
	var rows []*grant
	for _, g := range m.grants {
		if g.on(t.id) && m.active(g) && m.users[g.User].IsActive && m.isMember(g, r, emails) {
			rows = append(rows, g)
		}
	}
	orders := slices.DeleteFunc(r.names("o"), func(name string) bool {
		return strings.HasSuffix(name, "email") && !emails // the order would tell of addresses
	})
	if len(orders) == 0 {
		orders = []string{"created"}
	}
	show := func(g *grant) any { return m.showMember(g, r.names("field"), emails || g.User == u.UUID) }
	return page(r, rows, orderBy(orders, false, m.orderKeys), show)
}

func (m *model) isMember(g *grant, r request, emails bool) bool {
	u, role := m.users[g.User], m.role(g.Role)
	for _, name := range []string{"user", "user_url"} {
		if r.query.Has(name) && parseID(r.query.Get(name)) != u.UUID {
			return false
		}
	}
	search := r.query.Get("search_string")
	return (r.query.Get("username") == "" || r.query.Get("username") == u.Username) &&
		(r.query.Get("role") == "" || m.role(r.query.Get("role")) == role) &&
		strings.Contains(store.FoldAccents(u.fullName()), store.FoldAccents(r.query.Get("full_name"))) &&
		contains(u.NativeName, r.query.Get("native_name")) && contains(u.slug(), r.query.Get("user_slug")) &&
		(contains(u.fullName(), search) || contains(u.Username, search) || emails && contains(u.Email, search))
}

// orderKeys are the names that grants can be ordered by, with what is compared bytewise.
func (m *model) orderKeys(g *grant) map[string]string {
	u := m.users[g.User]
	return map[string]string{
		"created": g.Created.Format(sortable), "expiration_time": endKey(g.ExpirationTime), "role": collate(g.Role),
		"email": collate(u.Email), "full_name": collate(u.fullName()), "native_name": collate(u.NativeName),
		"username": collate(u.Username), "concatenated_name": collate(u.fullName()),
	}
}

const sortable = "2006-01-02T15:04:05.000000"

// endKey orders a permanent role after every one that ends.
func endKey(end *time.Time) string {
	if end == nil {
		return "never"
	}
	return end.Format(sortable)
}

func showEnd(t *time.Time) any {
	if t == nil {
		return nil
	}
	return showTime(*t)
}

// showMember is a grant as answers have it, reduced to the fields that are asked for.
func (m *model) showMember(g *grant, fields []string, email bool) object {
	u := m.users[g.User]
	all := object{
		"uuid": g.UUID.String(), "created": showTime(g.Created), "expiration_time": showEnd(g.ExpirationTime),
		"role_name": g.Role, "role_uuid": m.role(g.Role).UUID.String(),
		"user_email": u.Email, "user_full_name": u.fullName(), "user_username": u.Username,
		"user_uuid": u.UUID.String(), "user_image": m.showImage(u.UUID),
	}
	if u.Email == "" || !email {
		all["user_email"] = nil
	}
	if g.CreatedBy != nil {
		all["created_by_uuid"], all["created_by_full_name"] = g.CreatedBy.String(), m.users[*g.CreatedBy].fullName()
	}
	return narrow(all, fields)
}

// manageRole grants a role, changes when it ends, or revokes it.
func (m *model) manageRole(u *user, t team, verb string, r request) want {
	c := t.customer
	permission := map[string]string{"addUser": create, "updateUser": update, "deleteUser": remove}[verb]
	if t.ofCustomer() {
		permission = map[string]string{
			"addUser": createOnCustomer, "updateUser": updateOnCustomer, "deleteUser": removeOnCustomer,
		}[verb]
	}
	onCustomer := m.may(u, permission, c.UUID)
	if !onCustomer && !m.may(u, permission, t.id) {
		return refuse(403, forbidden)
	}
	roleText, _ := r.body["role"].(string)
	userText, _ := r.body["user"].(string)
	role, target := m.role(roleText), m.users[parseID(userText)]
	var end *time.Time
	if text, sent := r.body["expiration_time"].(string); sent {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			panic(err) // drawn from a time
		}
		t = t.UTC().Truncate(time.Microsecond)
		end = &t
	}
	wrongEnd := end != nil && end.Before(m.now()) || verb != "deleteUser" && endKey(end) > m.mayUntil(u, permission, t)
	fields := map[string]bool{"role": role == nil, "user": target == nil, "expiration_time": wrongEnd}
	if w, isWrong := wrong(fields); isWrong {
		return w
	}
	switch {
	case c.Blocked || c.Archived:
		return nonField(notAvailable)
	case !onCustomer && target == u:
		return nonField("User can not manage own role.")
	}
	held := m.held(target, role, t)
	w := want{status: 200, body: func() any { return object{"expiration_time": showEnd(end)} }}
	switch verb {
	case "addUser":
		if refusal := m.refuseGrant(u, t, target, role, end, held); refusal != "" {
			return nonField(refusal)
		}
		w.status = 201
		w.change = func(object) error {
			m.revoke(held)
			m.events["user_role.create"]++
			m.grants = append(m.grants, &grant{
				User: target.UUID, Role: role.Name, Scope: t.scope(), ExpirationTime: end,
				CreatedBy: &u.UUID, Created: m.now(),
			})
			return nil
		}
	case "updateUser":
		if held == nil || !m.active(held) {
			return nonField("User does not have this role in this scope.")
		}
		w.change = func(object) error {
			held.ExpirationTime = end
			m.events["user_role.update"]++
			return nil
		}
	case "deleteUser":
		w.body = nil
		w.change = func(object) error { m.revoke(held); return nil }
	}
	return w
}

func (t team) scope() scope {
	if t.ofCustomer() {
		return scope{Customer: &t.id}
	}
	return scope{Organisation: &t.id}
}

// mayUntil says when the last role by which a user has a permission on a team ends, as endKey does.
func (m *model) mayUntil(u *user, permission string, t team) (latest string) {
	if u.IsStaff {
		return endKey(nil)
	}
	for _, g := range m.grants {
		if g.User == u.UUID && (g.on(t.id) || g.on(t.customer.UUID)) && m.active(g) &&
			slices.Contains(m.role(g.Role).Permissions, permission) {
			latest = max(latest, endKey(g.ExpirationTime))
		}
	}
	return latest
}

// held returns the grant of a role that was not revoked, expired or not.
func (m *model) held(u *user, r *role, t team) *grant {
	for _, g := range m.grants {
		if g.User == u.UUID && g.Role == r.Name && g.on(t.id) && g.Revoked == nil {
			return g
		}
	}
	return nil
}

func (m *model) revoke(g *grant) {
	if g == nil {
		return // what is not held is gone already
	}
	now := m.now()
	g.Revoked = &now
	m.events["user_role.revoke"]++
}

// refuseGrant says why a role can't be granted: it must be for longer than it is held.
func (m *model) refuseGrant(u *user, t team, target *user, role *role, end *time.Time, held *grant) string {
	switch {
	case !target.IsActive && !u.IsStaff:
		return "Only staff users can assign roles to deactivated users."
	case held != nil && m.active(held) && endKey(end) <= endKey(held.ExpirationTime):
		return "User has already the same role in this scope."
	case t.ofCustomer() != (role.Scope == onCustomer):
		return "Role is not valid for this scope."
	case !role.IsActive:
		return "Role is not active."
	}
	return ""
}
