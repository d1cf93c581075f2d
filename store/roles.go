package store

import (
	"context"

	"github.com/google/uuid"
)

// Role returns a role, or ErrNotFound. Permissions are left out.
func (q queries) Role(ctx context.Context, id uuid.UUID) (Role, error) {
	return first[Role](q.with(ctx), "uuid = ?", id)
}

// RoleByName returns a role by its exact name, or ErrNotFound. Permissions are left out.
func (q queries) RoleByName(ctx context.Context, name string) (Role, error) {
	return first[Role](q.with(ctx), "name = ?", name)
}
