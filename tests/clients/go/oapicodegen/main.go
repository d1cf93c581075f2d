// The ten steps with oapi-codegen's client.
package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	calls "clients/gen/oapicodegen"
	. "clients/setting"
)

func main() {
	authorise := calls.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", Token)
		return nil
	})
	api := Must(calls.NewClientWithResponses(URL, authorise))
	ctx := context.Background()

	order, page, size := []calls.CallManagingOrganisationOEnum{calls.MinusCustomerName}, 1, 2
	list := Must(api.CallManagingOrganisationsListWithResponse(ctx, &calls.CallManagingOrganisationsListParams{O: &order, Page: &page, PageSize: &size}))
	Check(list.JSON200 != nil && len(*list.JSON200) == 2 && (*list.JSON200)[0].CustomerName > (*list.JSON200)[1].CustomerName, list)

	description := "created"
	created := Must(api.CallManagingOrganisationsCreateWithResponse(ctx, calls.CallManagingOrganisationRequest{Customer: Customer, Description: &description}))
	Check(created.JSON201 != nil && created.JSON201.Description == "created", created)
	id := uuid.MustParse(created.JSON201.Uuid)

	got := Must(api.CallManagingOrganisationsRetrieveWithResponse(ctx, id))
	Check(got.JSON200 != nil && *got.JSON200 == *created.JSON201 && got.JSON200.Image == nil, got)

	description = "changed"
	changed := Must(api.CallManagingOrganisationsPartialUpdateWithResponse(ctx, id, calls.PatchedCallManagingOrganisationRequest{Description: &description}))
	Check(changed.JSON200 != nil && changed.JSON200.Description == "changed", changed)
	mediaType, body := Form()
	changed = Must(api.CallManagingOrganisationsPartialUpdateWithBodyWithResponse(ctx, id, mediaType, body))
	Check(changed.JSON200 != nil && changed.JSON200.Image != nil, changed)
	changed = Must(api.CallManagingOrganisationsPartialUpdateWithResponse(ctx, id, calls.PatchedCallManagingOrganisationRequest{Image: nullable.NewNullNullable[string]()}))
	Check(changed.JSON200 != nil && changed.JSON200.Image == nil && changed.JSON200.Description == "changed", changed)

	added := Must(api.CallManagingOrganisationsAddUserWithResponse(ctx, id, calls.UserRoleCreateRequest{Role: Role, User: User}))
	Check(added.JSON201 != nil, added)
	members := Must(api.CallManagingOrganisationsListUsersListWithResponse(ctx, id, nil))
	Check(members.JSON200 != nil && len(*members.JSON200) == 1 && *(*members.JSON200)[0].UserUuid == User.String(), members)
	removed := Must(api.CallManagingOrganisationsDeleteUserWithResponse(ctx, id, calls.UserRoleDeleteRequest{Role: Role, User: User}))
	Check(removed.StatusCode() == http.StatusOK, removed)

	deleted := Must(api.CallManagingOrganisationsDestroyWithResponse(ctx, id))
	Check(deleted.StatusCode() == http.StatusNoContent, deleted)
}
