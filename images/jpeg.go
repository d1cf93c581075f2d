package images

import "encoding/binary"

// maxMemory is what a pixel takes at most while an image is decoded, in bytes: as much as in a PNG
// of 16 bits per colour. A progressive JPEG can take more, and an interlaced PNG, of which each pass
// is decoded beside the whole, takes twice as much: they may have fewer pixels.
const maxMemory = 8.0

// interlaced says whether a PNG is: the last byte of its header.
func interlaced(content []byte) bool { return len(content) > 28 && content[28] != 0 }

// progressiveMemory returns how many bytes a pixel takes while a progressive JPEG is decoded: four
// for each coefficient and one for its colour, of each component as far as it is not subsampled,
// and four for the result of four colours (CMYK). It returns 0 for any other JPEG, and the most
// that there is where the file's structure leads nowhere.
func progressiveMemory(content []byte) float64 {
	const most = 4*5 + 4
	for at := 2; at+4 <= len(content) && content[at] == 0xff; {
		marker, length := content[at+1], int(binary.BigEndian.Uint16(content[at+2:]))
		switch {
		case marker == 0xff: // a fill byte
			at++
			continue
		case length < 2:
			return most
		case marker == 0xc0, marker == 0xc1: // a frame that is decoded as it is read
			return 0
		case marker == 0xc2:
			return frameMemory(content[at+4 : min(at+2+length, len(content))])
		}
		at += 2 + length
	}
	return most
}

// frameMemory is progressiveMemory of a frame's header: precision, height, width, number of
// components, and of each its id, sampling factors and quantization table.
func frameMemory(header []byte) float64 {
	const fixed, perComponent = 6, 3
	if len(header) < fixed || len(header) < fixed+perComponent*int(header[5]) {
		return 0 // no decoder takes it
	}
	components := int(header[5])
	sum, widest, highest := 0, 0, 0
	for i := range components {
		factors := header[fixed+perComponent*i+1]
		across, down := int(factors>>4), int(factors&15)
		sum, widest, highest = sum+across*down, max(widest, across), max(highest, down)
	}
	if sum == 0 {
		return 0
	}
	memory := 5 * float64(sum) / float64(widest*highest)
	if components == 4 {
		memory += 4
	}
	return memory
}
