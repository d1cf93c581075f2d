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
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
)

// body is a request's body: first what is validated, then what the generated code binds.
type body struct {
	schema *openapi3.Schema // of the body's media type
	value  map[string]any   // by the names of the schema's properties
	nulls  []string         // fields that a form clears with an empty text
	files  map[string]handlers.File
}

// Read fails: the body was decoded already.
func (*body) Read([]byte) (int, error) { return 0, errors.New("the body was read already") }

// Close does nothing: the HTTP server closes the network's body.
func (*body) Close() error { return nil }

// ValidatedValue returns what the generated code binds, in the form that JSON has.
func (b *body) ValidatedValue() any {
	for name := range b.files {
		delete(b.value, name)
	}
	for _, name := range b.nulls {
		b.value[name] = nil
	}
	return b.value
}

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
				return tooLarge()
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
					return noData()
				}
				r.Header.Del(echo.HeaderContentType)
				return next(c)
			}
			if op.requestBody.Content[media] == nil || mediaErr != nil && media == echo.MIMEMultipartForm {
				return unsupported("media type", r.Header.Get(echo.HeaderContentType))
			}
			if encoding := r.Header.Get(echo.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
				return unsupported("content encoding", encoding)
			}
			read, decodeErr := decodeBody(op, media, parameters["boundary"], sent, size)
			if _, err := io.Copy(io.Discard, sent); err != nil { // the whole body has to come, whatever is in it
				return receiveErr(r, err)
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

func noData() *handlers.Problem { return wholeBody("No data provided") }

// wholeBody is a 400 that concerns the body as a whole.
func wholeBody(text string) *handlers.Problem {
	return &handlers.Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": {text}}}
}

func tooLarge() *handlers.Problem {
	return &handlers.Problem{Status: http.StatusRequestEntityTooLarge, Detail: "Request body is too large."}
}

func unsupported(what, sent string) *handlers.Problem {
	return &handlers.Problem{
		Status: http.StatusUnsupportedMediaType,
		Detail: fmt.Sprintf("Unsupported %s %q in request.", what, sent),
	}
}

// receiveErr says why a body did not come whole.
func receiveErr(r *http.Request, err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &handlers.Problem{Status: http.StatusRequestTimeout, Detail: "The request body did not arrive in time."}
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return malformed("Malformed request: the body could not be read.")
}

// decodeBody makes of a body of at most size bytes the value that the schema of its media type
// describes. Fields that the schema doesn't have are left out.
func decodeBody(op operation, media, boundary string, sent io.Reader, size int64) (*body, error) {
	b := &body{schema: op.requestBody.Content[media].Schema.Value, value: map[string]any{}}
	content := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // as large as it gets: growing would double it
	var err error
	switch media {
	case echo.MIMEMultipartForm:
		err = b.decodeMultipart(sent, boundary, content)
	case echo.MIMEApplicationForm:
		err = b.decodeForm(sent, content)
	default:
		return b, b.decodeJSON(sent, content)
	}
	// An empty text of a form stands for null where JSON has null.
	for name, property := range op.requestBody.Content[echo.MIMEApplicationJSON].Schema.Value.Properties {
		_, file := b.files[name]
		if text, sent := b.value[name]; sent && text == "" && property.Value.Nullable && !file {
			delete(b.value, name)
			b.nulls = append(b.nulls, name)
		}
	}
	return b, err
}

func (b *body) decodeJSON(sent io.Reader, content *bytes.Buffer) error {
	if _, err := content.ReadFrom(sent); err != nil {
		return err
	}
	if !utf8.Valid(content.Bytes()) {
		return malformed(textNotUTF8)
	}
	var whole json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(content.Bytes()))
	if err := decoder.Decode(&whole); err != nil {
		return malformed("JSON parse error - " + err.Error())
	}
	if rest := bytes.TrimSpace(content.Bytes()[decoder.InputOffset():]); len(rest) > 0 {
		return malformed("JSON parse error - unexpected data after the value")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(whole, &fields); err != nil {
		got := typeName(decodeValue(whole, b.schema))
		return wholeBody("Invalid data. Expected a dictionary, but got " + got + ".")
	}
	if fields == nil {
		return noData()
	}
	for name, field := range fields {
		if property := b.schema.Properties[name]; property != nil {
			b.value[name] = decodeValue(field, property.Value)
		}
	}
	return nil
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
func (b *body) decodeForm(sent io.Reader, content *bytes.Buffer) error {
	if _, err := content.ReadFrom(sent); err != nil {
		return err
	}
	form, err := parseQuery(content.String())
	if err != nil {
		return err
	}
	for name := range b.schema.Properties {
		if values := form[name]; len(values) > 0 {
			b.value[name] = values[len(values)-1]
		}
	}
	return nil
}
