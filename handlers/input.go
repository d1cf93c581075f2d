package handlers

import (
	"context"
	"errors"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// checkImage checks the image that was sent, nil where none was or something is wrong with it, which is the
// first of the returned field errors.
func checkImage(ctx context.Context, limits images.Limits) (*store.NewImage, fieldErrors) {
	fields := fieldErrors{}
	file, sent := RequestFrom(ctx).Files["image"]
	if !sent {
		return nil, fields
	}
	image, err := images.Check(file.Content, limits)
	switch {
	case file.Text:
		fields.add("image", "The submitted data was not a file. Check the encoding type on the form.")
	case err != nil:
		fields.add("image", err.Error())
	default:
		return (*store.NewImage)(&image), fields
	}
	return nil, fields
}

// timePattern is RFC 3339, or a date alone, or a time without a zone. time.Parse takes more: an hour
// of one digit, a comma in the seconds, an offset of a day and more.
var timePattern = regexp.MustCompile(
	`^\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$`)

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

// uuidOfURL is the UUID at the end of a hyperlink, whose form the spec's pattern has checked.
func uuidOfURL(link string) uuid.UUID {
	id, _ := ParseUUID(path.Base(link))
	return id
}

// ParseUUID reads a UUID with dashes or as 32 hex digits, in either case, and nothing else.
func ParseUUID(text string) (uuid.UUID, error) {
	if len(text) != 36 && len(text) != 32 {
		return uuid.Nil, errors.New("not a UUID")
	}
	return uuid.Parse(text)
}
