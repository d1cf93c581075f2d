package server

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// checkPath answers 404 to a path that holds no UUID. It also makes known how the operation's 404s
// read: openapi.yaml names the kind of object (x-not-found).
func checkPath(op operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			handlers.RequestFrom(c.Request().Context()).NotFound = op.notFound
			for _, name := range op.pathParams {
				if _, err := handlers.ParseUUID(pathParam(c, name)); err != nil {
					return store.ErrNotFound
				}
			}
			return next(c)
		}
	}
}

// pathParam returns a parameter of the path, decoded once. Echo takes it from the path as it was sent
// where that can't be told from the decoded path, else from the decoded one.
func pathParam(c echo.Context, name string) string {
	value := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return value
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return decoded
}

// normaliseQuery brings the query into the one form that is validated and bound: each value
// of a list under a key of its own, the last value of anything else, and no empty texts.
func normaliseQuery(op operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.URL.RawQuery == "" {
				return next(c)
			}
			sent, err := parseQuery(r.URL.RawQuery)
			if err != nil {
				return err
			}
			known, query := url.Values{}, url.Values{}
			for _, parameter := range op.queryParams {
				name := parameter.Name
				if sent.Has(name) {
					known[name] = sent[name]
				}
				if values := normaliseValues(parameter, sent[name]); len(values) > 0 {
					query[name] = values
				}
			}
			handlers.RequestFrom(r.Context()).Query = known
			r.URL.RawQuery = query.Encode()
			return next(c)
		}
	}
}

func normaliseValues(parameter *openapi3.Parameter, values []string) []string {
	if len(values) == 0 {
		return nil
	}
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

// distinct drops values that were there before, also with another direction (-name and name), and
// those after the first that is too many.
func distinct(values []string) []string {
	var kept []string
	for _, value := range values {
		if len(kept) > maxValues {
			break
		}
		name := strings.TrimPrefix(value, "-")
		if !slices.ContainsFunc(kept, func(other string) bool { return strings.TrimPrefix(other, "-") == name }) {
			kept = append(kept, value)
		}
	}
	return kept
}

// parseQuery reads a query or a urlencoded body as browsers do: a % that begins no escape and
// a semicolon are plain characters. Bytes that are no UTF-8 are a 400.
func parseQuery(raw string) (url.Values, error) {
	values, err := url.ParseQuery(plainCharacters(raw))
	if err != nil {
		return nil, malformed("Malformed request: " + err.Error())
	}
	for key, list := range values {
		for _, value := range append(list, key) {
			if !utf8.ValidString(value) {
				return nil, malformed(textNotUTF8)
			}
		}
	}
	return values, nil
}

// plainCharacters escapes what url.ParseQuery would refuse.
func plainCharacters(raw string) string {
	if !strings.ContainsAny(raw, "%;") {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		switch {
		case raw[i] == ';':
			b.WriteString("%3B")
		case raw[i] == '%' && !(i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2])):
			b.WriteString("%25")
		default:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}
