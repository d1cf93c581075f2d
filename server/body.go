package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
)

// body is a request body as it is validated and as the generated code reads it.
type body struct {
	value map[string]any // by the names of the schema's properties
	media string
}

// Read fails: what was sent is in the value, or of multipart in the request's Parts.
func (*body) Read([]byte) (int, error) { return 0, errBodyRead }

// Close does nothing: the network's body is closed by the server.
func (*body) Close() error { return nil }

// ValidatedValue is what the generated code binds instead of decoding the body once more,
// which would match names in any case.
func (b *body) ValidatedValue() any { return b.value }

// readBody makes of the bytes that were received what is validated, and refuses what can't be
// read, before anything is said about its fields.
func readBody(op operation, turns chan struct{}) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if op.requestBody == nil {
			return next
		}
		return func(c echo.Context) error {
			r := c.Request()
			received, _ := r.Body.(*receivedBody)
			if received.size == 0 {
				if op.requestBody.Required {
					return noData()
				}
				r.Header.Del(echo.HeaderContentType)
				return next(c)
			}
			contentType := r.Header.Get(echo.HeaderContentType)
			media, parameters, err := mime.ParseMediaType(contentType)
			if op.requestBody.Content[media] == nil || err != nil && media == echo.MIMEMultipartForm {
				return &handlers.Problem{
					Status: http.StatusUnsupportedMediaType,
					Detail: fmt.Sprintf("Unsupported media type %q in request.", contentType),
				}
			}
			done, err := received.turn(r.Context(), turns)
			if err != nil {
				return err
			}
			defer done()
			read, err := decode(r, media, parameters, received)
			if err != nil {
				return err
			}
			// The generated code compares the type letter by letter.
			r.Header.Set(echo.HeaderContentType, mime.FormatMediaType(media, parameters))
			r.Body = read
			return next(c)
		}
	}
}

func noData() *handlers.Problem {
	return &handlers.Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": {"No data provided"}}}
}

// decode makes of a body the value that the schema of its media type describes.
func decode(r *http.Request, media string, parameters map[string]string, received *receivedBody) (*body, error) {
	read := &body{media: media}
	if media == echo.MIMEMultipartForm {
		parts, value, err := decodeMultipart(parameters["boundary"], received)
		read.value, handlers.RequestFrom(r.Context()).Parts = value, parts
		return read, err
	}
	raw, err := received.content()
	if err != nil {
		return nil, err
	}
	if media == echo.MIMEApplicationForm {
		form, err := parseQuery(string(raw))
		if err != nil {
			return nil, err
		}
		read.value = decodeForm(r, form)
		return read, nil
	}
	read.value, err = decodeJSON(raw)
	return read, err
}

func decodeJSON(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, malformed(textNotUTF8)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, malformed("JSON parse error - " + err.Error())
	}
	if rest := bytes.TrimSpace(raw[decoder.InputOffset():]); len(rest) > 0 {
		return nil, malformed("JSON parse error - unexpected data after the value")
	}
	switch object := value.(type) {
	case map[string]any:
		return object, nil
	case nil:
		return nil, noData()
	}
	text := "Invalid data. Expected a dictionary, but got " + typeName(value) + "."
	return nil, &handlers.Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": {text}}}
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

// decodeForm takes the last value of each key, and lets the generated code find just these,
// without those of the query.
func decodeForm(r *http.Request, form url.Values) map[string]any {
	value := map[string]any{}
	for key, values := range form {
		last := values[len(values)-1]
		value[key], form[key] = last, []string{last}
	}
	r.Form, r.PostForm = form, form
	return value
}

// multipartErr tells apart what is wrong with a body and with the file that it is in, of whose
// place a client learns nothing.
func multipartErr(err error) error {
	if file := new(fs.PathError); errors.As(err, &file) {
		return err
	}
	return malformed("Multipart form parse error - " + err.Error())
}

func decodeMultipart(boundary string, received *receivedBody) (map[string]handlers.Part, map[string]any, error) {
	if boundary == "" {
		return nil, nil, malformed("Multipart form parse error - Invalid boundary in multipart: None")
	}
	// Cut off in a part's header, a body would pass as one that ends before that part.
	closed, err := received.contains("--" + boundary + "--")
	if err != nil {
		return nil, nil, err
	}
	if !closed {
		return nil, nil, malformed("Multipart form parse error - the closing boundary is missing")
	}
	parts, err := handlers.ReadMultipart(multipart.NewReader(received.reader(), boundary), int(received.size))
	if err != nil {
		return nil, nil, multipartErr(err)
	}
	value := map[string]any{}
	for name, part := range parts {
		switch {
		case name == "image" && part.File:
			value[name] = "" // its content is checked once the request may be carried out
		case part.File:
			value[name] = []any{} // not a text
		case !utf8.ValidString(name) || !utf8.Valid(part.Content):
			return nil, nil, malformed(textNotUTF8)
		default:
			value[name] = string(part.Content)
		}
	}
	return parts, value, nil
}
