package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode/utf8"

	"github.com/opencalls/opencalls/handlers"
)

// decodeMultipart takes the last part of each name. The content of all parts goes into one buffer,
// which is as large as the body.
func (b *body) decodeMultipart(sent io.Reader, boundary string, content *bytes.Buffer) error {
	if boundary == "" {
		return malformed("Multipart form parse error - Invalid boundary in multipart: None")
	}
	b.files = map[string]handlers.File{}
	// The reader takes a body that ends in a part's header for a whole one. So a body may not end at
	// all, and the closing boundary may be its last line.
	reader := multipart.NewReader(io.MultiReader(sent, strings.NewReader("\r\n"), endless{}), boundary)
	for {
		// Not NextPart, which decodes quoted-printable, nor ParseMultipartForm, which takes a file
		// without a name for a text.
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return multipartErr(err)
		}
		start := content.Len()
		if _, err := content.ReadFrom(part); err != nil {
			return multipartErr(err)
		}
		if err := b.addPart(part, content.Bytes()[start:]); err != nil {
			return err
		}
	}
}

// endless is what follows a multipart body: no end.
type endless struct{}

// Read fails.
func (endless) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func multipartErr(err error) error {
	text := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text = "the closing boundary is missing"
	}
	return malformed("Multipart form parse error - " + text)
}

// addPart adds one part, which takes the place of an earlier one of its name. The names of files
// are not looked at.
func (b *body) addPart(part *multipart.Part, content []byte) error {
	_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, named := disposition["filename"]
	mediaType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	name, isFile := disposition["name"], named || mediaType != "" && mediaType != "text/plain"
	if !isFile && (!utf8.ValidString(name) || !utf8.Valid(content)) {
		return errNotUTF8
	}
	property := b.schema.Properties[name]
	if property == nil {
		return nil
	}
	delete(b.files, name)
	switch {
	case property.Value.Format == "binary":
		b.value[name] = ""
		if isFile || len(content) > 0 {
			b.files[name] = handlers.File{Content: content, Text: !isFile}
		}
	case isFile:
		b.value[name] = []any{} // not a text
	default:
		b.value[name] = string(content)
	}
	return nil
}
