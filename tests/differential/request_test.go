package differential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/opencalls/opencalls/tests/world"
)

// request is one request, as it is drawn and as the model reads it.
type request struct {
	as    string // the name of who sends it; "" is nobody
	op    string // create, update, …; see methods
	id    string // of the object, as it stands in the path
	query url.Values
	media string         // of the body: one of the constants below, or "" without a body
	body  map[string]any // text, a flag, nil or a file for each field
}

// file is an uploaded file; fine says that it is an image within the limits.
type file struct {
	content string
	fine    bool
}

// The media types of bodies.
const (
	asJSON      = "application/json"
	asForm      = "application/x-www-form-urlencoded"
	asMultipart = "multipart/form-data"
)

// methods are the operations, and how each is asked for.
var methods = map[string]struct{ method, path string }{
	"list":       {"GET", base},
	"count":      {"HEAD", base},
	"create":     {"POST", base},
	"retrieve":   {"GET", base + "{id}/"},
	"update":     {"PUT", base + "{id}/"},
	"patch":      {"PATCH", base + "{id}/"},
	"destroy":    {"DELETE", base + "{id}/"},
	"stats":      {"GET", base + "{id}/stats/"},
	"listUsers":  {"GET", base + "{id}/list_users/"},
	"countUsers": {"HEAD", base + "{id}/list_users/"},
	"addUser":    {"POST", base + "{id}/add_user/"},
	"updateUser": {"POST", base + "{id}/update_user/"},
	"deleteUser": {"POST", base + "{id}/delete_user/"},
	"media":      {"GET", "/api/media/{id}/"},

	"customers.list":         {"GET", customersPath},
	"customers.count":        {"HEAD", customersPath},
	"customers.create":       {"POST", customersPath},
	"customers.retrieve":     {"GET", customersPath + "{id}/"},
	"customers.update":       {"PUT", customersPath + "{id}/"},
	"customers.patch":        {"PATCH", customersPath + "{id}/"},
	"customers.destroy":      {"DELETE", customersPath + "{id}/"},
	"customers.listUsers":    {"GET", customersPath + "{id}/list_users/"},
	"customers.countUsers":   {"HEAD", customersPath + "{id}/list_users/"},
	"customers.addUser":      {"POST", customersPath + "{id}/add_user/"},
	"customers.updateUser":   {"POST", customersPath + "{id}/update_user/"},
	"customers.deleteUser":   {"POST", customersPath + "{id}/delete_user/"},
	"customers.listHolders":  {"GET", customersPath + "{id}/users/"},
	"customers.countHolders": {"HEAD", customersPath + "{id}/users/"},

	"users.list":     {"GET", "/api/users/"},
	"users.count":    {"HEAD", "/api/users/"},
	"users.me":       {"GET", "/api/users/me/"},
	"users.retrieve": {"GET", "/api/users/{id}/"},
	"users.patch":    {"PATCH", "/api/users/{id}/"},

	"roles.list":     {"GET", "/api/roles/"},
	"roles.count":    {"HEAD", "/api/roles/"},
	"roles.retrieve": {"GET", "/api/roles/{id}/"},
}

const customersPath = "/api/customers/"

// kind is what the operation is about, "" for organisations and images, and verb what it does.
func (r request) kind() (kind, verb string) {
	kind, verb, found := strings.Cut(r.op, ".")
	if !found {
		return "", r.op
	}
	return kind, verb
}

func (r request) method() string { return methods[r.op].method }

func (r request) target() string {
	target := strings.Replace(methods[r.op].path, "{id}", r.id, 1)
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	return target
}

// names returns the values of a list parameter.
func (r request) names(name string) []string {
	if len(r.query[name]) == 0 {
		return nil
	}
	return strings.Split(strings.Join(r.query[name], ","), ",")
}

// content is the body as it is sent.
func (r request) content() world.Body {
	switch r.media {
	case asJSON:
		return world.JSON(marshal(r.body))
	case asForm:
		form := url.Values{}
		for field, value := range r.body {
			form.Set(field, fmt.Sprint(value))
		}
		return world.Form(form.Encode())
	case asMultipart:
		var parts []world.Part
		for _, field := range slices.Sorted(maps.Keys(r.body)) {
			if f, isFile := r.body[field].(file); isFile {
				parts = append(parts, world.File(field, "picture", "image/png", f.content))
			} else {
				parts = append(parts, world.Text(field, fmt.Sprint(r.body[field])))
			}
		}
		return world.Multipart(parts...)
	}
	return world.Body{}
}

func marshal(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // texts, numbers and what is made of them
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String is the request's line in the list that a failure prints.
func (r request) String() string {
	return fmt.Sprintf("%s: %s %s %s %s", r.as, r.method(), r.target(), r.media, shorten(r.content().Content))
}

// shorten quotes a text, without what is too long for a line.
func shorten(text string) string {
	if n := len(text); n > 500 {
		return fmt.Sprintf("%q… (%d bytes)", text[:500], n)
	}
	return fmt.Sprintf("%q", text)
}
