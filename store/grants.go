package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// HeldRole is a role that a user actively holds on an organisation or on its customer.
type HeldRole struct {
	Scope       Scope
	Name        string
	Permissions []string
}

// active is the condition of a grant that counts at this moment.
const active = "g.revoked IS NULL AND (g.expiration_time IS NULL OR g.expiration_time >= ?)"

// heldRole is a row of a query for held roles: one for each permission of each grant. Where an
// organisation is read with it, a row without a grant says that nothing is held on it.
type heldRole struct {
	grant            *uuid.UUID
	role, permission *string
	scope            Scope
}

const (
	heldRoleColumns = `g.uuid, r.name, p.permission,
	CASE WHEN g.organisation_uuid IS NULL THEN 'customer' ELSE 'call_managing_organisation' END`
	heldRoleTables = " JOIN roles AS r ON r.uuid = g.role_uuid LEFT JOIN role_permissions AS p ON p.role_uuid = r.uuid "
	heldRolesOf    = "SELECT " + heldRoleColumns + " FROM user_roles AS g" + heldRoleTables + "WHERE g.user_uuid = ? AND " + active

	// A union, since each kind of scope has an index of its own: with OR neither would serve.
	heldRolesQuery = heldRolesOf + " AND g.customer_uuid = ? UNION ALL " + heldRolesOf + " AND g.organisation_uuid = ?"

	organisationRolesOf = "SELECT " + organisationColumns + ", " + heldRoleColumns + " " + fromOrganisations +
		" LEFT JOIN user_roles AS g ON g.user_uuid = ? AND " + active
	organisationForQuery = organisationRolesOf + " AND g.customer_uuid = o.customer_uuid LEFT" + heldRoleTables + "WHERE o.uuid = ? UNION ALL " +
		organisationRolesOf + " AND g.organisation_uuid = o.uuid LEFT" + heldRoleTables + "WHERE o.uuid = ?"
)

// columns are where the values of heldRoleColumns go.
func (h *heldRole) columns() []any { return []any{&h.grant, &h.role, &h.permission, &h.scope} }

func heldRoles(rows []heldRole) []HeldRole {
	var held []HeldRole
	places := map[uuid.UUID]int{} // in held, by grant
	for _, row := range rows {
		if row.grant == nil {
			continue
		}
		place, seen := places[*row.grant]
		if !seen {
			place = len(held)
			places[*row.grant] = place
			held = append(held, HeldRole{Scope: row.scope, Name: *row.role})
		}
		if row.permission != nil {
			held[place].Permissions = append(held[place].Permissions, *row.permission)
		}
	}
	return held
}

// HeldRoles returns the roles that a user actively holds on a customer and, unless it is
// uuid.Nil, on an organisation.
func (q queries) HeldRoles(ctx context.Context, user, customer, organisation uuid.UUID) ([]HeldRole, error) {
	rows, err := selectRows(ctx, q, 0, heldRolesQuery, []any{user, q.now(), customer, user, q.now(), organisation}, (*heldRole).columns)
	return heldRoles(rows), err
}

// OrganisationFor returns an organisation and the roles that a user actively holds on it or
// on its customer, in one statement; ErrNotFound where there is no such organisation.
func (q queries) OrganisationFor(ctx context.Context, id, user uuid.UUID) (Organisation, []HeldRole, error) {
	type row struct {
		organisation Organisation
		held         heldRole
	}
	rows, err := selectRows(ctx, q, 2, organisationForQuery, []any{user, q.now(), id, user, q.now(), id}, func(r *row) []any {
		return append(r.organisation.columns(), r.held.columns()...)
	})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Organisation{}, nil, err
	}
	held := make([]heldRole, len(rows))
	for i, r := range rows {
		held[i] = r.held
	}
	return rows[0].organisation, heldRoles(held), nil
}

// LockOrganisationFor is OrganisationFor after LockOrganisation: a role that was revoked while
// the lock was waited for is not held.
func (tx *Tx) LockOrganisationFor(id, user uuid.UUID) (Organisation, []HeldRole, error) {
	o, err := tx.LockOrganisation(id)
	if err != nil {
		return o, nil, err
	}
	held, err := tx.HeldRoles(tx.ctx, user, o.CustomerUUID, o.UUID)
	return o, held, err
}

// Role returns a role by its UUID or its exact name, or ErrNotFound. Permissions are left out.
func (q queries) Role(ctx context.Context, uuidOrName string) (Role, error) {
	text, argument := "SELECT uuid, name, scope, description, is_active FROM roles WHERE ", any(uuidOrName)
	if id, err := ParseUUID(uuidOrName); err == nil {
		text, argument = text+"uuid = ?", id
	} else {
		text += "name = ?"
	}
	return selectRow(ctx, q, text, []any{argument}, func(r *Role) []any {
		return []any{&r.UUID, &r.Name, &r.Scope, &r.Description, &r.IsActive}
	})
}

// ParseUUID reads a UUID with dashes or as 32 hex digits, in either case, and nothing else.
func ParseUUID(text string) (uuid.UUID, error) {
	if len(text) != 36 && len(text) != 32 {
		return uuid.Nil, ErrNotFound
	}
	return uuid.Parse(text)
}

// Member is an active grant on an organisation with what is shown of its user.
type Member struct {
	UUID              uuid.UUID
	Created           time.Time
	ExpirationTime    *time.Time
	RoleName          string
	RoleUUID          uuid.UUID
	UserEmail         string
	UserFullName      string
	UserUsername      string
	UserUUID          uuid.UUID
	UserImageUUID     *uuid.UUID
	CreatedByFullName *string
	CreatedByUUID     *uuid.UUID
}

// MemberFilter narrows the list of members; each part that is set narrows further. Texts
// that are looked for inside others are compared in any case.
type MemberFilter struct {
	Users      []uuid.UUID // the user is each of these
	Username   string      // exactly
	FullName   string      // a part, without regard to accents
	NativeName string      // a part
	UserSlug   string      // a part
	Role       string      // UUID or exact name
	Search     string      // a part of the full name, the e-mail address or the username
}

func (f MemberFilter) none() bool {
	return len(f.Users) == 0 && f.Username+f.FullName+f.NativeName+f.UserSlug+f.Role+f.Search == ""
}

// memberOrders are the columns behind the names that members can be ordered by. A
// permanent grant ends after all others.
var memberOrders = map[string]string{
	"created": "g.created", "email": "u.email_key", "expiration_time": "g.expiration_time", "full_name": "u.full_name_key",
	"native_name": "u.native_name_key", "role": "r.name", "username": "u.username",
}

const (
	memberTables  = "user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid JOIN roles AS r ON r.uuid = g.role_uuid"
	memberColumns = `g.uuid, g.created, g.expiration_time, r.name, r.uuid, u.email, u.full_name, u.username, u.uuid,
	u.image_uuid, b.full_name, g.created_by_uuid`
)

// columns are where the values of memberColumns go.
func (m *Member) columns() []any {
	return []any{
		&m.UUID, &m.Created, &m.ExpirationTime, &m.RoleName, &m.RoleUUID, &m.UserEmail, &m.UserFullName, &m.UserUsername, &m.UserUUID,
		&m.UserImageUUID, &m.CreatedByFullName, &m.CreatedByUUID,
	}
}

func (q queries) memberConditions(organisation uuid.UUID, f MemberFilter) (string, []any) {
	where, arguments := "g.organisation_uuid = ? AND u.is_active AND "+active, []any{organisation, q.now()}
	add := func(condition string, values ...any) {
		where += " AND (" + condition + ")"
		arguments = append(arguments, values...)
	}
	part := func(column, text string, fold func(string) string) {
		if text != "" {
			condition, argument := q.engine.contains(column, fold(text))
			add(condition, argument)
		}
	}
	for _, user := range f.Users {
		add("g.user_uuid = ?", user)
	}
	if f.Username != "" {
		add("u.username = ?", f.Username)
	}
	part("u.full_name_search", f.FullName, FoldAccents)
	part("u.native_name_key", f.NativeName, FoldCase)
	part("u.slug_key", f.UserSlug, FoldCase)
	if id, err := ParseUUID(f.Role); err == nil {
		add("r.uuid = ?", id)
	} else if f.Role != "" {
		add("r.name = ?", f.Role)
	}
	if f.Search != "" {
		text := FoldCase(f.Search)
		name, a := q.engine.contains("u.full_name_key", text)
		mail, b := q.engine.contains("u.email_key", text)
		login, c := q.engine.contains("u.username", text)
		add(name+" OR "+mail+" OR "+login, a, b, c)
	}
	return where, arguments
}

// CountMembers counts what ListMembers lists.
func (q queries) CountMembers(ctx context.Context, organisation uuid.UUID, f MemberFilter) (int64, error) {
	where, arguments := q.memberConditions(organisation, f)
	return q.countMembers(ctx, f, where, arguments)
}

// countMembers counts by the conditions of a filter. Without one it looks for the users among the
// inactive ones, which are few and have an index, instead of reading the row of each.
func (q queries) countMembers(ctx context.Context, f MemberFilter, where string, arguments []any) (int64, error) {
	text := "SELECT count(*) FROM " + memberTables + " WHERE " + where
	if f.none() {
		text = "SELECT count(*) FROM user_roles AS g WHERE g.organisation_uuid = ? AND " + active +
			" AND NOT EXISTS (SELECT 1 FROM users AS u" + q.engine.indexedBy("users_inactive_uuid_idx") + " WHERE u.uuid = g.user_uuid AND NOT u.is_active)"
	}
	return selectValue[int64](ctx, q, text, arguments...)
}

// ListMembers returns a page of the active grants on an organisation whose users are active,
// and the number of rows on all pages, of one state of the database. Without an order the
// oldest come first; ties are broken by uuid. ErrInvalidPage past the end.
func (s *Store) ListMembers(ctx context.Context, organisation uuid.UUID, f MemberFilter, order []Ordering, page Page) ([]Member, int64, error) {
	var list []Member
	var total int64
	where, arguments := s.memberConditions(organisation, f) // once: what is active is so at one moment
	err := s.snapshot(ctx, func(q queries) error {
		var err error
		if total, err = q.countMembers(ctx, f, where, arguments); err != nil {
			return err
		}
		if err := page.Check(total); err != nil || total == 0 {
			return err
		}
		part, arguments := " LIMIT ?", append(arguments, page.Size)
		if page.Number > 1 { // not an OFFSET of 0: Postgres would take it for a tenth of the members, and plan anew each time
			part, arguments = part+" OFFSET ?", append(arguments, page.offset())
		}
		list, err = selectRows(ctx, q, int(min(int64(page.Size), total)), "SELECT "+memberColumns+" FROM "+memberTables+" LEFT JOIN users AS b ON b.uuid = g.created_by_uuid WHERE "+
			where+" ORDER BY "+memberOrder(order)+part, arguments, (*Member).columns)
		return err
	})
	return list, total, err
}

func memberOrder(order []Ordering) string {
	if len(order) == 0 {
		order = []Ordering{{Name: "created"}}
	}
	sql := ""
	for _, o := range order {
		column, known := memberOrders[o.Name]
		switch {
		case !known:
			continue
		case o.Descending && o.Name == "expiration_time":
			sql += column + " DESC NULLS FIRST, "
		case o.Descending:
			sql += column + " DESC, "
		case o.Name == "expiration_time":
			sql += column + " NULLS LAST, "
		default:
			sql += column + ", "
		}
	}
	return sql + "g.uuid"
}

// grant is what is read of a grant to change it.
type grant struct {
	uuid    uuid.UUID
	expires *time.Time
}

// grant returns the unrevoked grant of a role in an organisation, expired or not; nil where
// there is none.
func (q queries) grant(ctx context.Context, user, role, organisation uuid.UUID) (*grant, error) {
	held, err := selectRow(ctx, q, `SELECT uuid, expiration_time FROM user_roles
		WHERE user_uuid = ? AND role_uuid = ? AND organisation_uuid = ? AND revoked IS NULL`, []any{user, role, organisation},
		func(g *grant) []any { return []any{&g.uuid, &g.expires} })
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &held, err
}

// expired says whether the grant has ended, though nobody has revoked it.
func (g grant) expired(now time.Time) bool { return g.expires != nil && g.expires.Before(now) }

// longer says whether the first end is later than the second; nil is never.
func longer(a, b *time.Time) bool {
	return b != nil && (a == nil || a.After(*b))
}

// HoldsAsLong says whether a user holds a role in an organisation that ends no sooner than
// expires; nil is never.
func (q queries) HoldsAsLong(ctx context.Context, user, role, organisation uuid.UUID, expires *time.Time) (bool, error) {
	held, err := q.grant(ctx, user, role, organisation)
	if err != nil || held == nil {
		return false, err
	}
	return !held.expired(q.now()) && !longer(truncatePtr(expires), held.expires), nil
}

// GrantRole gives a user a role in an organisation until expires (nil: for good). It takes the
// place of a grant that ends sooner; ErrAlreadyGranted where there is one that does not.
func (tx *Tx) GrantRole(user, role, organisation uuid.UUID, expires *time.Time) error {
	expires = truncatePtr(expires)
	now := tx.now()
	held, err := tx.grant(tx.ctx, user, role, organisation)
	if err != nil {
		return err
	}
	if held != nil {
		if !held.expired(now) && !longer(expires, held.expires) {
			return ErrAlreadyGranted
		}
		if err := tx.revoke(*held, now); err != nil {
			return err
		}
	}
	id := tx.newUUID()
	err = tx.exec(`INSERT INTO user_roles (uuid, user_uuid, role_uuid, organisation_uuid, created, created_by_uuid, expiration_time)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, id, user, role, organisation, now, tx.actor.UserUUID, expires)
	if err != nil {
		return err
	}
	return tx.audit("create", "user_role", "until "+until(expires), id.String())
}

// UpdateGrant sets when a user's role in an organisation ends (nil: never). ErrNotFound where
// the user does not actively hold it.
func (tx *Tx) UpdateGrant(user, role, organisation uuid.UUID, expires *time.Time) error {
	expires = truncatePtr(expires)
	held, err := tx.grant(tx.ctx, user, role, organisation)
	if err != nil {
		return err
	}
	if held == nil || held.expired(tx.now()) {
		return ErrNotFound
	}
	if err := tx.exec("UPDATE user_roles SET expiration_time = ? WHERE uuid = ?", expires, held.uuid); err != nil {
		return err
	}
	return tx.audit("update", "user_role", "until "+until(expires)+", before that "+until(held.expires), held.uuid.String())
}

// RevokeRole ends a user's role in an organisation; where it is not held nothing changes.
func (tx *Tx) RevokeRole(user, role, organisation uuid.UUID) error {
	held, err := tx.grant(tx.ctx, user, role, organisation)
	if err != nil || held == nil {
		return err
	}
	return tx.revoke(*held, tx.now())
}

func (tx *Tx) revoke(g grant, now time.Time) error {
	if err := tx.exec("UPDATE user_roles SET revoked = ? WHERE uuid = ?", now, g.uuid); err != nil {
		return err
	}
	return tx.audit("revoke", "user_role", "", g.uuid.String())
}

func until(t *time.Time) string {
	if t == nil {
		return "further notice"
	}
	return t.Format(time.RFC3339Nano)
}
