package store

import (
	"strings"

	"github.com/google/uuid"
)

// ImportImage gives an object of a kind, named as in Kinds, its image; nil removes it. The same image
// again changes nothing. ErrNotFound where there is no such object.
func (tx *Tx) ImportImage(kind string, object uuid.UUID, image *NewImage) error {
	var old []Image
	err := tx.db.Select("images.uuid", "images.sha256").
		Joins("JOIN "+kind+" AS t ON t.image_uuid = images.uuid").Where("t.uuid = ?", object).Find(&old).Error
	switch {
	case err != nil:
		return err
	case len(old) == 0 && image == nil, len(old) > 0 && image != nil && old[0].SHA256 == image.SHA256:
		return nil
	}
	id, err := tx.insertImage(image)
	if err != nil {
		return err
	}
	switch result := tx.db.Table(kind).Where("uuid = ?", object).Update("image_uuid", id); {
	case result.Error != nil:
		return result.Error
	case result.RowsAffected == 0:
		return ErrNotFound
	}
	if len(old) > 0 {
		if err := tx.deleteImage(&old[0].UUID); err != nil {
			return err
		}
	}
	return tx.audit("import", strings.TrimSuffix(kind, "s"), "image", object.String())
}
