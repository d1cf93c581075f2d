package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Viewer is for whom users and customers are read.
type Viewer struct {
	UserUUID uuid.UUID
	All      bool // sees all of every user and customer
}

// UserDetails is what a viewer may see of a user.
type UserDetails struct {
	UserRow
	Managed     bool // the viewer sees everything, is the user, or grants roles where the user holds one
	Permissions []Permission
}

// UserRow is a user in a list.
type UserRow struct {
	UUID       uuid.UUID  `gorm:"column:uuid" sql:"u.uuid"`
	Username   string     `gorm:"column:username" sql:"u.username"`
	Slug       string     `gorm:"column:slug" sql:"u.slug"`
	FirstName  string     `gorm:"column:first_name" sql:"u.first_name"`
	LastName   string     `gorm:"column:last_name" sql:"u.last_name"`
	FullName   string     `gorm:"column:full_name" sql:"u.full_name"`
	NativeName string     `gorm:"column:native_name" sql:"u.native_name"`
	Email      string     `gorm:"column:email" sql:"u.email"`
	ImageUUID  *uuid.UUID `gorm:"column:image_uuid" sql:"u.image_uuid"`
	IsStaff    bool       `gorm:"column:is_staff" sql:"u.is_staff"`
	IsSupport  bool       `gorm:"column:is_support" sql:"u.is_support"`
	IsActive   bool       `gorm:"column:is_active" sql:"u.is_active"`
	Created    time.Time  `gorm:"column:created" sql:"u.created"`
}

// Permission is a role that a user actively holds.
type Permission struct {
	UserUUID          uuid.UUID  `gorm:"column:user_uuid" sql:"g.user_uuid"`
	Created           time.Time  `gorm:"column:created" sql:"g.created"`
	ExpirationTime    *time.Time `gorm:"column:expiration_time" sql:"g.expiration_time"` // nil: permanent
	CreatedByFullName *string    `gorm:"column:created_by_full_name" sql:"b.full_name"`
	CreatedByUsername *string    `gorm:"column:created_by_username" sql:"b.username"`
	RoleName          string     `gorm:"column:role_name" sql:"r.name"`
	RoleDescription   string     `gorm:"column:role_description" sql:"r.description"`
	RoleUUID          uuid.UUID  `gorm:"column:role_uuid" sql:"r.uuid"`
	Scope             Scope      `gorm:"column:scope" sql:"r.scope"`
	ScopeUUID         uuid.UUID  `gorm:"column:scope_uuid" sql:"COALESCE(g.organisation_uuid, g.customer_uuid)"`
	CustomerUUID      uuid.UUID  `gorm:"column:customer_uuid" sql:"c.uuid"` // the scope's own, or the scope
	CustomerName      string     `gorm:"column:customer_name" sql:"c.name"`
}

// managedPermission is a permission, and whether the viewer grants roles in its scope.
type managedPermission struct {
	Permission Permission `gorm:"embedded"`
	Managed    bool       `gorm:"column:managed"`
}

// viewerGrant is a grant of the viewer; ? is the viewer and the time.
var viewerGrant = "m.user_uuid = ? AND " + strings.ReplaceAll(active, "g.", "m.")

// viewerManages is the condition of a grant of the viewer by which others may be granted roles.
const viewerManages = ` AND m.role_uuid IN (SELECT role_uuid FROM role_permissions
	WHERE permission IN ('CALL.CREATE_PERMISSION', 'CUSTOMER.CREATE_PERMISSION'))`

// sharedScope says that a grant m is on the scope of a grant g, or on the customer of that organisation. A role
// on an organisation alone shows nothing of its customer's team.
const sharedScope = " AND (m.customer_uuid = c.uuid OR m.organisation_uuid = g.organisation_uuid)"

var (
	permissionTables = ` FROM user_roles AS g JOIN roles AS r ON r.uuid = g.role_uuid
		LEFT JOIN call_managing_organisations AS o ON o.uuid = g.organisation_uuid
		JOIN customers AS c ON c.uuid = COALESCE(g.customer_uuid, o.customer_uuid)
		LEFT JOIN users AS b ON b.uuid = g.created_by_uuid`
	permissionsQuery = "SELECT " + columns[Permission]() +
		", EXISTS (SELECT 1 FROM user_roles AS m WHERE " + viewerGrant + viewerManages + sharedScope + ") AS managed" +
		permissionTables
	userColumns = columns[UserRow]()
)

// visible is the condition of the users that the viewer sees: those who hold a role where the viewer holds one.
// With manages it is the condition of those whose roles the viewer may grant. It is a union, since each kind of
// scope has an index of its own.
func (q queries) visible(v Viewer, manages bool) (condition string, arguments []any) {
	now, mine := q.now(), viewerGrant
	if manages {
		mine += viewerManages
	}
	parts := []string{"SELECT uuid FROM users WHERE uuid = ?"}
	arguments = []any{v.UserUUID}
	for _, scopes := range []string{
		"m.customer_uuid = g.customer_uuid",
		"m.organisation_uuid = g.organisation_uuid",
		"o.customer_uuid = m.customer_uuid JOIN user_roles AS g ON g.organisation_uuid = o.uuid",
	} {
		table := "user_roles AS g"
		if strings.HasPrefix(scopes, "o.") {
			table = "call_managing_organisations AS o"
		}
		parts = append(parts, "SELECT g.user_uuid FROM user_roles AS m JOIN "+table+" ON "+scopes+
			" WHERE "+mine+" AND "+active)
		arguments = append(arguments, v.UserUUID, now, now)
	}
	return "u.uuid IN (" + strings.Join(parts, " UNION ") + ")", arguments
}

// UserFilter narrows the list of users; each part that is set narrows further. Parts of texts are found in any
// case. An e-mail address that the viewer doesn't see is not found.
type UserFilter struct {
	UUID       uuid.UUID // uuid.Nil is any
	Username   string    // exactly
	FullName   string    // a part, without regard to accents
	NativeName string    // a part
	Email      string    // a part
	Keywords   []string  // each is a part of the full name, the native name, the username or the e-mail address
	Customer   uuid.UUID // holds a role on it or on its organisation; uuid.Nil is any
	IsActive   *bool
	IsStaff    *bool
	IsSupport  *bool
}

// userOrders are the columns of the orders of users.
var userOrders = map[string]string{
	"email":       "u.email_key",
	"full_name":   "u.full_name_key",
	"is_active":   "u.is_active",
	"is_staff":    "u.is_staff",
	"is_support":  "u.is_support",
	"native_name": "u.native_name_key",
	"username":    "u.username_key",
}

func (q queries) users(v Viewer, f UserFilter, order []Ordering) list {
	l := list{from: "users AS u", key: "u.uuid", columns: userColumns}
	searched := []string{"u.full_name_search", "u.native_name_search", "u.username", "u.email_search"}
	if !v.All {
		condition, arguments := q.visible(v, false)
		l.where.add(condition, arguments...)
		searched = searched[:3]
	}
	if f.UUID != uuid.Nil {
		l.where.add("u.uuid = ?", f.UUID)
	}
	if f.Username != "" {
		l.where.add("u.username = ?", f.Username)
	}
	l.where.addText(FoldAccents(f.FullName), "u.full_name_plain")
	l.where.addText(FoldCase(f.NativeName), "u.native_name_search")
	l.where.addText(FoldCase(f.Email), "u.email_search")
	if f.Email != "" && !v.All {
		condition, arguments := q.visible(v, true)
		l.where.add(condition, arguments...)
	}
	for _, keyword := range f.Keywords {
		l.where.addText(FoldCase(keyword), searched...)
	}
	if f.Customer != uuid.Nil {
		q.addCustomer(&l.where, v, f.Customer)
	}
	l.where.addFlag("u.is_active", f.IsActive)
	l.where.addFlag("u.is_staff", f.IsStaff)
	l.where.addFlag("u.is_support", f.IsSupport)
	l.keepTotal("users")
	for _, o := range order {
		if o.Name != "email" || v.All { // the order would tell of addresses
			l.order = append(l.order, term{userOrders[o.Name], o.Descending})
		}
	}
	if len(l.order) == 0 {
		l.order = []term{{userOrders["username"], false}}
	}
	l.order = append(l.order, term{"u.uuid", l.order[0].descending})
	return l
}

// addCustomer adds that the user holds a role on the customer or on its organisation, one that the viewer sees. It
// is a union, since each kind of scope has an index of its own.
func (q queries) addCustomer(w *where, v Viewer, customer uuid.UUID) {
	var parts []string
	var arguments []any
	for _, grants := range []string{
		"user_roles AS g WHERE g.customer_uuid = ?",
		"call_managing_organisations AS o JOIN user_roles AS g ON g.organisation_uuid = o.uuid WHERE o.customer_uuid = ?",
	} {
		part := "SELECT g.user_uuid FROM " + grants + " AND " + active
		arguments = append(arguments, customer, q.now())
		if !v.All {
			part += " AND EXISTS (SELECT 1 FROM user_roles AS m WHERE " + viewerGrant +
				" AND (m.customer_uuid = ? OR m.organisation_uuid = g.organisation_uuid))"
			arguments = append(arguments, v.UserUUID, q.now(), customer)
		}
		parts = append(parts, part)
	}
	w.add("u.uuid IN ("+strings.Join(parts, " UNION ")+")", arguments...)
}

// CountUsers counts what ListUsers lists.
func (q queries) CountUsers(ctx context.Context, v Viewer, f UserFilter) (int64, error) {
	return q.count(ctx, q.users(v, f, nil))
}

// ListUsers returns a page of the users that the viewer sees, and the number of rows on all pages, of one state of
// the database. Without an order they come by username. ErrInvalidPage past the end.
func (s *Store) ListUsers(
	ctx context.Context, v Viewer, f UserFilter, order []Ordering, p Page,
) ([]UserDetails, int64, error) {
	found, total, err := page[UserRow](ctx, s, s.users(v, f, order), p)
	if err != nil {
		return nil, 0, err
	}
	users, err := s.withPermissions(ctx, v, found)
	return users, total, err
}

// UserDetails returns a user as the viewer sees them, or ErrNotFound.
func (q queries) UserDetails(ctx context.Context, v Viewer, id uuid.UUID) (UserDetails, error) {
	l := q.users(v, UserFilter{UUID: id}, nil)
	found, err := rows[UserRow](ctx, q, l, false, 1, 0)
	if err != nil {
		return UserDetails{}, err
	}
	if len(found) == 0 {
		return UserDetails{}, ErrNotFound
	}
	users, err := q.withPermissions(ctx, v, found)
	if err != nil {
		return UserDetails{}, err
	}
	return users[0], nil
}

// withPermissions adds the roles that the viewer sees: all, the viewer's own, or those where the viewer holds one.
func (q queries) withPermissions(ctx context.Context, v Viewer, found []UserRow) ([]UserDetails, error) {
	users := make([]UserDetails, len(found))
	at := map[uuid.UUID]*UserDetails{}
	now := q.now()
	arguments := []any{v.UserUUID, now}
	for i, row := range found {
		users[i] = UserDetails{UserRow: row, Managed: v.All || row.UUID == v.UserUUID, Permissions: []Permission{}}
		at[row.UUID] = &users[i]
		arguments = append(arguments, row.UUID)
	}
	if len(users) == 0 {
		return users, nil
	}
	text := permissionsQuery + " WHERE g.user_uuid IN (?" + strings.Repeat(", ?", len(users)-1) + ") AND " + active
	arguments = append(arguments, now)
	if !v.All {
		text += " AND (g.user_uuid = ? OR EXISTS (SELECT 1 FROM user_roles AS m WHERE " + viewerGrant + sharedScope + "))"
		arguments = append(arguments, v.UserUUID, v.UserUUID, now)
	}
	granted, err := scan[managedPermission](ctx, q, text+" ORDER BY g.created, g.uuid", arguments...)
	for _, g := range granted {
		user := at[g.Permission.UserUUID]
		user.Managed = user.Managed || g.Managed
		user.Permissions = append(user.Permissions, g.Permission)
	}
	return users, err
}
