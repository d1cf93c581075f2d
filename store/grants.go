package store

import (
	"time"

	"github.com/google/uuid"
)

// grant returns the unrevoked grant of a role in a scope, expired or not; nil where there is none.
func (tx *Tx) grant(user, role uuid.UUID, on ScopeOf) (*UserRole, error) {
	return find[UserRole](tx.db, "user_uuid = ? AND role_uuid = ? AND "+on.column()+" = ? AND revoked IS NULL",
		user, role, on.UUID)
}

// expired says whether the grant has ended, though nobody has revoked it.
func (g UserRole) expired(now time.Time) bool {
	return g.ExpirationTime != nil && g.ExpirationTime.Before(now)
}

// longer says whether the first end is later than the second; nil is never.
func longer(a, b *time.Time) bool {
	return b != nil && (a == nil || a.After(*b))
}

// GrantRole gives a user a role in a scope until expires (nil: for good). It replaces a grant that ends
// sooner; ErrAlreadyGranted where there is one that does not.
func (tx *Tx) GrantRole(user, role uuid.UUID, on ScopeOf, expires *time.Time) error {
	expires = truncatePtr(expires)
	now := tx.now()
	held, err := tx.grant(user, role, on)
	if err != nil {
		return err
	}
	if held != nil {
		if !held.expired(now) && !longer(expires, held.ExpirationTime) {
			return ErrAlreadyGranted
		}
		if err := tx.revoke(*held); err != nil {
			return err
		}
	}
	row := UserRole{
		UUID: tx.newUUID(), UserUUID: user, RoleUUID: role,
		Created: now, CreatedByUUID: tx.actor.UserUUID, ExpirationTime: expires,
	}
	if on.Kind == ScopeCustomer {
		row.CustomerUUID = &on.UUID
	} else {
		row.OrganisationUUID = &on.UUID
	}
	if err := tx.db.Create(&row).Error; err != nil {
		return err
	}
	return tx.auditEvents("create", row.event("until "+until(expires)))
}

// UpdateGrant sets when a user's role in a scope ends (nil: never). ErrNotFound where the user does not
// actively hold it.
func (tx *Tx) UpdateGrant(user, role uuid.UUID, on ScopeOf, expires *time.Time) error {
	expires = truncatePtr(expires)
	held, err := tx.grant(user, role, on)
	if err != nil {
		return err
	}
	if held == nil || held.expired(tx.now()) {
		return ErrNotFound
	}
	details := "until " + until(expires) + ", before that " + until(held.ExpirationTime)
	if err := tx.db.Model(held).Update("expiration_time", expires).Error; err != nil {
		return err
	}
	return tx.auditEvents("update", held.event(details))
}

// RevokeRole ends a user's role in a scope; where it is not held nothing changes.
func (tx *Tx) RevokeRole(user, role uuid.UUID, on ScopeOf) error {
	held, err := tx.grant(user, role, on)
	if err != nil || held == nil {
		return err
	}
	return tx.revoke(*held)
}

func (tx *Tx) revoke(g UserRole) error {
	if err := tx.db.Model(&g).Update("revoked", tx.now()).Error; err != nil {
		return err
	}
	return tx.auditEvents("revoke", g.event(""))
}

func until(t *time.Time) string {
	if t == nil {
		return "further notice"
	}
	return t.Format(time.RFC3339Nano)
}
