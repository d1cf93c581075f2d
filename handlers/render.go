package handlers

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// renderer makes answers of what the store returns. Its methods are one per resource.
type renderer struct {
	origin string // scheme and host of URLs
}

func render(ctx context.Context) renderer { return renderer{RequestFrom(ctx).Origin} }

func (r renderer) url(path, id string) string { return r.origin + path + id + "/" }

func (r renderer) image(id *uuid.UUID) *string {
	if id == nil {
		return nil
	}
	return new(r.url("/api/media/", id.String()))
}

func (r renderer) organisation(o store.Organisation) gen.CallManagingOrganisation {
	id, customer := o.UUID.String(), o.CustomerUUID.String()
	return gen.CallManagingOrganisation{
		URL:                  r.url("/api/call-managing-organisations/", id),
		UUID:                 id,
		Created:              FormatTime(o.Created),
		Description:          o.Description,
		Customer:             r.url("/api/customers/", customer),
		CustomerName:         o.CustomerName,
		CustomerUUID:         customer,
		CustomerImage:        r.image(o.CustomerImageUUID),
		CustomerAbbreviation: o.CustomerAbbreviation,
		CustomerNativeName:   o.CustomerNativeName,
		CustomerCountry:      o.CustomerCountry,
		Image:                r.image(o.ImageUUID),
	}
}

// orNull is null for nil and for an empty text.
func orNull(text *string) nullable.Nullable[string] {
	if text == nil || *text == "" {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(*text)
}

// FormatTime returns a time in UTC with six digits of the second, or none where they are zero.
func FormatTime(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

// formatEnd is FormatTime for a time that may be missing.
func formatEnd(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(FormatTime(*t))
}
