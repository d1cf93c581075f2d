package handlers

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// organisationInput is the body of create, update or partial update.
type organisationInput struct {
	customer   *uuid.UUID // nil where there is none
	text       *string    // the description
	clearImage bool
	image      *File
}

func (i organisationInput) description() string {
	if i.text == nil {
		return ""
	}
	return *i.text
}

func readOrganisation(ctx context.Context, body *gen.CallManagingOrganisationRequest) organisationInput {
	return organisationInput{
		customer: customerOf(body.Customer), text: body.Description,
		clearImage: body.Image.IsSpecified(), image: fileOf(ctx, "image"),
	}
}

// readPatch is readOrganisation for a body that has no customer, or that is not there at all.
func readPatch(ctx context.Context, body *gen.PatchedCallManagingOrganisationRequest) organisationInput {
	if body == nil {
		return organisationInput{}
	}
	return organisationInput{text: body.Description, clearImage: body.Image.IsSpecified(), image: fileOf(ctx, "image")}
}

// fileOf returns what came for a field of a file; nil where nothing came.
func fileOf(ctx context.Context, field string) *File {
	if file, sent := RequestFrom(ctx).Files[field]; sent {
		return &file
	}
	return nil
}

// checkImage checks the image that was sent, if any, and adds what is wrong with it.
func (i organisationInput) checkImage(limits images.Limits, fields fieldErrors) *store.NewImage {
	if i.image == nil {
		return nil
	}
	if i.image.Text {
		fields.add("image", textNotAFile)
		return nil
	}
	image, err := images.Check(i.image.Content, limits)
	if err != nil {
		fields.add("image", err.Error())
		return nil
	}
	return &store.NewImage{MediaType: image.MediaType, SHA256: image.SHA256, Bytes: image.Bytes}
}

// timePattern is RFC 3339, or a date alone, or a time without a zone. time.Parse takes more: an hour
// of one digit, a comma in the seconds, an offset of a day and more.
var timePattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$`)

// ParseTime reads a time as bodies have it. A date alone is its midnight in UTC, a time without a
// zone is in UTC.
func ParseTime(text string) (time.Time, error) {
	parts := timePattern.FindStringSubmatch(text)
	if parts == nil {
		return time.Time{}, errors.New("not RFC 3339")
	}
	if parts[1] == "" {
		text += "T00:00:00Z"
	} else if parts[3] == "" {
		text += "Z"
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if year := t.UTC().Year(); err == nil && (year < 1 || year > 9999) { // an offset can lead there
		err = errors.New("out of range")
	}
	return t, err
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
