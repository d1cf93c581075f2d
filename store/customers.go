package store

import (
	"context"
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
	UUID             uuid.UUID  `gorm:"column:uuid" sql:"c.uuid"`
	Created          time.Time  `gorm:"column:created" sql:"c.created"`
	Name             string     `gorm:"column:name" sql:"c.name"`
	NativeName       string     `gorm:"column:native_name" sql:"c.native_name"`
	Abbreviation     string     `gorm:"column:abbreviation" sql:"c.abbreviation"`
	Country          string     `gorm:"column:country" sql:"c.country"`
	ImageUUID        *uuid.UUID `gorm:"column:image_uuid" sql:"c.image_uuid"`
	Blocked          bool       `gorm:"column:blocked" sql:"c.blocked"`
	Archived         bool       `gorm:"column:archived" sql:"c.archived"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid" sql:"o.uuid"`
}

// customerDetailsQuery finds one customer, with how many users hold a role on it.
var customerDetailsQuery = "SELECT " + columns[CustomerDetails]() + `, (
		SELECT count(DISTINCT g.user_uuid) FROM user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid
		WHERE g.customer_uuid = c.uuid AND u.is_active AND ` + active + `) AS total
	FROM customers AS c LEFT JOIN call_managing_organisations AS o ON o.customer_uuid = c.uuid WHERE c.uuid = ?`

// CustomerDetails returns a customer and how many active users hold a role on it. ErrNotFound where the viewer
// doesn't see it: one without an organisation on which they hold no role.
func (q queries) CustomerDetails(ctx context.Context, v Viewer, id uuid.UUID) (CustomerDetails, int64, error) {
	now := q.now()
	text, arguments := customerDetailsQuery, []any{now, id}
	if !v.All {
		text += ` AND (o.uuid IS NOT NULL
			OR EXISTS (SELECT 1 FROM user_roles AS m WHERE m.customer_uuid = c.uuid AND ` + viewerGrant + "))"
		arguments = append(arguments, v.UserUUID, now)
	}
	row, err := scanOne[withTotal[CustomerDetails]](ctx, q, text, arguments...)
	return row.Row, row.Total, err
}

// LockCustomer is Customer, and keeps its row as it is until this Write ends. Other Writes can't make it an
// organisation meanwhile.
func (tx *Tx) LockCustomer(id uuid.UUID) (Customer, error) {
	return first[Customer](tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}), "uuid = ?", id)
}

// HasOrganisation says whether the customer has an organisation already.
func (q queries) HasOrganisation(ctx context.Context, customer uuid.UUID) (bool, error) {
	found, err := find[CallManagingOrganisation](q.with(ctx), "customer_uuid = ?", customer)
	return found != nil, err
}
