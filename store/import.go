package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// ImportBatch is how many rows an Import method takes at most: what fits one statement, below
// SQLite's 32,766 and Postgres's 65,535 parameters for the widest table.
const ImportBatch = 500

// ErrRow says which of the rows given to an Import method could not be kept, and why.
type ErrRow struct {
	Index int // into the rows, from 0
	Err   error
}

func (e *ErrRow) Error() string { return fmt.Sprintf("row %d: %v", e.Index, e.Err) }

// Unwrap returns why.
func (e *ErrRow) Unwrap() error { return e.Err }

// LockForImport keeps the changes of requests and other imports waiting until this Write ends;
// reads go on. An import locks rows in the order of its file: without this it and a request
// could wait for each other, and what it has read could be outdated when it writes.
func (tx *Tx) LockForImport() error {
	tx.imports = true
	return tx.engine.lockForImport(tx.db)
}

// ImportCustomers upserts customers by uuid. A zero Created keeps what is there. ImageUUID is left
// out: see ImportImage.
func (tx *Tx) ImportCustomers(rows []Customer) error {
	err := fillCreated(tx, "customers", rows, func(c *Customer) (uuid.UUID, *time.Time) { return c.UUID, &c.Created })
	if err != nil {
		return err
	}
	images, err := imageIDs(tx, "customers", rows, func(c Customer) uuid.UUID { return c.UUID })
	if err != nil {
		return err
	}
	for i := range rows {
		c := &rows[i]
		c.ImageUUID = images[c.UUID]
		c.fillKeys()
	}
	changed, err := upsert(tx, "customer", rows)
	if err != nil || len(changed) == 0 {
		return err
	}
	return tx.copyCustomers(changed)
}

// ImportUsers upserts users by uuid. A zero Created keeps what is there, an empty Slug is the
// username. ImageUUID is left out: see ImportImage.
func (tx *Tx) ImportUsers(rows []User) error {
	err := fillCreated(tx, "users", rows, func(u *User) (uuid.UUID, *time.Time) { return u.UUID, &u.Created })
	if err != nil {
		return err
	}
	images, err := imageIDs(tx, "users", rows, func(u User) uuid.UUID { return u.UUID })
	if err != nil {
		return err
	}
	for i := range rows {
		u := &rows[i]
		if err := CheckUsername(u.Username); err != nil {
			return &ErrRow{Index: i, Err: err}
		}
		if u.Slug == "" {
			u.Slug = u.Username
		}
		u.ImageUUID = images[u.UUID]
		u.fillKeys()
	}
	_, err = upsert(tx, "user", rows)
	return err
}

// ImportTokens upserts tokens by digest. A zero Created keeps what is there. ErrUnique where
// a token is another user's.
func (tx *Tx) ImportTokens(rows []Token) error {
	digests := make([]string, len(rows))
	for i, t := range rows {
		digests[i] = t.Digest
	}
	var old []Token
	if err := tx.db.Where("digest IN ?", digests).Find(&old).Error; err != nil {
		return err
	}
	created, owners := map[string]time.Time{}, map[string]uuid.UUID{}
	for _, t := range old {
		created[t.Digest], owners[t.Digest] = t.Created, t.UserUUID
	}
	for i := range rows {
		t := &rows[i]
		if owner, known := owners[t.Digest]; known && owner != t.UserUUID {
			return &ErrRow{Index: i, Err: &UniqueError{Constraint: "tokens_pkey"}}
		}
		if t.Created.IsZero() {
			t.Created = created[t.Digest]
		}
		t.Created = tx.orNow(t.Created)
		t.Expires = truncatePtr(t.Expires)
		owners[t.Digest] = t.UserUUID
	}
	changed, err := upsertBy(tx, "digest", rows)
	if err != nil {
		return err
	}
	objects := make([]string, len(changed))
	for i, digest := range changed {
		objects[i] = owners[digest].String() // an event names the user: a digest is nobody's business
	}
	return tx.audit("import", "token", "", objects...)
}

// ImportRoles upserts roles by uuid, with their permissions.
func (tx *Tx) ImportRoles(rows []Role) error {
	for i := range rows {
		rows[i].fillKeys()
	}
	if _, err := upsert(tx, "role", rows); err != nil {
		return err
	}
	kept := slices.Clone(rows)
	if err := tx.fillPermissions(tx.db.Statement.Context, kept); err != nil {
		return err
	}
	for i, r := range rows {
		want := slices.Compact(slices.Sorted(slices.Values(r.Permissions)))
		if slices.Equal(kept[i].Permissions, want) {
			continue
		}
		if err := tx.db.Where("role_uuid = ?", r.UUID).Delete(&RolePermission{}).Error; err != nil {
			return err
		}
		permissions := make([]RolePermission, len(want))
		for j, p := range want {
			permissions[j] = RolePermission{RoleUUID: r.UUID, Permission: p}
		}
		if len(permissions) > 0 {
			if err := tx.db.Create(&permissions).Error; err != nil {
				return &ErrRow{Index: i, Err: err}
			}
		}
		if err := tx.audit("import", "role", "permissions", r.UUID.String()); err != nil {
			return err
		}
	}
	return nil
}

// ImportOrganisations upserts organisations by uuid. A zero Created keeps what is there.
// ImageUUID is left out: see ImportImage.
func (tx *Tx) ImportOrganisations(rows []CallManagingOrganisation) error {
	err := fillCreated(tx, "call_managing_organisations", rows, func(o *CallManagingOrganisation) (uuid.UUID, *time.Time) { return o.UUID, &o.Created })
	if err != nil {
		return err
	}
	images, err := imageIDs(tx, "call_managing_organisations", rows, func(o CallManagingOrganisation) uuid.UUID { return o.UUID })
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].ImageUUID = images[rows[i].UUID]
	}
	if err := tx.fillCustomerCopies(rows); err != nil {
		return err
	}
	_, err = upsert(tx, "call_managing_organisation", rows)
	return err
}

// ImportUserRoles upserts grants by uuid; one without a uuid is the unrevoked grant of the
// same user, role and scope, if it is revoked itself else the last revoked one, or a new one.
// A zero Created keeps what is there.
func (tx *Tx) ImportUserRoles(rows []UserRole) error {
	seen := make(map[uuid.UUID]bool, len(rows))
	for i := range rows {
		g := &rows[i]
		g.ExpirationTime, g.Revoked = truncatePtr(g.ExpirationTime), truncatePtr(g.Revoked)
		if g.UUID == uuid.Nil {
			var err error
			if g.UUID, err = tx.findGrant(*g); err != nil {
				return err
			}
		}
		if seen[g.UUID] {
			return &ErrRow{Index: i, Err: &UniqueError{Constraint: "user_roles_pkey"}}
		}
		seen[g.UUID] = true
	}
	err := fillCreated(tx, "user_roles", rows, func(g *UserRole) (uuid.UUID, *time.Time) { return g.UUID, &g.Created })
	if err != nil {
		return err
	}
	_, err = upsert(tx, "user_role", rows)
	return err
}

// findGrant returns the uuid of the grant that a row without one means, or a new one. Each kind of
// scope has a unique index of its own, of unrevoked grants alone: a statement for everything would
// be served by neither, and read all grants for each row.
func (tx *Tx) findGrant(g UserRole) (uuid.UUID, error) {
	column, scope := "customer_uuid", g.CustomerUUID
	if scope == nil {
		column, scope = "organisation_uuid", g.OrganisationUUID
	}
	lookUp := func(which string) (uuid.UUID, error) {
		held, err := first[UserRole](tx.db.Order("revoked DESC, uuid"), column+" = ? AND user_uuid = ? AND role_uuid = ? AND "+which, scope, g.UserUUID, g.RoleUUID)
		return held.UUID, err
	}
	id, err := lookUp("revoked IS NULL")
	if g.Revoked != nil && errors.Is(err, ErrNotFound) {
		id, err = lookUp("revoked IS NOT NULL")
	}
	if errors.Is(err, ErrNotFound) {
		return tx.newUUID(), nil
	}
	return id, err
}

// ImportCalls upserts calls by uuid. A zero Created keeps what is there.
func (tx *Tx) ImportCalls(rows []Call) error {
	err := fillCreated(tx, "calls", rows, func(c *Call) (uuid.UUID, *time.Time) { return c.UUID, &c.Created })
	if err != nil {
		return err
	}
	_, err = upsert(tx, "call", rows)
	return err
}

// ImportRounds upserts rounds by uuid.
func (tx *Tx) ImportRounds(rows []Round) error {
	for i := range rows {
		rows[i].StartTime, rows[i].CutoffTime = truncate(rows[i].StartTime), truncate(rows[i].CutoffTime)
	}
	_, err := upsert(tx, "round", rows)
	return err
}

// ImportProposals upserts proposals by uuid.
func (tx *Tx) ImportProposals(rows []Proposal) error {
	_, err := upsert(tx, "proposal", rows)
	return err
}

// ImportReviews upserts reviews by uuid.
func (tx *Tx) ImportReviews(rows []Review) error {
	_, err := upsert(tx, "review", rows)
	return err
}

// ImportRequestedOfferings upserts requested offerings by uuid.
func (tx *Tx) ImportRequestedOfferings(rows []RequestedOffering) error {
	_, err := upsert(tx, "requested_offering", rows)
	return err
}

// Exists says whether there is a row with this uuid. kind is one of the import file's lists.
func (q queries) Exists(ctx context.Context, kind string, id uuid.UUID) (bool, error) {
	if !slices.Contains(exportKinds, kind) {
		return false, errors.New("store: no such kind: " + kind)
	}
	var n int64
	err := q.with(ctx).Table(kind).Where("uuid = ?", id).Count(&n).Error
	return n > 0, err
}

// Empty says whether the database holds nothing but what the migrations wrote.
func (q queries) Empty(ctx context.Context) (bool, error) {
	var n int64
	err := q.with(ctx).Raw("SELECT (SELECT count(*) FROM (SELECT 1 FROM customers LIMIT 1) AS c) + (SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1) AS u)" +
		" + (SELECT count(*) FROM (SELECT 1 FROM audit_events LIMIT 1) AS a)").Scan(&n).Error
	return n == 0, err
}
