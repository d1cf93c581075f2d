package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// Kind is a list of the import file, which holds the rows of one table.
type Kind struct {
	Name   string       // of the list and of the table
	Object string       // what audit events call one of its objects
	Row    reflect.Type // a struct
}

// Kinds are the lists of the import file, each after those that it refers to.
var Kinds = []Kind{
	{"customers", "customer", reflect.TypeFor[Customer]()},
	{"users", "user", reflect.TypeFor[User]()},
	{"roles", "role", reflect.TypeFor[Role]()},
	{"call_managing_organisations", "call_managing_organisation", reflect.TypeFor[CallManagingOrganisation]()},
	{"user_roles", "user_role", reflect.TypeFor[UserRole]()},
	{"calls", "call", reflect.TypeFor[Call]()},
	{"rounds", "round", reflect.TypeFor[Round]()},
	{"proposals", "proposal", reflect.TypeFor[Proposal]()},
	{"reviews", "review", reflect.TypeFor[Review]()},
	{"requested_offerings", "requested_offering", reflect.TypeFor[RequestedOffering]()},
}

// KindNames returns the names of the lists, which are those of their tables, in the order of Kinds.
func KindNames() []string {
	var names []string
	for _, kind := range Kinds {
		names = append(names, kind.Name)
	}
	return names
}

// ImportBatch is how many rows Tx.Import takes at most: what fits one statement, below
// SQLite's 32,766 and Postgres's 65,535 parameters for the widest table.
const ImportBatch = 500

// RowError says which of the rows given to Tx.Import could not be kept, and why.
type RowError struct {
	Index int // into the rows, from 0
	Err   error
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Index, e.Err) }

// Unwrap returns why.
func (e *RowError) Unwrap() error { return e.Err }

// LockForImport keeps the changes of requests and other imports waiting until this Write ends;
// reads go on. An import locks rows in the order of its file: without this it and a request
// could wait for each other, and what it has read could be outdated when it writes.
func (tx *Tx) LockForImport() error {
	tx.imports = true
	return tx.engine.lockForImport(tx.db)
}

// Import inserts rows, a slice of a kind's rows or of Token, or updates those whose key exists. It fills
// the rows' search and sort keys, and their Created where it is zero. It writes an audit event for each row.
// Its errors about a row are *RowError; after one some rows may be written, and the transaction goes on.
func (tx *Tx) Import(rows any) error {
	list := reflect.ValueOf(rows)
	if list.Len() == 0 {
		return nil
	}
	objects := make([]string, list.Len())
	for i := range objects {
		if err := tx.prepare(list.Index(i)); err != nil {
			return &RowError{Index: i, Err: err}
		}
		objects[i] = fmt.Sprint(list.Index(i).Field(0)) // the key
	}
	if organisations, ok := rows.([]CallManagingOrganisation); ok {
		if err := tx.fillCustomerCopies(organisations); err != nil {
			return err
		}
	}
	err := tx.upsert(list)
	if err != nil {
		return err
	}
	switch rows := rows.(type) {
	case []Token:
		for i, t := range rows {
			objects[i] = t.UserUUID.String() // an event names the user, and never the digest
		}
		return tx.audit("import", "token", "", objects...)
	case []CallManagingOrganisation:
		return tx.auditEvents("import", eventsOf(rows)...)
	case []UserRole:
		return tx.auditEvents("import", eventsOf(rows)...)
	case []Customer:
		err = tx.copyCustomers(objects)
	case []Role:
		err = tx.importPermissions(rows)
	}
	if err != nil {
		return err
	}
	kind := Kinds[slices.IndexFunc(Kinds, func(k Kind) bool { return k.Row == list.Type().Elem() })]
	return tx.audit("import", kind.Object, "", objects...)
}

// upsert inserts rows, or updates those whose key exists. Its errors are *RowError.
func (tx *Tx) upsert(rows reflect.Value) error {
	save := func(rows reflect.Value) error {
		all := reflect.New(rows.Type())
		all.Elem().Set(rows)
		return tx.savepoint(func(tx *Tx) error {
			return tx.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(all.Interface()).Error
		})
	}
	if err := save(rows); err == nil || errors.Is(err, ErrUnavailable) || isContextError(err) {
		return err
	}
	// The engines don't say which row it was, so they are tried one by one. All of them succeed where
	// Postgres only refused one key twice in a statement.
	for i := range rows.Len() {
		if err := save(rows.Slice(i, i+1)); err != nil {
			return &RowError{Index: i, Err: err}
		}
	}
	return nil
}

// prepare brings a row into the form in which the store keeps it.
func (tx *Tx) prepare(row reflect.Value) error {
	for i := range row.NumField() {
		switch value := row.Field(i).Addr().Interface().(type) {
		case *time.Time:
			if row.Type().Field(i).Name == "Created" && value.IsZero() {
				*value = tx.now()
			}
			*value = truncate(*value)
		case **time.Time:
			*value = truncatePtr(*value)
		}
	}
	switch row := row.Addr().Interface().(type) {
	case *Customer:
		row.fillKeys()
	case *Role:
		row.fillKeys()
	case *User:
		row.Slug = cmp.Or(row.Slug, row.Username)
		row.fillKeys()
		return CheckUsername(row.Username)
	case *UserRole:
		if row.UUID == uuid.Nil {
			row.UUID = tx.newUUID()
		}
	}
	return nil
}

// importPermissions gives roles exactly the permissions of the rows.
func (tx *Tx) importPermissions(roles []Role) error {
	for _, role := range roles {
		err := tx.db.Where("role_uuid = ?", role.UUID).Delete(&RolePermission{}).Error
		for _, p := range role.Permissions {
			if err == nil {
				err = tx.db.Create(&RolePermission{RoleUUID: role.UUID, Permission: p}).Error
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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

// Find returns those rows of a type that have one of the keys, by key. The type is a kind's or Token.
func (tx *Tx) Find(row reflect.Type, keys []any) (map[any]reflect.Value, error) {
	list := reflect.New(reflect.SliceOf(row))
	condition := clause.IN{Column: clause.PrimaryColumn, Values: keys}
	if err := tx.db.Where(condition).Find(list.Interface()).Error; err != nil {
		return nil, err
	}
	if roles, ok := list.Interface().(*[]Role); ok {
		if err := tx.fillPermissions(tx.db.Statement.Context, *roles); err != nil {
			return nil, err
		}
	}
	found := map[any]reflect.Value{}
	for i := range list.Elem().Len() {
		row := list.Elem().Index(i)
		found[row.Field(0).Interface()] = row
	}
	return found, nil
}

// FindGrant returns the uuid of the grant that an import means by its user, role and scope: the
// unrevoked one or, where revoked is set and there is none, the one that was revoked last. It is
// the nil UUID where there is none.
func (tx *Tx) FindGrant(g UserRole) (uuid.UUID, error) {
	column, scope := "customer_uuid", g.CustomerUUID
	if scope == nil {
		column, scope = "organisation_uuid", g.OrganisationUUID
	}
	condition := column + " = ? AND user_uuid = ? AND role_uuid = ?"
	if g.Revoked == nil {
		condition += " AND revoked IS NULL"
	}
	held, err := find[UserRole](tx.db.Order("revoked IS NOT NULL, revoked DESC, uuid"),
		condition, scope, g.UserUUID, g.RoleUUID)
	if err != nil || held == nil {
		return uuid.Nil, err
	}
	return held.UUID, nil
}

// Empty says whether the database holds nothing but what the migrations wrote.
func (q queries) Empty(ctx context.Context) (bool, error) {
	for _, table := range []string{"customers", "users", "audit_events"} {
		var found []uuid.UUID
		if err := q.with(ctx).Table(table).Limit(1).Pluck("uuid", &found).Error; err != nil || len(found) > 0 {
			return false, err
		}
	}
	return true, nil
}
