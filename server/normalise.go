package server

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// announce makes the operation known to the log, and how its 404s read: openapi.yaml names the kind of object
// (x-not-found).
func (op operation) announce(c echo.Context) error {
	request := handlers.RequestFrom(c.Request().Context())
	request.Operation, request.NotFound = op.id, op.notFound
	return nil
}

// checkPath answers 404 to a path that holds no UUID.
func (op operation) checkPath(c echo.Context) error {
	for _, name := range c.ParamNames() {
		if _, err := uuidParam(c, name); err != nil {
			return err
		}
	}
	return nil
}

// uuidParam returns a UUID of the path, or ErrNotFound. Echo takes it from the path as it was sent where
// that can't be told from the decoded path, else from the decoded one.
func uuidParam(c echo.Context, name string) (uuid.UUID, error) {
	value := c.Param(name)
	if c.Request().URL.RawPath != "" {
		value, _ = url.PathUnescape(value) // the whole path was unescaped before
	}
	id, err := handlers.ParseUUID(value)
	if err != nil {
		err = store.ErrNotFound
	}
	return id, err
}

// normaliseQuery brings the query into the one form that is validated and bound: each value
// of a list under a key of its own, the last value of anything else, and no empty texts.
func (op operation) normaliseQuery(c echo.Context) error {
	r := c.Request()
	if r.URL.RawQuery == "" {
		return nil
	}
	sent, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	known, query := url.Values{}, url.Values{}
	for _, parameter := range op.queryParams {
		if values := sent[parameter.Name]; len(values) > 0 {
			known[parameter.Name] = values
			query[parameter.Name] = normaliseValues(parameter, values)
			if op.anyField && parameter.Name == "field" {
				query[parameter.Name] = knownFields(parameter, query[parameter.Name])
			}
		}
	}
	handlers.RequestFrom(r.Context()).Query = known
	r.URL.RawQuery = query.Encode() // leaves out what has no values
	return nil
}

func normaliseValues(parameter *openapi3.Parameter, values []string) []string {
	if parameter.Schema.Value.Type.Is(openapi3.TypeArray) {
		return distinct(strings.Split(strings.Join(values, ","), ","))
	}
	last := values[len(values)-1]
	if last == "" && parameter.AllowEmptyValue {
		return nil
	}
	return []string{last}
}

// maxValues is how many different values a list parameter may have.
const maxValues = 100

// distinct drops values that were there before, also with another direction (-name and name), and those
// beyond the first one that is too many: a query of very many parameters can't be read again.
func distinct(values []string) []string {
	seen := map[string]bool{}
	values = slices.DeleteFunc(values, func(value string) bool {
		name := strings.TrimPrefix(value, "-")
		again := seen[name]
		seen[name] = true
		return again
	})
	return values[:min(len(values), maxValues+1)]
}

// parseQuery reads a query or a urlencoded body as browsers do: a % that begins no escape and
// a semicolon are plain characters. Bytes that are no UTF-8 are a 400.
func parseQuery(raw string) (url.Values, error) {
	parts := strings.Split(strings.ReplaceAll(raw, ";", "%3B"), "%")
	for i, part := range parts[1:] {
		if _, err := hex.DecodeString(part[:min(2, len(part))]); part == "" || err != nil {
			parts[i+1] = "25" + part
		}
	}
	values, err := url.ParseQuery(strings.Join(parts, "%"))
	if err != nil { // there are too many
		return nil, malformed("Malformed request: " + err.Error())
	}
	for key, list := range values {
		if !utf8.ValidString(key + "=" + strings.Join(list, "&")) {
			return nil, errNotUTF8
		}
	}
	return values, nil
}
