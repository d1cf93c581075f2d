package handlers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// What rows hold.
var (
	text = rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("a\"\\<>&/\n\u0000\u2028\u2029\ufffdéЖ瀬"))), rapid.Just("\xff\xc3"))
	id   = rapid.Custom(func(t *rapid.T) uuid.UUID { return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")) })
	at   = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 253402300799_999999).Draw(t, "time")).UTC()
	})

	origins = rapid.SampledFrom([]string{"http://127.0.0.1:8080", "https://calls.example.com", "http://a\"b&c"})
)

// organisations are rows of any content.
var organisations = rapid.Custom(func(t *rapid.T) store.Organisation {
	return store.Organisation{
		UUID: id.Draw(t, "uuid"), Created: at.Draw(t, "created"),
		Description: text.Draw(t, "description"), ImageUUID: rapid.Ptr(id, true).Draw(t, "image"),
		CustomerUUID: id.Draw(t, "customer"), CustomerName: text.Draw(t, "name"), CustomerAbbreviation: text.Draw(t, "abbreviation"),
		CustomerNativeName: text.Draw(t, "native name"), CustomerCountry: text.Draw(t, "country"), CustomerImageUUID: rapid.Ptr(id, true).Draw(t, "customer image"),
	}
})

// An organisation that is rendered by hand is what the generated code would write.
func TestOrganisation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin, o := origins.Draw(t, "origin"), organisations.Draw(t, "organisation")
		generated, ours := callManagingOrganisation(origin, o), organisationAnswer{origin, o}
		same(t, ours.VisitCallManagingOrganisationsRetrieveResponse,
			gen.CallManagingOrganisationsRetrieve200JSONResponse{Body: generated}.VisitCallManagingOrganisationsRetrieveResponse)
		headers := gen.CallManagingOrganisationsCreate201ResponseHeaders{Location: generated.URL}
		same(t, ours.VisitCallManagingOrganisationsCreateResponse,
			gen.CallManagingOrganisationsCreate201JSONResponse{Body: generated, Headers: headers}.VisitCallManagingOrganisationsCreateResponse)
		same(t, ours.VisitCallManagingOrganisationsUpdateResponse,
			gen.CallManagingOrganisationsUpdate200JSONResponse{Body: generated}.VisitCallManagingOrganisationsUpdateResponse)
		same(t, ours.VisitCallManagingOrganisationsPartialUpdateResponse,
			gen.CallManagingOrganisationsPartialUpdate200JSONResponse{Body: generated}.VisitCallManagingOrganisationsPartialUpdateResponse)
	})
}

// So is a list of them.
func TestOrganisationList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := origins.Draw(t, "origin")
		list := rapid.SliceOfN(organisations, 0, 3).Draw(t, "list")
		link := "<" + origin + ">"
		headers := gen.CallManagingOrganisationsList200ResponseHeaders{Link: &link, XResultCount: rapid.Int().Draw(t, "count")}
		generated := gen.CallManagingOrganisationsList200JSONResponse{Body: []gen.CallManagingOrganisation{}, Headers: headers}
		for _, o := range list {
			generated.Body = append(generated.Body, callManagingOrganisation(origin, o))
		}
		same(t, (organisationList{origin: origin, list: list, headers: headers}).VisitCallManagingOrganisationsListResponse, generated.VisitCallManagingOrganisationsListResponse)
	})
}

// So is that of the users, with any of their fields.
func TestMemberList(t *testing.T) {
	member := rapid.Custom(func(t *rapid.T) store.Member {
		return store.Member{
			UUID: id.Draw(t, "uuid"), Created: at.Draw(t, "created"), ExpirationTime: rapid.Ptr(at, true).Draw(t, "expiration time"),
			RoleName: text.Draw(t, "role name"), RoleUUID: id.Draw(t, "role"), UserEmail: text.Draw(t, "email"), UserFullName: text.Draw(t, "full name"),
			UserUsername: text.Draw(t, "username"), UserUUID: id.Draw(t, "user"), UserImageUUID: rapid.Ptr(id, true).Draw(t, "image"),
			CreatedByFullName: rapid.Ptr(text, true).Draw(t, "created by full name"), CreatedByUUID: rapid.Ptr(id, true).Draw(t, "created by"),
		}
	})
	var all []gen.UserRoleDetailsFieldEnum
	for field := range reflect.TypeFor[gen.UserRoleDetails]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, gen.UserRoleDetailsFieldEnum(name))
	}
	if !slices.EqualFunc(memberFields, all, func(f memberField, name gen.UserRoleDetailsFieldEnum) bool { return f.name == name }) {
		t.Errorf("they are not %q", all)
	}
	rapid.Check(t, func(t *rapid.T) {
		origin := origins.Draw(t, "origin")
		list := rapid.SliceOfN(member, 0, 3).Draw(t, "list")
		fields := rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "fields")
		link := "<" + origin + ">"
		headers := gen.CallManagingOrganisationsListUsersList200ResponseHeaders{Link: &link, XResultCount: rapid.Int().Draw(t, "count")}
		generated := gen.CallManagingOrganisationsListUsersList200JSONResponse{Body: []gen.UserRoleDetails{}, Headers: headers}
		for _, m := range list {
			generated.Body = append(generated.Body, memberDetails(origin, m, fields))
		}
		same(t, (memberList{origin, list, fields, headers}).VisitCallManagingOrganisationsListUsersListResponse, generated.VisitCallManagingOrganisationsListUsersListResponse)
	})
}

func imageURL(origin string, id *uuid.UUID) nullable.Nullable[string] {
	if id == nil {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(origin + mediaPath + id.String() + "/")
}

func orNull[T any](value *T) nullable.Nullable[T] {
	if value == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*value)
}

// callManagingOrganisation fills the generated struct.
func callManagingOrganisation(origin string, o store.Organisation) gen.CallManagingOrganisation {
	return gen.CallManagingOrganisation{
		URL:                  origin + organisationsPath + o.UUID.String() + "/",
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

// memberDetails fills the generated struct with the fields that are asked for, all without any.
func memberDetails(origin string, m store.Member, fields []gen.UserRoleDetailsFieldEnum) gen.UserRoleDetails {
	asked := func(field gen.UserRoleDetailsFieldEnum) bool {
		return len(fields) == 0 || slices.Contains(fields, field)
	}
	var d gen.UserRoleDetails
	if asked(gen.UserRoleDetailsFieldEnumUUID) {
		d.UUID = &m.UUID
	}
	if asked(gen.UserRoleDetailsFieldEnumCreated) {
		d.Created = &m.Created
	}
	if asked(gen.UserRoleDetailsFieldEnumExpirationTime) {
		d.ExpirationTime = orNull(m.ExpirationTime)
	}
	if asked(gen.UserRoleDetailsFieldEnumRoleName) {
		d.RoleName = &m.RoleName
	}
	if asked(gen.UserRoleDetailsFieldEnumRoleUUID) {
		d.RoleUUID = &m.RoleUUID
	}
	if asked(gen.UserRoleDetailsFieldEnumUserEmail) {
		d.UserEmail = nullable.NewNullNullable[string]()
		if m.UserEmail != "" {
			d.UserEmail = orNull(&m.UserEmail)
		}
	}
	if asked(gen.UserRoleDetailsFieldEnumUserFullName) {
		d.UserFullName = &m.UserFullName
	}
	if asked(gen.UserRoleDetailsFieldEnumUserUsername) {
		d.UserUsername = &m.UserUsername
	}
	if asked(gen.UserRoleDetailsFieldEnumUserUUID) {
		d.UserUUID = &m.UserUUID
	}
	if asked(gen.UserRoleDetailsFieldEnumUserImage) {
		d.UserImage = imageURL(origin, m.UserImageUUID)
	}
	if asked(gen.UserRoleDetailsFieldEnumCreatedByFullName) {
		d.CreatedByFullName = m.CreatedByFullName
	}
	if asked(gen.UserRoleDetailsFieldEnumCreatedByUUID) {
		d.CreatedByUUID = m.CreatedByUUID
	}
	return d
}

// same fails the test where two answers differ.
func same(t *rapid.T, ours, generated func(http.ResponseWriter) error) {
	t.Helper()
	got, want := httptest.NewRecorder(), httptest.NewRecorder()
	if err := ours(got); err != nil {
		t.Fatal(err)
	}
	if err := generated(want); err != nil {
		t.Fatal(err)
	}
	if got.Code != want.Code || !cmp.Equal(got.Header(), want.Header()) {
		t.Errorf("%d, not %d: %s", got.Code, want.Code, cmp.Diff(got.Header(), want.Header()))
	}
	if !json.Valid(got.Body.Bytes()) || !bytes.Equal(got.Body.Bytes(), want.Body.Bytes()) {
		t.Errorf("%s, not %s", got.Body, want.Body)
	}
}
