package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// organisationList is the list's answer 200. Its body is appended by hand: encoding/json and the
// fields that may be null, each of which it asks for its JSON, took a tenth of the time of a page.
// A test holds it to the bytes of renderOrganisation and encoding/json.
type organisationList struct {
	origin  string
	list    []store.Organisation
	headers gen.CallManagingOrganisationsList200ResponseHeaders
}

// VisitCallManagingOrganisationsListResponse writes the answer.
func (l organisationList) VisitCallManagingOrganisationsListResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Link", l.headers.Link)
	header.Set("X-Result-Count", strconv.Itoa(l.headers.XResultCount))
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(renderOrganisations(l.origin, l.list))
	return err
}

// organisationSize is what one takes in JSON, in bytes, mostly.
const organisationSize = 768

func renderOrganisations(origin string, list []store.Organisation) []byte {
	quoted := appendText(nil, origin)
	urls := quoted[:len(quoted)-1] // a URL goes on from here
	b := append(make([]byte, 0, organisationSize*(len(list)+1)), '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOrganisation(b, urls, &list[i])
	}
	return append(b, "]\n"...)
}

func appendOrganisation(b, urls []byte, o *store.Organisation) []byte {
	b = appendURL(append(b, `{"url":`...), urls, organisationsPath, o.UUID)
	b = appendUUID(append(b, `,"uuid":`...), o.UUID)
	b = append(o.Created.AppendFormat(append(b, `,"created":"`...), time.RFC3339Nano), '"')
	b = appendText(append(b, `,"description":`...), o.Description)
	b = appendURL(append(b, `,"customer":`...), urls, customersPath, o.CustomerUUID)
	b = appendText(append(b, `,"customer_name":`...), o.CustomerName)
	b = appendUUID(append(b, `,"customer_uuid":`...), o.CustomerUUID)
	b = appendImage(append(b, `,"customer_image":`...), urls, o.CustomerImageUUID)
	b = appendText(append(b, `,"customer_abbreviation":`...), o.CustomerAbbreviation)
	b = appendText(append(b, `,"customer_native_name":`...), o.CustomerNativeName)
	b = appendText(append(b, `,"customer_country":`...), o.CustomerCountry)
	b = appendImage(append(b, `,"image":`...), urls, o.ImageUUID)
	return append(b, '}')
}

func appendUUID(b []byte, id uuid.UUID) []byte {
	return append(append(append(b, '"'), id.String()...), '"')
}

func appendURL(b, urls []byte, path string, id uuid.UUID) []byte {
	return append(append(append(append(b, urls...), path...), id.String()...), `/"`...)
}

func appendImage(b, urls []byte, id *uuid.UUID) []byte {
	if id == nil {
		return append(b, "null"...)
	}
	return appendURL(b, urls, mediaPath, *id)
}

// appendText appends a text. What JSON or HTML escapes in it is left to encoding/json.
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
