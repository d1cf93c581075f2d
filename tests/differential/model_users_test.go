package differential

import (
	"slices"
	"strings"
	"time"

	"github.com/opencalls/opencalls/store"
)

// listUsers is a page of the grants on an organisation that are active, as their users are.
func (m *model) listUsers(u *user, o *organisation, r request) want {
	whichever := func(*role) bool { return true }
	if !u.IsStaff && !u.IsSupport && !m.holds(u, o.UUID, whichever) && !m.holds(u, o.Customer, whichever) {
		return refuse(403, forbidden)
	}
	var rows []*grant
	for _, g := range m.grants {
		if g.on(o.UUID) && m.active(g) && m.users[g.User].IsActive && m.isMember(g, r) {
			rows = append(rows, g)
		}
	}
	orders := r.names("o")
	if len(orders) == 0 {
		orders = []string{"created"}
	}
	compare := func(a, b *grant) int {
		x, y := m.orderKeys(a), m.orderKeys(b)
		for _, name := range orders {
			bare, descending := strings.CutPrefix(name, "-")
			order := strings.Compare(x[bare], y[bare])
			if descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return strings.Compare(a.UUID.String(), b.UUID.String())
	}
	return page(r, rows, compare, func(g *grant) any { return m.showMember(g, r.names("field")) })
}

func (m *model) isMember(g *grant, r request) bool {
	u, role := m.users[g.User], m.role(g.Role)
	for _, name := range []string{"user", "user_url"} {
		if r.query.Has(name) && parseID(r.query.Get(name)) != u.UUID {
			return false
		}
	}
	slug := u.Slug
	if slug == "" {
		slug = u.Username
	}
	search := r.query.Get("search_string")
	return (r.query.Get("username") == "" || r.query.Get("username") == u.Username) &&
		(r.query.Get("role") == "" || m.role(r.query.Get("role")) == role) &&
		strings.Contains(store.FoldAccents(u.fullName()), store.FoldAccents(r.query.Get("full_name"))) &&
		contains(u.NativeName, r.query.Get("native_name")) && contains(slug, r.query.Get("user_slug")) &&
		(contains(u.fullName(), search) || contains(u.Email, search) || contains(u.Username, search))
}

// orderKeys are the names that grants can be ordered by, with what is compared bytewise.
func (m *model) orderKeys(g *grant) map[string]string {
	u := m.users[g.User]
	return map[string]string{
		"created": g.Created.Format(sortable), "expiration_time": endKey(g.ExpirationTime), "role": collate(g.Role),
		"email": collate(u.Email), "full_name": collate(u.fullName()), "native_name": collate(u.NativeName),
		"username": collate(u.Username),
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
func (m *model) showMember(g *grant, fields []string) object {
	u := m.users[g.User]
	all := object{
		"uuid": g.UUID.String(), "created": showTime(g.Created), "expiration_time": showEnd(g.ExpirationTime),
		"role_name": g.Role, "role_uuid": m.role(g.Role).UUID.String(),
		"user_email": u.Email, "user_full_name": u.fullName(), "user_username": u.Username,
		"user_uuid": u.UUID.String(), "user_image": m.showImage(u.UUID),
	}
	if u.Email == "" {
		all["user_email"] = nil
	}
	if g.CreatedBy != nil {
		all["created_by_uuid"], all["created_by_full_name"] = g.CreatedBy.String(), m.users[*g.CreatedBy].fullName()
	}
	for key := range all {
		if len(fields) > 0 && !slices.Contains(fields, key) {
			delete(all, key)
		}
	}
	return all
}

// manageRole grants a role, changes when it ends, or revokes it.
func (m *model) manageRole(u *user, o *organisation, r request) want {
	c := m.customers[o.Customer]
	permission := map[string]string{"addUser": create, "updateUser": update, "deleteUser": remove}[r.op]
	onCustomer := m.may(u, permission, c.UUID)
	if !onCustomer && !m.may(u, permission, o.UUID) {
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
	wrongEnd := end != nil && end.Before(m.now()) || r.op != "deleteUser" && endKey(end) > m.mayUntil(u, permission, o)
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
	held := m.held(target, role, o)
	w := want{status: 200, body: func() any { return object{"expiration_time": showEnd(end)} }}
	switch r.op {
	case "addUser":
		if refusal := m.refuseGrant(u, target, role, end, held); refusal != "" {
			return nonField(refusal)
		}
		w.status = 201
		w.change = func(object) error {
			m.revoke(held)
			m.events["user_role.create"]++
			m.grants = append(m.grants, &grant{
				User: target.UUID, Role: role.Name, Scope: scope{Organisation: &o.UUID}, ExpirationTime: end,
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

// mayUntil says when the last role by which a user has a permission on an organisation ends, as endKey does.
func (m *model) mayUntil(u *user, permission string, o *organisation) (latest string) {
	if u.IsStaff {
		return endKey(nil)
	}
	for _, g := range m.grants {
		if g.User == u.UUID && (g.on(o.UUID) || g.on(o.Customer)) && m.active(g) &&
			slices.Contains(m.role(g.Role).Permissions, permission) {
			latest = max(latest, endKey(g.ExpirationTime))
		}
	}
	return latest
}

// held returns the grant of a role that was not revoked, expired or not.
func (m *model) held(u *user, r *role, o *organisation) *grant {
	for _, g := range m.grants {
		if g.User == u.UUID && g.Role == r.Name && g.on(o.UUID) && g.Revoked == nil {
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
func (m *model) refuseGrant(u, target *user, role *role, end *time.Time, held *grant) string {
	switch {
	case !target.IsActive && !u.IsStaff:
		return "Only staff users can assign roles to deactivated users."
	case held != nil && m.active(held) && endKey(end) <= endKey(held.ExpirationTime):
		return "User has already the same role in this scope."
	case role.Scope != onOrganisation:
		return "Role is not valid for this scope."
	case !role.IsActive:
		return "Role is not active."
	}
	return ""
}
