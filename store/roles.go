package store

import (
	"context"

	"github.com/google/uuid"
)

// Permissions are the names that the permissions of roles may have: those of Waldur that concern calls.
var Permissions = []string{
	"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", "CALL.CREATE", "CALL.CREATE_PERMISSION",
	"CALL.DELETE_PERMISSION", "CALL.LIST", "CALL.UPDATE", "CALL.UPDATE_PERMISSION", "CUSTOMER.CREATE_PERMISSION",
	"CUSTOMER.DELETE_PERMISSION", "CUSTOMER.UPDATE_PERMISSION", "OFFERING.ACCEPT_CALL_REQUEST", "PROPOSAL.LIST",
	"PROPOSAL.MANAGE", "PROPOSAL.MANAGE_REVIEW", "ROUND.LIST", "SERVICE_PROVIDER.REGISTER",
}

// Role returns a role, or ErrNotFound. Permissions are left out.
func (q queries) Role(ctx context.Context, id uuid.UUID) (Role, error) {
	return first[Role](q.with(ctx), "uuid = ?", id)
}

// RoleByName returns a role by its exact name, or ErrNotFound. Permissions are left out.
func (q queries) RoleByName(ctx context.Context, name string) (Role, error) {
	return first[Role](q.with(ctx), "name = ?", name)
}
