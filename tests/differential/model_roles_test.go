package differential

import (
	"slices"
	"strings"
)

// predictRoles says what the answer to a request under /api/roles/ is.
func (m *model) predictRoles(verb string, r request) want {
	show := func(role *role) any { return narrow(showRole(role), r.names("field")) }
	if verb == "retrieve" {
		role := m.roles[parseID(r.id)]
		if role == nil {
			return refuse(404, "No Role matches the given query.")
		}
		return want{status: 200, body: func() any { return show(role) }}
	}
	var rows []*role
	for _, role := range m.roles {
		if flagIs(r, "is_active", role.IsActive) && containsASCII(role.Name, r.query.Get("name")) &&
			containsASCII(role.Description, r.query.Get("description")) {
			rows = append(rows, role)
		}
	}
	keys := func(role *role) map[string]string { return map[string]string{"name": collate(role.Name)} }
	return page(r, rows, orderBy([]string{"name"}, false, keys), show)
}

// containsASCII says whether a text holds another, in any case of the letters A to Z.
func containsASCII(text, part string) bool {
	return strings.Contains(lowerASCII(text), lowerASCII(part))
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// showRole is a role as answers have it.
func showRole(r *role) object {
	permissions := []any{}
	for _, name := range slices.Sorted(slices.Values(r.Permissions)) {
		permissions = append(permissions, name)
	}
	return object{
		"uuid": r.UUID.String(), "name": r.Name, "description": r.Description, "permissions": permissions,
		"is_active": r.IsActive, "content_type": scopeTypes[r.Scope],
	}
}
