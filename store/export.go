package store

import (
	"context"
	"reflect"

	"github.com/google/uuid"
)

// Export is some rows of one kind, and what belongs to them.
type Export struct {
	Kind   Kind
	Rows   any     // a slice of Kind.Row
	Tokens []Token // of the rows, if they are users
	// Image reads an image of the exported rows, one at a time, since many don't fit in memory.
	Image func(id uuid.UUID) (Image, error)
}

// Export visits everything but audit events, of one state of the database, in the order of
// Kinds, at most ImportBatch rows at a time.
func (s *Store) Export(ctx context.Context, visit func(Export) error) error {
	return s.snapshot(ctx, func(q queries) error {
		for _, kind := range Kinds {
			if err := q.exportKind(ctx, kind, visit); err != nil {
				return err
			}
		}
		return nil
	})
}

// exportKind visits a table in the order of its uuids.
func (q queries) exportKind(ctx context.Context, kind Kind, visit func(Export) error) error {
	export := Export{Kind: kind, Image: func(id uuid.UUID) (Image, error) { return q.Image(ctx, id) }}
	last := uuid.Nil // below every other, and no row has it
	for {
		found := reflect.New(reflect.SliceOf(kind.Row))
		err := q.with(ctx).Where("uuid > ?", last).Order("uuid").Limit(ImportBatch).Find(found.Interface()).Error
		rows := found.Elem()
		if err != nil || rows.Len() == 0 {
			return err
		}
		export.Rows = rows.Interface()
		switch rows := export.Rows.(type) {
		case []User:
			export.Tokens, err = q.tokens(ctx, rows)
		case []Role:
			err = q.fillPermissions(ctx, rows)
		}
		if err != nil {
			return err
		}
		if err := visit(export); err != nil {
			return err
		}
		last = rows.Index(rows.Len() - 1).FieldByName("UUID").Interface().(uuid.UUID)
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
