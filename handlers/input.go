package handlers

import (
	"context"
	"errors"
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
func readOrganisation(ctx context.Context, json *gen.CallManagingOrganisationRequest, form *gen.CallManagingOrganisationRequestForm) organisationInput {
	switch {
	case json != nil:
		return organisationInput{customer: customerOf(json.Customer), text: json.Description, clearImage: json.Image.IsSpecified()}
	case form != nil:
		return organisationInput{customer: customerOf(form.Customer), text: form.Description, clearImage: form.Image != nil}
	}
	return multipartOrganisation(RequestFrom(ctx).Parts)
}

// readPatch is readOrganisation for a body that has no customer, or that is not there at all.
func readPatch(ctx context.Context, json *gen.PatchedCallManagingOrganisationRequest, form *gen.PatchedCallManagingOrganisationRequestForm) organisationInput {
	switch {
	case json != nil:
		return organisationInput{text: json.Description, clearImage: json.Image.IsSpecified()}
	case form != nil:
		return organisationInput{text: form.Description, clearImage: form.Image != nil}
	}
	input := multipartOrganisation(RequestFrom(ctx).Parts)
	input.customer = nil // an unknown field here
	return input
}

// multipartOrganisation reads a multipart body; without parts it names nothing.
func multipartOrganisation(parts map[string]Part) organisationInput {
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
	return input
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
