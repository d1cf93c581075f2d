package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store"
)

// Authentication is signing in and out.
type Authentication struct {
	store    *store.Store
	lifetime time.Duration // of a token after its last use
	newToken func() string
}

// APIAuthPassword signs a user in by a password.
func (h Authentication) APIAuthPassword(
	ctx context.Context, request gen.APIAuthPasswordRequestObject,
) (gen.APIAuthPasswordResponseObject, error) {
	var token string
	// Failures are counted before the next password is checked, or many at once could be tried.
	err := passwords.Checking(ctx, func() (err error) {
		token, err = h.signIn(ctx, request.Body.Username, request.Body.Password)
		return err
	})
	return gen.APIAuthPassword200JSONResponse{Body: gen.CoreAuthToken{Token: token}}, err
}

func (h Authentication) signIn(ctx context.Context, username, password string) (string, error) {
	network, requestID := RequestFrom(ctx).Network, RequestFrom(ctx).ID
	locked, err := h.store.LockedOut(ctx, username, network)
	switch {
	case err != nil:
		return "", err
	case locked:
		return "", Refuse(http.StatusUnauthorized, "Username is locked out. Try in 10 minutes.")
	}
	user, err := h.store.UserByName(ctx, username)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if !passwords.Matches(user.PasswordHash, password) || !user.IsActive {
		err := h.store.Write(ctx, store.Actor{RequestID: requestID}, func(tx *store.Tx) error {
			return tx.FailSignIn(username, network)
		})
		if err == nil {
			err = Refuse(http.StatusUnauthorized, "Invalid username/password.")
		}
		return "", err
	}
	token := h.newToken()
	err = h.store.Write(ctx, store.Actor{UserUUID: &user.UUID, RequestID: requestID}, func(tx *store.Tx) error {
		return tx.SignIn(user, network, store.Digest(token), h.lifetime)
	})
	return token, err
}

// APIAuthLogout revokes the token of the request.
func (h Authentication) APIAuthLogout(
	ctx context.Context, _ gen.APIAuthLogoutRequestObject,
) (gen.APIAuthLogoutResponseObject, error) {
	load := func(*store.Tx) (struct{}, error) { return struct{}{}, nil }
	may := func(*store.Tx, access.Principal, struct{}) error { return nil }
	apply := func(tx *store.Tx, p access.Principal, _ struct{}) error {
		return tx.RevokeToken(p.UserUUID, p.TokenDigest)
	}
	return gen.APIAuthLogout204Response{}, change(ctx, h.store, load, may, apply)
}

// KeepSignedIn moves the end of a token that was used, at most once a minute, and returns its end. Where that fails
// a later use does it.
func KeepSignedIn(ctx context.Context, s *store.Store, p access.Principal) *time.Time {
	end := s.Now().Add(p.TokenLifetime)
	if p.TokenLifetime == 0 || end.Sub(*p.TokenExpires) < time.Minute || s.MoveEnd(ctx, p.TokenDigest, end) != nil {
		return p.TokenExpires
	}
	return &end
}
