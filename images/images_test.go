package images

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	textEmpty    = "The submitted file is empty."
	textTooLarge = "Ensure this file is no larger than 5242880 bytes."
	textInvalid  = "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
	textPixels   = "Ensure this image has no more than 16000000 pixels."
)

var (
	usual  = Limits{MaxBytes: 5242880, MaxPixels: 16000000}
	script = []byte("#!/bin/sh\nrm -rf /\n")

	picture  = image.NewPaletted(image.Rect(0, 0, 16, 12), color.Palette{color.Black, color.White})
	pngFile  = encoded(func(w io.Writer) error { return png.Encode(w, picture) })
	jpegFile = encoded(func(w io.Writer) error { return jpeg.Encode(w, picture, nil) })
	gifFile  = encoded(func(w io.Writer) error { return gif.Encode(w, picture, nil) })

	// Images of one pixel in the variants of WebP.
	lossyWebP    = decoded("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	losslessWebP = riff("VP8L", 0x2f, 0, 0, 0, 0x10, 0x07, 0x10, 0x11, 0x11, 0x88, 0x88, 0xfe, 0x07, 0x00)
	alphaWebP    = decoded("UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==")
	animatedWebP = decoded("UklGRlIAAABXRUJQVlA4WAoAAAASAAAAAAAAAAAAQU5JTQYAAAD/////AABBTk1GJgAAAAAAAAAAAAAAAAAAAGQAAABWUDhMDQAAAC8AAAAQBxAREYiI/gcA")
)

func encoded(encode func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decoded(text string) []byte {
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return content
}

// riff is a WebP of one chunk.
func riff(kind string, data ...byte) []byte {
	chunk := append(binary.LittleEndian.AppendUint32([]byte("WEBP"+kind), uint32(len(data))), data...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunk))), chunk...)
}

// pngHeader is how a grey PNG of a size begins.
func pngHeader(width, height uint32) []byte {
	data := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), width), height)
	data = append(data, 8, 0, 0, 0, 0)
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(data)-4)), data...)
	return append([]byte("\x89PNG\r\n\x1a\n"), binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(data))...)
}

// jpegHeader is how a grey JPEG of a size begins.
func jpegHeader(width, height uint16) []byte {
	frame := []byte{0xff, 0xd8, 0xff, 0xc0, 0, 11, 8}
	frame = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(frame, height), width)
	return append(frame, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0)
}

// gifHeader is how a GIF of a size begins.
func gifHeader(width, height uint16) []byte {
	screen := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte("GIF89a"), width), height)
	return append(screen, 0x80, 0, 0, 0, 0, 0, 255, 255, 255)
}

func padded(content []byte, size int) []byte {
	return append(slices.Clone(content), make([]byte, size-len(content))...)
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name      string
		content   []byte
		mediaType string
		refusal   string
	}{
		{"png", pngFile, "image/png", ""},
		{"jpeg", jpegFile, "image/jpeg", ""},
		{"gif", gifFile, "image/gif", ""},
		{"lossy webp", lossyWebP, "image/webp", ""},
		{"lossless webp", losslessWebP, "image/webp", ""},
		{"webp with alpha", alphaWebP, "image/webp", ""},
		{"animated webp", animatedWebP, "image/webp", ""},
		{"png without pixels", pngHeader(1, 1), "image/png", ""},
		{"jpeg without pixels", jpegHeader(1, 1), "image/jpeg", ""},
		{"png with broken pixels", append(pngFile[:60:60], script...), "image/png", ""},
		{"gif with bytes behind it", slices.Concat(gifFile, script), "image/gif", ""},
		{"as many pixels as allowed", pngHeader(4000, 4000), "image/png", ""},
		{"as many bytes as allowed", padded(pngFile, 5242880), "image/png", ""},

		{"nothing", nil, "", textEmpty},
		{"one byte too many", padded(pngFile, 5242881), "", textTooLarge},
		{"too many bytes that are no image", make([]byte, 5242881), "", textTooLarge},
		{"script", script, "", textInvalid},
		{"svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>alert(1)</script></svg>`), "", textInvalid},
		{"html", []byte("<!DOCTYPE html><script>alert(1)</script>"), "", textInvalid},
		{"a decoder that panics", []byte("PANIC"), "", textInvalid},
		{"script behind the magic of png", slices.Concat(pngFile[:8], script), "", textInvalid},
		{"script behind the magic of jpeg", slices.Concat([]byte("\xff\xd8\xff\xe0"), script), "", textInvalid},
		{"script behind the magic of webp", slices.Concat([]byte("RIFF\x20\x00\x00\x00WEBPVP8L"), script), "", textInvalid},
		{"script in front of an image", slices.Concat(script, pngFile), "", textInvalid},
		{"another kind of RIFF file", []byte("RIFF\x04\x00\x00\x00WAVEfmt "), "", textInvalid},
		{"png with a wrong checksum", append(pngFile[:32:32], pngFile[32]^1), "", textInvalid},
		{"gif without a screen", gifHeader(0, 0), "", textInvalid},
		{"jpeg without height", jpegHeader(1, 0), "", textInvalid},
		{"png of too many pixels", pngHeader(4000, 4001), "", textPixels},
		{"jpeg of 65,535 by 65,535 pixels", jpegHeader(65535, 65535), "", textPixels},
		{"gif of 65,535 by 65,535 pixels", gifHeader(65535, 65535), "", textPixels},
		{"webp of 16,777,216 by 127 pixels", riff("VP8X", 0, 0, 0, 0, 0xff, 0xff, 0xff, 126, 0, 0), "", textPixels},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Check(test.content, usual)
			var invalid *Invalid
			if err != nil && !errors.As(err, &invalid) {
				t.Fatal(err)
			}
			if invalid != nil && invalid.Error() != test.refusal {
				t.Errorf("got %q, want %q", invalid, cmp.Or(test.refusal, test.mediaType))
			}
			var want Image
			if test.refusal == "" {
				digest := sha256.Sum256(test.content)
				want = Image{MediaType: test.mediaType, SHA256: hex.EncodeToString(digest[:]), Bytes: test.content}
			}
			if diff := gocmp.Diff(want, got, gocmp.Comparer(bytes.Equal)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func init() {
	image.RegisterFormat("png", "PANIC", nil, func(io.Reader) (image.Config, error) { panic("out of the blue") })
}

func TestRefusalsNameTheLimit(t *testing.T) {
	for want, limits := range map[string]Limits{
		"Ensure this file is no larger than 20 bytes.":   {MaxBytes: 20, MaxPixels: 99},
		"Ensure this image has no more than 191 pixels.": {MaxBytes: 20000, MaxPixels: 191},
	} {
		if _, err := Check(pngFile, limits); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Whatever is sent: an image of one of the formats, or a refusal.
func FuzzCheck(f *testing.F) {
	for _, content := range [][]byte{
		nil, script, pngFile, jpegFile, gifFile, lossyWebP, losslessWebP, alphaWebP, animatedWebP,
		pngHeader(20000, 20000), jpegHeader(1, 1), gifHeader(4, 4),
	} {
		f.Add(content)
	}
	accepted := []string{"image/png", "image/jpeg", "image/gif", "image/webp"}
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := Check(content, Limits{MaxBytes: 1 << 16, MaxPixels: 1 << 16})
		var invalid *Invalid
		switch {
		case err == nil && slices.Contains(accepted, got.MediaType) && len(got.SHA256) == 64 && bytes.Equal(got.Bytes, content):
		case errors.As(err, &invalid) && (slices.Contains([]string{textEmpty, textInvalid}, invalid.Error()) || strings.HasPrefix(invalid.Error(), "Ensure this ")):
		default:
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
