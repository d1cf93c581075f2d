package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Member is an active grant in a scope with what is shown of its user.
type Member struct {
	UUID              uuid.UUID  `gorm:"column:uuid" sql:"g.uuid"`
	Created           time.Time  `gorm:"column:created" sql:"g.created"`
	ExpirationTime    *time.Time `gorm:"column:expiration_time" sql:"g.expiration_time"`
	RoleName          string     `gorm:"column:role_name" sql:"r.name"`
	RoleUUID          uuid.UUID  `gorm:"column:role_uuid" sql:"r.uuid"`
	UserEmail         string     `gorm:"column:user_email" sql:"u.email"`
	UserFullName      string     `gorm:"column:user_full_name" sql:"u.full_name"`
	UserUsername      string     `gorm:"column:user_username" sql:"u.username"`
	UserUUID          uuid.UUID  `gorm:"column:user_uuid" sql:"u.uuid"`
	UserImageUUID     *uuid.UUID `gorm:"column:user_image_uuid" sql:"u.image_uuid"`
	CreatedByFullName *string    `gorm:"column:created_by_full_name" sql:"b.full_name"`
	CreatedByUUID     *uuid.UUID `gorm:"column:created_by_uuid" sql:"g.created_by_uuid"`
}

// MemberFilter narrows the list of members; each part that is set narrows further. Parts of texts
// are found in any case.
type MemberFilter struct {
	Users      []uuid.UUID // the user is each of these
	Username   string      // exactly
	FullName   string      // a part, without regard to accents
	NativeName string      // a part
	UserSlug   string      // a part
	RoleUUID   uuid.UUID   // uuid.Nil is any
	RoleName   string      // exactly
	Search     string      // a part of the full name, the e-mail address or the username
	Keyword    string      // a part of these or of the native name
	Email      string      // a part
	IsActive   *bool
	// PerUser leaves of each user the oldest grant alone, and has deactivated users too.
	PerUser bool
	// EmailsOf is the only user whose e-mail address may be found out; uuid.Nil is everybody.
	EmailsOf uuid.UUID
}

// memberOrders are the columns of each order of members. A permanent grant ends after all others.
var memberOrders = map[string][]string{
	"concatenated_name": {"u.full_name_key", "u.username_key"},
	"created":           {"g.created"},
	"email":             {"u.email_key"},
	"expiration_time":   {"g.expiration_time IS NULL", "g.expiration_time"},
	"full_name":         {"u.full_name_key"},
	"native_name":       {"u.native_name_key"},
	"role":              {"r.name_key"},
	"username":          {"u.username_key"},
}

var memberColumns = columns[Member]()

// olderGrant finds a grant f of the same user that came before g; ? is the time.
var olderGrant = `SELECT 1 FROM user_roles AS f WHERE f.user_uuid = g.user_uuid
	AND (f.created, f.uuid) < (g.created, g.uuid) AND ` + strings.ReplaceAll(active, "g.", "f.")

func (q queries) members(on ScopeOf, f MemberFilter, order []Ordering) list {
	l := list{
		from:    "user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid JOIN roles AS r ON r.uuid = g.role_uuid",
		joins:   " LEFT JOIN users AS b ON b.uuid = g.created_by_uuid",
		key:     "g.uuid",
		columns: memberColumns,
	}
	now, scope := q.now(), on.column()
	l.where.add("g."+scope+" = ? AND "+active, on.UUID, now)
	if f.PerUser {
		l.where.add("NOT EXISTS ("+olderGrant+" AND f."+scope+" = g."+scope+")", now)
	} else {
		// Without a filter an index counts the grants. Deactivated users are few and have an index too.
		l.total = statement{"SELECT count(*) AS total FROM user_roles AS g" + l.where.String() +
			" AND g.user_uuid NOT IN (SELECT uuid FROM users WHERE NOT is_active)", l.where.arguments}
		l.where.add("u.is_active")
	}
	unfiltered := len(l.where.conditions)
	for _, user := range f.Users {
		l.where.add("g.user_uuid = ?", user)
	}
	if f.Username != "" {
		l.where.add("u.username = ?", f.Username)
	}
	if f.RoleUUID != uuid.Nil {
		l.where.add("r.uuid = ?", f.RoleUUID)
	}
	if f.RoleName != "" {
		l.where.add("r.name = ?", f.RoleName)
	}
	l.where.addText(FoldAccents(f.FullName), "u.full_name_plain")
	l.where.addText(FoldCase(f.NativeName), "u.native_name_search")
	l.where.addText(FoldCase(f.UserSlug), "u.slug_search")
	searched := []string{"u.full_name_search", "u.username"}
	if f.EmailsOf == uuid.Nil {
		searched = append(searched, "u.email_search")
	}
	l.where.addText(FoldCase(f.Search), searched...)
	l.where.addText(FoldCase(f.Keyword), append(searched, "u.native_name_search")...)
	l.where.addText(FoldCase(f.Email), "u.email_search")
	if f.Email != "" && f.EmailsOf != uuid.Nil {
		l.where.add("u.uuid = ?", f.EmailsOf)
	}
	l.where.addFlag("u.is_active", f.IsActive)
	if len(l.where.conditions) > unfiltered {
		l.total = statement{}
	}
	for _, o := range order {
		if o.Name == "email" && f.EmailsOf != uuid.Nil {
			continue // the order would tell of addresses
		}
		for _, column := range memberOrders[o.Name] {
			l.order = append(l.order, term{column, o.Descending})
		}
	}
	if len(l.order) == 0 {
		l.order = []term{{"g.created", false}}
	}
	l.order = append(l.order, term{"g.uuid", false})
	return l
}

// CountMembers counts what ListMembers lists.
func (q queries) CountMembers(ctx context.Context, on ScopeOf, f MemberFilter) (int64, error) {
	return q.count(ctx, q.members(on, f, nil))
}

// ListMembers returns a page of the active grants in a scope whose users are active, and the number
// of rows on all pages, of one state of the database. Without an order the oldest come first; ties are
// broken by uuid. ErrInvalidPage past the end.
func (s *Store) ListMembers(
	ctx context.Context, on ScopeOf, f MemberFilter, order []Ordering, p Page,
) ([]Member, int64, error) {
	return page[Member](ctx, s, s.members(on, f, order), p)
}
