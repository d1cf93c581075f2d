package images_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"testing"

	"github.com/opencalls/opencalls/images"
)

// An interlaced PNG takes twice the memory while it is decoded, and may have half of the pixels.
func TestInterlacedPNGMayHaveFewerPixels(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	content := file.Bytes()
	limits := images.Limits{MaxBytes: 1 << 20, MaxPixels: 100, Decoders: images.NewDecoders(1)}
	if _, err := images.Check(t.Context(), content, limits); err != nil {
		t.Fatal(err)
	}
	content[28] = 1
	binary.BigEndian.PutUint32(content[29:], crc32.ChecksumIEEE(content[12:29]))
	_, err := images.Check(t.Context(), content, limits)
	var invalid *images.Invalid
	if want := "Ensure this image has no more than 50 pixels."; !errors.As(err, &invalid) || err.Error() != want {
		t.Errorf("got %v, not %q", err, want)
	}
}
