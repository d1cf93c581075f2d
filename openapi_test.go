package opencalls_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls"
)

// testdata/document.txt is the API's reference page ("the document"), transcribed by hand: its
// operations and schemas with every parameter, field, type, format, required mark and successful
// status. openapi.yaml must say the same, no more and no less. These are ours: both HEADs, multipart
// bodies of the role actions (Waldur reads them too), the required marks in answers, and the type of
// `role` of list_users, which the document itself describes as "Role UUID or name".
func TestDocument(t *testing.T) {
	doc := load(t)
	content, err := os.ReadFile("testdata/document.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for block := range strings.SplitSeq(strings.TrimSpace(string(content)), "\n\n") {
		name, facts, _ := strings.Cut(block, "\n")
		want[name] = facts
	}
	got := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if strings.HasPrefix(path, "/api/call-managing-organisations/") {
				got[method+" "+path+" "+op.OperationID] = operationFacts(item, op)
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		if _, documented := want["schema "+name]; documented {
			got["schema "+name] = schemaFacts(schema.Value)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the document (-) and openapi.yaml (+) differ:\n%s", diff)
	}
	if doc.OpenAPI != "3.0.3" {
		t.Errorf("version %s", doc.OpenAPI)
	}
}

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(opencalls.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// operationFacts are the lines that the transcription has of an operation.
func operationFacts(item *openapi3.PathItem, op *openapi3.Operation) string {
	facts := []string{"  summary: " + op.Summary}
	var parameters []string
	for _, ref := range slices.Concat(item.Parameters, op.Parameters) {
		parameters = append(parameters, "  "+ref.Value.In+": "+typed(ref.Value.Name, ref.Value.Schema.Value, ref.Value.Required))
	}
	facts = append(facts, slices.Sorted(slices.Values(parameters))...)
	if op.RequestBody != nil {
		content := op.RequestBody.Value.Content
		for _, mediaType := range slices.Sorted(maps.Keys(content)) {
			facts = append(facts, fmt.Sprintf("  body (required: %t): %s %s", op.RequestBody.Value.Required, mediaType, reference(content[mediaType].Schema)))
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses.Map())) {
		fact := "  status: " + status
		for mediaType, content := range op.Responses.Value(status).Value.Content {
			fact += " " + mediaType + " " + reference(content.Schema)
		}
		if status < "400" {
			facts = append(facts, fact)
		}
	}
	return strings.Join(facts, "\n")
}

// reference is the name of a schema; a list's is in brackets.
func reference(schema *openapi3.SchemaRef) string {
	if schema.Value.Type.Is("array") {
		return "[" + reference(schema.Value.Items) + "]"
	}
	return schema.Ref[strings.LastIndex(schema.Ref, "/")+1:]
}

// schemaFacts are the lines that the transcription has of a schema: its properties in the order of
// answers, else sorted, or the values of an enum.
func schemaFacts(schema *openapi3.Schema) string {
	var facts []string
	for _, value := range schema.Enum {
		facts = append(facts, fmt.Sprintf("  %v", value))
	}
	order := func(name string) int {
		n, _ := strconv.Atoi(fmt.Sprint(schema.Properties[name].Value.Extensions["x-order"]))
		return n
	}
	names := slices.Sorted(maps.Keys(schema.Properties))
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	for _, name := range names {
		facts = append(facts, "  "+typed(name, schema.Properties[name].Value, slices.Contains(schema.Required, name)))
	}
	return strings.Join(facts, "\n")
}

// typed is a name with its type, its format, and a star where it is required.
func typed(name string, schema *openapi3.Schema, required bool) string {
	text := name + " " + strings.Join(schema.Type.Slice(), "|")
	if schema.Format != "" {
		text += " (" + schema.Format + ")"
	}
	if required {
		text += " *"
	}
	return text
}

// Whatever the server may answer is in the file, with the headers that it sends.
func TestSharedAnswers(t *testing.T) {
	errors := []string{"400", "401", "403", "404", "408", "413", "415", "429", "500", "503"}
	headers := map[string][]string{"401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}}
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			want := []string{"400", "401", "429", "500", "503"}
			if op.RequestBody != nil {
				want = append(want, "408", "413", "415")
			}
			if strings.Contains(path, "uuid}") {
				want = append(want, "404")
			}
			for _, status := range want {
				if op.Responses.Value(status) == nil {
					t.Errorf("%s has no status %s", op.OperationID, status)
				}
			}
			for status, response := range op.Responses.Map() {
				if contents := len(response.Value.Content); method == http.MethodHead && contents > 0 || method != http.MethodHead && status >= "400" && contents != 1 {
					t.Errorf("%s: status %s has %d media types", op.OperationID, status, contents)
				}
				if status >= "400" && !slices.Contains(errors, status) {
					t.Errorf("%s: no other operation has status %s", op.OperationID, status)
				}
				sent := append([]string{"X-Request-ID"}, headers[status]...)
				switch {
				case status == "200" && (strings.HasSuffix(op.OperationID, "_list") || strings.HasSuffix(op.OperationID, "_count")):
					sent = append(sent, "Link", "X-Result-Count")
				case status == "201" && strings.HasSuffix(op.OperationID, "_create"):
					sent = append(sent, "Location")
				}
				if got := slices.Sorted(maps.Keys(response.Value.Headers)); !slices.Equal(got, slices.Sorted(slices.Values(sent))) {
					t.Errorf("%s: status %s has the headers %v, want %v", op.OperationID, status, got, sent)
				}
			}
		}
	}
}

// The file is valid, its examples are what its schemas describe, and each thing is described.
func TestOpenAPIIsValid(t *testing.T) {
	if err := load(t).Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation(), openapi3.EnableSchemaPatternValidation()); err != nil {
		t.Fatal(err)
	}
}

// A form has the fields of the JSON body and asks the same of them, for the server checks every body by the
// schema of JSON. Only image differs: a file has another form there.
func TestFormsAreLikeJSON(t *testing.T) {
	type rules struct {
		Format, Pattern string
		MinLength       uint64
		MaxLength       *uint64
	}
	fields := func(schema *openapi3.Schema) map[string]rules {
		found := map[string]rules{"required": {Pattern: strings.Join(schema.Required, " ")}}
		for name, property := range schema.Properties {
			if p := property.Value; name != "image" {
				found[name] = rules{p.Format, p.Pattern, p.MinLength, p.MaxLength}
			}
		}
		return found
	}
	schemas := load(t).Components.Schemas
	for name, schema := range schemas {
		for _, suffix := range []string{"Form", "Multipart"} {
			form := schemas[name+suffix]
			if form == nil {
				continue
			}
			if diff := cmp.Diff(fields(schema.Value), fields(form.Value)); diff != "" {
				t.Errorf("%s%s is not like JSON's:\n%s", name, suffix, diff)
			}
		}
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	doc := load(t)
	described := func(what, text string) {
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s has no description", what)
		}
	}
	described("the file", doc.Info.Description)
	for name, schema := range doc.Components.Schemas {
		described(name, schema.Value.Description)
		if name == "Error" || name == "Configuration" {
			t.Errorf("schema %s: generators have a type of this name", name)
		}
		for property, value := range schema.Value.Properties {
			described(name+"."+property, value.Value.Description)
		}
	}
	for name, parameter := range doc.Components.Parameters {
		described(name, parameter.Value.Description)
		if parameter.Value.Example == nil {
			t.Errorf("parameter %s has no example", name)
		}
	}
	for name, header := range doc.Components.Headers {
		described(name, header.Value.Description)
	}
	for name, response := range doc.Components.Responses {
		described(name, *response.Value.Description)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			described(method+" "+path, op.Description)
			if op.RequestBody != nil {
				described(op.OperationID+"'s body", op.RequestBody.Value.Description)
				if len(op.RequestBody.Value.Content.Get("application/json").Examples) == 0 {
					t.Errorf("%s's body has no example", op.OperationID)
				}
			}
			for status, response := range op.Responses.Map() {
				described(op.OperationID+" "+status, *response.Value.Description)
				for mediaType, content := range response.Value.Content {
					if len(content.Examples) == 0 {
						t.Errorf("%s %s: %s has no example", op.OperationID, status, mediaType)
					}
				}
			}
		}
	}
}
