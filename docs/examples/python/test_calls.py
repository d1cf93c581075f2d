from datetime import datetime, timezone
from http import HTTPStatus

import pytest
from waldur_api_client.api.call_managing_organisations import (
    call_managing_organisations_add_user as add_user,
    call_managing_organisations_create as create,
    call_managing_organisations_destroy as destroy,
    call_managing_organisations_list as list_organisations,
    call_managing_organisations_list_users_list as list_users,
    call_managing_organisations_partial_update as partial_update,
    call_managing_organisations_retrieve as retrieve,
    call_managing_organisations_stats_retrieve as stats,
)
from waldur_api_client.client import AuthenticatedClient
from waldur_api_client.errors import UnexpectedStatus
from waldur_api_client.models.call_managing_organisation_request import CallManagingOrganisationRequest
from waldur_api_client.models.patched_call_managing_organisation_request import PatchedCallManagingOrganisationRequest
from waldur_api_client.models.user_role_create_request import UserRoleCreateRequest

TARTU = "0c000000-0000-4000-8000-000000000001"
BOB = "e0000000-0000-4000-8000-000000000002"


@pytest.fixture
def alice(server):
    return AuthenticatedClient(base_url=server.url, token="token-of-alice")


@pytest.fixture
def zagreb(server):
    customer = f"{server.url}/api/customers/c0000000-0000-4000-8000-000000000002/"
    return CallManagingOrganisationRequest(customer=customer, description="Calls of Zagreb")


def test_the_world_is_there(alice):
    assert [o.description for o in list_organisations.sync(client=alice)] == ["Calls of Tartu"]


def test_create(alice, zagreb):
    made = create.sync(client=alice, body=zagreb)
    assert retrieve.sync(uuid=made.uuid, client=alice).customer_name == "University of Zagreb"


def test_the_last_test_left_nothing(alice, zagreb):
    create.sync(client=alice, body=zagreb)  # a second organisation of this customer would be refused
    assert len(list_organisations.sync(client=alice)) == 2


def test_partial_update(alice):
    change = PatchedCallManagingOrganisationRequest(description="Other calls")
    assert partial_update.sync(uuid=TARTU, client=alice, body=change).description == "Other calls"


def test_destroy_of_an_organisation_with_calls(alice):
    with pytest.raises(UnexpectedStatus) as refused:
        destroy.sync_detailed(uuid=TARTU, client=alice)
    assert refused.value.status_code == HTTPStatus.BAD_REQUEST


def test_without_rights(server):
    bob = AuthenticatedClient(base_url=server.url, token="token-of-bob")
    with pytest.raises(UnexpectedStatus) as refused:
        partial_update.sync(uuid=TARTU, client=bob, body=PatchedCallManagingOrganisationRequest())
    assert refused.value.status_code == HTTPStatus.FORBIDDEN


def test_a_role_ends(server, alice):
    until = datetime(2027, 2, 1, tzinfo=timezone.utc)  # the clock stands at the end of January
    grant = UserRoleCreateRequest(role="CUSTOMER.CALL_ORGANIZER", user=BOB, expiration_time=until)
    add_user.sync(uuid=TARTU, client=alice, body=grant)
    assert [u.user_username for u in list_users.sync(uuid=TARTU, client=alice)] == ["bob"]
    server.advance("25h")
    assert list_users.sync(uuid=TARTU, client=alice) == []


def test_a_round_closes(server, alice):
    assert stats.sync(uuid=TARTU, client=alice).rounds_closing_in_one_week == 1
    server.set_time("2027-02-02T00:00:00Z")
    assert stats.sync(uuid=TARTU, client=alice).rounds_closing_in_one_week == 0


def test_a_fault_that_passes(server, alice):
    server.fail("call_managing_organisations_list", 503, times=2)
    for _ in range(2):
        with pytest.raises(UnexpectedStatus) as refused:
            list_organisations.sync(client=alice)
        assert refused.value.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(list_organisations.sync(client=alice)) == 1


def test_what_was_sent(server, alice):
    change = PatchedCallManagingOrganisationRequest(description="Other calls")
    partial_update.sync(uuid=TARTU, client=alice, body=change)
    sent = [(r["operationId"], r["status"], r["validation"], r["body"]) for r in server.requests()]
    assert sent == [("call_managing_organisations_partial_update", 200, "valid", '{"description":"Other calls"}')]
