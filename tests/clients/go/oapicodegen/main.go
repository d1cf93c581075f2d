// The steps with oapi-codegen's client.
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
		if Authorization != "" {
			r.Header.Set("Authorization", Authorization)
		}
		return nil
	})
	api := Must(calls.NewClientWithResponses(URL, authorise))
	ctx := context.Background()

	signedIn := Must(api.ApiAuthPasswordWithResponse(ctx, calls.ObtainAuthTokenRequest{Username: Username, Password: Password}))
	Check(signedIn.JSON200 != nil, signedIn)
	Authorization = "Token " + signedIn.JSON200.Token
	customers := Must(api.CustomersListWithResponse(ctx, &calls.CustomersListParams{NameExact: &CustomerName}))
	Check(customers.JSON200 != nil && len(*customers.JSON200) == 1, customers)
	users := Must(api.UsersListWithResponse(ctx, &calls.UsersListParams{Username: &MemberName}))
	Check(users.JSON200 != nil && len(*users.JSON200) == 1, users)
	roles := Must(api.RolesListWithResponse(ctx, &calls.RolesListParams{Name: &RoleName}))
	Check(roles.JSON200 != nil && len(*roles.JSON200) == 1, roles)
	customer, user, role := *(*customers.JSON200)[0].Url, uuid.MustParse(*(*users.JSON200)[0].Uuid), *(*roles.JSON200)[0].Uuid

	order, page, size := []calls.CallManagingOrganisationOEnum{calls.MinusCustomerName}, 1, 2
	list := Must(api.CallManagingOrganisationsListWithResponse(ctx, &calls.CallManagingOrganisationsListParams{O: &order, Page: &page, PageSize: &size}))
	Check(list.JSON200 != nil && len(*list.JSON200) == 2 && (*list.JSON200)[0].CustomerName > (*list.JSON200)[1].CustomerName, list)

	description := "created"
	created := Must(api.CallManagingOrganisationsCreateWithResponse(ctx, calls.CallManagingOrganisationRequest{Customer: customer, Description: &description}))
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

	added := Must(api.CallManagingOrganisationsAddUserWithResponse(ctx, id, calls.UserRoleCreateRequest{Role: role, User: user}))
	Check(added.JSON201 != nil, added)
	members := Must(api.CallManagingOrganisationsListUsersListWithResponse(ctx, id, nil))
	Check(members.JSON200 != nil && len(*members.JSON200) == 1 && *(*members.JSON200)[0].UserUuid == user.String(), members)
	removed := Must(api.CallManagingOrganisationsDeleteUserWithResponse(ctx, id, calls.UserRoleDeleteRequest{Role: role, User: user}))
	Check(removed.StatusCode() == http.StatusOK, removed)

	deleted := Must(api.CallManagingOrganisationsDestroyWithResponse(ctx, id))
	Check(deleted.StatusCode() == http.StatusNoContent, deleted)
}
