package handlers

import (
	"net/http"
	"slices"
	"strconv"
	"time"

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

// organisationAnswer is the answer of an operation that gives one organisation.
type organisationAnswer struct {
	origin string
	store.Organisation
}

// VisitCallManagingOrganisationsRetrieveResponse writes the answer.
func (o organisationAnswer) VisitCallManagingOrganisationsRetrieveResponse(w http.ResponseWriter) error {
	return o.write(w, http.StatusOK)
}

// VisitCallManagingOrganisationsCreateResponse writes the answer, and where the organisation is.
func (o organisationAnswer) VisitCallManagingOrganisationsCreateResponse(w http.ResponseWriter) error {
	w.Header().Set("Location", o.origin+organisationsPath+o.UUID.String()+"/")
	return o.write(w, http.StatusCreated)
}

// VisitCallManagingOrganisationsUpdateResponse writes the answer.
func (o organisationAnswer) VisitCallManagingOrganisationsUpdateResponse(w http.ResponseWriter) error {
	return o.write(w, http.StatusOK)
}

// VisitCallManagingOrganisationsPartialUpdateResponse writes the answer.
func (o organisationAnswer) VisitCallManagingOrganisationsPartialUpdateResponse(w http.ResponseWriter) error {
	return o.write(w, http.StatusOK)
}

func (o organisationAnswer) write(w http.ResponseWriter, status int) error {
	b := appendOrganisation(make([]byte, 0, itemSize), urlsFrom(o.origin), &o.Organisation)
	return writeJSON(w, status, append(b, '\n'))
}

// organisationList is the list's answer 200.
type organisationList struct {
	origin  string
	list    []store.Organisation
	headers gen.CallManagingOrganisationsList200ResponseHeaders
}

// VisitCallManagingOrganisationsListResponse writes the answer.
func (l organisationList) VisitCallManagingOrganisationsListResponse(w http.ResponseWriter) error {
	return writeList(w, l.headers.Link, l.headers.XResultCount, appendList(l.origin, l.list, appendOrganisation))
}

// memberList is the answer 200 of an organisation's users, with the fields that are asked for, all
// without any.
type memberList struct {
	origin  string
	list    []store.Member
	fields  []gen.UserRoleDetailsFieldEnum
	headers gen.CallManagingOrganisationsListUsersList200ResponseHeaders
}

// VisitCallManagingOrganisationsListUsersListResponse writes the answer.
func (l memberList) VisitCallManagingOrganisationsListUsersListResponse(w http.ResponseWriter) error {
	fields := memberFields
	if len(l.fields) > 0 {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f memberField) bool { return !slices.Contains(l.fields, f.name) })
	}
	return writeList(w, l.headers.Link, l.headers.XResultCount, appendList(l.origin, l.list, func(b, urls []byte, m *store.Member) []byte {
		return appendMember(b, urls, m, fields)
	}))
}

func writeList(w http.ResponseWriter, link *string, count int, body []byte) error {
	if link != nil {
		w.Header().Set("Link", *link)
	}
	w.Header().Set("X-Result-Count", strconv.Itoa(count))
	return writeJSON(w, http.StatusOK, body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

func renderExpiration(expires *time.Time) gen.UserRoleExpirationTime {
	answer := gen.UserRoleExpirationTime{ExpirationTime: nullable.NewNullNullable[time.Time]()}
	if expires != nil {
		answer.ExpirationTime.Set(expires.UTC().Truncate(time.Microsecond))
	}
	return answer
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
