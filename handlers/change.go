package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/store"
)

// change changes an object in one transaction. The token is looked up again, since it may have been
// revoked while the body was still arriving. Then load locks the object and returns it, may refuses
// what the principal may not do, and apply checks the data and changes it.
func change[T any](
	ctx context.Context, s *store.Store,
	load func(*store.Tx) (T, error),
	may func(*store.Tx, access.Principal, T) error,
	apply func(*store.Tx, access.Principal, T) error,
) error {
	return s.Write(ctx, actor(ctx), func(tx *store.Tx) error {
		principal, err := SignIn(ctx, tx, access.From(ctx).TokenDigest)
		if err != nil {
			return err
		}
		object, err := load(tx)
		if err != nil {
			return err
		}
		if err := may(tx, principal, object); err != nil {
			return err
		}
		return apply(tx, principal, object)
	})
}

// reader is what a store and a transaction both read.
type reader interface {
	Identity(ctx context.Context, digest string) (store.Identity, error)
	HeldRoles(ctx context.Context, user, customer, organisation uuid.UUID) ([]store.HeldRole, error)
	HasOrganisation(ctx context.Context, customer uuid.UUID) (bool, error)
	Now() time.Time
}

// SignIn returns who a token belongs to, by its digest. It asks the store each time, so that a
// revocation holds at once, on every replica. A token that doesn't sign anybody in is a 401.
func SignIn(ctx context.Context, reads reader, digest string) (access.Principal, error) {
	found, err := reads.Identity(ctx, digest)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return access.Principal{}, Refuse(http.StatusUnauthorized, "Invalid token.")
	case err != nil:
		return access.Principal{}, err
	case !found.IsActive:
		return access.Principal{}, Refuse(http.StatusUnauthorized, "User inactive or deleted.")
	case found.Expires != nil && found.Expires.Before(reads.Now()):
		return access.Principal{}, Refuse(http.StatusUnauthorized, "Token has expired.")
	}
	return access.Principal{
		UserUUID: found.UUID, Staff: found.IsStaff, Support: found.IsSupport, TokenDigest: digest,
		TokenExpires: found.Expires, TokenLifetime: time.Duration(found.Lifetime) * time.Second,
	}, nil
}
