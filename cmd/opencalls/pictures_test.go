package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/opencalls/opencalls/fixture"
)

// largePNG is a PNG of as many pixels as there may be, in a file of size bytes.
func largePNG(t *testing.T, size int) []byte {
	t.Helper()
	var content bytes.Buffer
	if err := png.Encode(&content, image.NewGray(image.Rect(0, 0, 4000, 4000))); err != nil {
		t.Fatal(err)
	}
	return append(content.Bytes(), make([]byte, size-content.Len())...)
}

// upload makes a picture the demo organisation's image and returns its URL.
func (p process) upload(t *testing.T, token string, picture []byte) string {
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
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, p.Address+organisations+fixture.DemoOrganisation+"/", &body)
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Token "+token)
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
