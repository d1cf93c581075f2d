// Package setting holds what the Go clients have in common.
package setting

import (
	"bytes"
	"fmt"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

// What the driver tells each client.
var (
	URL          = os.Getenv("BASE_URL")
	Username     = os.Getenv("USERNAME")
	Password     = os.Getenv("PASSWORD")
	CustomerName = os.Getenv("CUSTOMER")
	MemberName   = os.Getenv("MEMBER")
	RoleName     = os.Getenv("ROLE")
)

// Authorization is what the token of the sign-in makes.
var Authorization string

// Must returns the value, and ends the program if there is an error.
func Must[T any](value T, err error) T {
	Check(err == nil, err)
	return value
}

// Check ends the program unless a condition holds.
func Check(holds bool, got ...any) {
	if !holds {
		log.SetFlags(log.Lshortfile)
		_ = log.Output(2, fmt.Sprintf("unexpected: %+v", got))
		os.Exit(1)
	}
}

// Form returns a multipart body with an image, and its media type.
func Form() (mediaType string, body *bytes.Buffer) {
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	file := Must(form.CreateFormFile("image", "logo.png"))
	Must(file.Write(Must(os.ReadFile(os.Getenv("IMAGE")))))
	Check(form.Close() == nil, form)
	return form.FormDataContentType(), body
}

// Upload sends an image without the generated client, for those that know JSON bodies alone.
func Upload(organisation string) {
	mediaType, body := Form()
	r := Must(http.NewRequest(http.MethodPatch, URL+"/api/call-managing-organisations/"+organisation+"/", body))
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", Authorization)
	answer := Must(http.DefaultClient.Do(r))
	Check(answer.StatusCode == http.StatusOK && answer.Body.Close() == nil, answer)
}
