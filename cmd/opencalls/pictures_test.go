package main

import (
	"bytes"
	"compress/zlib"
	endian "encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"testing"

	"github.com/opencalls/opencalls/fixture"
)

// side squared is the number of pixels that an image may have.
const side = 4000

// largePNG is a PNG of as many pixels as there may be, each of 8 bytes in memory, in a file of
// size bytes. What follows the image in it is nothing to a decoder.
func largePNG(size int) []byte {
	return filledPNG(size, side, 0, []pass{{0, 0, 1, 1}})
}

// largeInterlacedPNG is largePNG for one that comes in seven passes, each a raster of its own: it may
// have half as many pixels.
func largeInterlacedPNG(size int) []byte {
	const side = 2828
	return filledPNG(size, side, 1, []pass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}})
}

// pass is where a pass of a PNG begins, and how far its pixels are from each other.
type pass struct{ x, y, stepX, stepY uint32 }

// filledPNG is a square PNG of pixels of nothing.
func filledPNG(size int, side uint32, interlaced byte, passes []pass) []byte {
	chunk := func(kind string, data []byte) []byte {
		c := append(endian.BigEndian.AppendUint32(nil, uint32(len(data))), kind...)
		c = append(c, data...)
		return endian.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	}
	header := endian.BigEndian.AppendUint32(endian.BigEndian.AppendUint32(nil, side), side)
	var pixels bytes.Buffer
	w, _ := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	for _, p := range passes {
		row := make([]byte, 1+8*((side-p.x+p.stepX-1)/p.stepX))
		for range (side - p.y + p.stepY - 1) / p.stepY {
			_, _ = w.Write(row) // into memory
		}
	}
	_ = w.Close()
	content := slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 16, 6, 0, 0, interlaced)), chunk("IDAT", pixels.Bytes()), chunk("IEND", nil))
	return append(content, make([]byte, size-len(content))...)
}

// largeJPEG is a progressive JPEG of as many pixels, each of 7.5 bytes in memory, in a file of
// size bytes: its colours are subsampled, and all of the same value.
func largeJPEG(size int) []byte {
	quantization := append([]byte{0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64)...)
	frame := []byte{0xff, 0xc2, 0, 17, 8, side >> 8, side & 0xff, side >> 8, side & 0xff, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0}
	huffman := append([]byte{0xff, 0xc4, 0, 20, 0x00, 1}, make([]byte, 16)...) // the code 0: as the block before
	scan := []byte{0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0}
	blocks := make([]byte, (side/16)*(side/16)*6/8+1)
	content := slices.Concat([]byte{0xff, 0xd8}, quantization, frame, huffman, scan, blocks, []byte{0xff, 0xd9})
	return append(content, make([]byte, size-len(content))...)
}

// upload makes a picture an organisation's image and returns its URL.
func (p process) upload(t *testing.T, organisation string, picture []byte) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "picture")
	if err == nil {
		_, err = part.Write(picture)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Error(err)
		return ""
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, p.Address+organisations+organisation+"/", &body)
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Token "+fixture.DemoStaffToken)
	r.Header.Set("Content-Type", form.FormDataContentType())
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var answer struct{ Image string }
	content, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(content, &answer)
	}
	if err != nil || response.StatusCode != http.StatusOK || answer.Image == "" {
		t.Error(fmt.Errorf("upload: status %d %s: %w", response.StatusCode, content, err))
	}
	return answer.Image
}
