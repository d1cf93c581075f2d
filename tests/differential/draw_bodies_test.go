package differential

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

var files = []file{
	{"picture 11", picture(11), true},
	{"picture 12", picture(12), true},
	{"10 × 10 pixels", pictureOf(10, 10, 13), true},
	{"11 × 10 pixels", pictureOf(11, 10, 13), false},
	{"1000 bytes", picture(14) + strings.Repeat("x", 1000-len(picture(14))), true},
	{"1001 bytes", picture(14) + strings.Repeat("x", 1001-len(picture(14))), false},
	{"half a picture", picture(15)[:len(picture(15))/2], true}, // with its header
	{"half a header", picture(15)[:20], false},
	{"no bytes", "", false},
	{"no picture", "<svg/>", false},
}

// drawMedia draws a body's media type; seldom one that can't be read.
func drawMedia(t *rapid.T, types ...string) string {
	if seldom(t) {
		return pick(t, asNothing, asText, asBroken, asMultipart)
	}
	return pick(t, types...)
}

// customerLink draws a link to a customer as a body has it; seldom something else.
func customerLink(t *rapid.T, customer string) any {
	if seldom(t) {
		return pick[any](t, nil, 5, "", "abc", customer, "/api/customers/"+customer+"/", publicURL+base+customer+"/", publicURL+"/api/customers/no-id/", publicURL+"/api/customers/"+customer+"/\x00")
	}
	return pick(t, publicURL, "http://elsewhere:8080") + "/api/" + pick(t, "customers", "customer") + "/" + spelled(t, customer) + pick(t, "/", "")
}

// drawOrganisationBody draws the body of create, update and partial update; own draws the
// customer, which the latter doesn't read.
func (m *model) drawOrganisationBody(t *rapid.T, r *request, own func() any) {
	r.media = drawMedia(t, asJSON, asMultipart, asMultipart, asForm)
	r.body = map[string]any{}
	if r.op != "patch" && !seldom(t) || r.op == "patch" && seldom(t) {
		r.body["customer"] = own()
	}
	if pick(t, true, false) {
		r.body["description"] = pick(t, "Ünïcode 😀", "", " blanks ", "line\nline", `"'\%_<&>`, strings.Repeat("õ", 2000))
		if r.media == asMultipart && seldom(t) {
			r.body["description"] = files[0]
		}
		if seldom(t) {
			r.body["description"] = pick[any](t, nil, 5, true, "NUL\x00", strings.Repeat("õ", 2001), strings.Repeat("😀", 2000), strings.Repeat("😀", 2001))
		}
	}
	if seldom(t) {
		r.body["colour"] = "blue" // not a field
	}
	if pick(t, true, true, false) {
		r.body["image"] = drawImage(t, r.media)
	}
	r.fit()
}

func drawImage(t *rapid.T, media string) any {
	if seldom(t) {
		return pick[any](t, "no file", "", 5)
	}
	switch media {
	case asJSON:
		return nil
	case asMultipart:
		return pick[any](t, pick(t, files[:5]...), pick(t, files...), "")
	}
	return ""
}

// fit makes of the fields what the body's media type can carry.
func (r *request) fit() {
	switch r.media {
	case asJSON:
		return
	case asForm, asMultipart: // texts
	default:
		r.body = nil
	}
	for field, value := range r.body {
		switch value.(type) {
		case string, file:
		case nil:
			delete(r.body, field)
		default:
			r.body[field] = marshal(value)
		}
	}
}

func (m *model) grantsOn(o uuid.UUID) []*grant {
	return slices.DeleteFunc(slices.Clone(m.grants), func(g *grant) bool { return !g.on(o) })
}

// drawRoleBody draws the body of a role action on an organisation: about a grant that is
// there, or about any user and role.
func (m *model) drawRoleBody(t *rapid.T, r *request, o uuid.UUID) {
	r.media = drawMedia(t, asJSON, asForm, asMultipart)
	u, role := pick(t, m.sortedUsers()...), m.roles[pick(t, sortedIDs(m.roles)...)]
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
	r.body = map[string]any{"user": spelled(t, u.UUID.String()), "role": role.Name}
	if pick(t, false, false, true) {
		r.body["role"] = spelled(t, role.UUID.String())
	}
	if pick(t, true, true, false) {
		r.body["expiration_time"] = m.drawEnd(t)
	}
	if end != nil && pick(t, true, false) {
		r.body["expiration_time"] = showTime(end.Add(pick(t, 0, time.Microsecond, -time.Microsecond)))
	}
	if seldom(t) {
		r.body["user"] = pick[any](t, id('e', 999).String(), "no-id", "", nil, 5, "urn:uuid:"+u.UUID.String())
	}
	if seldom(t) {
		r.body["role"] = pick[any](t, id('b', 999).String(), "NO.ROLE", strings.ToLower(role.Name), "", nil, 5, "NUL\x00", "{"+role.UUID.String()+"}")
	}
	if seldom(t) {
		delete(r.body, pick(t, "user", "role"))
	}
	r.fit()
}

// drawEnd draws when a role ends: at a moment that other roles end at, soon, never, or at what
// is no time.
func (m *model) drawEnd(t *rapid.T) any {
	now := m.now()
	if seldom(t) {
		return pick[any](t, now.Add(-time.Microsecond).Format(time.RFC3339Nano), "", "tomorrow", "2027-02-31T00:00:00Z", "2027-03-01", "2027-03-01T00:00:00", "2027-03-01t00:00:00.5z", "2027-03-01 00:00:00Z", 5, "2027-03-01T00:00:60Z", "2027-03-01T1:00:00Z", "2027-03-01T00:00:00,5Z", "2027-03-01T00:00:00+24:00", "9999-12-31T23:00:00-02:00")
	}
	day := now.Truncate(24 * time.Hour) // so that one moment is drawn again
	at := pick(t, day.AddDate(0, 0, 2), day.AddDate(0, 0, 1), day.AddDate(0, 0, 10), day.AddDate(0, 0, 100),
		now.Add(time.Hour), now.Add(time.Microsecond), now, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	at = at.Add(pick(t, 0, 0, 0, 500*time.Nanosecond)) // more than is kept
	at = at.In(pick(t, time.UTC, time.FixedZone("", 2*3600), time.FixedZone("", -9*3600-1800)))
	if at.Year() > 9999 {
		at = at.UTC()
	}
	return pick[any](t, at.Format(time.RFC3339Nano), nil)
}
