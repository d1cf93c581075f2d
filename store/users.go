package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// usernamePattern is the rule that the API's reference page prints for usernames.
var usernamePattern = regexp.MustCompile(`^[0-9a-z_.@+-]{1,128}$`)

// ErrUsername says that the text is no username.
var ErrUsername = errors.New("a username has 1 to 128 lowercase letters, numbers and @/./+/-/_ characters")

// CheckUsername says ErrUsername where the text is none.
func CheckUsername(username string) error {
	if !usernamePattern.MatchString(username) {
		return ErrUsername
	}
	return nil
}

// Digest is what the store knows a token by: its SHA-256 in lower-case hex.
func Digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Identity is who signed in with a token.
type Identity struct {
	Expires   *time.Time // of the token
	UUID      uuid.UUID
	IsStaff   bool
	IsSupport bool
	IsActive  bool
}

// Identity returns who a token belongs to, by its digest, in one statement; ErrNotFound where
// there is no such token. Expired tokens and inactive users are returned too.
func (q queries) Identity(ctx context.Context, digest string) (Identity, error) {
	return selectRow(ctx, q, `SELECT t.expires, u.uuid, u.is_staff, u.is_support, u.is_active
		FROM tokens AS t JOIN users AS u ON u.uuid = t.user_uuid WHERE t.digest = ?`, []any{digest},
		func(i *Identity) []any { return []any{&i.Expires, &i.UUID, &i.IsStaff, &i.IsSupport, &i.IsActive} })
}

const userColumns = `uuid, username, slug, full_name, native_name, email, image_uuid, is_staff, is_support, is_active, created,
	full_name_key, native_name_key, email_key, slug_key, full_name_search`

// columns are where the values of userColumns go.
func (u *User) columns() []any {
	return []any{
		&u.UUID, &u.Username, &u.Slug, &u.FullName, &u.NativeName, &u.Email, &u.ImageUUID, &u.IsStaff, &u.IsSupport, &u.IsActive, &u.Created,
		&u.FullNameKey, &u.NativeNameKey, &u.EmailKey, &u.SlugKey, &u.FullNameSearch,
	}
}

// User returns one user, or ErrNotFound.
func (q queries) User(ctx context.Context, id uuid.UUID) (User, error) {
	return selectRow(ctx, q, "SELECT "+userColumns+" FROM users WHERE uuid = ?", []any{id}, (*User).columns)
}

// UserByName returns one user by the exact username, or ErrNotFound.
func (q queries) UserByName(ctx context.Context, username string) (User, error) {
	return selectRow(ctx, q, "SELECT "+userColumns+" FROM users WHERE username = ?", []any{username}, (*User).columns)
}

// CreateUser makes a user; UUID and Created are filled where they are not set, and Slug is
// the username where it is "". ErrUsername, or ErrUnique where the username is taken.
func (tx *Tx) CreateUser(u User) (User, error) {
	if err := CheckUsername(u.Username); err != nil {
		return u, err
	}
	if u.UUID == uuid.Nil {
		u.UUID = tx.newUUID()
	}
	if u.Slug == "" {
		u.Slug = u.Username
	}
	u.Created = tx.orNow(u.Created)
	u.fold()
	if err := tx.db.Create(&u).Error; err != nil {
		return u, tx.err(err)
	}
	return u, tx.audit("create", "user", "", u.UUID.String())
}

// fold fills the columns that are searched and ordered by.
func (u *User) fold() {
	u.FullNameKey = FoldCase(u.FullName)
	u.NativeNameKey = FoldCase(u.NativeName)
	u.EmailKey = FoldCase(u.Email)
	u.SlugKey = FoldCase(u.Slug)
	u.FullNameSearch = FoldAccents(u.FullName)
}

// CreateToken keeps a token's digest; expires nil is never. ErrUnique where it is known.
func (tx *Tx) CreateToken(user uuid.UUID, digest string, expires *time.Time) error {
	t := Token{Digest: digest, UserUUID: user, Created: tx.now(), Expires: truncatePtr(expires)}
	if err := tx.db.Create(&t).Error; err != nil {
		return tx.err(err)
	}
	return tx.audit("create", "token", "", user.String())
}

// RevokeTokens forgets every token of a user and returns how many there were.
func (tx *Tx) RevokeTokens(user uuid.UUID) (int, error) {
	result := tx.db.Where("user_uuid = ?", user).Delete(&Token{})
	if result.Error != nil {
		return 0, tx.err(result.Error)
	}
	return int(result.RowsAffected), tx.audit("revoke", "token", "", user.String())
}
