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

// anonymousOperations are those that --anonymous-read opens.
var anonymousOperations = map[string]bool{
	"call_managing_organisations_list":     true,
	"call_managing_organisations_count":    true,
	"call_managing_organisations_retrieve": true,
}

// authenticate puts who sends the request on its context. A wrong token is refused even where
// none is needed, and so is one that sends too much.
func authenticate(cfg Config, op operation, tokens *limiters[string]) echo.MiddlewareFunc {
	anonymous := cfg.AnonymousRead && anonymousOperations[op.id]
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			token, err := tokenOf(r.Header.Get(echo.HeaderAuthorization))
			if anonymous && errors.Is(err, errNoCredentials) {
				return next(c)
			}
			if err != nil {
				return err
			}
			digest := store.Digest(token)
			if err := tokens.take(digest); err != nil {
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

// signIn has a time limit of its own, since that of the request begins after its body has arrived.
func signIn(ctx context.Context, cfg Config, digest string) (access.Principal, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.RequestTimeout)
	defer cancel()
	return handlers.SignIn(ctx, cfg.Store, digest)
}

// tokenOf reads an Authorization header: `Token x`, `Bearer x` or `Bearer Token x`, the words
// in any case. Its errors are the answers.
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
