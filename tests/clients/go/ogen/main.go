// The ten steps with ogen's client.
package main

import (
	"context"
	"net/url"

	calls "clients/gen/ogen"
	. "clients/setting"
)

type credentials struct{}

func (credentials) TokenAuth(context.Context, calls.OperationName) (calls.TokenAuth, error) {
	return calls.TokenAuth{APIKey: Token}, nil
}

// as returns an answer of the type that is wanted.
func as[T any](answer any, err error) T {
	wanted, fits := answer.(T)
	Check(err == nil && fits, answer, err)
	return wanted
}

func main() {
	api := Must(calls.NewClient(URL, credentials{}))
	ctx := context.Background()

	list := as[*calls.CallManagingOrganisationsListOKHeaders](api.CallManagingOrganisationsList(ctx, calls.CallManagingOrganisationsListParams{
		O:        []calls.CallManagingOrganisationOEnum{calls.CallManagingOrganisationOEnumMinusCustomerName},
		Page:     calls.NewOptInt(1),
		PageSize: calls.NewOptInt(2),
	}))
	Check(len(list.Response) == 2 && list.Response[0].CustomerName > list.Response[1].CustomerName && list.XResultCount > 2, list)

	created := as[*calls.CallManagingOrganisationHeaders](api.CallManagingOrganisationsCreate(ctx, &calls.CallManagingOrganisationRequest{
		Customer:    *Must(url.Parse(Customer)),
		Description: calls.NewOptString("created"),
	}))
	Check(created.Response.Description == "created", created)
	id := created.Response.UUID

	got := as[*calls.CallManagingOrganisationsRetrieveOKHeaders](api.CallManagingOrganisationsRetrieve(ctx, calls.CallManagingOrganisationsRetrieveParams{UUID: id}))
	Check(got.Response.UUID == id && got.Response.Image.Null, got)

	change := func(body calls.PatchedCallManagingOrganisationRequest) calls.CallManagingOrganisation {
		return as[*calls.CallManagingOrganisationsRetrieveOKHeaders](api.CallManagingOrganisationsPartialUpdate(ctx,
			calls.NewOptPatchedCallManagingOrganisationRequest(body), calls.CallManagingOrganisationsPartialUpdateParams{UUID: id})).Response
	}
	changed := change(calls.PatchedCallManagingOrganisationRequest{Description: calls.NewOptString("changed")})
	Check(changed.Description == "changed", changed)
	Upload(id.String())
	var null calls.OptNilString
	null.SetToNull()
	changed = change(calls.PatchedCallManagingOrganisationRequest{Image: null})
	Check(changed.Image.Null && changed.Description == "changed", changed)

	as[*calls.UserRoleExpirationTimeHeaders](api.CallManagingOrganisationsAddUser(ctx,
		&calls.UserRoleCreateRequest{Role: Role, User: User}, calls.CallManagingOrganisationsAddUserParams{UUID: id}))
	members := as[*calls.CallManagingOrganisationsListUsersListOKHeaders](api.CallManagingOrganisationsListUsersList(ctx, calls.CallManagingOrganisationsListUsersListParams{UUID: id}))
	Check(len(members.Response) == 1 && members.Response[0].UserUUID.Value == User, members)
	as[*calls.CallManagingOrganisationsDeleteUserOK](api.CallManagingOrganisationsDeleteUser(ctx,
		&calls.UserRoleDeleteRequest{Role: Role, User: User}, calls.CallManagingOrganisationsDeleteUserParams{UUID: id}))

	as[*calls.CallManagingOrganisationsDestroyNoContent](api.CallManagingOrganisationsDestroy(ctx, calls.CallManagingOrganisationsDestroyParams{UUID: id}))
}
