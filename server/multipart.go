package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/opencalls/opencalls/handlers"
)

// decodeMultipart takes the last part of each name. The content of all parts goes into one buffer,
// which is as large as the body.
func (b *body) decodeMultipart(sent io.Reader, boundary string, content *bytes.Buffer, parts openapi3.Schemas) error {
	if boundary == "" {
		return malformed("Multipart form parse error - Invalid boundary in multipart: None")
	}
	b.files = map[string]handlers.File{}
	// The reader takes a body that ends in a part's header for a whole one. So a body may not end at
	// all, and the closing boundary may be its last line.
	end, closed := io.Pipe()
	_ = closed.CloseWithError(io.ErrUnexpectedEOF)
	reader := multipart.NewReader(io.MultiReader(sent, strings.NewReader("\r\n"), end), boundary)
	for {
		// Not NextPart, which decodes quoted-printable, nor ParseMultipartForm, which takes a file
		// without a name for a text.
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		start := content.Len()
		if err == nil {
			_, err = content.ReadFrom(part)
		}
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return malformed("Multipart form parse error - the closing boundary is missing")
		case err != nil:
			return malformed("Multipart form parse error - " + err.Error())
		}
		if err := b.addPart(part, content.Bytes()[start:], parts); err != nil {
			return err
		}
	}
}

// addPart adds one part, which takes the place of an earlier one of its name. The names of files
// are not looked at.
func (b *body) addPart(part *multipart.Part, content []byte, parts openapi3.Schemas) error {
	_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, named := disposition["filename"]
	mediaType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	name, isFile := disposition["name"], named || mediaType != "" && mediaType != "text/plain"
	property := parts[name]
	takesFile := property != nil && property.Value.Format == "binary"
	switch {
	case !isFile && (!utf8.ValidString(name) || !takesFile && !utf8.Valid(content)):
		return errNotUTF8
	case property == nil:
		return nil
	}
	delete(b.files, name)
	delete(b.value, name)
	switch {
	case takesFile && (isFile || len(content) > 0):
		b.files[name] = handlers.File{Content: content, Text: !isFile}
	case isFile:
		b.value[name] = []any{} // not a text
	default:
		b.setText(name, string(content))
	}
	return nil
}
