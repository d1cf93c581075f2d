"""The steps with openapi-python-client's client."""
from python_client import AuthenticatedClient, Client, models
from python_client.api.api_auth import api_auth_password
from python_client.api.call_managing_organisations import (
    call_managing_organisations_add_user as add_user,
    call_managing_organisations_create as create,
    call_managing_organisations_delete_user as delete_user,
    call_managing_organisations_destroy as destroy,
    call_managing_organisations_list as list_organisations,
    call_managing_organisations_list_users_list as list_users,
    call_managing_organisations_partial_update as partial_update,
    call_managing_organisations_retrieve as retrieve,
)
from python_client.api.customers import customers_list
from python_client.api.roles import roles_list
from python_client.api.users import users_list
from setting import customer_name, member_name, password, role_name, upload, url, username

credentials = models.ObtainAuthTokenRequest(username=username, password=password)
authorization = f"Token {api_auth_password.sync(client=Client(url), body=credentials).token}"
client = AuthenticatedClient(url, token=authorization, prefix="", raise_on_unexpected_status=True)
(customer,) = (c.url for c in customers_list.sync(client=client, name_exact=customer_name))
(user,) = (u.uuid for u in users_list.sync(client=client, username=member_name))
(role,) = (str(r.uuid) for r in roles_list.sync(client=client, name=role_name))

first, second = list_organisations.sync(
    client=client, o=[models.CallManagingOrganisationOEnum("-customer_name")], page=1, page_size=2)
assert first.customer_name > second.customer_name

created = create.sync(
    client=client, body=models.CallManagingOrganisationRequest(customer=customer, description="created"))
assert created.description == "created" and created.image is None
assert retrieve.sync(created.uuid, client=client) == created


def change(**fields):
    return partial_update.sync(
        created.uuid, client=client, body=models.PatchedCallManagingOrganisationRequest(**fields))


assert change(description="changed").description == "changed"
upload(created.uuid, authorization)
cleared = change(image=None)
assert cleared.image is None and cleared.description == "changed"

added = add_user.sync(created.uuid, client=client, body=models.UserRoleCreateRequest(role=role, user=user))
assert added.expiration_time is None
(member,) = list_users.sync(created.uuid, client=client)
assert member.user_uuid == user
delete_user.sync_detailed(created.uuid, client=client, body=models.UserRoleDeleteRequest(role=role, user=user))

destroy.sync_detailed(created.uuid, client=client)
