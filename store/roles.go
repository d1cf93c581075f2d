package store

import (
	"context"
	"strings"

	"github.com/google/uuid"
)

// Permissions are the names that the permissions of roles may have: those of Waldur that concern calls.
var Permissions = []string{
	"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", "CALL.CREATE", "CALL.CREATE_PERMISSION",
	"CALL.DELETE_PERMISSION", "CALL.LIST", "CALL.UPDATE", "CALL.UPDATE_PERMISSION", "CUSTOMER.CREATE_PERMISSION",
	"CUSTOMER.DELETE_PERMISSION", "CUSTOMER.UPDATE_PERMISSION", "OFFERING.ACCEPT_CALL_REQUEST", "PROPOSAL.LIST",
	"PROPOSAL.MANAGE", "PROPOSAL.MANAGE_REVIEW", "ROUND.LIST", "SERVICE_PROVIDER.REGISTER",
}

// RoleDetails is a role with its permissions.
type RoleDetails struct {
	UUID        uuid.UUID `gorm:"column:uuid" sql:"r.uuid"`
	Name        string    `gorm:"column:name" sql:"r.name"`
	Scope       Scope     `gorm:"column:scope" sql:"r.scope"`
	Description string    `gorm:"column:description" sql:"r.description"`
	IsActive    bool      `gorm:"column:is_active" sql:"r.is_active"`
	Permissions string    `gorm:"column:permissions" sql:"coalesce(p.names, '')"` // sorted, with commas between them
}

const (
	roleTable         = "roles AS r"
	permissionsOfRole = ` LEFT JOIN (SELECT role_uuid, string_agg(permission, ',' ORDER BY permission) AS names
		FROM role_permissions GROUP BY role_uuid) AS p ON p.role_uuid = r.uuid`
)

var roleColumns = columns[RoleDetails]()

// RoleFilter narrows the list of roles; each part that is set narrows further.
type RoleFilter struct {
	Name        string // a part of the name, in any case of the letters A to Z
	Description string // the same of the description
	IsActive    *bool
}

func (q queries) roles(f RoleFilter) list {
	l := list{
		from: roleTable, joins: permissionsOfRole, key: "r.uuid", columns: roleColumns,
		order: []term{{"r.name_key", false}, {"r.uuid", false}},
	}
	l.where.addText(lowerASCII(f.Name), "lower(r.name)")
	l.where.addText(lowerASCII(f.Description), "lower(r.description)")
	if f.IsActive != nil {
		l.where.add("r.is_active = ?", *f.IsActive)
	}
	return l
}

// lowerASCII changes the letters that lower changes in SQL: on Postgres the columns are in the collation C.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, text)
}

// CountRoles counts what ListRoles lists.
func (q queries) CountRoles(ctx context.Context, f RoleFilter) (int64, error) {
	return q.count(ctx, q.roles(f))
}

// ListRoles returns a page of the roles, ordered by their names, and the number of rows on all pages, of one
// state of the database. ErrInvalidPage past the end.
func (s *Store) ListRoles(ctx context.Context, f RoleFilter, p Page) ([]RoleDetails, int64, error) {
	return page[RoleDetails](ctx, s, s.roles(f), p)
}

// RoleDetails returns a role with its permissions, or ErrNotFound.
func (q queries) RoleDetails(ctx context.Context, id uuid.UUID) (RoleDetails, error) {
	return scanOne[RoleDetails](ctx, q, "SELECT "+roleColumns+" FROM "+roleTable+permissionsOfRole+" WHERE r.uuid = ?", id)
}

// Role returns a role, or ErrNotFound. Permissions are left out.
func (q queries) Role(ctx context.Context, id uuid.UUID) (Role, error) {
	return first[Role](q.with(ctx), "uuid = ?", id)
}

// RoleByName returns a role by its exact name, or ErrNotFound. Permissions are left out.
func (q queries) RoleByName(ctx context.Context, name string) (Role, error) {
	return first[Role](q.with(ctx), "name = ?", name)
}
