package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	textEmpty    = "The submitted file is empty."
	textTooLarge = "Ensure this file is no larger than 5242880 bytes."
	textInvalid  = "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
	textPixels   = "Ensure this image has no more than 16000000 pixels."
)

var (
	usual  = Limits{MaxBytes: 5242880, MaxPixels: 16000000}
	noise  = picture(16, 12, 1)
	script = []byte("#!/bin/sh\nrm -rf /\n")
)

func TestCheckAccepts(t *testing.T) {
	tests := []struct {
		name      string
		content   []byte
		mediaType string
	}{
		{"png", encodePNG(noise), "image/png"},
		{"jpeg", encodeJPEG(noise), "image/jpeg"},
		{"progressive jpeg", progressiveJPEG(16, 16, maxScans), "image/jpeg"},
		{"gif", encodeGIF(noise), "image/gif"},
		{"animated gif", encodeGIF(noise, noise, noise), "image/gif"},
		{"gif without its end mark", cutEnd(encodeGIF(noise), 1), "image/gif"},
		{"animated gif cut in its second frame", cutEnd(encodeGIF(noise, noise), 20), "image/gif"},
		{"lossless webp", encodeWebP(noise), "image/webp"},
		{"lossy webp", lossyWebP, "image/webp"},
		{"lossy webp with alpha", alphaWebP, "image/webp"},
		{"png with bytes behind it", slices.Concat(encodePNG(noise), script), "image/png"},
		{"jpeg with bytes behind it", slices.Concat(encodeJPEG(noise), script), "image/jpeg"},
		{"gif with bytes behind it", slices.Concat(encodeGIF(noise), script), "image/gif"},
		{"webp with bytes behind it", slices.Concat(encodeWebP(noise), script), "image/webp"},
		{"png of one pixel", encodePNG(picture(1, 1, 1)), "image/png"},
		{"as many pixels as allowed", encodePNG(image.NewGray(image.Rect(0, 0, 4000, 4000))), "image/png"},
		{"as many bytes as allowed", padded(encodePNG(noise), 5242880), "image/png"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Check(t.Context(), test.content, usual)
			if err != nil {
				t.Fatal(err)
			}
			digest := sha256.Sum256(test.content)
			want := Image{MediaType: test.mediaType, SHA256: hex.EncodeToString(digest[:]), Bytes: test.content}
			if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	html := []byte("<!DOCTYPE html><script>alert(1)</script>")
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>alert(1)</script></svg>`)
	tests := []struct {
		name    string
		content []byte
		text    string
	}{
		{"nothing", nil, textEmpty},
		{"no bytes", []byte{}, textEmpty},
		{"one byte too many", padded(encodePNG(noise), 5242881), textTooLarge},
		{"too many bytes that are no image", make([]byte, 5242881), textTooLarge},
		{"text", []byte("hello"), textInvalid},
		{"script", script, textInvalid},
		{"html", html, textInvalid},
		{"svg", svg, textInvalid},
		{"svg with an XML declaration", slices.Concat([]byte(`<?xml version="1.0"?>`), svg), textInvalid},
		{"bmp", []byte("BM\x1e\x00\x00\x00\x00\x00\x00\x00\x1a\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x01\x00\x01\x00\x18\x00\x00\x00\xff\x00"), textInvalid},
		{"script behind the magic of png", slices.Concat([]byte("\x89PNG\r\n\x1a\n"), script), textInvalid},
		{"script behind the magic of jpeg", slices.Concat([]byte("\xff\xd8\xff\xe0"), script), textInvalid},
		{"script behind the header of gif", slices.Concat(gifScreen(16, 12), script), textInvalid},
		{"script behind the magic of webp", slices.Concat([]byte("RIFF\x20\x00\x00\x00WEBPVP8L"), script), textInvalid},
		{"script in front of an image", slices.Concat(script, encodePNG(noise)), textInvalid},
		{"gif of no known version", slices.Concat([]byte("GIF88a"), encodeGIF(noise)[6:]), textInvalid},
		{"another kind of RIFF file", []byte("RIFF\x04\x00\x00\x00WAVEfmt "), textInvalid},
		{"png with a wrong checksum", flipped(encodePNG(noise), 60), textInvalid},
		{"gif without a frame", slices.Concat(gifScreen(16, 12), []byte{';'}), textInvalid},
		{"gif without a screen", slices.Concat(gifScreen(0, 0), encodeGIF(noise)[13:]), textInvalid},
		{"gif whose frame is empty", slices.Concat(gifScreen(1, 1), gifEmptyFrame()), textInvalid},
		{"gif whose frame is bigger than its screen", slices.Concat(gifScreen(1, 1), gifFrame(65535, 65535)), textInvalid},
		{"jpeg without height", jpegHeader(1, 0), textInvalid},
		{"jpeg with too many scans", progressiveJPEG(16, 16, maxScans+1), textInvalid},
		{"animated webp", animatedWebP, textInvalid},
		{"webp whose image is bigger than its canvas", riff(webpCanvas(1, 1), webpLosslessHeader(16384, 16384)), textInvalid},
		{"png of too many pixels", encodePNG(image.NewGray(image.Rect(0, 0, 4000, 4001))), textPixels},
		{"png of 20,000 by 20,000 pixels in 10 KB", bombPNG(20000, 20000), textPixels},
		{"jpeg of 65,535 by 65,535 pixels", jpegHeader(65535, 65535), textPixels},
		{"gif of 65,535 by 65,535 pixels", slices.Concat(gifScreen(65535, 65535), gifFrame(65535, 65535)), textPixels},
		{"lossless webp of 16,384 by 16,384 pixels", riff(webpLosslessHeader(16384, 16384)), textPixels},
		{"webp of 16,777,216 by 127 pixels", riff(webpCanvas(1<<24, 127), webpLosslessHeader(1, 1)), textPixels},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := Check(t.Context(), test.content, usual)
			runtime.ReadMemStats(&after)
			if text := refusal(t, err); text != test.text {
				t.Errorf("got %q, want %q", text, test.text)
			}
			if diff := cmp.Diff(Image{}, got); diff != "" {
				t.Error(diff)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<10 {
				t.Errorf("%d bytes of memory allocated", allocated)
			}
		})
	}
}

func TestRefusalsNameTheLimit(t *testing.T) {
	content := encodePNG(picture(10, 10, 1))
	for _, test := range []struct {
		limits Limits
		text   string
	}{
		{Limits{MaxBytes: 20, MaxPixels: 99}, "Ensure this file is no larger than 20 bytes."},
		{Limits{MaxBytes: 20000, MaxPixels: 99}, "Ensure this image has no more than 99 pixels."},
	} {
		_, err := Check(t.Context(), content, test.limits)
		if text := refusal(t, err); text != test.text {
			t.Errorf("got %q, want %q", text, test.text)
		}
	}
}

// TestTruncated cuts images of all formats at every byte. frameEnd is where the
// first frame ends: what follows it is a GIF's end mark or a WebP's padding.
// A progressive JPEG whose decoder would take more than eight bytes per pixel may have fewer.
func TestProgressiveJPEGsOfFewerPixels(t *testing.T) {
	comment := []byte{0xff, 0xfe, 0, 4, 0xff, 0xc2, 0xff} // and a fill byte
	for _, test := range []struct {
		name      string
		header    []byte // up to its frame
		sampling  []byte
		maxPixels int
	}{
		{"grey", nil, []byte{0x11}, 16_000_000},
		{"4:2:0", nil, []byte{0x22, 0x11, 0x11}, 16_000_000},
		{"4:2:2", nil, []byte{0x21, 0x11, 0x11}, 12_800_000},
		{"4:4:4", nil, []byte{0x11, 0x11, 0x11}, 8_533_333},
		{"CMYK", nil, []byte{0x11, 0x11, 0x11, 0x11}, 5_333_333},
		{"CMYK, behind a comment", comment, []byte{0x11, 0x11, 0x11, 0x11}, 5_333_333},
	} {
		for _, width := range []int{test.maxPixels / 2000, test.maxPixels/2000 + 1} {
			frame := []byte{0xff, 0xc2, 0, byte(8 + 3*len(test.sampling)), 8, 2000 >> 8, 2000 & 0xff, byte(width >> 8), byte(width), byte(len(test.sampling))}
			for i, factors := range test.sampling {
				frame = append(frame, byte(i+1), factors, 0)
			}
			want := textInvalid // there is nothing behind the frame
			if 2000*width > test.maxPixels {
				want = fmt.Sprintf("Ensure this image has no more than %d pixels.", test.maxPixels)
			}
			content := slices.Concat([]byte{0xff, 0xd8}, test.header, frame, []byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0})
			if _, err := Check(t.Context(), content, usual); refusal(t, err) != want {
				t.Errorf("%s, %d pixels: got %v, want %s", test.name, 2000*width, err, want)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := picture(rapid.IntRange(1, 12).Draw(t, "width"), rapid.IntRange(1, 12).Draw(t, "height"), rapid.Uint64().Draw(t, "seed"))
		webp, webpPadding := encodePaddedWebP(m)
		for _, test := range []struct {
			mediaType string
			content   []byte
			behind    int
		}{
			{"image/png", encodePNG(m), 0},
			{"image/jpeg", encodeJPEG(m), 0},
			{"image/gif", encodeGIF(m), 1},
			{"image/webp", webp, webpPadding},
			{"image/webp", lossyWebP, 0},
		} {
			frameEnd := len(test.content) - test.behind
			for end := range len(test.content) {
				got, err := Check(context.Background(), test.content[:end], usual)
				switch {
				case end >= frameEnd && err == nil && got.MediaType == test.mediaType:
				case end == 0 && refusal(t, err) == textEmpty:
				case end > 0 && end < frameEnd && refusal(t, err) == textInvalid:
				default:
					t.Fatalf("%s of %d bytes cut at %d: %q, %v", test.mediaType, len(test.content), end, got.MediaType, err)
				}
			}
		}
	})
}

// TestDamaged overwrites bytes: a decoder may accept the outcome, but Check
// neither panics nor returns another media type than the format's.
func TestDamaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sources := map[string][]byte{
			"image/png": encodePNG(noise), "image/jpeg": encodeJPEG(noise),
			"image/gif": encodeGIF(noise), "image/webp": encodeWebP(noise),
		}
		mediaType := rapid.SampledFrom([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}).Draw(t, "mediaType")
		content := sources[mediaType]
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			content[rapid.IntRange(0, len(content)-1).Draw(t, "position")] = rapid.Byte().Draw(t, "value")
		}
		got, err := Check(context.Background(), content, Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 16})
		if err != nil {
			refusal(t, err)
		} else if got.MediaType != mediaType {
			t.Fatalf("got %s, want %s", got.MediaType, mediaType)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	busy := usual
	busy.Decoders = NewDecoders(1)
	busy.Decoders <- struct{}{}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(canceled, encodePNG(noise), busy); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Check(late, encodePNG(noise), busy); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	// A refusal that needs no decoding doesn't wait for it.
	if _, err := Check(t.Context(), bombPNG(20000, 20000), busy); refusal(t, err) != textPixels {
		t.Errorf("got %v", err)
	}
}

func TestDecodingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	endless := format{decode: func(r io.Reader) (image.Image, error) {
		buffer := make([]byte, 4096)
		for {
			if _, err := r.Read(buffer); err == io.EOF {
				t.Error("read to the end although canceled")
				return noise, nil
			} else if err != nil {
				return nil, err
			}
			cancel()
		}
	}}
	if err := endless.decodeFirstFrame(ctx, make([]byte, 4096), nil, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Check(ctx, encodePNG(noise), usual); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled before: %v", err)
	}
}

func TestDecodersBoundDecodingAtOnce(t *testing.T) {
	const most = 2
	decoders := NewDecoders(most)
	var running atomic.Int32
	slow := format{decode: func(io.Reader) (image.Image, error) {
		if running.Add(1) > most {
			t.Errorf("more than %d decodings at once", most)
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return noise, nil
	}}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if err := slow.decodeFirstFrame(t.Context(), nil, decoders, 1); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestPanicOfADecoderIsARefusal(t *testing.T) {
	works := format{
		mediaType:  "image/test",
		readHeader: func(io.Reader) (image.Config, error) { return image.Config{Width: 1, Height: 1}, nil },
		decode:     func(io.Reader) (image.Image, error) { return noise, nil },
	}
	limits := usual
	limits.Decoders = NewDecoders(1)
	badHeader, badFrame := works, works
	badHeader.readHeader = func(io.Reader) (image.Config, error) { panic("header") }
	badFrame.decode = func(io.Reader) (image.Image, error) { panic("frame") }
	for _, f := range []format{badHeader, badFrame} {
		if _, err := f.check(t.Context(), []byte("x"), limits); refusal(t, err) != textInvalid {
			t.Errorf("got %v", err)
		}
	}
	// The slot is free again.
	if _, err := works.check(t.Context(), []byte("x"), limits); err != nil {
		t.Error(err)
	}
}

func FuzzCheck(f *testing.F) {
	for _, content := range [][]byte{
		nil, script, []byte("<svg/>"), encodePNG(noise), encodeJPEG(noise), encodeGIF(noise, noise), encodeWebP(noise),
		lossyWebP, alphaWebP, animatedWebP, progressiveJPEG(16, 16, 3), bombPNG(20000, 20000), jpegHeader(1, 1),
		riff(webpCanvas(4, 4), webpLosslessHeader(4, 4)), slices.Concat(gifScreen(4, 4), gifFrame(4, 4)),
	} {
		f.Add(content)
	}
	limits := Limits{MaxBytes: 1 << 16, MaxPixels: 1 << 16}
	texts := []string{
		textEmpty, textInvalid,
		"Ensure this file is no larger than 65536 bytes.",
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := Check(t.Context(), content, limits)
		if err != nil {
			if text := refusal(t, err); !slices.Contains(texts, text) && !strings.HasPrefix(text, "Ensure this image has no more than ") {
				t.Errorf("unknown text %q", text)
			}
			return
		}
		if !strings.HasPrefix(got.MediaType, "image/") || len(got.SHA256) != 64 || !bytes.Equal(got.Bytes, content) {
			t.Errorf("got %+v", got)
		}
	})
}

// refusal is the text of an *Invalid; any other outcome fails the test.
func refusal(t interface{ Fatalf(string, ...any) }, err error) string {
	var invalid *Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want an *Invalid", err)
	}
	return invalid.Error()
}
