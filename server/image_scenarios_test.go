package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
)

// A picture of two by two pixels in each format that is taken.
var (
	picture = func() *image.Paletted {
		m := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black, color.White})
		m.SetColorIndex(1, 1, 1)
		return m
	}()
	pngFile  = encoded(func(b *bytes.Buffer) error { return png.Encode(b, picture) })
	jpegFile = encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, picture, nil) })
	gifFile  = encoded(func(b *bytes.Buffer) error { return gif.Encode(b, picture, nil) })
	webpFile = func() string {
		content, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
		if err != nil {
			panic(err)
		}
		return string(content)
	}()
	svgFile = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
)

func encoded(encode func(*bytes.Buffer) error) string {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.String()
}

// hugePNG is the header of 20,000 × 20,000 pixels.
var hugePNG = func() string {
	header := []byte("IHDR\x00\x00\x4e\x20\x00\x00\x4e\x20\x08\x06\x00\x00\x00")
	return "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(binary.BigEndian.AppendUint32(header, crc32.ChecksumIEEE(header)))
}()

const (
	noImage   = `{"image":["Upload a valid image. The file you uploaded was either not an image or a corrupted image."]}`
	newImage  = `"{media}/11111111-0000-7000-8000-000000000001/"` // the first id that an update takes
	newMedia  = "/api/media/11111111-0000-7000-8000-000000000001/"
	cutOff    = `{"detail":"Multipart form parse error - the closing boundary is missing"}`
	gone      = `{"detail":"Not found."}`
	truncated = 20 // bytes of a file that is cut off
)

// withImage is tartu with an image that an update gave it.
var withImage = strings.Replace(organisation["tartu"], `"{media}/{tartu.image}/"`, newImage, 1)

var imageScenarios = []scenario{
	{name: "png", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", pngFile)), status: 200, want: withImage,
		events: changedBy("sam", "image"),
		then:   []step{{"GET …/{tartu}/", 200, withImage}, {"GET " + newMedia, 200, pngFile}, {"GET /api/media/{tartu.image}/", 404, gone}}},
	{name: "jpeg, whatever its name and type say, by the owner", as: "olev", request: "PATCH …/{tartu}/", body: parts(file("image", "../../etc/passwd.svg", "text/plain", jpegFile)), status: 200, want: withImage,
		events: changedBy("olev", "image"), then: []step{{"GET " + newMedia, 200, jpegFile}}},
	{name: "gif with an empty file name, and a description", request: "PUT …/{tartu}/",
		body:   parts(text("customer", "https://x/api/customers/{tartu.customer}/"), text("description", "new"), file("image", "", "image/gif", gifFile)),
		status: 200, want: strings.Replace(withImage, `"Calls of Tartu"`, `"new"`, 1), events: changedBy("sam", "description, image"), then: []step{{"GET " + newMedia, 200, gifFile}}},
	{name: "webp without a file name", request: "PATCH …/{tartu}/", body: parts(part{Header: "Content-Disposition: form-data; name=image\r\nContent-Type: image/webp", Content: webpFile}), status: 200, want: withImage,
		events: changedBy("sam", "image"), then: []step{{"GET " + newMedia, 200, webpFile}}},
	{name: "a new organisation with an image", request: "POST …/", body: parts(file("image", "a.png", "image/png", pngFile), text("customer", "https://x/api/customers/{free.customer}/")), status: 201,
		want: created(`""`, `"{media}/11111111-0000-7000-8000-000000000002/"`), events: createdEvents,
		then: []step{{"GET " + createdPath, 200, created(`""`, `"{media}/11111111-0000-7000-8000-000000000002/"`)}, {"GET /api/media/11111111-0000-7000-8000-000000000002/", 200, pngFile}}},
	{name: "an image with broken pixels", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", pngFile[:len(pngFile)-truncated])), status: 200, want: withImage,
		events: changedBy("sam", "image"), then: []step{{"GET " + newMedia, 200, pngFile[:len(pngFile)-truncated]}}},
	{name: "an empty text takes the image away", request: "PATCH …/{tartu}/", body: parts(text("image", "")), status: 200, want: withoutImage(organisation["tartu"]),
		events: changedBy("sam", "image"), then: []step{{"GET /api/media/{tartu.image}/", 404, gone}}},
	{name: "of a repeated image the last counts", request: "PATCH …/{tartu}/", body: parts(text("image", "x"), file("image", "a.svg", "image/svg+xml", svgFile), file("image", "a.png", "image/png", pngFile)), status: 200, want: withImage,
		events: changedBy("sam", "image")},
	{name: "parts that are not known, and a preamble", request: "PATCH …/{tartu}/", body: rawBody("Multipart/Form-Data; boundary=limit",
		"preamble\r\n--limit\r\nContent-Disposition: form-data; name=zzz; filename=a\r\n\r\n\xff\r\n--limit\r\nX: y\r\n\r\nno name\r\n--limit--\r\nepilogue"), status: 200, want: organisation["tartu"]},
	{name: "nothing in a multipart body", request: "PATCH …/{tartu}/", body: parts(), status: 200, want: organisation["tartu"]},

	{name: "a script", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", "#!/bin/sh\nrm -rf /")), status: 400, want: noImage},
	{name: "an SVG", request: "PATCH …/{tartu}/", body: parts(file("image", "a.svg", "image/svg+xml", svgFile)), status: 400, want: noImage},
	{name: "an image that is cut off in its header", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", pngFile[:truncated])), status: 400, want: noImage},
	{name: "an empty file", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", "")), status: 400, want: `{"image":["The submitted file is empty."]}`},
	{name: "a file of 5 MiB and a byte", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", pngFile+strings.Repeat("\x00", 5<<20+1-len(pngFile)))), status: 400,
		want: `{"image":["Ensure this file is no larger than 5242880 bytes."]}`},
	{name: "20,000 × 20,000 pixels in few bytes", request: "PATCH …/{tartu}/", body: parts(file("image", "a.png", "image/png", hugePNG)), status: 400,
		want: `{"image":["Ensure this image has no more than 16000000 pixels."]}`},
	{name: "a text in place of a file", request: "PATCH …/{tartu}/", body: parts(text("image", "None")), status: 400, want: notAFile},
	{name: "a file without a name and a media type", request: "PATCH …/{tartu}/", body: parts(text("image", pngFile)), status: 400, want: notAFile},
	{name: "a text in place of a file, of a new organisation", request: "POST …/", body: parts(text("customer", "https://x/api/customers/{free.customer}/"), text("image", "None")), status: 400, want: notAFile},
	{name: "a file in place of a text", request: "PATCH …/{tartu}/", body: parts(file("description", "a.txt", "text/plain", "x")), status: 400, want: `{"description":["Not a valid string."]}`},
	{name: "a file in place of a customer", request: "POST …/", body: parts(file("customer", "a", "text/plain", "https://x/api/customers/{free.customer}/")), status: 400,
		want: `{"customer":["Incorrect type. Expected URL string, received list."]}`},
	{name: "no customer in a multipart body", request: "POST …/", body: parts(text("description", "x")), status: 400, want: required},
	{name: "all that the data shows to be wrong at once", request: "PUT …/{tartu}/",
		body: parts(text("customer", "https://x/api/customers/{zagreb.customer}/"), file("image", "a.png", "image/png", svgFile)), status: 400,
		want: `{"customer":["The customer of an organisation can't be changed."],"image":["Upload a valid image. The file you uploaded was either not an image or a corrupted image."]}`},
	{name: "all that the data shows to be wrong with a new one at once", request: "POST …/",
		body: parts(text("customer", "https://x/api/customers/{tartu.customer}/"), file("image", "a.png", "image/png", svgFile)), status: 400,
		want: `{"customer":["Call managing organisation with this customer already exists."],"image":["Upload a valid image. The file you uploaded was either not an image or a corrupted image."]}`},
	{name: "a text that is not UTF-8", request: "PATCH …/{tartu}/", body: parts(text("description", "\xff")), status: 400, want: notUTF8},
	{name: "a text with a NUL", request: "PATCH …/{tartu}/", body: parts(text("description", "\x00")), status: 400, want: nullText},
	{name: "a multipart body without a boundary", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data", "x"), status: 400, want: `{"detail":"Multipart form parse error - Invalid boundary in multipart: None"}`},
	{name: "a multipart body that is cut off", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data; boundary=limit", "--limit\r\nContent-Disposition: form-data; name=description\r\n\r\nx"), status: 400, want: cutOff},
	{name: "a multipart body that is something else", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data; boundary=limit", "{}"), status: 400, want: cutOff},
	{name: "a multipart body with a broken header", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data; boundary=limit", "--limit\r\nx\r\n\r\nx\r\n--limit--\r\n"), status: 400,
		want: `{"detail":"Multipart form parse error - malformed MIME header: missing colon: \"x\""}`},
	{name: "a multipart body whose boundary ends a line", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data; boundary=limit", "--limit\r\nContent-Disposition: form-data; name=zzz\r\n\r\nx\r\n--limit--"), status: 200, want: organisation["tartu"]},
	{name: "a multipart type that can't be read", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data; boundary=a b", "x"), status: 415, want: `{"detail":"Unsupported media type \"multipart/form-data; boundary=a b\" in request."}`},
}
