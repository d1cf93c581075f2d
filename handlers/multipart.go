package handlers

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
)

// Part is one value of a multipart body.
type Part struct {
	Content []byte
	File    bool // it came with a file name, or with a media type other than text/plain
}

// ReadMultipart reads a multipart body of at most size bytes into memory; of a repeated name the
// last part counts. The names of files are not looked at, and of files the content of image alone
// is kept. Its error is the multipart reader's.
func ReadMultipart(reader *multipart.Reader, size int) (map[string]Part, error) {
	parts := map[string]Part{}
	var image bytes.Buffer // one for all files of this name: many of them must not take many times the memory
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF { // wrapped, it is a body that was cut off
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		_, named := disposition["filename"]
		mediaType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		name, file := disposition["name"], named || mediaType != "" && mediaType != "text/plain"
		content := &bytes.Buffer{}
		switch {
		case file && name == "image":
			content = &image
			content.Reset()
			content.Grow(size + bytes.MinRead) // most of the body, which growing by doubling would copy
		case file:
			if _, err := io.Copy(io.Discard, part); err != nil {
				return nil, err
			}
		}
		if _, err := content.ReadFrom(part); err != nil {
			return nil, err
		}
		parts[name] = Part{Content: content.Bytes(), File: file}
	}
}
