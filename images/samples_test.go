package images

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
)

// Images of one pixel in the variants of WebP that encodeWebP doesn't write.
var (
	lossyWebP    = decodeBase64("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	alphaWebP    = decodeBase64("UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==")
	animatedWebP = decodeBase64("UklGRlIAAABXRUJQVlA4WAoAAAASAAAAAAAAAAAAQU5JTQYAAAD/////AABBTk1GJgAAAAAAAAAAAAAAAAAAAGQAAABWUDhMDQAAAC8AAAAQBxAREYiI/gcA")
)

// picture is noise in which each channel is either 0 or 255.
func picture(width, height int, seed uint64) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range m.Pix {
		m.Pix[i] = byte(255 * random.IntN(2))
	}
	return m
}

func encodePNG(m image.Image) []byte {
	var b bytes.Buffer
	must(png.Encode(&b, m))
	return b.Bytes()
}

func encodeJPEG(m image.Image) []byte {
	var b bytes.Buffer
	must(jpeg.Encode(&b, m, nil))
	return b.Bytes()
}

func encodeGIF(frames ...image.Image) []byte {
	var all gif.GIF
	for _, m := range frames {
		frame := image.NewPaletted(m.Bounds(), append(color.Palette{color.Transparent}, palette.WebSafe...))
		draw.Draw(frame, frame.Rect, m, image.Point{}, draw.Src)
		all.Image = append(all.Image, frame)
		all.Delay = append(all.Delay, 10)
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, &all))
	return b.Bytes()
}

func encodeWebP(m *image.NRGBA) []byte {
	content, _ := encodePaddedWebP(m)
	return content
}

// encodePaddedWebP writes a lossless WebP of a picture, whose channels are 0 or
// 255, so that each has a prefix code of two symbols and takes one bit. It also
// returns how many bytes of padding are at the end.
func encodePaddedWebP(m *image.NRGBA) (content []byte, padding int) {
	var b bitWriter
	b.write(0, 1) // no transform
	b.write(0, 1) // no colour cache
	b.write(0, 1) // one group of prefix codes
	for range 4 { // green, red, blue, alpha
		b.write(1, 1)   // a simple code
		b.write(1, 1)   // of two symbols,
		b.write(1, 1)   // each of eight bits
		b.write(0, 8)   // the first symbol
		b.write(255, 8) // the second symbol
	}
	b.write(1, 1) // distances: a simple code
	b.write(0, 1) // of one symbol
	b.write(0, 1) // of one bit:
	b.write(0, 1) // zero
	for i := 0; i < len(m.Pix); i += 4 {
		for _, channel := range []int{1, 0, 2, 3} {
			b.write(uint32(m.Pix[i+channel]&1), 1)
		}
	}
	header := webpLosslessHeader(m.Rect.Dx(), m.Rect.Dy())
	chunk := riffChunk("VP8L", append(header[8:13:13], b.bytes...))
	return riff(chunk), (5 + len(b.bytes)) % 2
}

// bitWriter writes numbers least significant bit first, as lossless WebP does.
type bitWriter struct {
	bytes []byte
	used  int // bits used in the last byte
}

func (b *bitWriter) write(value uint32, bits int) {
	for i := range bits {
		if b.used%8 == 0 {
			b.bytes = append(b.bytes, 0)
			b.used = 0
		}
		b.bytes[len(b.bytes)-1] |= byte(value>>i&1) << b.used
		b.used++
	}
}

// webpLosslessHeader is a VP8L chunk without pixel data.
func webpLosslessHeader(width, height int) []byte {
	size := binary.LittleEndian.AppendUint32(nil, uint32(width-1)|uint32(height-1)<<14|1<<28)
	return riffChunk("VP8L", append([]byte{0x2f}, size...))
}

// webpCanvas is a VP8X chunk.
func webpCanvas(width, height int) []byte {
	w, h := width-1, height-1
	return riffChunk("VP8X", []byte{0, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
}

func riff(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

func riffChunk(kind string, data []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
	chunk = append(chunk, data...)
	if len(data)%2 == 1 {
		chunk = append(chunk, 0)
	}
	return chunk
}

// bombPNG is a PNG with some 10 KB of zeros, compressed a thousandfold.
func bombPNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 6, 0, 0, 0) // eight bits of red, green, blue and alpha
	var data bytes.Buffer
	w := zlib.NewWriter(&data)
	_, err := w.Write(make([]byte, 10<<20))
	must(err)
	must(w.Close())
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", data.Bytes()), pngChunk("IEND", nil))
}

func pngChunk(kind string, data []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(chunk, kind...)
	chunk = append(chunk, data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// jpegHeader is the beginning of a grey JPEG up to its first scan.
func jpegHeader(width, height int) []byte {
	frame := []byte{
		0xff, 0xd8, // start of image
		0xff, 0xc0, 0, 11, 8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0,
	}
	return append(frame, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0)
}

// progressiveJPEG is a grey progressive JPEG of at most 8 × 8 blocks with scans
// that say "nothing changes in any block" in a few bits.
func progressiveJPEG(width, height, scans int) []byte {
	quantization := append([]byte{0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64)...)
	frame := []byte{0xff, 0xc2, 0, 11, 8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0}
	// The Huffman code 0 means: the band ends in this and the next blocks,
	// 64 blocks and as many more as the following six bits say.
	huffman := append([]byte{0xff, 0xc4, 0, 20, 0x10, 1}, append(make([]byte, 15), 0x60)...)
	scan := []byte{0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0b0_000000_1}
	return slices.Concat([]byte{0xff, 0xd8}, quantization, frame, huffman, bytes.Repeat(scan, scans), []byte{0xff, 0xd9})
}

// gifScreen is the beginning of a GIF with a palette of two colours.
func gifScreen(width, height int) []byte {
	return []byte{
		'G', 'I', 'F', '8', '9', 'a', byte(width), byte(width >> 8), byte(height), byte(height >> 8), 0x80, 0, 0,
		0, 0, 0, 255, 255, 255,
	}
}

// gifFrame is the beginning of a frame without pixel data.
func gifFrame(width, height int) []byte {
	return []byte{',', 0, 0, 0, 0, byte(width), byte(width >> 8), byte(height), byte(height >> 8), 0, 2}
}

// gifEmptyFrame is a whole frame without pixels, and the end mark.
func gifEmptyFrame() []byte {
	return append(gifFrame(0, 0), 1, 0b00_101_100, 0, ';') // the codes "clear" and "end"
}

func cutEnd(content []byte, n int) []byte { return content[:len(content)-n] }

func padded(content []byte, size int) []byte {
	return append(content, make([]byte, size-len(content))...)
}

// flipped is content with one bit of one byte inverted.
func flipped(content []byte, position int) []byte {
	content[position] ^= 1
	return content
}

func decodeBase64(s string) []byte {
	content, err := base64.StdEncoding.DecodeString(s)
	must(err)
	return content
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
