package differential

import (
	"slices"
	"strings"
	"time"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

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
		r.body["image"] = map[string]any{asJSON: nil, asForm: "", asMultipart: pick[any](t, pick(t, files[:3]...), pick(t, files...), "")}[r.media]
	}
}

func (m *model) grantsOn(o uuid.UUID) []*grant {
	return slices.DeleteFunc(slices.Clone(m.grants), func(g *grant) bool { return !g.on(o) })
}

// drawRoleBody draws the body of a role action on an organisation: about an existing grant, or
// about any user and role.
func (m *model) drawRoleBody(t *rapid.T, r *request, o uuid.UUID) {
	r.media = pick(t, asJSON, asForm, asMultipart)
	u, role := one(t, m.users), one(t, m.roles)
	if pick(t, true, false) {
		role = m.role(pick(t, "HELPER", "CUSTOMER.CALL_ORGANIZER"))
	}
	grants, counts := m.grantsOn(o), pick(t, true, false)
	if r.op != "addUser" {
		grants = slices.DeleteFunc(grants, func(g *grant) bool { return m.active(g) != counts })
	}
	var end *time.Time
	if len(grants) > 0 && pick(t, true, false) {
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
		now.Add(time.Hour), now.Add(time.Microsecond), now, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), now.Add(-time.Microsecond))
	at = at.Add(pick(t, 0, 0, 0, 500*time.Nanosecond)) // more than is kept
	at = at.In(pick(t, time.UTC, time.FixedZone("", 2*3600), time.FixedZone("", -9*3600-1800)))
	if at.Year() > 9999 {
		at = at.UTC()
	}
	return at.Format(time.RFC3339Nano)
}
