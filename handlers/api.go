// Package handlers holds what each operation of the API does: one struct per resource, one
// method per operation, each of which loads, checks access, asks the store and renders.
package handlers

import (
	"context"
	"net/url"
	"time"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// API is every operation of openapi.yaml. An answer that it returns beside an error is dropped.
type API struct {
	Authentication
	CallManagingOrganisations
	Configuration
	Customers
	Roles
	Users
	Version
}

// New returns the operations on a store. limits are those of uploads, lifetime is that of a sign-in's token after
// its last use, newToken makes one, and version is the program's.
func New(
	s *store.Store, limits images.Limits, lifetime time.Duration, newToken func() string, version string,
) API {
	return API{
		Authentication{store: s, lifetime: lifetime, newToken: newToken},
		CallManagingOrganisations{store: s, images: limits},
		Configuration{},
		Customers{store: s, images: limits},
		Roles{s},
		Users{store: s, images: limits},
		Version(version),
	}
}

// Request is what handlers see of the HTTP request beyond their typed parameters.
type Request struct {
	ID      string          // also in the answer's X-Request-ID and in the log
	Origin  string          // scheme and host of the URLs in answers, such as https://calls.example.com
	Path    string          // of the request's own URL
	Query   url.Values      // as it was sent
	Shown   string          // of a valid query: what the log shows
	Files   map[string]File // of a multipart body, by their fields
	Network string          // of the client: its address, or the /64 of an IPv6 address
	Token   string          // by which the request was signed in; "" without one
	// Operation is the operationId; "" where openapi.yaml has none for the path and method.
	Operation string
	// NotFound is the text of a 404 about the operation's object; "" is the general one.
	NotFound string
	Valid    bool // nothing is wrong with it by openapi.yaml alone
}

// File is what came for a field of a file.
type File struct {
	Content []byte
	Text    bool // it came as a text, which is no file
}

type requestKey struct{}

// WithRequest puts the request on the context.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom returns the context's request.
func RequestFrom(ctx context.Context) *Request { return ctx.Value(requestKey{}).(*Request) }

// actor is on whose behalf the request changes data.
func actor(ctx context.Context) store.Actor {
	user := access.From(ctx).UserUUID
	return store.Actor{UserUUID: &user, RequestID: RequestFrom(ctx).ID}
}
