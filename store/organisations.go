package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// Organisation is a call managing organisation with what is shown of its customer.
type Organisation struct {
	UUID                 uuid.UUID
	Created              time.Time
	Description          string
	ImageUUID            *uuid.UUID
	CustomerUUID         uuid.UUID
	CustomerName         string
	CustomerAbbreviation string
	CustomerNativeName   string
	CustomerCountry      string
	CustomerImageUUID    *uuid.UUID
	CustomerBlocked      bool
	CustomerArchived     bool
}

// CustomerAvailable says whether roles may be given out.
func (o Organisation) CustomerAvailable() bool { return !o.CustomerBlocked && !o.CustomerArchived }

const (
	organisationColumns = `o.uuid, o.created, o.description, o.image_uuid, o.customer_uuid,
	o.customer_name, o.customer_abbreviation, o.customer_native_name, o.customer_country, o.customer_image_uuid,
	o.customer_blocked, o.customer_archived`
	selectOrganisations = "SELECT " + organisationColumns + " " + fromOrganisations
	fromOrganisations   = "FROM call_managing_organisations AS o"
	organisationQuery   = selectOrganisations + " WHERE o.uuid = ?"
)

// columns are where the values of organisationColumns go.
func (o *Organisation) columns() []any {
	return []any{
		&o.UUID, &o.Created, &o.Description, &o.ImageUUID, &o.CustomerUUID,
		&o.CustomerName, &o.CustomerAbbreviation, &o.CustomerNativeName, &o.CustomerCountry, &o.CustomerImageUUID,
		&o.CustomerBlocked, &o.CustomerArchived,
	}
}

// Organisation returns one organisation, or ErrNotFound.
func (q queries) Organisation(ctx context.Context, id uuid.UUID) (Organisation, error) {
	return selectRow(ctx, q, organisationQuery, []any{id}, (*Organisation).columns)
}

// LockOrganisation is Organisation, and keeps every other Write off it until this one ends:
// what is checked after it still holds when it is changed. It also waits for an import, by the
// weak lock on the customer (see LockForImport).
func (tx *Tx) LockOrganisation(id uuid.UUID) (Organisation, error) {
	return selectRow(tx.ctx, tx.queries, selectOrganisations+tx.engine.lockedByID(), []any{id}, (*Organisation).columns)
}

// Customer returns one customer, or ErrNotFound.
func (q queries) Customer(ctx context.Context, id uuid.UUID) (Customer, error) {
	var c Customer
	err := q.with(ctx).Where("uuid = ?", id).Take(&c).Error
	return c, q.err(err)
}

// LockCustomer is Customer, and keeps its row as it is until this Write ends.
func (tx *Tx) LockCustomer(id uuid.UUID) (Customer, error) {
	var c Customer
	err := tx.db.Clauses(clause.Locking{Strength: "SHARE"}).Where("uuid = ?", id).Take(&c).Error
	return c, tx.err(err)
}

// HasOrganisation says whether the customer has an organisation already.
func (q queries) HasOrganisation(ctx context.Context, customer uuid.UUID) (bool, error) {
	var n int64
	err := q.with(ctx).Model(&CallManagingOrganisation{}).Where("customer_uuid = ?", customer).Count(&n).Error
	return n > 0, q.err(err)
}

// HasCalls says whether the organisation has calls, in any state.
func (q queries) HasCalls(ctx context.Context, organisation uuid.UUID) (bool, error) {
	var id []uuid.UUID
	err := q.with(ctx).Model(&Call{}).Where("organisation_uuid = ?", organisation).Limit(1).Pluck("uuid", &id).Error
	return len(id) > 0, q.err(err)
}

// CreateOrganisation makes the customer an organisation. ErrUnique where it has one.
func (tx *Tx) CreateOrganisation(c Customer, description string, image *NewImage) (Organisation, error) {
	row := CallManagingOrganisation{
		UUID: tx.newUUID(), CustomerUUID: c.UUID, Description: description, Created: tx.now(),
	}
	var err error
	if row.ImageUUID, err = tx.insertImage(image); err != nil {
		return Organisation{}, err
	}
	if err := tx.db.Create(&row).Error; err != nil {
		return Organisation{}, tx.err(err)
	}
	o := Organisation{
		UUID: row.UUID, Created: row.Created, Description: row.Description, ImageUUID: row.ImageUUID,
		CustomerUUID: c.UUID, CustomerName: c.Name, CustomerAbbreviation: c.Abbreviation, CustomerNativeName: c.NativeName,
		CustomerCountry: c.Country, CustomerImageUUID: c.ImageUUID, CustomerBlocked: c.Blocked, CustomerArchived: c.Archived,
	}
	return o, tx.audit("create", "call_managing_organisation", "", row.UUID.String())
}

// OrganisationChange is what is to change of an organisation; its zero value is nothing.
type OrganisationChange struct {
	Description *string
	Image       *NewImage // sets the image
	ClearImage  bool      // takes it away; not together with Image
}

// Empty says that nothing is to change.
func (c OrganisationChange) Empty() bool { return c == OrganisationChange{} }

// UpdateOrganisation changes the organisation, which LockOrganisation returned, and removes
// an image that is replaced or cleared.
func (tx *Tx) UpdateOrganisation(o Organisation, change OrganisationChange) (Organisation, error) {
	if change.Description != nil {
		o.Description = *change.Description
	}
	old, changed := o.ImageUUID, change.Image != nil || change.ClearImage
	if changed {
		var err error
		if o.ImageUUID, err = tx.insertImage(change.Image); err != nil {
			return o, err
		}
	}
	// Both columns, whatever changes: the row is locked, and one text is prepared once.
	if err := tx.exec("UPDATE call_managing_organisations SET description = ?, image_uuid = ? WHERE uuid = ?", o.Description, o.ImageUUID, o.UUID); err != nil {
		return o, err
	}
	if changed && old != nil {
		if err := tx.deleteImage(*old); err != nil {
			return o, err
		}
	}
	return o, tx.audit("update", "call_managing_organisation", change.describe(), o.UUID.String())
}

func (c OrganisationChange) describe() string {
	what := ""
	if c.Description != nil {
		what = "description"
	}
	if c.Image != nil || c.ClearImage {
		if what != "" {
			what += ", "
		}
		what += "image"
	}
	return what
}

// DeleteOrganisation removes the organisation, which LockOrganisation returned, its image and
// the roles granted on it. ErrForeignKey where it has calls.
func (tx *Tx) DeleteOrganisation(o Organisation) error {
	if err := tx.db.Where("uuid = ?", o.UUID).Delete(&CallManagingOrganisation{}).Error; err != nil {
		return tx.err(err)
	}
	if o.ImageUUID != nil {
		if err := tx.deleteImage(*o.ImageUUID); err != nil {
			return err
		}
	}
	return tx.audit("delete", "call_managing_organisation", "", o.UUID.String())
}
