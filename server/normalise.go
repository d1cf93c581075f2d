package server

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// checkPath answers 404 to a path that holds no UUID.
func checkPath(op operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			for _, name := range op.pathParams {
				value, err := url.PathUnescape(c.Param(name))
				if err == nil {
					_, err = store.ParseUUID(value)
				}
				if err != nil {
					return handlers.NotFound()
				}
			}
			return next(c)
		}
	}
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
			handlers.RequestFrom(r.Context()).Query = sent
			query := url.Values{}
			for _, parameter := range op.queryParams {
				if values := normaliseValues(parameter, sent[parameter.Name]); len(values) > 0 {
					query[parameter.Name] = values
				}
			}
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
		return strings.Split(strings.Join(values, ","), ",")
	}
	last := values[len(values)-1]
	if last == "" && parameter.AllowEmptyValue {
		return nil
	}
	return []string{last}
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
