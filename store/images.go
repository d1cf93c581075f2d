package store

import (
	"context"

	"github.com/google/uuid"
)

// NewImage is a picture that was checked and is to be kept.
type NewImage struct {
	MediaType string
	SHA256    string // lower-case hex
	Bytes     []byte
}

// Image returns a picture, or ErrNotFound.
func (q queries) Image(ctx context.Context, id uuid.UUID) (Image, error) {
	return first[Image](q.with(ctx), "uuid = ?", id)
}

// insertImage is part of what its callers audit. A nil image has no id.
func (tx *Tx) insertImage(image *NewImage) (*uuid.UUID, error) {
	if image == nil {
		return nil, nil
	}
	row := Image{
		UUID: tx.newUUID(), MediaType: image.MediaType, SHA256: image.SHA256, Bytes: image.Bytes, Created: tx.now(),
	}
	return &row.UUID, tx.db.Create(&row).Error
}

// deleteImage is part of what its callers audit. Nil is no image.
func (tx *Tx) deleteImage(id *uuid.UUID) error {
	if id == nil {
		return nil
	}
	return tx.db.Delete(&Image{UUID: *id}).Error
}
