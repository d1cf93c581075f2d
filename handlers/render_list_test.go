package handlers

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// The list that is rendered by hand is what the generated code would write.
func TestOrganisationList(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("a\"\\<>&/\n\u0000\u2028\u2029\ufffdéЖ瀬"))), rapid.Just("\xff\xc3"))
	id := rapid.Custom(func(t *rapid.T) uuid.UUID { return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")) })
	organisation := rapid.Custom(func(t *rapid.T) store.Organisation {
		return store.Organisation{
			UUID: id.Draw(t, "uuid"), Created: time.UnixMicro(rapid.Int64Range(0, 253402300799_999999).Draw(t, "created")).UTC(),
			Description: text.Draw(t, "description"), ImageUUID: rapid.Ptr(id, true).Draw(t, "image"),
			CustomerUUID: id.Draw(t, "customer"), CustomerName: text.Draw(t, "name"), CustomerAbbreviation: text.Draw(t, "abbreviation"),
			CustomerNativeName: text.Draw(t, "native name"), CustomerCountry: text.Draw(t, "country"), CustomerImageUUID: rapid.Ptr(id, true).Draw(t, "customer image"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		origin := rapid.SampledFrom([]string{"http://127.0.0.1:8080", "https://calls.example.com", "http://a\"b&c"}).Draw(t, "origin")
		list := rapid.SliceOfN(organisation, 0, 3).Draw(t, "list")
		headers := gen.CallManagingOrganisationsList200ResponseHeaders{Link: "<" + origin + ">", XResultCount: rapid.Int().Draw(t, "count")}
		generated := gen.CallManagingOrganisationsList200JSONResponse{Body: []gen.CallManagingOrganisation{}, Headers: headers}
		for _, o := range list {
			generated.Body = append(generated.Body, renderOrganisation(origin, o))
		}
		want, got := httptest.NewRecorder(), httptest.NewRecorder()
		if err := generated.VisitCallManagingOrganisationsListResponse(want); err != nil {
			t.Fatal(err)
		}
		if err := (organisationList{origin: origin, list: list, headers: headers}).VisitCallManagingOrganisationsListResponse(got); err != nil {
			t.Fatal(err)
		}
		if got.Code != want.Code || !cmp.Equal(got.Header(), want.Header()) {
			t.Errorf("%d, not %d: %s", got.Code, want.Code, cmp.Diff(got.Header(), want.Header()))
		}
		if !json.Valid(got.Body.Bytes()) || !bytes.Equal(got.Body.Bytes(), want.Body.Bytes()) {
			t.Errorf("%s, not %s", got.Body, want.Body)
		}
	})
}
