package calls_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/opencalls/opencalls/gen/client"
	"github.com/opencalls/opencalls/opencallstest"
)

var (
	tartu    = uuid.MustParse("0c000000-0000-4000-8000-000000000001")
	bob      = uuid.MustParse("e0000000-0000-4000-8000-000000000002")
	january  = time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	february = january.Add(24 * time.Hour)
)

// start starts a server in this process. It has a database, a clock and a port of its own, so tests run in
// parallel and reset nothing.
func start(t *testing.T) (*opencallstest.Server, *client.ClientWithResponses) {
	t.Parallel()
	server := opencallstest.Start(t, opencallstest.World("../world.yaml"), opencallstest.At(january))
	return server, server.Client("token-of-alice")
}

// answered fails the test unless the status is the wanted one.
func answered(t *testing.T, answer interface{ StatusCode() int }, err error, want int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.StatusCode(); got != want {
		t.Fatalf("status %d, want %d", got, want)
	}
}

func organisations(t *testing.T, api *client.ClientWithResponses) []client.CallManagingOrganisation {
	t.Helper()
	answer, err := api.CallManagingOrganisationsListWithResponse(t.Context(), nil)
	answered(t, answer, err, http.StatusOK)
	return *answer.JSON200
}

func zagreb(server *opencallstest.Server) client.CallManagingOrganisationRequest {
	return client.CallManagingOrganisationRequest{
		Customer: server.URL + "/api/customers/c0000000-0000-4000-8000-000000000002/",
	}
}

func describe(text string) client.PatchedCallManagingOrganisationRequest {
	return client.PatchedCallManagingOrganisationRequest{Description: &text}
}

func TestTheWorldIsThere(t *testing.T) {
	_, api := start(t)
	list := organisations(t, api)
	if len(list) != 1 || list[0].Description != "Calls of Tartu" {
		t.Errorf("organisations: %v", list)
	}
}

func TestCreate(t *testing.T) {
	server, api := start(t)
	made, err := api.CallManagingOrganisationsCreateWithResponse(t.Context(), zagreb(server))
	answered(t, made, err, http.StatusCreated)
	read, err := api.CallManagingOrganisationsRetrieveWithResponse(t.Context(), made.JSON201.UUID)
	answered(t, read, err, http.StatusOK)
	if read.JSON200.CustomerName != "University of Zagreb" {
		t.Errorf("the customer is %s", read.JSON200.CustomerName)
	}
}

func TestReset(t *testing.T) {
	server, api := start(t)
	for range 2 { // a second organisation of this customer would be refused
		made, err := api.CallManagingOrganisationsCreateWithResponse(t.Context(), zagreb(server))
		answered(t, made, err, http.StatusCreated)
		server.Reset()
	}
	if list := organisations(t, api); len(list) != 1 {
		t.Errorf("organisations: %v", list)
	}
}

func TestPartialUpdate(t *testing.T) {
	_, api := start(t)
	answer, err := api.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), tartu, describe("Other calls"))
	answered(t, answer, err, http.StatusOK)
	if answer.JSON200.Description != "Other calls" {
		t.Errorf("it is %q", answer.JSON200.Description)
	}
}

func TestDestroyWithCalls(t *testing.T) {
	_, api := start(t)
	answer, err := api.CallManagingOrganisationsDestroyWithResponse(t.Context(), tartu)
	answered(t, answer, err, http.StatusBadRequest)
}

func TestWithoutRights(t *testing.T) {
	server, _ := start(t)
	api := server.Client("token-of-bob")
	answer, err := api.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), tartu, describe("Mine"))
	answered(t, answer, err, http.StatusForbidden)
}

func TestARoleEnds(t *testing.T) {
	server, api := start(t)
	members := func() int {
		answer, err := api.CallManagingOrganisationsListUsersListWithResponse(t.Context(), tartu, nil)
		answered(t, answer, err, http.StatusOK)
		return len(*answer.JSON200)
	}
	granted, err := api.CallManagingOrganisationsAddUserWithResponse(t.Context(), tartu, client.UserRoleCreateRequest{
		Role: "CUSTOMER.CALL_ORGANIZER", User: bob,
		ExpirationTime: nullable.NewNullableWithValue(february.Format(time.RFC3339)),
	})
	answered(t, granted, err, http.StatusCreated)
	before := members()
	server.Advance(25 * time.Hour)
	if after := members(); before != 1 || after != 0 {
		t.Errorf("%d members, then %d", before, after)
	}
}

func TestARoundCloses(t *testing.T) {
	server, api := start(t)
	closing := func() int {
		answer, err := api.CallManagingOrganisationsStatsRetrieveWithResponse(t.Context(), tartu)
		answered(t, answer, err, http.StatusOK)
		return answer.JSON200.RoundsClosingInOneWeek
	}
	before := closing()
	server.SetTime(february.Add(time.Hour))
	if after := closing(); before != 1 || after != 0 {
		t.Errorf("%d rounds close, then %d", before, after)
	}
}

func TestAFaultThatPasses(t *testing.T) {
	server, api := start(t)
	server.Fail("call_managing_organisations_list", http.StatusServiceUnavailable, 2)
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable, http.StatusOK} {
		answer, err := api.CallManagingOrganisationsListWithResponse(t.Context(), nil)
		answered(t, answer, err, want)
	}
}

func TestWhatWasSent(t *testing.T) {
	server, api := start(t)
	answer, err := api.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), tartu, describe("Other calls"))
	answered(t, answer, err, http.StatusOK)
	sent := server.Requests()
	if len(sent) != 1 || sent[0].Body != `{"description":"Other calls"}` || sent[0].Validation != "valid" {
		t.Errorf("requests: %+v", sent)
	}
}
