package server

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

var errNoCredentials = handlers.Unauthorized("Authentication credentials were not provided.")

// authenticate puts the sender of the request on its context. It also applies the rate limit of tokens.
// A wrong token is refused even where none is needed.
func authenticate(cfg Config, op operation, tokens *limiters[string]) echo.MiddlewareFunc {
	open := op.public || cfg.AnonymousRead && op.anonymousRead
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			token, err := tokenOf(r.Header.Get(echo.HeaderAuthorization))
			if open && errors.Is(err, errNoCredentials) {
				return next(c)
			}
			if err != nil {
				return err
			}
			digest := store.Digest(token)
			if err := tokens.allow(digest); err != nil {
				return err
			}
			principal, err := signIn(r.Context(), cfg, digest)
			if err != nil {
				return err
			}
			c.SetRequest(r.WithContext(access.With(r.Context(), principal)))
			return next(c)
		}
	}
}

// signIn asks the store on every request, so that a revocation holds at once on every replica. It has
// a time limit of its own, since limitTime begins later.
func signIn(ctx context.Context, cfg Config, digest string) (access.Principal, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.RequestTimeout)
	defer cancel()
	return handlers.SignIn(ctx, cfg.Store, digest)
}

// tokenOf reads an Authorization header: `Token x`, `Bearer x` or `Bearer Token x`, in any case. Its
// error is the answer.
func tokenOf(header string) (string, error) {
	scheme, rest, _ := strings.Cut(strings.Trim(header, " \t"), " ")
	switch strings.ToLower(scheme) {
	case "token":
	case "bearer":
		if word, token, two := strings.Cut(strings.Trim(rest, " \t"), " "); two && strings.EqualFold(word, "token") {
			rest = token
		}
	default:
		return "", errNoCredentials
	}
	token := strings.Trim(rest, " \t")
	switch {
	case token == "":
		return "", handlers.Unauthorized("Invalid token. No credentials provided.")
	case !utf8.ValidString(token):
		return "", handlers.Unauthorized("Invalid token header. Token string should not contain invalid characters.")
	case strings.ContainsAny(token, " \t"):
		return "", handlers.Unauthorized("Invalid token. Token string should not contain spaces.")
	}
	return token, nil
}
