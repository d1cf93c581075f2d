package store

import (
	"strings"

	"github.com/google/uuid"
)

// ImageOwner is a kind of object that has an image: the name of its table.
type ImageOwner string

// The kinds of objects that have images.
const (
	CustomerImage     ImageOwner = "customers"
	UserImage         ImageOwner = "users"
	OrganisationImage ImageOwner = "call_managing_organisations"
)

// ImportImage gives an object its image; nil takes it away. The same image again changes
// nothing. ErrNotFound where there is no such object.
func (tx *Tx) ImportImage(owner ImageOwner, object uuid.UUID, image *NewImage) error {
	var old []struct {
		UUID   uuid.UUID
		SHA256 string `gorm:"column:sha256"`
	}
	err := tx.db.Table("images AS i").Select("i.uuid, i.sha256").Joins("JOIN "+string(owner)+" AS t ON t.image_uuid = i.uuid").
		Where("t.uuid = ?", object).Scan(&old).Error
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
	switch result := tx.db.Table(string(owner)).Where("uuid = ?", object).Update("image_uuid", id); {
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
	return tx.audit("import", strings.TrimSuffix(string(owner), "s"), "image", object.String())
}

// imageIDs returns the images that the rows have now, so that an upsert leaves them.
func imageIDs[T any](tx *Tx, table string, rows []T, id func(T) uuid.UUID) (map[uuid.UUID]*uuid.UUID, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = id(row)
	}
	var found []struct {
		UUID      uuid.UUID
		ImageUUID *uuid.UUID
	}
	if err := tx.db.Table(table).Select("uuid, image_uuid").Where("uuid IN ? AND image_uuid IS NOT NULL", ids).Scan(&found).Error; err != nil {
		return nil, err
	}
	images := make(map[uuid.UUID]*uuid.UUID, len(found))
	for _, row := range found {
		images[row.UUID] = row.ImageUUID
	}
	return images, nil
}
