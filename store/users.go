package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// usernamePattern is the rule that the API's reference page prints for usernames.
var usernamePattern = regexp.MustCompile(`^[0-9a-z_.@+-]{1,128}$`)

// ErrUsername says that the text is not a username.
var ErrUsername = errors.New("a username has 1 to 128 lowercase letters, numbers and @/./+/-/_ characters")

// CheckUsername returns ErrUsername where the text is not a username.
func CheckUsername(username string) error {
	if !usernamePattern.MatchString(username) {
		return ErrUsername
	}
	return nil
}

// emailPattern accepts what every validator of OpenAPI's format email accepts: ASCII without quotes, and a
// domain with a dot.
var emailPattern = regexp.MustCompile(`^[\w!#$%&'*+/=?^{|}~-]+(\.[\w!#$%&'*+/=?^{|}~-]+)*@` +
	`([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z])$`)

// ErrEmail says that the text is not an e-mail address.
var ErrEmail = errors.New("an e-mail address is like alice@example.com, in ASCII characters")

// CheckEmail returns ErrEmail where the text is neither an e-mail address nor empty.
func CheckEmail(email string) error {
	if email != "" && (!emailPattern.MatchString(email) || len(email) > 254 || strings.Index(email, "@") > 64) {
		return ErrEmail
	}
	return nil
}

// Digest is what the store knows a token by: its SHA-256 in lower-case hex.
func Digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// User returns one user, or ErrNotFound.
func (q queries) User(ctx context.Context, id uuid.UUID) (User, error) {
	return first[User](q.with(ctx), "uuid = ?", id)
}

// UserByName returns one user by the exact username, or ErrNotFound.
func (q queries) UserByName(ctx context.Context, username string) (User, error) {
	return first[User](q.with(ctx), "username = ?", username)
}

// CreateUser makes a user, whose image may be nil; UUID and Created are filled where they are not set, and Slug is
// the username where it is "". ErrUsername, or a UniqueError where the username is taken.
func (tx *Tx) CreateUser(u User, image *NewImage) (User, error) {
	if u.UUID == uuid.Nil {
		u.UUID = tx.newUUID()
	}
	if err := tx.prepare(reflect.ValueOf(&u).Elem()); err != nil {
		return u, err
	}
	var err error
	if u.ImageUUID, err = tx.insertImage(image); err != nil {
		return u, err
	}
	if err := tx.db.Create(&u).Error; err != nil {
		return u, err
	}
	return u, tx.audit("create", "user", "", u.UUID.String())
}

// LockUser is User, and keeps every other Write off the row until this one ends.
func (tx *Tx) LockUser(id uuid.UUID) (User, error) {
	return first[User](tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}), "uuid = ?", id)
}

// UserChange is what is to change of a user; its zero value is nothing.
type UserChange struct {
	Slug       *string
	FirstName  *string
	LastName   *string
	NativeName *string
	IsStaff    *bool
	IsSupport  *bool
	IsActive   *bool
	Image      *NewImage // sets the image
	ClearImage bool      // removes it; not together with Image
}

// UpdateUser changes the user, whom LockUser returned, and removes an image that is replaced or cleared. A change
// of nothing writes nothing. The audit event names the texts, and the flags with their values.
func (tx *Tx) UpdateUser(u User, change UserChange) error {
	if change == (UserChange{}) {
		return nil
	}
	var details []string
	set(&details, "slug", &u.Slug, change.Slug)
	set(&details, "first_name", &u.FirstName, change.FirstName)
	set(&details, "last_name", &u.LastName, change.LastName)
	set(&details, "native_name", &u.NativeName, change.NativeName)
	set(&details, "is_staff", &u.IsStaff, change.IsStaff)
	set(&details, "is_support", &u.IsSupport, change.IsSupport)
	set(&details, "is_active", &u.IsActive, change.IsActive)
	old, changesImage := u.ImageUUID, change.Image != nil || change.ClearImage
	if changesImage {
		var err error
		if u.ImageUUID, err = tx.insertImage(change.Image); err != nil {
			return err
		}
		details = append(details, "image")
	}
	if err := tx.prepare(reflect.ValueOf(&u).Elem()); err != nil {
		return err
	}
	if err := tx.db.Select("*").Updates(&u).Error; err != nil {
		return err
	}
	if changesImage {
		if err := tx.deleteImage(old); err != nil {
			return err
		}
	}
	return tx.audit("update", "user", strings.Join(details, ", "), u.UUID.String())
}

// RevokeTokens deletes every token of a user and returns how many there were.
func (tx *Tx) RevokeTokens(user uuid.UUID) (int, error) {
	result := tx.db.Where("user_uuid = ?", user).Delete(&Token{})
	if result.Error != nil {
		return 0, result.Error
	}
	return int(result.RowsAffected), tx.audit("revoke", "token", "", user.String())
}
