package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Member is an active grant on an organisation with what is shown of its user.
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
}

// memberOrders are the columns of each order of members. A permanent grant ends after all others.
var memberOrders = map[string][]string{
	"created":         {"g.created"},
	"email":           {"u.email_key"},
	"expiration_time": {"g.expiration_time IS NULL", "g.expiration_time"},
	"full_name":       {"u.full_name_key"},
	"native_name":     {"u.native_name_key"},
	"role":            {"r.name_key"},
	"username":        {"u.username_key"},
}

var memberColumns = columns[Member]()

func (q queries) members(organisation uuid.UUID, f MemberFilter, order []Ordering) list {
	l := list{
		from:    "user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid JOIN roles AS r ON r.uuid = g.role_uuid",
		joins:   " LEFT JOIN users AS b ON b.uuid = g.created_by_uuid",
		key:     "g.uuid",
		columns: memberColumns,
	}
	l.where.add("g.organisation_uuid = ? AND "+active, organisation, q.now())
	// Without a filter an index counts the grants. Deactivated users are few and have an index too.
	l.total = statement{"SELECT count(*) AS total FROM user_roles AS g" + l.where.String() +
		" AND g.user_uuid NOT IN (SELECT uuid FROM users WHERE NOT is_active)", l.where.arguments}
	l.where.add("u.is_active")
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
	l.where.addText(FoldCase(f.Search), "u.full_name_search", "u.email_search", "u.username")
	if len(l.where.conditions) > unfiltered {
		l.total = statement{}
	}
	if len(order) == 0 {
		order = []Ordering{{Name: "created"}}
	}
	for _, o := range order {
		for _, column := range memberOrders[o.Name] {
			l.order = append(l.order, term{column, o.Descending})
		}
	}
	l.order = append(l.order, term{"g.uuid", false})
	return l
}

// CountMembers counts what ListMembers lists.
func (q queries) CountMembers(ctx context.Context, organisation uuid.UUID, f MemberFilter) (int64, error) {
	return q.count(ctx, q.members(organisation, f, nil))
}

// ListMembers returns a page of the active grants on an organisation whose users are active,
// and the number of rows on all pages, of one state of the database. Without an order the
// oldest come first; ties are broken by uuid. ErrInvalidPage past the end.
func (s *Store) ListMembers(
	ctx context.Context, organisation uuid.UUID, f MemberFilter, order []Ordering, p Page,
) ([]Member, int64, error) {
	return page[Member](ctx, s, s.members(organisation, f, order), p)
}
