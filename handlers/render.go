package handlers

import (
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Paths of the objects that answers link to.
const (
	organisationsPath = "/api/call-managing-organisations/"
	customersPath     = "/api/customers/"
	mediaPath         = "/api/media/"
)

func organisationURL(origin string, id uuid.UUID) string {
	return origin + organisationsPath + id.String() + "/"
}

// noText is a null that all answers share, since each of its kind is a map.
var noText = nullable.NewNullNullable[string]()

func imageURL(origin string, id *uuid.UUID) nullable.Nullable[string] {
	if id == nil {
		return noText
	}
	return nullable.NewNullableWithValue(origin + mediaPath + id.String() + "/")
}

func orNull[T any](value *T) nullable.Nullable[T] {
	if value == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*value)
}

func renderOrganisation(origin string, o store.Organisation) gen.CallManagingOrganisation {
	return gen.CallManagingOrganisation{
		URL:                  organisationURL(origin, o.UUID),
		UUID:                 o.UUID,
		Created:              o.Created,
		Description:          o.Description,
		Customer:             origin + customersPath + o.CustomerUUID.String() + "/",
		CustomerName:         o.CustomerName,
		CustomerUUID:         o.CustomerUUID,
		CustomerImage:        imageURL(origin, o.CustomerImageUUID),
		CustomerAbbreviation: o.CustomerAbbreviation,
		CustomerNativeName:   o.CustomerNativeName,
		CustomerCountry:      o.CustomerCountry,
		Image:                imageURL(origin, o.ImageUUID),
	}
}

func renderExpiration(expires *time.Time) gen.UserRoleExpirationTime {
	if expires != nil {
		u := expires.UTC().Truncate(time.Microsecond)
		expires = &u
	}
	return gen.UserRoleExpirationTime{ExpirationTime: orNull(expires)}
}

func renderStats(s store.Stats) gen.CallManagingOrganisationStat {
	return gen.CallManagingOrganisationStat{
		OpenCalls:               s.OpenCalls,
		ActiveRounds:            s.ActiveRounds,
		AcceptedProposals:       s.AcceptedProposals,
		PendingProposals:        s.PendingProposals,
		PendingReview:           s.PendingReview,
		RoundsClosingInOneWeek:  s.RoundsClosingInOneWeek,
		CallsClosingInOneWeek:   s.CallsClosingInOneWeek,
		OfferingRequestsPending: s.OfferingRequestsPending,
	}
}
