// Package images checks an uploaded image: that it is a PNG, JPEG, GIF or WebP by its header, and
// within the limits. It decodes no pixels.
package images

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"
)

// Limits is what an upload may be at most; both limits are positive.
type Limits struct {
	MaxBytes  int64 // size of the file in bytes
	MaxPixels int64 // width times height, as the file's header states them
}

// Image is an image that Check has accepted.
type Image struct {
	MediaType string // image/png, image/jpeg, image/gif or image/webp, by the content
	SHA256    string // of Bytes, in lower-case hexadecimal
	Bytes     []byte // the file as it was sent; the same memory, not a copy
}

// Invalid is the reason why an upload is refused.
type Invalid struct{ text string }

// Error returns the text that a client is shown.
func (e *Invalid) Error() string { return e.text }

// Check tells whether content begins with the header of an image within the limits. Its error is
// an *Invalid. What follows the header is not looked at.
func Check(content []byte, limits Limits) (Image, error) {
	header, format, err := readHeader(content)
	switch {
	case len(content) == 0:
		return Image{}, &Invalid{"The submitted file is empty."}
	case int64(len(content)) > limits.MaxBytes:
		return Image{}, &Invalid{fmt.Sprintf("Ensure this file is no larger than %d bytes.", limits.MaxBytes)}
	case err != nil || header.Width < 1 || header.Height < 1:
		return Image{}, &Invalid{
			"Upload a valid image. The file you uploaded was either not an image or a corrupted image.",
		}
	// No format has more than 31 bits per side, so the product can't overflow.
	case int64(header.Width)*int64(header.Height) > limits.MaxPixels:
		return Image{}, &Invalid{fmt.Sprintf("Ensure this image has no more than %d pixels.", limits.MaxPixels)}
	}
	return Image{MediaType: "image/" + format, SHA256: fmt.Sprintf("%x", sha256.Sum256(content)), Bytes: content}, nil
}

// readHeader is image.DecodeConfig with its panics as errors: bytes that a decoder is not prepared
// for must not end the process.
func readHeader(content []byte) (header image.Config, format string, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the decoder panicked: %v", reason)
		}
	}()
	return image.DecodeConfig(bytes.NewReader(content))
}
