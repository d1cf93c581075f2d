package handlers

import (
	"context"
	"errors"
	"mime/multipart"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// organisationInput is the body of create, update or partial update, whichever of the three
// media types it came in.
type organisationInput struct {
	customer   *uuid.UUID // nil where there is none
	text       *string    // the description
	clearImage bool
	image      *Part
}

func (i organisationInput) description() string {
	if i.text == nil {
		return ""
	}
	return *i.text
}

// readOrganisation reads the one body of the three that was sent.
func readOrganisation(json *gen.CallManagingOrganisationRequest, form *gen.CallManagingOrganisationRequestForm, reader *multipart.Reader) (organisationInput, error) {
	switch {
	case json != nil:
		return organisationInput{customer: customerOf(json.Customer), text: json.Description, clearImage: json.Image.IsSpecified()}, nil
	case form != nil:
		return organisationInput{customer: customerOf(form.Customer), text: form.Description, clearImage: form.Image != nil}, nil
	}
	return readMultipartOrganisation(reader)
}

// readPatch is readOrganisation for a body that has no customer, or that is not there at all.
func readPatch(json *gen.PatchedCallManagingOrganisationRequest, form *gen.PatchedCallManagingOrganisationRequestForm, reader *multipart.Reader) (organisationInput, error) {
	switch {
	case json != nil:
		return organisationInput{text: json.Description, clearImage: json.Image.IsSpecified()}, nil
	case form != nil:
		return organisationInput{text: form.Description, clearImage: form.Image != nil}, nil
	case reader == nil:
		return organisationInput{}, nil
	}
	input, err := readMultipartOrganisation(reader)
	input.customer = nil // an unknown field here
	return input, err
}

func readMultipartOrganisation(reader *multipart.Reader) (organisationInput, error) {
	parts, err := ReadMultipart(reader)
	if err != nil {
		return organisationInput{}, err
	}
	var input organisationInput
	if part, sent := parts["customer"]; sent {
		input.customer = customerOf(string(part.Content))
	}
	if part, sent := parts["description"]; sent {
		text := string(part.Content)
		input.text = &text
	}
	if part, sent := parts["image"]; sent {
		input.clearImage = !part.File && len(part.Content) == 0
		if !input.clearImage {
			input.image = &part
		}
	}
	return input, nil
}

// checkImage decodes the image that was sent, if any, and adds what is wrong with it.
func (i organisationInput) checkImage(ctx context.Context, limits images.Limits, fields fieldErrors) (*store.NewImage, error) {
	if i.image == nil {
		return nil, nil
	}
	if !i.image.File {
		fields.add("image", textNotAFile)
		return nil, nil
	}
	image, err := images.Check(ctx, i.image.Content, limits)
	var invalid *images.Invalid
	if errors.As(err, &invalid) {
		fields.add("image", invalid.Error())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &store.NewImage{MediaType: image.MediaType, SHA256: image.SHA256, Bytes: image.Bytes}, nil
}

func customerOf(link string) *uuid.UUID {
	id := uuidOfURL(link)
	return &id
}

// uuidOfURL is the UUID at the end of a hyperlink, whose form the spec's pattern has checked.
func uuidOfURL(link string) uuid.UUID {
	link = strings.TrimSuffix(link, "/")
	id, err := store.ParseUUID(link[strings.LastIndex(link, "/")+1:])
	if err != nil {
		return uuid.Nil
	}
	return id
}
