package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// Customer returns one customer, or ErrNotFound.
func (q queries) Customer(ctx context.Context, id uuid.UUID) (Customer, error) {
	return first[Customer](q.with(ctx), "uuid = ?", id)
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
