package baseline

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// Answers are appended by hand, byte for byte what encoding/json makes of ours. The benchmark's
// host, UUIDs and times hold nothing that JSON escapes.

// origin is what URLs in the answer to a request begin with.
func origin(r *http.Request) string { return "http://" + r.Host }

func appendOrganisations(b []byte, origin string, list []Organisation) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOrganisation(b, origin, &list[i])
	}
	return append(b, ']')
}

func appendOrganisation(b []byte, origin string, o *Organisation) []byte {
	b = appendURL(append(b, `{"url":`...), origin, path, o.UUID)
	b = append(append(b, `,"uuid":"`...), o.UUID...)
	b = appendTime(append(b, `","created":`...), o.Created)
	b = appendText(append(b, `,"description":`...), o.Description)
	b = appendURL(append(b, `,"customer":`...), origin, "/api/customers/", o.Customer)
	b = appendText(append(b, `,"customer_name":`...), o.Name)
	b = append(append(b, `,"customer_uuid":"`...), o.Customer...)
	b = appendImage(append(b, `","customer_image":`...), origin, o.CustomerImage)
	b = appendText(append(b, `,"customer_abbreviation":`...), o.Abbreviation)
	b = appendText(append(b, `,"customer_native_name":`...), o.NativeName)
	b = appendText(append(b, `,"customer_country":`...), o.Country)
	b = appendImage(append(b, `,"image":`...), origin, o.Image)
	return append(b, '}')
}

func appendMembers(b []byte, origin string, list []Member) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, origin, &list[i])
	}
	return append(b, ']')
}

func appendMember(b []byte, origin string, m *Member) []byte {
	b = append(append(b, `{"uuid":"`...), m.UUID...)
	b = appendTime(append(b, `","created":`...), m.Created)
	b = append(b, `,"expiration_time":`...)
	if m.Expires.Valid {
		b = appendTime(b, m.Expires.Time)
	} else {
		b = append(b, "null"...)
	}
	b = appendText(append(b, `,"role_name":`...), m.RoleName)
	b = append(append(b, `,"role_uuid":"`...), m.RoleUUID...)
	b = append(b, `","user_email":`...)
	if m.Email != "" {
		b = appendText(b, m.Email)
	} else {
		b = append(b, "null"...)
	}
	b = appendText(append(b, `,"user_full_name":`...), m.FullName)
	b = appendText(append(b, `,"user_username":`...), m.Username)
	b = append(append(b, `,"user_uuid":"`...), m.User...)
	b = appendImage(append(b, `","user_image":`...), origin, m.Image)
	if m.CreatedByUUID.Valid {
		b = appendText(append(b, `,"created_by_full_name":`...), m.CreatedByName.String)
		b = append(append(append(b, `,"created_by_uuid":"`...), m.CreatedByUUID.String...), '"')
	}
	return append(b, '}')
}

func appendStats(b []byte, s *Stats) []byte {
	b = appendNumber(append(b, `{"open_calls":`...), s.OpenCalls)
	b = appendNumber(append(b, `,"active_rounds":`...), s.ActiveRounds)
	b = appendNumber(append(b, `,"accepted_proposals":`...), s.AcceptedProposals)
	b = appendNumber(append(b, `,"pending_proposals":`...), s.PendingProposals)
	b = appendNumber(append(b, `,"pending_review":`...), s.PendingReview)
	b = appendNumber(append(b, `,"rounds_closing_in_one_week":`...), s.RoundsClosingInOneWeek)
	b = appendNumber(append(b, `,"calls_closing_in_one_week":`...), s.CallsClosingInOneWeek)
	b = appendNumber(append(b, `,"offering_requests_pending":`...), s.OfferingRequestsPending)
	return append(b, '}')
}

func appendNumber(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendURL(b []byte, origin, path, id string) []byte {
	return append(append(append(append(append(b, '"'), origin...), path...), id...), `/"`...)
}

func appendImage(b []byte, origin string, id sql.NullString) []byte {
	if !id.Valid {
		return append(b, "null"...)
	}
	return appendURL(b, origin, "/api/media/", id.String)
}

// appendText appends a text. What is escaped in it, or is no UTF-8, is left to encoding/json.
func appendText(b []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r < ' ', r == '"', r == '\\', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
			escaped, _ := json.Marshal(text) // of a text it never fails
			return append(b, escaped...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
