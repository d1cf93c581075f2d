package handlers

import (
	"io"
	"mime"
	"mime/multipart"
)

// Part is one value of a multipart body.
type Part struct {
	Content []byte
	File    bool // it came with a file name, or with a media type other than text/plain
}

// ReadMultipart reads a multipart body into memory; of a repeated name the last part counts.
// The names of files are not looked at. Its error is the multipart reader's.
func ReadMultipart(reader *multipart.Reader) (map[string]Part, error) {
	parts := map[string]Part{}
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF { //nolint:errorlint // wrapped, it is a body that was cut off
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		_, named := disposition["filename"]
		mediaType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		parts[disposition["name"]] = Part{Content: content, File: named || mediaType != "" && mediaType != "text/plain"}
	}
}
