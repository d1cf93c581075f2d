// The steps with openapi-generator's Go client.
package main

import (
	"context"

	calls "clients/gen/openapigenerator"
	. "clients/setting"
)

func main() {
	configuration := calls.NewConfiguration()
	configuration.Servers = calls.ServerConfigurations{{URL: URL}}
	client := calls.NewAPIClient(configuration)
	api := client.CallManagingOrganisationsAPI
	ctx := context.Background()

	signedIn, _, err := client.ApiAuthAPI.ApiAuthPassword(ctx).
		ObtainAuthTokenRequest(*calls.NewObtainAuthTokenRequest(Username, Password)).Execute()
	Check(err == nil, err)
	Authorization = "Token " + signedIn.Token
	configuration.AddDefaultHeader("Authorization", Authorization)
	customers, _, err := client.CustomersAPI.CustomersList(ctx).NameExact(CustomerName).Execute()
	Check(err == nil && len(customers) == 1, customers, err)
	users, _, err := client.UsersAPI.UsersList(ctx).Username(MemberName).Execute()
	Check(err == nil && len(users) == 1, users, err)
	roles, _, err := client.RolesAPI.RolesList(ctx).Name(RoleName).Execute()
	Check(err == nil && len(roles) == 1, roles, err)
	customer, user, role := customers[0].GetUrl(), users[0].GetUuid(), roles[0].GetUuid()

	list, _, err := api.CallManagingOrganisationsList(ctx).
		O([]calls.CallManagingOrganisationOEnum{calls.CALLMANAGINGORGANISATIONOENUM_CUSTOMER_NAME2}).Page(1).PageSize(2).Execute()
	Check(err == nil && len(list) == 2 && list[0].CustomerName > list[1].CustomerName, list, err)

	body := calls.NewCallManagingOrganisationRequest(customer)
	body.SetDescription("created")
	created, _, err := api.CallManagingOrganisationsCreate(ctx).CallManagingOrganisationRequest(*body).Execute()
	Check(err == nil && created.Description == "created", err)
	id := created.Uuid

	got, _, err := api.CallManagingOrganisationsRetrieve(ctx, id).Execute()
	Check(err == nil && got.Uuid == id && got.Created.Equal(created.Created) && got.Image.Get() == nil, err)

	text := calls.NewPatchedCallManagingOrganisationRequest()
	text.SetDescription("changed")
	got, _, err = api.CallManagingOrganisationsPartialUpdate(ctx, id).PatchedCallManagingOrganisationRequest(*text).Execute()
	Check(err == nil && got.Description == "changed", err)

	Upload(id)
	cleared := calls.NewPatchedCallManagingOrganisationRequest()
	cleared.SetImageNil()
	got, _, err = api.CallManagingOrganisationsPartialUpdate(ctx, id).PatchedCallManagingOrganisationRequest(*cleared).Execute()
	Check(err == nil && got.Image.Get() == nil && got.Description == "changed", err)

	_, _, err = api.CallManagingOrganisationsAddUser(ctx, id).UserRoleCreateRequest(*calls.NewUserRoleCreateRequest(role, user)).Execute()
	Check(err == nil, err)
	members, _, err := api.CallManagingOrganisationsListUsersList(ctx, id).Execute()
	Check(err == nil && len(members) == 1 && members[0].GetUserUuid() == user && members[0].ExpirationTime.Get() == nil, members, err)
	_, err = api.CallManagingOrganisationsDeleteUser(ctx, id).UserRoleDeleteRequest(*calls.NewUserRoleDeleteRequest(role, user)).Execute()
	Check(err == nil, err)

	_, err = api.CallManagingOrganisationsDestroy(ctx, id).Execute()
	Check(err == nil, err)
}
