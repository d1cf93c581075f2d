package store

import (
	"slices"

	"github.com/google/uuid"
)

// ImportImage gives an object of the kind with this name its image; nil takes it away. The same image again
// changes nothing. ErrNotFound where there is no such object.
func (tx *Tx) ImportImage(kind string, object uuid.UUID, image *NewImage) error {
	at := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == kind })
	var old []struct {
		UUID   uuid.UUID `gorm:"column:uuid"`
		SHA256 string    `gorm:"column:sha256"`
	}
	err := tx.db.Table("images AS i").Select("i.uuid, i.sha256").
		Joins("JOIN "+kind+" AS t ON t.image_uuid = i.uuid").Where("t.uuid = ?", object).Scan(&old).Error
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
	return tx.audit("import", Kinds[at].Object, "image", object.String())
}
