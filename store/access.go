package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Identity is who signed in with a token.
type Identity struct {
	Expires   *time.Time `gorm:"column:expires" sql:"t.expires"`   // of the token
	Lifetime  int64      `gorm:"column:lifetime" sql:"t.lifetime"` // of the token
	UUID      uuid.UUID  `gorm:"column:uuid" sql:"u.uuid"`
	IsStaff   bool       `gorm:"column:is_staff" sql:"u.is_staff"`
	IsSupport bool       `gorm:"column:is_support" sql:"u.is_support"`
	IsActive  bool       `gorm:"column:is_active" sql:"u.is_active"`
}

var identityQuery = "SELECT " + columns[Identity]() +
	" FROM tokens AS t JOIN users AS u ON u.uuid = t.user_uuid WHERE t.digest = ?"

// Identity returns who a token belongs to, by its digest, in one statement; ErrNotFound where
// there is no such token. Expired tokens and inactive users are returned too.
func (q queries) Identity(ctx context.Context, digest string) (Identity, error) {
	return scanOne[Identity](ctx, q, identityQuery, digest)
}

// HeldRole is a role that a user actively holds on an organisation or on its customer, with one of its
// permissions. It is there once for each of them, or once where the role has none.
type HeldRole struct {
	Name       string     `gorm:"column:name" sql:"r.name"`
	Scope      Scope      `gorm:"column:scope" sql:"r.scope"`
	Permission string     `gorm:"column:permission" sql:"COALESCE(p.permission, '')"`
	Ends       *time.Time `gorm:"column:expiration_time" sql:"g.expiration_time"` // nil: never
}

// active is the condition of a grant that counts at this moment.
const active = "g.revoked IS NULL AND (g.expiration_time IS NULL OR g.expiration_time >= ?)"

var heldRolesOf = "SELECT " + columns[HeldRole]() + ` FROM user_roles AS g JOIN roles AS r ON r.uuid = g.role_uuid
	LEFT JOIN role_permissions AS p ON p.role_uuid = r.uuid WHERE g.user_uuid = ? AND ` + active

// A union, since each kind of scope has an index of its own, and OR would use neither.
var heldRolesQuery = heldRolesOf + " AND g.customer_uuid = ? UNION ALL " + heldRolesOf + " AND g.organisation_uuid = ?"

// HeldRoles returns the roles that a user actively holds on a customer and, unless it is
// uuid.Nil, on an organisation.
func (q queries) HeldRoles(ctx context.Context, user, customer, organisation uuid.UUID) ([]HeldRole, error) {
	now := q.now()
	return scan[HeldRole](ctx, q, heldRolesQuery, user, now, customer, user, now, organisation)
}
