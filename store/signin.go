package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// The lock-out: after so many failures from an address, each at most lockOut after the one before, a username
// can't sign in from there for as long.
const (
	maxFailures = 4
	lockOut     = 10 * time.Minute
)

// keepEnded is how long a token that has ended is still known, so that its user is told why.
const keepEnded = 24 * time.Hour

// NewToken returns a token that nobody can guess.
func NewToken() string {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // it never fails
	return hex.EncodeToString(secret)
}

// LockedOut says whether too many sign-ins to the username from the client's address have failed lately.
func (q queries) LockedOut(ctx context.Context, username, address string) (bool, error) {
	found, err := find[SignInFailures](q.with(ctx), "username = ? AND address = ? AND failures >= ? AND last > ?",
		username, address, maxFailures, q.now().Add(-lockOut))
	return found != nil, err
}

// FailSignIn counts a failed sign-in, and forgets those that no longer count, so that nobody can fill the table. It
// leaves no audit event: nothing was done, and anybody can fail.
func (tx *Tx) FailSignIn(username, address string) error {
	if err := tx.db.Where("last <= ?", tx.now().Add(-lockOut)).Delete(&SignInFailures{}).Error; err != nil {
		return err
	}
	return tx.db.Exec(`INSERT INTO sign_in_failures (username, address, failures, last) VALUES (?, ?, 1, ?)
		ON CONFLICT (username, address) DO UPDATE SET last = excluded.last, failures = sign_in_failures.failures + 1`,
		username, address, tx.now()).Error
}

// SignIn keeps the token of a sign-in, whose end each use moves to a lifetime later. It forgets the failures from
// the address, all old failures, and the tokens of others that ended long ago.
func (tx *Tx) SignIn(user User, address, digest string, lifetime time.Duration) error {
	now := tx.now()
	err := tx.db.Where("username = ? AND address = ? OR last <= ?", user.Username, address, now.Add(-lockOut)).
		Delete(&SignInFailures{}).Error
	if err == nil {
		err = tx.db.Where("expires < ?", now.Add(-keepEnded)).Delete(&Token{}).Error
	}
	if err != nil {
		return err
	}
	expires := now.Add(lifetime)
	return tx.createToken(Token{
		Digest: digest, UserUUID: user.UUID, Expires: &expires, Lifetime: int64(lifetime / time.Second),
	})
}

// CreateToken keeps a token's digest; expires nil is never. A UniqueError where it is known.
func (tx *Tx) CreateToken(user uuid.UUID, digest string, expires *time.Time) error {
	return tx.createToken(Token{Digest: digest, UserUUID: user, Expires: expires})
}

func (tx *Tx) createToken(t Token) error {
	t.Created, t.Expires = tx.now(), truncatePtr(t.Expires)
	if err := tx.db.Create(&t).Error; err != nil {
		return err
	}
	return tx.audit("create", "token", "", t.UserUUID.String())
}

// RevokeToken deletes a token of a user.
func (tx *Tx) RevokeToken(user uuid.UUID, digest string) error {
	if err := tx.db.Where("digest = ?", digest).Delete(&Token{}).Error; err != nil {
		return err
	}
	return tx.audit("revoke", "token", "", user.String())
}

// SetPassword gives a user a password, by its hash.
func (tx *Tx) SetPassword(user uuid.UUID, hash string) error {
	if err := tx.db.Model(&User{}).Where("uuid = ?", user).Update("password_hash", hash).Error; err != nil {
		return err
	}
	return tx.audit("set_password", "user", "", user.String())
}

// Deactivate keeps a user from signing in, and makes their tokens useless.
func (tx *Tx) Deactivate(user uuid.UUID) error {
	if err := tx.db.Model(&User{}).Where("uuid = ?", user).Update("is_active", false).Error; err != nil {
		return err
	}
	return tx.audit("update", "user", "is_active false", user.String())
}

// EachUser visits the users in the order of their usernames.
func (q queries) EachUser(ctx context.Context, visit func(User) error) error {
	var batch []User
	last := ""
	for {
		err := q.with(ctx).Where("username > ?", last).Order("username").Limit(ImportBatch).Find(&batch).Error
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, user := range batch {
			if err := visit(user); err != nil {
				return err
			}
		}
		last = batch[len(batch)-1].Username
	}
}

// EachToken visits the tokens with the usernames of their users, by these and the oldest first.
func (q queries) EachToken(ctx context.Context, visit func(username string, t Token) error) error {
	return q.EachUser(ctx, func(u User) error {
		var tokens []Token
		err := q.with(ctx).Where("user_uuid = ?", u.UUID).Order("created, digest").Find(&tokens).Error
		for _, t := range tokens {
			if err == nil {
				err = visit(u.Username, t)
			}
		}
		return err
	})
}

// MoveEnd moves the end of a token of a sign-in, unless the writer is busy: a later use does it then. On SQLite the
// writer may be another process, and the error is ErrUnavailable then. It leaves no audit event.
func (s *Store) MoveEnd(ctx context.Context, digest string, expires time.Time) error {
	if s.writers != nil {
		if !s.writers.TryAcquire(1) {
			return nil
		}
		defer s.writers.Release(1)
	} else if pool, err := s.write.DB(); err != nil || pool.Stats().InUse > 0 {
		return err
	}
	return s.write.WithContext(ctx).Connection(func(db *gorm.DB) error {
		return s.engine.atOnce(db, func() error {
			return db.Exec("UPDATE tokens SET expires = ? WHERE digest = ?", truncate(expires), digest).Error
		})
	})
}
