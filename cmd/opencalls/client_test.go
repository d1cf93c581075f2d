package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/opencalls/opencalls/fixture"
	api "github.com/opencalls/opencalls/gen/client"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// clientAs is the generated client with a token; "" sends none.
func clientAs(t *testing.T, address, token string) *api.ClientWithResponses {
	t.Helper()
	authorise := func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Token "+token)
		}
		return nil
	}
	client, err := api.NewClientWithResponses(address, api.WithRequestEditorFn(authorise))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// must fails the test where a call does not have the status. The client has read the answer by
// what openapi.yaml says of that status.
func must[R interface{ StatusCode() int }](t *testing.T, status int) func(R, error) R {
	return func(response R, err error) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode() != status {
			t.Fatalf("%T: status %d, want %d: %+v", response, response.StatusCode(), status, response)
		}
		return response
	}
}

// freeCustomer is the customer of the demo world that may become an organisation.
const freeCustomer = "c0000000-0000-4000-8000-000000000016"

// The generated Go client, as a user of the API has it, against the program: each of the 13
// operations, and each kind of error.
func TestGeneratedClient(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		p := start(t, "--demo", "--validate-responses=fail", "--database-url="+storetest.URL(t, engine))
		useClient(t, p.Address)
		p.Stop(t)
	})
}

// useClient has the client go through all operations of a server with the demo world.
func useClient(t *testing.T, address string) {
	t.Helper()
	staff := clientAs(t, address, fixture.DemoStaffToken)
	clientPages(t, staff)
	id := clientCreates(t, address, staff)
	clientChanges(t, address, staff, id)
	clientManagesRoles(t, staff, id)
	clientIsRefused(t, address, staff, id)
	if got := must[*api.CallManagingOrganisationsDestroyResponse](t, 204)(staff.CallManagingOrganisationsDestroyWithResponse(t.Context(), id)); len(got.Body) > 0 {
		t.Errorf("a body of 204: %s", got.Body)
	}
	gone := must[*api.CallManagingOrganisationsRetrieveResponse](t, 404)(staff.CallManagingOrganisationsRetrieveWithResponse(t.Context(), id))
	if *gone.JSON404.Detail != "No CallManagingOrganisation matches the given query." {
		t.Errorf("404: %s", gone.Body)
	}
}

var nextLink = regexp.MustCompile(`<([^>]*)>; rel="next"`)

// clientPages goes through the list by the Link header, and finds what HEAD counts.
func clientPages(t *testing.T, client *api.ClientWithResponses) {
	size := 4
	count := must[*api.CallManagingOrganisationsCountResponse](t, 200)(client.CallManagingOrganisationsCountWithResponse(t.Context(), nil))
	params := &api.CallManagingOrganisationsListParams{PageSize: &size, O: api.OrganisationO{"-customer_name"}}
	seen := map[uuid.UUID]bool{}
	var follow []api.RequestEditorFn
	for pages := 1; ; pages++ {
		page := must[*api.CallManagingOrganisationsListResponse](t, 200)(client.CallManagingOrganisationsListWithResponse(t.Context(), params, follow...))
		for _, o := range *page.JSON200 {
			seen[o.UUID] = true
		}
		next := nextLink.FindStringSubmatch(*page.Headers200.Link)
		if next == nil {
			if pages != 4 || len(seen) != 15 || page.Headers200.XResultCount != 15 || count.Headers200.XResultCount != 15 {
				t.Errorf("%d organisations on %d pages, of %d; HEAD counts %d", len(seen), pages, page.Headers200.XResultCount, count.Headers200.XResultCount)
			}
			return
		}
		target, err := url.Parse(next[1])
		if err != nil {
			t.Fatal(err)
		}
		follow = []api.RequestEditorFn{func(_ context.Context, r *http.Request) error { r.URL = target; return nil }}
	}
}

// clientCreates makes an organisation with an image.
func clientCreates(t *testing.T, address string, client *api.ClientWithResponses) uuid.UUID {
	picture := world.PNG(3, 2, 0)
	form := world.Multipart(world.Text("customer", address+"/api/customers/"+freeCustomer+"/"), world.Text("description", "Calls of the college"),
		world.File("image", "college.png", "image/png", picture))
	created := must[*api.CallManagingOrganisationsCreateResponse](t, 201)(client.CallManagingOrganisationsCreateWithBodyWithResponse(t.Context(), form.MediaType, strings.NewReader(form.Content)))
	o := created.JSON201
	if o.CustomerName != "Lough Derravale College" || o.Description != "Calls of the college" || created.Headers201.Location != o.URL {
		t.Errorf("created at %s: %s", created.Headers201.Location, created.Body)
	}
	link, err := o.Image.Get()
	if err != nil {
		t.Fatalf("no image: %s", created.Body)
	}
	if status, content := get(t, link, ""); status != http.StatusOK || content != picture {
		t.Errorf("image: %d, %d bytes", status, len(content))
	}
	return o.UUID
}

func clientChanges(t *testing.T, address string, client *api.ClientWithResponses, id uuid.UUID) {
	form, patched := "By a form", "By a patch"
	updated := must[*api.CallManagingOrganisationsUpdateResponse](t, 200)(client.CallManagingOrganisationsUpdateWithFormdataBodyWithResponse(t.Context(), id,
		api.CallManagingOrganisationRequestForm{Customer: address + "/api/customers/" + freeCustomer + "/", Description: &form}))
	if o := updated.JSON200; o.Description != form || o.Image.IsNull() {
		t.Errorf("updated: %s", updated.Body)
	}
	partial := must[*api.CallManagingOrganisationsPartialUpdateResponse](t, 200)(client.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), id,
		api.PatchedCallManagingOrganisationRequest{Description: &patched}))
	if o := partial.JSON200; o.Description != patched || o.Image.IsNull() {
		t.Errorf("patched: %s", partial.Body)
	}
	cleared := api.PatchedCallManagingOrganisationRequest{}
	cleared.Image.SetNull()
	partial = must[*api.CallManagingOrganisationsPartialUpdateResponse](t, 200)(client.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), id, cleared))
	retrieved := must[*api.CallManagingOrganisationsRetrieveResponse](t, 200)(client.CallManagingOrganisationsRetrieveWithResponse(t.Context(), id))
	if o := retrieved.JSON200; o.Description != patched || !o.Image.IsNull() || string(partial.Body) != string(retrieved.Body) {
		t.Errorf("retrieved: %s", retrieved.Body)
	}
	stats := must[*api.CallManagingOrganisationsStatsRetrieveResponse](t, 200)(client.CallManagingOrganisationsStatsRetrieveWithResponse(t.Context(), id))
	if *stats.JSON200 != (api.CallManagingOrganisationStat{}) {
		t.Errorf("stats of an organisation without calls: %s", stats.Body)
	}
}

func clientManagesRoles(t *testing.T, client *api.ClientWithResponses, id uuid.UUID) {
	const organizer = "CUSTOMER.CALL_ORGANIZER"
	user := uuid.MustParse(fixture.DemoOrganisation) // the user of the samples has the same id
	expires := time.Now().UTC().Add(24 * time.Hour).Truncate(time.Microsecond)
	later := expires.Add(24 * time.Hour).Format(time.RFC3339Nano)
	members := func() []api.UserRoleDetails {
		list := must[*api.CallManagingOrganisationsListUsersListResponse](t, 200)(client.CallManagingOrganisationsListUsersListWithResponse(t.Context(), id,
			&api.CallManagingOrganisationsListUsersListParams{User: &user}))
		count := must[*api.CallManagingOrganisationsListUsersCountResponse](t, 200)(client.CallManagingOrganisationsListUsersCountWithResponse(t.Context(), id,
			&api.CallManagingOrganisationsListUsersCountParams{User: &user}))
		if n := len(*list.JSON200); list.Headers200.XResultCount != n || count.Headers200.XResultCount != n {
			t.Errorf("%d members, of %d; HEAD counts %d", n, list.Headers200.XResultCount, count.Headers200.XResultCount)
		}
		return *list.JSON200
	}

	added := must[*api.CallManagingOrganisationsAddUserResponse](t, 201)(client.CallManagingOrganisationsAddUserWithResponse(t.Context(), id,
		api.UserRoleCreateRequest{Role: organizer, User: user, ExpirationTime: nullable.NewNullableWithValue(expires.Format(time.RFC3339Nano))}))
	if got, err := added.JSON201.ExpirationTime.Get(); err != nil || !got.Equal(expires) {
		t.Errorf("added: %s", added.Body)
	}
	if list := members(); len(list) != 1 || *list[0].RoleName != organizer || *list[0].UserFullName != "Aino Korpela" || *list[0].CreatedByFullName != "Saara Lindqvist" {
		t.Errorf("members: %+v", list)
	}
	updated := must[*api.CallManagingOrganisationsUpdateUserResponse](t, 200)(client.CallManagingOrganisationsUpdateUserWithFormdataBodyWithResponse(t.Context(), id,
		api.UserRoleUpdateRequestForm{Role: organizer, User: user, ExpirationTime: &later}))
	if got, err := updated.JSON200.ExpirationTime.Get(); err != nil || got.Format(time.RFC3339Nano) != later {
		t.Errorf("updated: %s", updated.Body)
	}
	updated = must[*api.CallManagingOrganisationsUpdateUserResponse](t, 200)(client.CallManagingOrganisationsUpdateUserWithResponse(t.Context(), id,
		api.UserRoleUpdateRequest{Role: organizer, User: user}))
	if !updated.JSON200.ExpirationTime.IsNull() {
		t.Errorf("made permanent: %s", updated.Body)
	}
	must[*api.CallManagingOrganisationsDeleteUserResponse](t, 200)(client.CallManagingOrganisationsDeleteUserWithResponse(t.Context(), id,
		api.UserRoleDeleteRequest{Role: organizer, User: user}))
	if list := members(); len(list) != 0 {
		t.Errorf("members after it was revoked: %+v", list)
	}
}

// clientIsRefused reads each kind of error by the type that the client has for it.
func clientIsRefused(t *testing.T, address string, staff *api.ClientWithResponses, id uuid.UUID) {
	body := api.CallManagingOrganisationRequest{Customer: address + "/api/customers/" + freeCustomer + "/"}
	taken := must[*api.CallManagingOrganisationsCreateResponse](t, 400)(staff.CallManagingOrganisationsCreateWithResponse(t.Context(), body))
	fields := taken.JSON400.AdditionalProperties
	if taken.JSON400.Detail != nil || len(fields) != 1 ||
		strings.Join(fields["customer"], "") != "Call managing organisation with this customer already exists." {
		t.Errorf("400 of a field: %s", taken.Body)
	}
	unreadable := must[*api.CallManagingOrganisationsCreateResponse](t, 400)(staff.CallManagingOrganisationsCreateWithBodyWithResponse(t.Context(), "application/json", strings.NewReader("{")))
	if !strings.HasPrefix(*unreadable.JSON400.Detail, "JSON parse error - ") || len(unreadable.JSON400.AdditionalProperties) > 0 {
		t.Errorf("400 of the whole: %s", unreadable.Body)
	}
	text := must[*api.CallManagingOrganisationsCreateResponse](t, 415)(staff.CallManagingOrganisationsCreateWithBodyWithResponse(t.Context(), "text/plain", strings.NewReader("x")))
	large := must[*api.CallManagingOrganisationsCreateResponse](t, 413)(staff.CallManagingOrganisationsCreateWithBodyWithResponse(t.Context(), "application/json", strings.NewReader(strings.Repeat(" ", 1<<20+1))))
	if *text.JSON415.Detail != `Unsupported media type "text/plain" in request.` || *large.JSON413.Detail != "Request body is too large." {
		t.Errorf("415: %s; 413: %s", text.Body, large.Body)
	}
	nobody, other := clientAs(t, address, ""), clientAs(t, address, fixture.DemoUserToken)
	unknown := must[*api.CallManagingOrganisationsListResponse](t, 401)(nobody.CallManagingOrganisationsListWithResponse(t.Context(), nil))
	if *unknown.JSON401.Detail != "Authentication credentials were not provided." || unknown.Headers401.WWWAuthenticate != "Token" {
		t.Errorf("401: %s %+v", unknown.Body, unknown.Headers401)
	}
	forbidden := must[*api.CallManagingOrganisationsDestroyResponse](t, 403)(other.CallManagingOrganisationsDestroyWithResponse(t.Context(), id))
	if *forbidden.JSON403.Detail != "You do not have permission to perform this action." {
		t.Errorf("403: %s", forbidden.Body)
	}
}
