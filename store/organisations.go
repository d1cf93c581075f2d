package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Organisation is a call managing organisation with what is shown of its customer.
type Organisation struct {
	UUID                 uuid.UUID  `gorm:"column:uuid" sql:"o.uuid"`
	Created              time.Time  `gorm:"column:created" sql:"o.created"`
	Description          string     `gorm:"column:description" sql:"o.description"`
	ImageUUID            *uuid.UUID `gorm:"column:image_uuid" sql:"o.image_uuid"`
	CustomerUUID         uuid.UUID  `gorm:"column:customer_uuid" sql:"o.customer_uuid"`
	CustomerName         string     `gorm:"column:customer_name" sql:"c.name"`
	CustomerAbbreviation string     `gorm:"column:customer_abbreviation" sql:"c.abbreviation"`
	CustomerNativeName   string     `gorm:"column:customer_native_name" sql:"c.native_name"`
	CustomerCountry      string     `gorm:"column:customer_country" sql:"c.country"`
	CustomerImageUUID    *uuid.UUID `gorm:"column:customer_image_uuid" sql:"c.image_uuid"`
	CustomerBlocked      bool       `gorm:"column:customer_blocked" sql:"c.blocked"`
	CustomerArchived     bool       `gorm:"column:customer_archived" sql:"c.archived"`
}

// CustomerAvailable says whether roles may be given out.
func (o Organisation) CustomerAvailable() bool { return !o.CustomerBlocked && !o.CustomerArchived }

// Scope is the organisation as what roles are granted on.
func (o Organisation) Scope() ScopeOf { return ScopeOf{ScopeOrganisation, o.UUID} }

const (
	organisationTable = "call_managing_organisations AS o"
	customerOfIt      = " JOIN customers AS c ON c.uuid = o.customer_uuid"
)

var (
	organisationColumns = columns[Organisation]()
	organisationQuery   = "SELECT " + organisationColumns + " FROM " + organisationTable + customerOfIt +
		" WHERE o.uuid = ?"
)

// OrganisationFilter narrows the list of organisations; each part that is set narrows further.
type OrganisationFilter struct {
	Customers []uuid.UUID // the customer is each of these
	Keyword   string      // text in the customer's name, abbreviation or native name, in any case
}

func (q queries) organisations(f OrganisationFilter, order []Ordering) list {
	descending := len(order) > 0 && order[0].Descending // customer_name is the only name
	l := list{
		from: organisationTable, joins: customerOfIt, key: "o.uuid", columns: organisationColumns,
		order: []term{{"o.customer_key", descending}, {"o.uuid", descending}},
	}
	for _, customer := range f.Customers {
		l.where.add("o.customer_uuid = ?", customer)
	}
	l.where.addText(FoldCase(f.Keyword), "o.customer_search")
	// SQLite would read all rows otherwise: at 100,000 a search takes 150 ms instead of 20. On Postgres the
	// second step costs more than it saves.
	l.keysFirst = f.Keyword != "" && q.engine.Name() == "sqlite"
	l.keepTotal("call_managing_organisations")
	return l
}

// CountOrganisations counts what ListOrganisations lists.
func (q queries) CountOrganisations(ctx context.Context, f OrganisationFilter) (int64, error) {
	return q.count(ctx, q.organisations(f, nil))
}

// ListOrganisations returns a page and the number of rows on all pages, of one state of the
// database. The order is that of the customers' names, ties are broken by uuid; only customer_name
// can be ordered by. ErrInvalidPage past the end.
func (s *Store) ListOrganisations(
	ctx context.Context, f OrganisationFilter, order []Ordering, p Page,
) ([]Organisation, int64, error) {
	return page[Organisation](ctx, s, s.organisations(f, order), p)
}

// Organisation returns one organisation, or ErrNotFound.
func (q queries) Organisation(ctx context.Context, id uuid.UUID) (Organisation, error) {
	return scanOne[Organisation](ctx, q, organisationQuery, id)
}

// LockOrganisation is Organisation, and keeps every other Write off it until this one ends. It also
// waits for an import, by the weak lock on the customer (see LockForImport).
func (tx *Tx) LockOrganisation(id uuid.UUID) (Organisation, error) {
	locking := tx.engine.locking("FOR UPDATE OF o FOR KEY SHARE OF c")
	return scanOne[Organisation](tx.db.Statement.Context, tx.queries, organisationQuery+locking, id)
}

// CreateOrganisation makes the customer, which LockCustomer returned, an organisation. A UniqueError where
// it has one.
func (tx *Tx) CreateOrganisation(c Customer, description string, image *NewImage) (Organisation, error) {
	row := CallManagingOrganisation{
		UUID: tx.newUUID(), CustomerUUID: c.UUID, Description: description, Created: tx.now(),
		CustomerKey: c.NameKey, CustomerSearch: c.Search,
	}
	var err error
	if row.ImageUUID, err = tx.insertImage(image); err != nil {
		return Organisation{}, err
	}
	if err := tx.db.Create(&row).Error; err != nil {
		return Organisation{}, err
	}
	o := Organisation{
		UUID: row.UUID, Created: row.Created, Description: row.Description, ImageUUID: row.ImageUUID,
		CustomerUUID: c.UUID, CustomerName: c.Name, CustomerAbbreviation: c.Abbreviation,
		CustomerNativeName: c.NativeName, CustomerCountry: c.Country, CustomerImageUUID: c.ImageUUID,
		CustomerBlocked: c.Blocked, CustomerArchived: c.Archived,
	}
	return o, tx.auditEvents("create", row.event(""))
}

// OrganisationChange is what is to change of an organisation; its zero value is nothing.
type OrganisationChange struct {
	Description *string
	Image       *NewImage // sets the image
	ClearImage  bool      // removes it; not together with Image
}

// UpdateOrganisation changes the organisation, which LockOrganisation returned, and removes an image
// that is replaced or cleared. A change of nothing writes nothing.
func (tx *Tx) UpdateOrganisation(o Organisation, change OrganisationChange) (Organisation, error) {
	if change == (OrganisationChange{}) {
		return o, nil
	}
	details := ""
	if change.Description != nil {
		o.Description, details = *change.Description, "description"
	}
	old, changed := o.ImageUUID, change.Image != nil || change.ClearImage
	if changed {
		var err error
		if o.ImageUUID, err = tx.insertImage(change.Image); err != nil {
			return o, err
		}
		details = strings.TrimPrefix(details+", image", ", ")
	}
	row := CallManagingOrganisation{
		UUID: o.UUID, CustomerUUID: o.CustomerUUID, Description: o.Description, ImageUUID: o.ImageUUID,
	}
	if err := tx.db.Select("description", "image_uuid").Updates(&row).Error; err != nil {
		return o, err
	}
	if changed {
		if err := tx.deleteImage(old); err != nil {
			return o, err
		}
	}
	return o, tx.auditEvents("update", row.event(details))
}

// DeleteOrganisation removes the organisation, which LockOrganisation returned, its image and
// the roles granted on it. ErrHasCalls where it has calls.
func (tx *Tx) DeleteOrganisation(o Organisation) error {
	row := CallManagingOrganisation{UUID: o.UUID, CustomerUUID: o.CustomerUUID}
	err := tx.db.Delete(&row).Error
	var calls *ForeignKeyError
	if errors.As(err, &calls) {
		return ErrHasCalls // nothing else refers to an organisation and stays
	}
	if err != nil {
		return err
	}
	if err := tx.deleteImage(o.ImageUUID); err != nil {
		return err
	}
	return tx.auditEvents("delete", row.event(""))
}

// copyCustomers brings the copies that organisations have of these customers, named by their UUIDs,
// up to date.
func (tx *Tx) copyCustomers(customers []string) error {
	return tx.db.Exec(`UPDATE call_managing_organisations SET customer_key = c.name_key, customer_search = c.search
		FROM customers AS c WHERE c.uuid = call_managing_organisations.customer_uuid AND c.uuid IN ?`, customers).Error
}

// fillCustomerCopies fills the copies of customers in rows that are about to be written.
func (tx *Tx) fillCustomerCopies(rows []CallManagingOrganisation) error {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.CustomerUUID
	}
	var found []Customer
	if err := tx.db.Select("uuid", "name_key", "search").Where("uuid IN ?", ids).Find(&found).Error; err != nil {
		return err
	}
	customers := map[uuid.UUID]Customer{}
	for _, c := range found {
		customers[c.UUID] = c
	}
	for i := range rows { // a customer that is not there is refused by the foreign key
		c := customers[rows[i].CustomerUUID]
		rows[i].CustomerKey, rows[i].CustomerSearch = append([]byte{}, c.NameKey...), c.Search
	}
	return nil
}
