package baseline

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/google/uuid"
)

const (
	scopeCustomer     = "customer"
	scopeOrganisation = "call_managing_organisation"
)

// skip is where a column goes that nobody looks at.
type skip struct{}

// Scan does nothing.
func (skip) Scan(any) error { return nil }

// lock reads an organisation and what the principal holds, and keeps other changes off it.
func lock(ctx context.Context, tx session, who principal, id string) (Organisation, []heldRole, error) {
	var o Organisation
	if err := tx.one(ctx, lockOrganisation, []any{id}, o.destinations()...); err != nil {
		return o, nil, orNotFound(err)
	}
	var h heldRole
	var held []heldRole
	err := tx.each(ctx, tx.statements[selectHeldRoles], []any{who.uuid, now(), o.Customer, who.uuid, now(), o.UUID}, h.destinations(), func() { held = append(held, h) })
	return o, held, err
}

func (tx session) audit(ctx context.Context, who principal, action, objectType, object, details string) error {
	return tx.exec(ctx, insertAudit, newUUID(), now(), who.uuid, "", objectType+"."+action, objectType, object, details)
}

func newUUID() string { return uuid.Must(uuid.NewV7()).String() }

func mayChange(who principal, held []heldRole) bool {
	if who.staff {
		return true
	}
	for _, h := range held {
		if h.scope.String == scopeCustomer && h.role.String == "CUSTOMER.OWNER" {
			return true
		}
	}
	return false
}

// PartialUpdate changes an organisation's description.
func (d *Database) PartialUpdate(ctx context.Context, digest, id, description string) (Organisation, error) {
	var o Organisation
	who, err := d.authenticate(ctx, digest)
	if err != nil {
		return o, err
	}
	_, held, err := d.organisationFor(ctx, who, id)
	if err != nil {
		return o, err
	}
	if !mayChange(who, held) {
		return o, errForbidden
	}
	err = d.change(ctx, func(tx session) error {
		if o, held, err = lock(ctx, tx, who, id); err != nil {
			return err
		}
		if !mayChange(who, held) {
			return errForbidden
		}
		o.Description = description
		if err := tx.exec(ctx, updateOrganisation, description, o.Image, id); err != nil {
			return err
		}
		return tx.audit(ctx, who, "update", "call_managing_organisation", id, "description")
	})
	return o, err
}

// role is what a change of a role looks at of it.
type role struct {
	uuid, scope string
	active      bool
}

// target is what a change of a role is about.
type target struct {
	role       role
	userActive bool
}

// loadTarget reads role and user of a change and checks that the principal may make it.
func loadTarget(ctx context.Context, s session, who principal, o Organisation, held []heldRole, permission, roleName, user string) (target, error) {
	allowed, othersOnly := who.staff, !who.staff
	for _, h := range held {
		if h.permission.String == permission {
			allowed = true
			othersOnly = othersOnly && h.scope.String != scopeCustomer
		}
	}
	if !allowed {
		return target{}, errForbidden
	}
	var t target
	err := s.one(ctx, selectRole, []any{roleName}, &t.role.uuid, skip{}, &t.role.scope, skip{}, &t.role.active)
	if errors.Is(err, sql.ErrNoRows) {
		return t, &Refusal{http.StatusBadRequest, "Role is not found."}
	}
	if err != nil {
		return t, err
	}
	err = s.one(ctx, selectUser, []any{user}, skip{}, skip{}, skip{}, skip{}, skip{}, skip{}, skip{}, skip{},
		skip{}, &t.userActive, skip{}, skip{}, skip{}, skip{}, skip{}, skip{})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, &Refusal{http.StatusBadRequest, "User is not found."}
	case err != nil:
		return t, err
	case o.blocked || o.archived:
		return t, &Refusal{http.StatusBadRequest, "Customer is not available."}
	case othersOnly && user == who.uuid:
		return t, &Refusal{http.StatusBadRequest, "User can not manage own role."}
	}
	return t, nil
}

// manageRole checks outside of a transaction and again inside of one, where it changes.
func (d *Database) manageRole(ctx context.Context, digest, id, permission, roleName, user string, change func(session, principal, target) error) error {
	who, err := d.authenticate(ctx, digest)
	if err != nil {
		return err
	}
	o, held, err := d.organisationFor(ctx, who, id)
	if err != nil {
		return err
	}
	if _, err := loadTarget(ctx, d.reads(), who, o, held, permission, roleName, user); err != nil {
		return err
	}
	return d.change(ctx, func(tx session) error {
		o, held, err := lock(ctx, tx, who, id)
		if err != nil {
			return err
		}
		t, err := loadTarget(ctx, tx, who, o, held, permission, roleName, user)
		if err != nil {
			return err
		}
		return change(tx, who, t)
	})
}

// AddUser gives a user a role for good.
func (d *Database) AddUser(ctx context.Context, digest, id, roleName, user string) error {
	return d.manageRole(ctx, digest, id, "CALL.CREATE_PERMISSION", roleName, user, func(tx session, who principal, t target) error {
		grant, expires, err := tx.grant(ctx, user, t.role.uuid, id)
		switch {
		case err != nil:
			return err
		case grant != "" && (!expires.Valid || expires.Time.After(now())):
			return &Refusal{http.StatusBadRequest, "User has already the same role in this scope."}
		case !t.userActive && !who.staff, t.role.scope != scopeOrganisation, !t.role.active:
			return &Refusal{http.StatusBadRequest, "Role is not active."}
		}
		if grant, _, err = tx.grant(ctx, user, t.role.uuid, id); err != nil {
			return err
		}
		if grant != "" {
			if err := tx.revoke(ctx, who, grant); err != nil {
				return err
			}
		}
		grant = newUUID()
		if err := tx.exec(ctx, insertGrant, grant, user, t.role.uuid, id, now(), who.uuid, nil); err != nil {
			return err
		}
		return tx.audit(ctx, who, "create", "user_role", grant, "until further notice")
	})
}

// DeleteUser takes a role from a user, if it is held.
func (d *Database) DeleteUser(ctx context.Context, digest, id, roleName, user string) error {
	return d.manageRole(ctx, digest, id, "CALL.DELETE_PERMISSION", roleName, user, func(tx session, who principal, t target) error {
		grant, _, err := tx.grant(ctx, user, t.role.uuid, id)
		if err != nil || grant == "" {
			return err
		}
		return tx.revoke(ctx, who, grant)
	})
}

// grant returns the unrevoked grant of a role, "" where there is none, and when it ends.
func (tx session) grant(ctx context.Context, user, role, organisation string) (string, sql.NullTime, error) {
	var id string
	var expires sql.NullTime
	err := tx.one(ctx, selectGrant, []any{user, role, organisation}, &id, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, expires, err
}

func (tx session) revoke(ctx context.Context, who principal, grant string) error {
	if err := tx.exec(ctx, revokeGrant, now(), grant); err != nil {
		return err
	}
	return tx.audit(ctx, who, "revoke", "user_role", grant, "")
}
