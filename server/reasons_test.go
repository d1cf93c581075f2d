package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store/storetest"
)

// reasons are why a request that openapi.yaml allows may be a 400: by the answer's field, each a
// text that only the data can tell, or the content of an image. schemathesis.toml lets the seven
// operations of reasonOperations off on the strength of this table.
var reasons = map[string][]string{
	"customer": {
		"Invalid hyperlink - Object does not exist.",
		"Call managing organisation with this customer already exists.",
		"The customer of an organisation can't be changed.",
	},
	"image": {
		"The submitted data was not a file. Check the encoding type on the form.", // a part of multipart that is a text
		"The submitted file is empty.",
		"Upload a valid image. The file you uploaded was either not an image or a corrupted image.",
		"Ensure this file is no larger than 5242880 bytes.",
		"Ensure this image has no more than 16000000 pixels.",
	},
	"role":            {"Role is not found."},
	"user":            {"User is not found."},
	"expiration_time": {"Expiration time should be greater than current time."},
	"non_field_errors": {
		"Customer is not available.",
		"Only staff users can assign roles to deactivated users.",
		"Role is not active.",
		"Role is not valid for this scope.",
		"User can not manage own role.",
		"User does not have this role in this scope.",
		"User has already the same role in this scope.",
	},
	"detail": {"Cannot delete this call manager as there are existing connected calls or user permissions."},
}

// reasonOperations are those of which schemathesis.toml says that only the data can tell.
var reasonOperations = []string{
	"call_managing_organisations_create", "call_managing_organisations_update", "call_managing_organisations_partial_update",
	"call_managing_organisations_destroy", "call_managing_organisations_add_user", "call_managing_organisations_update_user",
	"call_managing_organisations_delete_user",
}

// textsOf returns the texts of a 400, each as field and text.
func textsOf(t interface{ Fatalf(string, ...any) }, body string) [][2]string {
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var list [][2]string
	for field, value := range fields {
		if text, sentence := value.(string); sentence {
			list = append(list, [2]string{field, text})
			continue
		}
		for _, text := range value.([]any) {
			list = append(list, [2]string{field, text.(string)})
		}
	}
	return list
}

// Each reason is a scenario's.
func TestEveryReasonHasAScenario(t *testing.T) {
	reached := map[string]bool{}
	for _, s := range scenarios() {
		if s.status == http.StatusBadRequest && slices.Contains(reasonOperations, s.operation()) {
			for _, text := range textsOf(t, s.want) {
				reached[text[0]+": "+text[1]] = true
			}
		}
	}
	for field, texts := range reasons {
		for _, text := range texts {
			if !reached[field+": "+text] {
				t.Errorf("no scenario is refused with %s: %s", field, text)
			}
		}
	}
}

// A request that openapi.yaml allows is refused for one of the reasons alone.
func TestReasons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		rapid.Check(t, func(rt *rapid.T) {
			for range 5 {
				if stage.tryReason(rt) == http.StatusNoContent {
					stage.restore(t) // or nothing would be left to refuse
				}
			}
		})
	})
}

// tryReason sends one request and returns its status.
func (a *stage) tryReason(t *rapid.T) int {
	op := operationCalled(rapid.SampledFrom(reasonOperations).Draw(t, "operation"))
	organisation := names[rapid.SampledFrom([]string{"tartu", "tartu", "zagreb", "angstrom", "sam"}).Draw(t, "organisation")]
	r := request{method: op.method, target: op.target(organisation.String()), token: "token-of-" + rapid.SampledFrom([]string{"sam", "sam", "olev", "carl", "reg"}).Draw(t, "as")}
	if op.RequestBody != nil {
		content := op.RequestBody.Value.Content
		media := rapid.SampledFrom(slices.Sorted(maps.Keys(content))).Draw(t, "media type")
		value := draw(t, "body", content[media].Schema.Value).(map[string]any)
		if err := content[media].Schema.Value.VisitJSON(plain(value), formatsRead); err != nil {
			t.Fatalf("what was drawn is not what the schema says: %v", err)
		}
		r.body = encodeBody(t, media, value)
	}
	got, err := a.try(r)
	a.log.take()
	if err != nil {
		t.Fatalf("%v", err)
	}
	switch got.status {
	case http.StatusBadRequest:
		for _, text := range textsOf(t, got.body) {
			if !slices.Contains(reasons[text[0]], text[1]) {
				t.Fatalf("%s %s %q: refused with %s, which is not for the data to say", r.method, r.target, r.body.content, got.body)
			}
		}
	case http.StatusOK, http.StatusCreated, http.StatusNoContent, http.StatusForbidden, http.StatusNotFound:
	default:
		t.Fatalf("%s %s %q: %d %s", r.method, r.target, r.body.content, got.status, got.body)
	}
	return got.status
}

// formatsRead are the formats as a request may have them.
var formatsRead = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uuid":      openapi3.NewRegexpFormatValidator(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`),
	"date-time": openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringDateTime),
})

// plain is a value whose files are texts, as a schema sees them.
func plain(value map[string]any) map[string]any {
	object := maps.Clone(value)
	for name, field := range object {
		if content, isFile := field.(sentFile); isFile {
			object[name] = string(content)
		}
	}
	return object
}

func operationCalled(id string) operation {
	return operations[slices.IndexFunc(operations, func(op operation) bool { return op.OperationID == id })]
}

// draw draws a value that a schema allows, often one that is in the world.
func draw(t *rapid.T, name string, schema *openapi3.Schema) any {
	if schema.Nullable && (len(schema.Enum) > 0 || rapid.Bool().Draw(t, name+" is null")) {
		return nil
	}
	switch {
	case schema.Type.Is(openapi3.TypeObject):
		object := map[string]any{}
		for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
			if slices.Contains(schema.Required, property) || rapid.Bool().Draw(t, property+" is there") {
				object[property] = draw(t, property, schema.Properties[property].Value)
			}
		}
		return object
	case len(schema.Enum) > 0:
		return rapid.SampledFrom(schema.Enum).Draw(t, name)
	case schema.Format == "uuid":
		return drawID(t, name, "sam", "olev", "carl", "jyrg", "nora", "ines", "bob", "tartu")
	case schema.Format == "uri":
		form := rapid.SampledFrom([]string{"https://calls.example.com/api/customers/%s/", "http://x:1/api/customer/%s"}).Draw(t, name+"'s form")
		return fmt.Sprintf(form, drawID(t, name, "tartu.customer", "zagreb.customer", "angstrom.customer", "free.customer", "blocked.customer", "sam"))
	case schema.Format == "date-time":
		at := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, name)).UTC() // 1970 to 2096
		return at.In(time.FixedZone("", 900*rapid.IntRange(-40, 40).Draw(t, name+"'s zone"))).Format(time.RFC3339Nano)
	case schema.Format == "binary":
		return rapid.OneOf(
			rapid.SampledFrom([]any{sentFile(pngFile), sentFile(jpegFile), sentFile(hugePNG), sentFile(svgFile), sentFile(pngFile + strings.Repeat("x", 5<<20)), sentFile(""), "", "text"}),
			rapid.Map(rapid.String(), func(s string) any { return sentFile(s) }),
		).Draw(t, name)
	case name == "role":
		return rapid.OneOf(rapid.SampledFrom([]string{"HELPER", "RETIRED", "CUSTOMER.OWNER", "CUSTOMER.CALL_ORGANIZER", names["HELPER"].String()}), plainText(1, 200)).Draw(t, name)
	}
	return plainText(int(schema.MinLength), 2000).Draw(t, name)
}

// plainText is any text of so many characters without NUL, which the spec's patterns refuse.
func plainText(shortest, longest int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Rune(), shortest, longest), func(runes []rune) string {
		return strings.ReplaceAll(string(runes), "\x00", " ")
	})
}

// drawID draws the id of one of the objects, in one of its spellings.
func drawID(t *rapid.T, name string, of ...string) string {
	id := names[rapid.SampledFrom(of).Draw(t, name)].String()
	switch rapid.IntRange(0, 2).Draw(t, name+"'s spelling") {
	case 1:
		return strings.ReplaceAll(id, "-", "")
	case 2:
		return strings.ToUpper(id)
	}
	return id
}
