// Package images checks an uploaded image: that it is a PNG, JPEG, GIF or WebP
// by its content, that it is within the limits, and that it can be decoded.
package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime/debug"

	"golang.org/x/image/webp"
)

// Limits is what an upload may be at most; both limits are positive.
type Limits struct {
	MaxBytes  int64    // size of the file in bytes
	MaxPixels int64    // width times height, as the file's header states them
	Decoders  Decoders // how many images are decoded at once; nil is as many as there are
}

// Decoders are slots for images that are being decoded, since each takes up to
// maxMemory bytes per pixel for that time.
type Decoders chan struct{}

// NewDecoders returns that many slots.
func NewDecoders(n int) Decoders { return make(Decoders, n) }

// acquire waits for a slot; the error is ctx.Err().
func (d Decoders) acquire(ctx context.Context) error {
	if d == nil {
		return ctx.Err()
	}
	select {
	case d <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d Decoders) release() {
	if d != nil {
		<-d
	}
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

var errNotImage = &Invalid{"Upload a valid image. The file you uploaded was either not an image or a corrupted image."}

// format is one of the accepted formats. The table below stands in for the
// registry of package image, to which any imported package may add formats.
type format struct {
	mediaType  string
	magic      string // how a file begins; '?' stands for any byte
	readHeader func(io.Reader) (image.Config, error)
	decode     func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"image/png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"image/jpeg", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"image/gif", "GIF8?a", gif.DecodeConfig, gif.Decode},
	{"image/webp", "RIFF????WEBP", webp.DecodeConfig, webp.Decode},
}

// maxScans bounds the time that a progressive JPEG takes. A scan of some thirty
// bytes can go over the whole image, so that without a bound five megabytes
// would keep the decoder busy for half an hour. Usual files have about ten
// scans; the bound leaves room for the marker's two bytes to occur by chance in
// metadata or behind the image.
const maxScans = 200

var startOfScan = []byte{0xff, 0xda}

// largeRaster is the number of pixels from which memory that is free is given back before an
// image is decoded: left to the garbage collector's pace, the rasters of several would add up.
const largeRaster = 1 << 20

// Check tells whether content is an image within the limits whose first frame
// can be decoded. A refusal is an *Invalid. Otherwise the error is ctx.Err():
// ctx ended while Check waited for a slot of the limits' Decoders, or during the
// decoding itself.
//
// What follows the first frame is not looked at: further frames, a missing end
// mark of a GIF, or other data behind the image. An animated WebP is refused,
// since its decoder does not know animation. A GIF's size is that of its
// screen; a frame that reaches beyond the screen is refused, as is a WebP whose
// image has another size than its canvas.
func Check(ctx context.Context, content []byte, limits Limits) (Image, error) {
	if len(content) == 0 {
		return Image{}, &Invalid{"The submitted file is empty."}
	}
	if int64(len(content)) > limits.MaxBytes {
		return Image{}, &Invalid{fmt.Sprintf("Ensure this file is no larger than %d bytes.", limits.MaxBytes)}
	}
	for _, f := range formats {
		if f.matches(content) {
			return f.check(ctx, content, limits)
		}
	}
	return Image{}, errNotImage
}

func (f format) matches(content []byte) bool {
	if len(content) < len(f.magic) {
		return false
	}
	for i := range len(f.magic) {
		if f.magic[i] != '?' && f.magic[i] != content[i] {
			return false
		}
	}
	return true
}

func (f format) check(ctx context.Context, content []byte, limits Limits) (Image, error) {
	header, err := guard(f.readHeader, bytes.NewReader(content))
	if err != nil || header.Width < 1 || header.Height < 1 {
		return Image{}, errNotImage
	}
	maxPixels := limits.MaxPixels
	if f.mediaType == "image/jpeg" {
		if bytes.Count(content, startOfScan) > maxScans {
			return Image{}, errNotImage
		}
		if taken := progressiveMemory(content); taken > maxMemory {
			maxPixels = int64(float64(maxPixels) * maxMemory / taken)
		}
	}
	if f.mediaType == "image/png" && interlaced(content) {
		maxPixels /= 2
	}
	// No format has more than 31 bits per side, so the product can't overflow.
	pixels := int64(header.Width) * int64(header.Height)
	if pixels > maxPixels {
		return Image{}, &Invalid{fmt.Sprintf("Ensure this image has no more than %d pixels.", maxPixels)}
	}
	if err := f.decodeFirstFrame(ctx, content, limits.Decoders, pixels); err != nil {
		return Image{}, err
	}
	digest := sha256.Sum256(content)
	return Image{MediaType: f.mediaType, SHA256: hex.EncodeToString(digest[:]), Bytes: content}, nil
}

func (f format) decodeFirstFrame(ctx context.Context, content []byte, decoders Decoders, pixels int64) error {
	if err := decoders.acquire(ctx); err != nil {
		return err
	}
	defer decoders.release()
	if pixels >= largeRaster {
		debug.FreeOSMemory()
	}
	frame, err := guard(f.decode, contextReader{ctx, bytes.NewReader(content)})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || frame.Bounds().Empty() {
		return errNotImage
	}
	return nil
}

// guard turns a decoder's panic into an error: bytes that a decoder was not
// prepared for must not end the process.
func guard[T any](decode func(io.Reader) (T, error), r io.Reader) (result T, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("decoder panicked: %v", reason)
		}
	}()
	return decode(r)
}

// contextReader ends a decoder's work with its context. It reads little at a
// time because few bytes may stand for much work.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p[:min(len(p), 512)])
}
