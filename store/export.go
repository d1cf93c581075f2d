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
		for _, export := range []func() error{
			exportRows(ctx, q, func(c Customer) uuid.UUID { return c.UUID }, func(rows []Customer) error {
				return visit(Export{Customers: rows, Image: image})
			}),
			exportRows(ctx, q, func(u User) uuid.UUID { return u.UUID }, func(rows []User) error {
				tokens, err := q.tokens(ctx, rows)
				if err != nil {
					return err
				}
				return visit(Export{Users: rows, Tokens: tokens, Image: image})
			}),
			exportRows(ctx, q, func(r Role) uuid.UUID { return r.UUID }, func(rows []Role) error {
				if err := q.fillPermissions(ctx, rows); err != nil {
					return err
				}
				return visit(Export{Roles: rows})
			}),
			exportRows(ctx, q, func(o CallManagingOrganisation) uuid.UUID { return o.UUID }, func(rows []CallManagingOrganisation) error {
				return visit(Export{Organisations: rows, Image: image})
			}),
			exportRows(ctx, q, func(g UserRole) uuid.UUID { return g.UUID }, func(rows []UserRole) error { return visit(Export{UserRoles: rows}) }),
			exportRows(ctx, q, func(c Call) uuid.UUID { return c.UUID }, func(rows []Call) error { return visit(Export{Calls: rows}) }),
			exportRows(ctx, q, func(r Round) uuid.UUID { return r.UUID }, func(rows []Round) error { return visit(Export{Rounds: rows}) }),
			exportRows(ctx, q, func(p Proposal) uuid.UUID { return p.UUID }, func(rows []Proposal) error { return visit(Export{Proposals: rows}) }),
			exportRows(ctx, q, func(r Review) uuid.UUID { return r.UUID }, func(rows []Review) error { return visit(Export{Reviews: rows}) }),
			exportRows(ctx, q, func(o RequestedOffering) uuid.UUID { return o.UUID }, func(rows []RequestedOffering) error {
				return visit(Export{RequestedOfferings: rows})
			}),
		} {
			if err := export(); err != nil {
				return err
			}
		}
		return nil
	})
}

// exportRows returns what visits a table in the order of its uuids.
func exportRows[T any](ctx context.Context, q queries, id func(T) uuid.UUID, visit func([]T) error) func() error {
	return func() error {
		last := uuid.Nil // below every other, and no row has it
		for {
			var rows []T
			if err := q.with(ctx).Where("uuid > ?", last).Order("uuid").Limit(ImportBatch).Find(&rows).Error; err != nil {
				return err
			}
			if len(rows) == 0 {
				return nil
			}
			if err := visit(rows); err != nil {
				return err
			}
			last = id(rows[len(rows)-1])
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
	return tokens, err
}

// fillPermissions reads the permissions of the roles.
func (q queries) fillPermissions(ctx context.Context, roles []Role) error {
	for i := range roles {
		roles[i].Permissions = nil // GORM would write into the old ones, which a caller may share
		err := q.with(ctx).Model(&RolePermission{}).Where("role_uuid = ?", roles[i].UUID).Order("permission").
			Pluck("permission", &roles[i].Permissions).Error
		if err != nil {
			return err
		}
	}
	return nil
}
