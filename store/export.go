package store

import (
	"context"

	"github.com/google/uuid"
)

// exportKinds are the tables that an import file has a list for, in the order in which each
// refers to earlier ones only.
var exportKinds = []string{
	"customers", "users", "roles", "call_managing_organisations", "user_roles",
	"calls", "rounds", "proposals", "reviews", "requested_offerings",
}

// Export is some rows of one kind, and what belongs to them.
type Export struct {
	Customers          []Customer
	Users              []User
	Tokens             []Token // of Users
	Roles              []Role
	Organisations      []CallManagingOrganisation
	UserRoles          []UserRole
	Calls              []Call
	Rounds             []Round
	Proposals          []Proposal
	Reviews            []Review
	RequestedOfferings []RequestedOffering
	// Image reads an image of the exported rows, one at a time, since many don't fit in memory.
	Image func(id uuid.UUID) (Image, error)
}

// Export visits everything but audit events, of one state of the database, in the order of
// the import file, at most ImportBatch rows at a time.
func (s *Store) Export(ctx context.Context, visit func(Export) error) error {
	return s.snapshot(ctx, func(q queries) error {
		image := func(id uuid.UUID) (Image, error) { return q.Image(ctx, id) }
		steps := []func() error{
			func() error {
				return exportRows(ctx, q, func(rows []Customer) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Customers: rows, Image: image})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []User) (uuid.UUID, error) {
					tokens, err := q.tokens(ctx, rows)
					if err != nil {
						return uuid.Nil, err
					}
					return rows[len(rows)-1].UUID, visit(Export{Users: rows, Tokens: tokens, Image: image})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []Role) (uuid.UUID, error) {
					if err := q.fillPermissions(ctx, rows); err != nil {
						return uuid.Nil, err
					}
					return rows[len(rows)-1].UUID, visit(Export{Roles: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []CallManagingOrganisation) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Organisations: rows, Image: image})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []UserRole) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{UserRoles: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []Call) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Calls: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []Round) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Rounds: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []Proposal) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Proposals: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []Review) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{Reviews: rows})
				})
			},
			func() error {
				return exportRows(ctx, q, func(rows []RequestedOffering) (uuid.UUID, error) {
					return rows[len(rows)-1].UUID, visit(Export{RequestedOfferings: rows})
				})
			},
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// exportRows visits a table in the order of its uuids; visit returns the last one.
func exportRows[T any](ctx context.Context, q queries, visit func([]T) (uuid.UUID, error)) error {
	last := uuid.Nil
	for {
		var rows []T
		// The nil UUID is below every other, and no row has it.
		if err := q.with(ctx).Where("uuid > ?", last).Order("uuid").Limit(ImportBatch).Find(&rows).Error; err != nil {
			return q.err(err)
		}
		if len(rows) == 0 {
			return nil
		}
		var err error
		if last, err = visit(rows); err != nil {
			return err
		}
	}
}

// tokens returns the tokens of the users.
func (q queries) tokens(ctx context.Context, users []User) ([]Token, error) {
	ids := make([]uuid.UUID, len(users))
	for i, u := range users {
		ids[i] = u.UUID
	}
	var tokens []Token
	err := q.with(ctx).Where("user_uuid IN ?", ids).Order("digest").Find(&tokens).Error
	return tokens, q.err(err)
}

// fillPermissions reads the permissions of the roles.
func (q queries) fillPermissions(ctx context.Context, roles []Role) error {
	for i := range roles {
		roles[i].Permissions = nil // GORM would write into the old ones, which a caller may share
		err := q.with(ctx).Model(&RolePermission{}).Where("role_uuid = ?", roles[i].UUID).Order("permission").
			Pluck("permission", &roles[i].Permissions).Error
		if err != nil {
			return q.err(err)
		}
	}
	return nil
}

// Roles returns every role by name, with its permissions.
func (q queries) Roles(ctx context.Context) ([]Role, error) {
	var roles []Role
	if err := q.with(ctx).Order("name").Find(&roles).Error; err != nil {
		return nil, q.err(err)
	}
	return roles, q.fillPermissions(ctx, roles)
}
