package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

var errNoCredentials = handlers.Refuse(http.StatusUnauthorized, "Authentication credentials were not provided.")

// authenticate puts the sender of the request on its context. It also applies the rate limit of tokens.
// A wrong token is refused even where none is needed.
func authenticate(cfg Config, op operation, tokens *limiters[string]) func(echo.Context) error {
	definition := op.route.Operation
	open := definition.Security != nil && len(*definition.Security) == 0 ||
		cfg.AnonymousRead && definition.Extensions["x-anonymous-read"] == true
	return func(c echo.Context) error {
		r := c.Request()
		// Several headers are read as one with commas, which holds no token.
		token, err := tokenOf(strings.Join(r.Header.Values(echo.HeaderAuthorization), ", "))
		if open && errors.Is(err, errNoCredentials) {
			return nil
		}
		if err != nil {
			return err
		}
		handlers.RequestFrom(r.Context()).Token = token
		digest := store.Digest(token)
		if err := tokens.allow(digest); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), cfg.RequestTimeout) // a limit of its own: the work's begins later
		defer cancel()
		principal, err := handlers.SignIn(ctx, cfg.Store, digest)
		if principal.Staff && r.Header.Get("X-Impersonated-User-Uuid") != "" {
			err = handlers.Refuse(http.StatusBadRequest, "Impersonation is not supported.")
		}
		if err == nil {
			principal.TokenExpires = handlers.KeepSignedIn(ctx, cfg.Store, principal)
		}
		c.SetRequest(r.WithContext(access.With(r.Context(), principal)))
		return err
	}
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
		return "", handlers.Refuse(http.StatusUnauthorized, "Invalid token. No credentials provided.")
	case !utf8.ValidString(token):
		return "", handlers.Refuse(http.StatusUnauthorized, "Invalid token header. Token string should not contain invalid characters.")
	case strings.ContainsAny(token, " \t"):
		return "", handlers.Refuse(http.StatusUnauthorized, "Invalid token. Token string should not contain spaces.")
	}
	return token, nil
}
