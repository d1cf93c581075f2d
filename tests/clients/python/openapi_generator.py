"""The steps with openapi-generator's Python client."""
import openapi_generator_client as calls
from setting import customer_name, member_name, password, role_name, upload, url, username

configuration = calls.Configuration(host=url)
with calls.ApiClient(configuration) as client:
    credentials = calls.ObtainAuthTokenRequest(username=username, password=password)
    authorization = f"Token {calls.ApiAuthApi(client).api_auth_password(credentials).token}"
    configuration.api_key["tokenAuth"] = authorization
    (customer,) = (c.url for c in calls.CustomersApi(client).customers_list(name_exact=customer_name))
    (user,) = (str(u.uuid) for u in calls.UsersApi(client).users_list(username=member_name))
    (role,) = (str(r.uuid) for r in calls.RolesApi(client).roles_list(name=role_name))

    api = calls.CallManagingOrganisationsApi(client)

    first, second = api.call_managing_organisations_list(
        o=[calls.CallManagingOrganisationOEnum.MINUS_CUSTOMER_NAME], page=1, page_size=2)
    assert first.customer_name > second.customer_name

    created = api.call_managing_organisations_create(
        calls.CallManagingOrganisationRequest(customer=customer, description="created"))
    assert created.description == "created" and created.image is None
    assert api.call_managing_organisations_retrieve(created.uuid) == created

    def change(**fields):
        return api.call_managing_organisations_partial_update(
            created.uuid, calls.PatchedCallManagingOrganisationRequest(**fields))

    assert change(description="changed").description == "changed"
    upload(created.uuid, authorization)
    cleared = change(image=None)
    assert cleared.image is None and cleared.description == "changed"

    api.call_managing_organisations_add_user(created.uuid, calls.UserRoleCreateRequest(role=role, user=user))
    (member,) = api.call_managing_organisations_list_users_list(created.uuid)
    assert str(member.user_uuid) == user and member.expiration_time is None
    api.call_managing_organisations_delete_user(created.uuid, calls.UserRoleDeleteRequest(role=role, user=user))

    api.call_managing_organisations_destroy(created.uuid)
