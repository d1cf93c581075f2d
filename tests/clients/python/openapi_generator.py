"""The ten steps with openapi-generator's Python client."""
import openapi_generator_client as calls
from setting import authorization, customer, role, upload, url, user

configuration = calls.Configuration(host=url, api_key={"tokenAuth": authorization})
with calls.ApiClient(configuration) as client:
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
    upload(created.uuid)
    cleared = change(image=None)
    assert cleared.image is None and cleared.description == "changed"

    api.call_managing_organisations_add_user(created.uuid, calls.UserRoleCreateRequest(role=role, user=user))
    (member,) = api.call_managing_organisations_list_users_list(created.uuid)
    assert str(member.user_uuid) == user and member.expiration_time is None
    api.call_managing_organisations_delete_user(created.uuid, calls.UserRoleDeleteRequest(role=role, user=user))

    api.call_managing_organisations_destroy(created.uuid)
