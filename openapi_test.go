package opencalls_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/opencalls/opencalls"
)

// The API's reference page ("the document"), transcribed by hand: what openapi.yaml is held
// against, no operation, parameter, field or mark more and none fewer.
//
// In a list of fields a name is followed by its type, its format in brackets, and a star where
// the document marks it as required.
const (
	documentedOrganisation = "url string (uri), uuid string (uuid), created string (date-time), description string, customer string (uri), " +
		"customer_name string, customer_uuid string (uuid), customer_image string (uri), customer_abbreviation string, " +
		"customer_native_name string, customer_country string, image string (uri)"
	documentedRequest    = "description string, customer string (uri) *, image string (binary)"
	documentedPatch      = "description string, image string (binary)"
	documentedRole       = "role string *, user string (uuid) *, expiration_time string (date-time)"
	documentedExpiration = "expiration_time string (date-time)"
	documentedMember     = "uuid string (uuid), created string (date-time), expiration_time string (date-time), role_name string, role_uuid string (uuid), " +
		"user_email string (email), user_full_name string, user_username string, user_uuid string (uuid), user_image string (uri), " +
		"created_by_full_name string, created_by_uuid string (uuid)"
	documentedStat = "open_calls integer, active_rounds integer, accepted_proposals integer, pending_proposals integer, pending_review integer, " +
		"rounds_closing_in_one_week integer, calls_closing_in_one_week integer, offering_requests_pending integer"
)

// documented is an operation as the document prints it.
type documented struct {
	method, path, id string
	summary          string
	description      string            // how ours begins
	query            string            // parameters of the query
	about            map[string]string // the parameters' descriptions
	body             string            // fields of the request's body, "" for none
	optionalBody     bool
	mediaTypes       string // of the body
	status           int
	answer           string // fields of the answer, "" for none; "[]" before a list's
	alsoStatus       int
}

const (
	collection = "/api/call-managing-organisations/"
	object     = collection + "{uuid}/"

	threeTypes = "application/json, application/x-www-form-urlencoded, multipart/form-data"
	twoTypes   = "application/json, application/x-www-form-urlencoded"
)

var listQuery = "customer string, customer_keyword string, customer_uuid string (uuid), o array, page integer, page_size integer"

var usersQuery = "field array, full_name string, native_name string, o array, page integer, page_size integer, role string (uuid), search_string string, " +
	"user string (uuid), user_slug string, user_url string, username string"

var (
	aboutPages = map[string]string{"o": "Ordering", "page": "A page number within the paginated result set.", "page_size": "Number of results to return per page."}
	aboutUsers = map[string]string{
		"field": "Fields to include in response", "full_name": "User full name", "native_name": "User native name", "o": "Ordering fields",
		"page": "A page number within the paginated result set.", "page_size": "Number of results to return per page.", "role": "Role UUID or name",
		"search_string": "Search string for user", "user": "User UUID", "user_slug": "User slug", "user_url": "User URL", "username": "User username",
	}
)

var document = []documented{
	{method: "GET", path: collection, id: "list", summary: "List Call Managing Organisations", query: listQuery, about: aboutPages, status: 200, answer: "[]" + documentedOrganisation},
	{method: "GET", path: object, id: "retrieve", summary: "Retrieve", status: 200, answer: documentedOrganisation},
	{method: "POST", path: collection, id: "create", summary: "Create", body: documentedRequest, mediaTypes: threeTypes, status: 201, answer: documentedOrganisation},
	{method: "PUT", path: object, id: "update", summary: "Update", body: documentedRequest, mediaTypes: threeTypes, status: 200, answer: documentedOrganisation},
	{method: "PATCH", path: object, id: "partial_update", summary: "Partial Update", body: documentedPatch, optionalBody: true, mediaTypes: threeTypes, status: 200, answer: documentedOrganisation},
	{method: "DELETE", path: object, id: "destroy", summary: "Delete", status: 204},
	{method: "GET", path: object + "list_users/", id: "list_users_list", summary: "List users and their roles in a scope",
		description: "Retrieves a list of users who have a role within a specific scope (e.g., a project or an organization). The list can be filtered by user details or role.",
		query:       usersQuery, about: aboutUsers, status: 200, answer: "[]" + documentedMember},
	{method: "POST", path: object + "add_user/", id: "add_user", summary: "Grant a role to a user",
		description: "Assigns a specific role to a user within the current scope. An optional expiration time for the role can be set.",
		body:        documentedRole, mediaTypes: twoTypes, status: 201, answer: documentedExpiration, alsoStatus: 400},
	{method: "POST", path: object + "delete_user/", id: "delete_user", summary: "Revoke a role from a user",
		description: "Removes a specific role from a user within the current scope. This effectively revokes their permissions associated with that role.",
		body:        documentedRole, mediaTypes: twoTypes, status: 200},
	{method: "POST", path: object + "update_user/", id: "update_user", summary: "Update a user's role expiration",
		description: "Updates the expiration time for a user's existing role in the current scope. This is useful for extending or shortening the duration of a permission. To make a role permanent, set expiration_time to null",
		body:        documentedRole, mediaTypes: twoTypes, status: 200, answer: documentedExpiration},
	{method: "GET", path: object + "stats/", id: "stats_retrieve", summary: "Return statistics for call managing organisation",
		description: "Return statistics for call managing organisation.", status: 200, answer: documentedStat},
}

// Beside the document: HEAD of the two lists, which Waldur serves.
var documentedHeads = []documented{
	{method: "HEAD", path: collection, id: "count", summary: "Count Call Managing Organisations", query: listQuery, about: aboutPages, status: 200},
	{method: "HEAD", path: object + "list_users/", id: "list_users_count", summary: "Count users and their roles in a scope", query: usersQuery, about: aboutUsers, status: 200},
}

// exceptions are where openapi.yaml says otherwise, each with its reason there: the document
// itself describes role as "Role UUID or name".
var exceptions = map[string]string{"role string (uuid)": "role string"}

var schemas = []string{
	"CallManagingOrganisation", "CallManagingOrganisationRequest", "CallManagingOrganisationRequestForm", "CallManagingOrganisationRequestMultipart",
	"PatchedCallManagingOrganisationRequest", "PatchedCallManagingOrganisationRequestForm", "PatchedCallManagingOrganisationRequestMultipart",
	"CallManagingOrganisationStat", "UserRoleDetails", "UserRoleCreateRequest", "UserRoleCreateRequestForm", "UserRoleDeleteRequest", "UserRoleDeleteRequestForm",
	"UserRoleUpdateRequest", "UserRoleUpdateRequestForm", "UserRoleExpirationTime", "CallManagingOrganisationOEnum", "UserRoleDetailsFieldEnum", "UserRoleDetailsOEnum",
	"Error", "FieldErrors", "BadRequestError",
}

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(opencalls.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// fields lists an object's properties in the order of answers, else sorted.
func fields(schema *openapi3.Schema, stars bool) string {
	names := slices.SortedFunc(maps.Keys(schema.Properties), func(a, b string) int {
		x, y := position(schema.Properties[a].Value), position(schema.Properties[b].Value)
		if x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, name := range names {
		text := typed(name, schema.Properties[name].Value)
		if stars && slices.Contains(schema.Required, name) {
			text += " *"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func position(schema *openapi3.Schema) int {
	var order int
	_, _ = fmt.Sscan(fmt.Sprint(schema.Extensions["x-order"]), &order)
	return order
}

func typed(name string, schema *openapi3.Schema) string {
	text := name + " " + strings.Join(schema.Type.Slice(), "|")
	if schema.Format != "" {
		text += " (" + schema.Format + ")"
	}
	return text
}

// sorted is a list of fields in the order of their names.
func sorted(list string) string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func TestDocument(t *testing.T) {
	doc := load(t)
	found := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			found[method+" "+path+" "+op.OperationID] = true
		}
	}
	for _, d := range slices.Concat(document, documentedHeads) {
		name := d.method + " " + d.path + " call_managing_organisations_" + d.id
		if !found[name] {
			t.Errorf("openapi.yaml has no %s", name)
			continue
		}
		delete(found, name)
		t.Run(d.id, func(t *testing.T) { checkDocumented(t, doc.Paths.Value(d.path), d) })
	}
	for name := range found {
		t.Errorf("the document has no %s", name)
	}
	if got := slices.Sorted(maps.Keys(doc.Components.Schemas)); !slices.Equal(got, slices.Sorted(slices.Values(schemas))) {
		t.Errorf("schemas are %v", got)
	}
	if doc.OpenAPI != "3.0.3" {
		t.Errorf("version %s", doc.OpenAPI)
	}
}

func checkDocumented(t *testing.T, item *openapi3.PathItem, d documented) {
	op := item.Operations()[d.method]
	if op.Summary != d.summary {
		t.Errorf("summary is %q, want %q", op.Summary, d.summary)
	}
	if begin := strings.Join(strings.Fields(op.Description), " "); !strings.HasPrefix(begin, d.description) || begin == "" {
		t.Errorf("description is %q, want %q", begin, d.description)
	}
	checkParameters(t, item, op, d)
	checkBody(t, op, d)
	checkStatuses(t, op, d)
}

func checkParameters(t *testing.T, item *openapi3.PathItem, op *openapi3.Operation, d documented) {
	var path, query []string
	for _, ref := range append(slices.Clone(item.Parameters), op.Parameters...) {
		p := ref.Value
		text := typed(p.Name, p.Schema.Value)
		switch {
		case p.In == openapi3.ParameterInPath && p.Required:
			path = append(path, text)
		case p.In == openapi3.ParameterInQuery && !p.Required:
			query = append(query, text)
			if !strings.HasPrefix(p.Description, d.about[p.Name]) {
				t.Errorf("parameter %s is described as %q, want %q", p.Name, p.Description, d.about[p.Name])
			}
		default:
			t.Errorf("parameter %s in %s, required %v", p.Name, p.In, p.Required)
		}
	}
	want := d.query
	for documented, ours := range exceptions {
		want = strings.Replace(want, documented, ours, 1)
	}
	if got := strings.Join(query, ", "); sorted(got) != sorted(want) {
		t.Errorf("parameters:\ngot  %s\nwant %s", got, want)
	}
	if got := strings.Join(path, ", "); strings.Contains(d.path, "{uuid}") != (got == "uuid string (uuid)") {
		t.Errorf("path parameters: %s", got)
	}
}

func checkBody(t *testing.T, op *openapi3.Operation, d documented) {
	if d.body == "" || op.RequestBody == nil {
		if (d.body == "") != (op.RequestBody == nil) {
			t.Errorf("a body is there: %v, want %q", op.RequestBody != nil, d.body)
		}
		return
	}
	body := op.RequestBody.Value
	if body.Required == d.optionalBody {
		t.Errorf("the body is required: %v", body.Required)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(body.Content)), ", "); got != d.mediaTypes {
		t.Errorf("media types are %s, want %s", got, d.mediaTypes)
	}
	for mediaType, content := range body.Content {
		want := d.body
		if mediaType == "application/x-www-form-urlencoded" { // no file travels there, only the empty text
			want = strings.Replace(want, "image string (binary)", "image string", 1)
		}
		if got := fields(content.Schema.Value, true); sorted(got) != sorted(want) {
			t.Errorf("body as %s:\ngot  %s\nwant %s", mediaType, got, want)
		}
	}
}

// added are the statuses that the document leaves open.
var added = []string{"400", "401", "403", "404", "408", "413", "415", "429", "500", "503"}

func checkStatuses(t *testing.T, op *openapi3.Operation, d documented) {
	for status := range op.Responses.Map() {
		if status != fmt.Sprint(d.status) && !slices.Contains(added, status) {
			t.Errorf("status %s is neither documented nor an error", status)
		}
	}
	if d.alsoStatus != 0 && op.Responses.Status(d.alsoStatus) == nil {
		t.Errorf("no status %d", d.alsoStatus)
	}
	success := op.Responses.Status(d.status)
	if success == nil {
		t.Fatalf("no status %d", d.status)
	}
	if d.answer == "" {
		if len(success.Value.Content) > 0 {
			t.Errorf("status %d has content", d.status)
		}
		return
	}
	schema := success.Value.Content.Get("application/json").Schema.Value
	want, list := strings.CutPrefix(d.answer, "[]")
	if list {
		if !schema.Type.Is("array") {
			t.Fatal("the answer is no list")
		}
		schema = schema.Items.Value
	}
	if got := fields(schema, false); got != want {
		t.Errorf("answer:\ngot  %s\nwant %s", got, want)
	}
}

// Whatever the server may answer is in the file, with the headers that it sends.
func TestSharedAnswers(t *testing.T) {
	doc := load(t)
	headers := map[string][]string{"401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}, "201 create": {"Location"}}
	for _, name := range []string{"list", "count", "list_users_list", "list_users_count"} {
		headers["200 "+name] = []string{"Link", "X-Result-Count"}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			id := strings.TrimPrefix(op.OperationID, "call_managing_organisations_")
			want := []string{"400", "401", "429", "500", "503"}
			if op.RequestBody != nil {
				want = append(want, "408", "413", "415")
			}
			if strings.Contains(path, "{uuid}") {
				want = append(want, "404")
			}
			for _, status := range want {
				if op.Responses.Value(status) == nil {
					t.Errorf("%s has no status %s", id, status)
				}
			}
			for status, response := range op.Responses.Map() {
				if method == http.MethodHead && len(response.Value.Content) > 0 {
					t.Errorf("%s: status %s has content", id, status)
				}
				if status >= "400" && method != http.MethodHead && len(response.Value.Content) != 1 {
					t.Errorf("%s: status %s has %d media types", id, status, len(response.Value.Content))
				}
				sent := append([]string{"X-Request-ID"}, append(headers[status], headers[status+" "+id]...)...)
				if got := slices.Sorted(maps.Keys(response.Value.Headers)); !slices.Equal(got, slices.Sorted(slices.Values(sent))) {
					t.Errorf("%s: status %s has the headers %v, want %v", id, status, got, sent)
				}
			}
		}
	}
}

// The file is valid, its examples are what its schemas describe, and each thing is described.
func TestOpenAPIIsValid(t *testing.T) {
	doc := load(t)
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation(), openapi3.EnableSchemaPatternValidation()); err != nil {
		t.Fatal(err)
	}
	doc.Components.Examples["stat"].Value.Value.(map[string]any)["open_calls"] = "many"
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation()); err == nil {
		t.Error("a wrong example is not found")
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
