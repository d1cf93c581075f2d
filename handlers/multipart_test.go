package handlers

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"runtime"
	"testing"
)

// However many files a body has, it takes no more memory than one of its size with one file.
func TestManyFilesTakeNoMoreMemory(t *testing.T) {
	for _, name := range []string{"image", "other%d"} {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		text, _ := w.CreateFormField("padding")
		_, _ = text.Write(make([]byte, 1<<20))
		for i := range 200 {
			field := name
			if name != "image" {
				field = fmt.Sprintf(name, i)
			}
			_, _ = w.CreateFormFile(field, "empty")
		}
		_ = w.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		parts, err := ReadMultipart(multipart.NewReader(bytes.NewReader(body.Bytes()), w.Boundary()), body.Len())
		runtime.ReadMemStats(&after)
		if err != nil || len(parts["padding"].Content) != 1<<20 {
			t.Fatal(len(parts), err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 32<<20 { // not 200 times the body
			t.Errorf("%s: %d MiB for a body of %d", name, taken>>20, body.Len()>>20)
		}
	}
}
