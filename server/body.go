package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
)

// body is a request's body in the form that JSON has, whatever its media type was.
type body struct {
	io.ReadCloser                            // empty: the body was decoded already
	schema        *openapi3.Schema           // of the body as JSON
	value         map[string]any             // by the names of the schema's properties
	raw           map[string]json.RawMessage // a JSON body's fields as they were sent
	files         map[string]handlers.File
}

// ValidatedValue returns what the generated code binds.
func (b *body) ValidatedValue() any { return b.value }

// readBody reserves memory for the body, and makes one JSON value of it, whatever its media type
// is. It takes as long as the client does, up to the HTTP server's read timeout.
func readBody(cfg Config, op operation, memory *bodyMemory) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if op.requestBody == nil {
			return next
		}
		return func(c echo.Context) error {
			r := c.Request()
			media, parameters, mediaErr := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
			limit := cfg.MaxBodyBytes
			if media == echo.MIMEMultipartForm {
				limit += cfg.Images.MaxBytes
			}
			size := r.ContentLength
			if size > limit {
				return errTooLarge
			}
			if size < 0 { // chunked
				size = limit
			}
			release, err := memory.reserve(r.Context(), access.From(r.Context()).UserUUID, size)
			if err != nil {
				c.Response().Header().Set(echo.HeaderConnection, "close") // or the answer waits for the whole body
				return err
			}
			defer release()
			sent := bufio.NewReader(http.MaxBytesReader(c.Response(), r.Body, limit))
			if _, err := sent.Peek(1); errors.Is(err, io.EOF) {
				if op.requestBody.Required {
					return errNoData
				}
				r.Header.Del(echo.HeaderContentType)
				return next(c)
			}
			if op.requestBody.Content[media] == nil || mediaErr != nil && media == echo.MIMEMultipartForm {
				sent := r.Header.Get(echo.HeaderContentType)
				return handlers.Refuse(http.StatusUnsupportedMediaType, fmt.Sprintf("Unsupported media type %q in request.", sent))
			}
			if encoding := r.Header.Get(echo.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
				text := fmt.Sprintf("Unsupported content encoding %q in request.", encoding)
				return handlers.Refuse(http.StatusUnsupportedMediaType, text)
			}
			read, decodeErr := decodeBody(op, media, parameters["boundary"], sent, size)
			if _, err := io.Copy(io.Discard, sent); err != nil { // the whole body has to come, whatever is in it
				return receiveErr(err)
			}
			if decodeErr != nil {
				return decodeErr
			}
			handlers.RequestFrom(r.Context()).Files = read.files
			r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
			r.Body = read
			return next(c)
		}
	}
}

var (
	errNoData   = handlers.NonField("No data provided")
	errTooLarge = handlers.Refuse(http.StatusRequestEntityTooLarge, "Request body is too large.")
)

// malformed is a 400 for a body that can't be read.
func malformed(detail string) *handlers.Problem {
	return handlers.Refuse(http.StatusBadRequest, detail)
}

// ReadBody reads a request's whole body of at most limit bytes. Its error is the answer.
func ReadBody(c echo.Context, limit int64) ([]byte, error) {
	content, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, limit))
	if err != nil {
		return nil, receiveErr(err)
	}
	return content, nil
}

// receiveErr says why a body did not come whole.
func receiveErr(err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return handlers.Refuse(http.StatusRequestTimeout, "The request body did not arrive in time.")
	}
	return malformed("Malformed request: the body could not be read.")
}

// decodeBody decodes a body of at most size bytes. Fields that the schema doesn't have are left out.
func decodeBody(op operation, media, boundary string, sent io.Reader, size int64) (*body, error) {
	schema := op.requestBody.Content[echo.MIMEApplicationJSON].Schema.Value
	b := &body{ReadCloser: http.NoBody, schema: schema, value: map[string]any{}}
	content := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // as large as it gets: growing would double it
	if media == echo.MIMEMultipartForm {
		parts := op.requestBody.Content[media].Schema.Value.Properties
		return b, b.decodeMultipart(sent, boundary, content, parts)
	}
	_, _ = content.ReadFrom(sent) // the caller sees whether it came
	if media == echo.MIMEApplicationForm {
		return b, b.decodeForm(content.String())
	}
	return b, b.decodeJSON(content.Bytes())
}

// setText sets a field of a form. An empty text stands for null where JSON has null, and a boolean is read from
// its name in any case, since clients in Python write True.
func (b *body) setText(name, text string) {
	property := b.schema.Properties[name].Value
	lower := strings.ToLower(text)
	switch {
	case text == "" && property.Nullable:
		b.value[name] = nil
	case property.Type.Is(openapi3.TypeBoolean) && (lower == "true" || lower == "false"):
		b.value[name] = lower == "true"
	default:
		b.value[name] = text
	}
}

func (b *body) decodeJSON(content []byte) error {
	if !utf8.Valid(content) {
		return errNotUTF8
	}
	var fields map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(content))
	err := decoder.Decode(&fields)
	var noObject *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &noObject) {
		return malformed("JSON parse error - " + err.Error())
	}
	switch rest := bytes.TrimSpace(content[decoder.InputOffset():]); {
	case len(rest) > 0:
		return malformed("JSON parse error - unexpected data after the value")
	case noObject != nil:
		got := typeName(decodeValue(bytes.TrimSpace(content), b.schema))
		return handlers.NonField("Invalid data. Expected a dictionary, but got " + got + ".")
	case fields == nil:
		return errNoData
	}
	for name, field := range fields {
		if property := b.schema.Properties[name]; property != nil {
			b.value[name] = decodeValue(field, property.Value)
		}
	}
	b.raw = fields
	return nil
}

// jsonEscape is what follows a backslash in a JSON text: both halves of a character, one half alone, or
// anything else.
var jsonEscape = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u([dD][89a-fA-F]..)|\\.`)

// loneSurrogate returns a half of a character that stands alone in a JSON value, "" where there is
// none. The standard library would put another character in its place.
func loneSurrogate(raw []byte) string {
	for {
		found := jsonEscape.FindSubmatchIndex(raw)
		switch {
		case found == nil:
			return ""
		case found[2] >= 0:
			return strings.ToUpper(string(raw[found[2]:found[3]]))
		}
		raw = raw[found[1]:]
	}
}

// decodeValue decodes a JSON value that is known to be correct. A list or an object where the
// schema has none is decoded without its content, which could take fifty times its size in memory.
func decodeValue(raw json.RawMessage, schema *openapi3.Schema) any {
	switch {
	case raw[0] == '[' && !schema.Type.Is(openapi3.TypeArray):
		return []any{}
	case raw[0] == '{' && !schema.Type.Is(openapi3.TypeObject):
		return map[string]any{}
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&value)
	return value
}

// typeName is a JSON type in the words of Waldur's texts.
func typeName(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "dict"
	case []any:
		return "list"
	case bool:
		return "bool"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "int"
		}
		return "float"
	}
	return "str"
}

// decodeForm takes the last value of each key.
func (b *body) decodeForm(content string) error {
	form, err := parseQuery(content)
	for name := range b.schema.Properties {
		if values := form[name]; len(values) > 0 {
			b.setText(name, values[len(values)-1])
		}
	}
	return err
}
