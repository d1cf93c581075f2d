package store

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// Customer returns one customer, or ErrNotFound.
func (q queries) Customer(ctx context.Context, id uuid.UUID) (Customer, error) {
	return first[Customer](q.with(ctx), "uuid = ?", id)
}

// CustomerDetails is what is shown of a customer.
type CustomerDetails struct {
	Row   CustomerRow `gorm:"embedded"`
	Users int         `gorm:"column:users"` // active ones that hold a role on it
}

// CustomerRow is a customer with its organisation.
type CustomerRow struct {
	UUID             uuid.UUID  `gorm:"column:uuid" sql:"c.uuid"`
	Created          time.Time  `gorm:"column:created" sql:"c.created"`
	Name             string     `gorm:"column:name" sql:"c.name"`
	NativeName       string     `gorm:"column:native_name" sql:"c.native_name"`
	Abbreviation     string     `gorm:"column:abbreviation" sql:"c.abbreviation"`
	Country          string     `gorm:"column:country" sql:"c.country"`
	ImageUUID        *uuid.UUID `gorm:"column:image_uuid" sql:"c.image_uuid"`
	Blocked          bool       `gorm:"column:blocked" sql:"c.blocked"`
	Archived         bool       `gorm:"column:archived" sql:"c.archived"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid" sql:"o.uuid"` // nil: it has none
}

// customerColumns are the columns of CustomerDetails; ? is the time.
var customerColumns = columns[CustomerRow]() + `, (
		SELECT count(DISTINCT g.user_uuid) FROM user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid
		WHERE g.customer_uuid = c.uuid AND u.is_active AND ` + active + `) AS users`

// held is the condition of the customers on which a user holds a role; ? is the user and the time.
var held = "c.uuid IN (SELECT m.customer_uuid FROM user_roles AS m WHERE m.customer_uuid IS NOT NULL AND " + viewerGrant

// CustomerFilter narrows the list of customers; each part that is set narrows further. Parts of texts are found in
// any case.
type CustomerFilter struct {
	Name         string // a part
	NameExact    string // exactly
	Abbreviation string // a part
	NativeName   string // a part
	Keyword      string // a part of one of these
	Archived     *bool
	Holder       uuid.UUID // holds a role on it; uuid.Nil is any
	Owner        uuid.UUID // holds the role OwnerRole on it; uuid.Nil is any
	OwnerRole    string
}

// customerOrders are the columns of the orders of customers.
var customerOrders = map[string]string{
	"abbreviation": "c.abbreviation_key",
	"created":      "c.created",
	"name":         "c.name_key",
	"native_name":  "c.native_name_key",
}

// customerList is the list of all customers.
func (q queries) customerList() list {
	return list{
		from: "customers AS c", joins: " LEFT JOIN call_managing_organisations AS o ON o.customer_uuid = c.uuid",
		key: "c.uuid", columns: customerColumns, shown: []any{q.now()},
	}
}

func (q queries) customers(v Viewer, f CustomerFilter, order []Ordering) list {
	l := q.customerList()
	now := q.now()
	if !v.All {
		l.where.add(held+")", v.UserUUID, now)
	}
	if f.Holder != uuid.Nil {
		l.where.add(held+")", f.Holder, now)
	}
	if f.Owner != uuid.Nil {
		l.where.add(held+" AND m.role_uuid IN (SELECT uuid FROM roles WHERE name = ?))", f.Owner, now, f.OwnerRole)
	}
	if f.NameExact != "" { // equal names have equal keys, which have an index
		l.where.add("c.name_key = ? AND c.name = ?", CollationKey(f.NameExact), f.NameExact)
	}
	l.where.addFlag("c.archived", f.Archived)
	texts := len(l.where.conditions)
	const next = string(searchSeparator) // the three texts have two of them in between
	l.where.addBetween(FoldCase(f.Name), "", "%"+next+"%"+next, "c.search")
	l.where.addBetween(FoldCase(f.Abbreviation), next+"%", "%"+next, "c.search")
	l.where.addBetween(FoldCase(f.NativeName), next+"%"+next+"%", "", "c.search")
	l.where.addText(FoldCase(f.Keyword), "c.search")
	l.keysFirst = len(l.where.conditions) > texts && q.engine.Name() == "sqlite" // as for organisations
	l.keepTotal("customers")
	if len(order) == 0 {
		order = []Ordering{{Name: "name"}}
	}
	for _, o := range order {
		l.order = append(l.order, term{customerOrders[o.Name], o.Descending})
	}
	l.order = append(l.order, term{"c.uuid", order[0].Descending})
	return l
}

// CountCustomers counts what ListCustomers lists.
func (q queries) CountCustomers(ctx context.Context, v Viewer, f CustomerFilter) (int64, error) {
	return q.count(ctx, q.customers(v, f, nil))
}

// ListCustomers returns a page of the customers that the viewer sees, all or those on which they hold a role, and
// the number of rows on all pages, of one state of the database. Without an order they come by name. ErrInvalidPage
// past the end.
func (s *Store) ListCustomers(
	ctx context.Context, v Viewer, f CustomerFilter, order []Ordering, p Page,
) ([]CustomerDetails, int64, error) {
	return page[CustomerDetails](ctx, s, s.customers(v, f, order), p)
}

// CustomerDetails returns a customer. ErrNotFound where the viewer doesn't see it: one without an organisation on
// which they hold no role.
func (q queries) CustomerDetails(ctx context.Context, v Viewer, id uuid.UUID) (CustomerDetails, error) {
	l := q.customerList()
	l.where.add("c.uuid = ?", id)
	if !v.All {
		l.where.add("(o.uuid IS NOT NULL OR "+held+"))", v.UserUUID, q.now())
	}
	arguments := append(l.shown, l.where.arguments...)
	return scanOne[CustomerDetails](ctx, q, "SELECT "+l.columns+" FROM "+l.from+l.joins+l.where.String(), arguments...)
}

// LockCustomer is Customer, and keeps its row as it is until this Write ends. Other Writes can't make it an
// organisation meanwhile.
func (tx *Tx) LockCustomer(id uuid.UUID) (Customer, error) {
	return first[Customer](tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}), "uuid = ?", id)
}

// CreateCustomer makes a customer; UUID and Created are filled.
func (tx *Tx) CreateCustomer(c Customer, image *NewImage) (Customer, error) {
	c.UUID = tx.newUUID()
	var err error
	if c.ImageUUID, err = tx.insertImage(image); err != nil {
		return c, err
	}
	if err := tx.prepare(reflect.ValueOf(&c).Elem()); err != nil {
		return c, err
	}
	if err := tx.db.Create(&c).Error; err != nil {
		return c, err
	}
	return c, tx.audit("create", "customer", "", c.UUID.String())
}

// CustomerChange is what is to change of a customer; its zero value is nothing.
type CustomerChange struct {
	Name         *string
	NativeName   *string
	Abbreviation *string
	Country      *string
	Blocked      *bool
	Archived     *bool
	Image        *NewImage // sets the image
	ClearImage   bool      // removes it; not together with Image
}

// UpdateCustomer changes the customer, which LockCustomer returned, and what its organisation has of it. It removes
// an image that is replaced or cleared. A change of nothing writes nothing.
func (tx *Tx) UpdateCustomer(c Customer, change CustomerChange) error {
	var details []string
	set(&details, "name", &c.Name, change.Name)
	set(&details, "native_name", &c.NativeName, change.NativeName)
	set(&details, "abbreviation", &c.Abbreviation, change.Abbreviation)
	texts := len(details)
	set(&details, "country", &c.Country, change.Country)
	set(&details, "blocked", &c.Blocked, change.Blocked)
	set(&details, "archived", &c.Archived, change.Archived)
	old := c.ImageUUID
	if change.Image != nil || change.ClearImage {
		var err error
		if c.ImageUUID, err = tx.insertImage(change.Image); err != nil {
			return err
		}
		details = append(details, "image")
	}
	if len(details) == 0 {
		return nil
	}
	c.fillKeys()
	err := tx.db.Select("*").Updates(&c).Error
	if err == nil && texts > 0 {
		err = tx.copyCustomers([]string{c.UUID.String()})
	}
	if err == nil && old != c.ImageUUID {
		err = tx.deleteImage(old)
	}
	if err != nil {
		return err
	}
	return tx.audit("update", "customer", strings.Join(details, ", "), c.UUID.String())
}

// DeleteCustomer removes the customer, which LockCustomer returned, its image and the roles granted on it.
// ErrHasOrganisation where it has an organisation.
func (tx *Tx) DeleteCustomer(c Customer) error {
	err := tx.db.Delete(&Customer{UUID: c.UUID}).Error
	var organisation *ForeignKeyError
	if errors.As(err, &organisation) {
		return ErrHasOrganisation // nothing else refers to a customer and stays
	}
	if err == nil {
		err = tx.deleteImage(c.ImageUUID)
	}
	if err != nil {
		return err
	}
	return tx.audit("delete", "customer", c.Name, c.UUID.String()) // nobody could look the name up
}

// HasOrganisation says whether the customer has an organisation already.
func (q queries) HasOrganisation(ctx context.Context, customer uuid.UUID) (bool, error) {
	found, err := find[CallManagingOrganisation](q.with(ctx), "customer_uuid = ?", customer)
	return found != nil, err
}
