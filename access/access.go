// Package access says who may do what: pure rules over the principal and the roles that the store
// says they hold. It reads nothing itself.
package access

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// The built-in roles, which the migrations write into every new database.
const (
	RoleCustomerOwner   = "CUSTOMER.OWNER"
	RoleCustomerManager = "CUSTOMER.MANAGER"
	RoleCustomerSupport = "CUSTOMER.SUPPORT"
	RoleCallOrganizer   = "CUSTOMER.CALL_ORGANIZER"
)

// The permissions that a rule here asks for.
const (
	PermissionRegister           = "SERVICE_PROVIDER.REGISTER"
	PermissionGrantRole          = "CALL.CREATE_PERMISSION"
	PermissionUpdateRole         = "CALL.UPDATE_PERMISSION"
	PermissionRevokeRole         = "CALL.DELETE_PERMISSION"
	PermissionGrantCustomerRole  = "CUSTOMER.CREATE_PERMISSION"
	PermissionUpdateCustomerRole = "CUSTOMER.UPDATE_PERMISSION"
	PermissionRevokeCustomerRole = "CUSTOMER.DELETE_PERMISSION"
)

// The permissions that it takes to grant, to update and to revoke a role, by what it is granted on.
var (
	PermissionsToGrant = map[store.Scope]string{
		store.ScopeOrganisation: PermissionGrantRole, store.ScopeCustomer: PermissionGrantCustomerRole,
	}
	PermissionsToUpdate = map[store.Scope]string{
		store.ScopeOrganisation: PermissionUpdateRole, store.ScopeCustomer: PermissionUpdateCustomerRole,
	}
	PermissionsToRevoke = map[store.Scope]string{
		store.ScopeOrganisation: PermissionRevokeRole, store.ScopeCustomer: PermissionRevokeCustomerRole,
	}
)

// Principal is who sent a request.
type Principal struct {
	UserUUID uuid.UUID
	Staff    bool // may do everything
	Support  bool // may look at every team
	// TokenDigest is what the store knows the token of the request by.
	TokenDigest   string
	TokenExpires  *time.Time    // nil: never
	TokenLifetime time.Duration // by which each use moves the end; 0: not at all
}

type principalKey struct{}

// With puts the principal on the context.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns the context's principal; without one, somebody who holds nothing.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// SeesAll says whether the principal may look at every user and every customer.
func (p Principal) SeesAll() bool { return p.Staff || p.Support }

// MaySeeVersion says whether the principal may see which version the server is.
func (p Principal) MaySeeVersion() bool { return p.SeesAll() }

// MayCreateUsers says whether the principal may make users.
func (p Principal) MayCreateUsers() bool { return p.Staff }

// MayChangeUser says whether the principal may change a user: themselves, and staff everybody.
func (p Principal) MayChangeUser(user uuid.UUID) bool { return p.Staff || p.UserUUID == user }

// MayManageCustomers says whether the principal may make, delete, block and archive customers.
func (p Principal) MayManageCustomers() bool { return p.Staff }

// MayCreate says whether the principal may make a customer an organisation, by the roles held
// on the customer.
func (p Principal) MayCreate(held []store.HeldRole) bool {
	return p.Staff || holds(held, store.ScopeCustomer, PermissionRegister)
}

// MayChange says whether the principal may update or delete an organisation, and change the texts and the
// image of its customer: by the role's name, whatever its permissions are.
func (p Principal) MayChange(held []store.HeldRole) bool {
	return p.Staff || slices.ContainsFunc(held, func(r store.HeldRole) bool {
		return r.Scope == store.ScopeCustomer && r.Name == RoleCustomerOwner
	})
}

// MayListUsers says whether the principal may see who holds roles on a customer or on an organisation: any role
// on it, or on the organisation's customer, will do.
func (p Principal) MayListUsers(held []store.HeldRole) bool {
	return p.SeesAll() || len(held) > 0
}

// SeesEmails says whether the principal sees the e-mail addresses of who holds roles on a customer.
func (p Principal) SeesEmails(held []store.HeldRole) bool {
	return p.SeesAll() || holds(held, store.ScopeCustomer, PermissionGrantRole) ||
		holds(held, store.ScopeCustomer, PermissionGrantCustomerRole)
}

// MayManageRole says whether the principal may do with the role of a user on a customer or on an organisation
// what the permission is for, and whether only with roles of others.
func (p Principal) MayManageRole(held []store.HeldRole, permission string) (allowed, othersOnly bool) {
	if p.Staff || holds(held, store.ScopeCustomer, permission) {
		return true, false
	}
	return holds(held, store.ScopeOrganisation, permission), true
}

// HeldUntil says when the last of the held roles with the permission ends; nil where one never does, or
// where there is none.
func HeldUntil(held []store.HeldRole, permission string) (end *time.Time) {
	for _, r := range held {
		switch {
		case r.Permission != permission:
		case r.Ends == nil:
			return nil
		case end == nil || end.Before(*r.Ends):
			end = r.Ends
		}
	}
	return end
}

func holds(held []store.HeldRole, scope store.Scope, permission string) bool {
	return slices.ContainsFunc(held, func(r store.HeldRole) bool {
		return r.Scope == scope && r.Permission == permission
	})
}
