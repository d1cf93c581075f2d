// The steps with ogen's client.
package main

import (
	"context"

	calls "clients/gen/ogen"
	. "clients/setting"
)

type credentials struct{}

func (credentials) TokenAuth(context.Context, calls.OperationName) (calls.TokenAuth, error) {
	return calls.TokenAuth{APIKey: Authorization}, nil
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

	signedIn := as[*calls.CoreAuthTokenHeaders](api.APIAuthPassword(ctx, &calls.ObtainAuthTokenRequest{Username: Username, Password: Password}))
	Authorization = "Token " + signedIn.Response.Token
	customers := as[*calls.CustomersListOKHeaders](api.CustomersList(ctx, calls.CustomersListParams{NameExact: calls.NewOptString(CustomerName)}))
	users := as[*calls.UsersListOKHeaders](api.UsersList(ctx, calls.UsersListParams{Username: calls.NewOptString(MemberName)}))
	roles := as[*calls.RolesListOKHeaders](api.RolesList(ctx, calls.RolesListParams{Name: calls.NewOptString(RoleName)}))
	Check(len(customers.Response) == 1 && len(users.Response) == 1 && len(roles.Response) == 1, customers, users, roles)
	customer, user, role := customers.Response[0].URL.Value, users.Response[0].UUID.Value, roles.Response[0].UUID.Value.String()

	list := as[*calls.CallManagingOrganisationsListOKHeaders](api.CallManagingOrganisationsList(ctx, calls.CallManagingOrganisationsListParams{
		O:        []calls.CallManagingOrganisationOEnum{calls.CallManagingOrganisationOEnumMinusCustomerName},
		Page:     calls.NewOptInt(1),
		PageSize: calls.NewOptInt(2),
	}))
	Check(len(list.Response) == 2 && list.Response[0].CustomerName > list.Response[1].CustomerName && list.XResultCount > 2, list)

	created := as[*calls.CallManagingOrganisationHeaders](api.CallManagingOrganisationsCreate(ctx, &calls.CallManagingOrganisationRequest{
		Customer:    customer,
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
		&calls.UserRoleCreateRequest{Role: role, User: user}, calls.CallManagingOrganisationsAddUserParams{UUID: id}))
	members := as[*calls.CallManagingOrganisationsListUsersListOKHeaders](api.CallManagingOrganisationsListUsersList(ctx, calls.CallManagingOrganisationsListUsersListParams{UUID: id}))
	Check(len(members.Response) == 1 && members.Response[0].UserUUID.Value == user, members)
	as[*calls.CallManagingOrganisationsDeleteUserOK](api.CallManagingOrganisationsDeleteUser(ctx,
		&calls.UserRoleDeleteRequest{Role: role, User: user}, calls.CallManagingOrganisationsDeleteUserParams{UUID: id}))

	as[*calls.CallManagingOrganisationsDestroyNoContent](api.CallManagingOrganisationsDestroy(ctx, calls.CallManagingOrganisationsDestroyParams{UUID: id}))
}
