package handlers

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Organisations and the pages of both lists are appended by hand: encoding/json and the fields that
// may be null, each of which it asks for its JSON, took a tenth of the time of a page. Tests hold
// them to the bytes of the generated answers.

// itemSize is what one of a list takes in JSON, in bytes, mostly.
const itemSize = 768

func appendList[T any](origin string, list []T, appendOne func(b, urls []byte, one *T) []byte) []byte {
	urls := urlsFrom(origin)
	b := append(make([]byte, 0, itemSize*(len(list)+1)), '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOne(b, urls, &list[i])
	}
	return append(b, "]\n"...)
}

// urlsFrom is how URLs in answers begin.
func urlsFrom(origin string) []byte {
	quoted := appendText(nil, origin)
	return quoted[:len(quoted)-1] // a URL goes on from here
}

func appendOrganisation(b, urls []byte, o *store.Organisation) []byte {
	b = appendURL(append(b, `{"url":`...), urls, organisationsPath, o.UUID)
	b = appendUUID(append(b, `,"uuid":`...), o.UUID)
	b = appendTime(append(b, `,"created":`...), o.Created)
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

// memberField is a field of a member; value appends what it holds, nothing where it is absent.
type memberField struct {
	name  gen.UserRoleDetailsFieldEnum
	key   string
	value func(b, urls []byte, m *store.Member) []byte
}

func newMemberField(name gen.UserRoleDetailsFieldEnum, value func(b, urls []byte, m *store.Member) []byte) memberField {
	return memberField{name, `,"` + string(name) + `":`, value}
}

// memberFields are in openapi.yaml's order.
var memberFields = []memberField{
	newMemberField(gen.UserRoleDetailsFieldEnumUUID, func(b, _ []byte, m *store.Member) []byte { return appendUUID(b, m.UUID) }),
	newMemberField(gen.UserRoleDetailsFieldEnumCreated, func(b, _ []byte, m *store.Member) []byte { return appendTime(b, m.Created) }),
	newMemberField(gen.UserRoleDetailsFieldEnumExpirationTime, func(b, _ []byte, m *store.Member) []byte {
		if m.ExpirationTime == nil {
			return append(b, "null"...)
		}
		return appendTime(b, *m.ExpirationTime)
	}),
	newMemberField(gen.UserRoleDetailsFieldEnumRoleName, func(b, _ []byte, m *store.Member) []byte { return appendText(b, m.RoleName) }),
	newMemberField(gen.UserRoleDetailsFieldEnumRoleUUID, func(b, _ []byte, m *store.Member) []byte { return appendUUID(b, m.RoleUUID) }),
	newMemberField(gen.UserRoleDetailsFieldEnumUserEmail, func(b, _ []byte, m *store.Member) []byte {
		if m.UserEmail == "" {
			return append(b, "null"...)
		}
		return appendText(b, m.UserEmail)
	}),
	newMemberField(gen.UserRoleDetailsFieldEnumUserFullName, func(b, _ []byte, m *store.Member) []byte { return appendText(b, m.UserFullName) }),
	newMemberField(gen.UserRoleDetailsFieldEnumUserUsername, func(b, _ []byte, m *store.Member) []byte { return appendText(b, m.UserUsername) }),
	newMemberField(gen.UserRoleDetailsFieldEnumUserUUID, func(b, _ []byte, m *store.Member) []byte { return appendUUID(b, m.UserUUID) }),
	newMemberField(gen.UserRoleDetailsFieldEnumUserImage, func(b, urls []byte, m *store.Member) []byte { return appendImage(b, urls, m.UserImageUUID) }),
	newMemberField(gen.UserRoleDetailsFieldEnumCreatedByFullName, func(b, _ []byte, m *store.Member) []byte {
		if m.CreatedByFullName == nil {
			return b
		}
		return appendText(b, *m.CreatedByFullName)
	}),
	newMemberField(gen.UserRoleDetailsFieldEnumCreatedByUUID, func(b, _ []byte, m *store.Member) []byte {
		if m.CreatedByUUID == nil {
			return b
		}
		return appendUUID(b, *m.CreatedByUUID)
	}),
}

func appendMember(b, urls []byte, m *store.Member, fields []memberField) []byte {
	start := len(b)
	for _, f := range fields {
		before := len(b)
		b = append(b, f.key...)
		after := len(b)
		if b = f.value(b, urls, m); len(b) == after {
			b = b[:before]
		}
	}
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
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
