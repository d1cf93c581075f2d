"""A suite of 500 tests on the demo world, to see what a fresh world for each of them costs.

It speaks plain HTTP: to import the official client takes five seconds.
"""

import subprocess
import time

import httpx
import pytest

TESTS = 500
ORGANISATIONS = "/api/call-managing-organisations/"
CUSTOMER = "/api/customers/c0000000-0000-4000-8000-000000000016/"  # it has no organisation


@pytest.fixture(scope="module")
def resets():
    """How long each reset took, in milliseconds."""
    times = []
    begin = time.monotonic()
    yield times
    whole, reset = time.monotonic() - begin, sum(times) / len(times)
    print(f"\n{len(times)} tests in {whole:.1f} s; a reset takes {reset:.2f} ms, {max(times):.2f} ms at most")
    assert len(times) == TESTS and reset < 3 and whole < 10


@pytest.fixture(scope="module")
def api(resets):
    command = ["opencalls", "serve", "--sandbox", "--demo", "--listen", "127.0.0.1:0", "--until-stdin-ends"]
    with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        url = server.stdout.readline().removeprefix("listening on ").strip()
        with httpx.Client(base_url=url, headers={"Authorization": "Token YOUR_API_TOKEN"}) as client:
            yield client


@pytest.mark.parametrize("_", range(TESTS))
def test_one(api, resets, _):
    begin = time.monotonic()
    assert api.post("/sandbox/reset/").status_code == 204
    resets.append(1000 * (time.monotonic() - begin))
    made = api.post(ORGANISATIONS, json={"customer": f"{api.base_url}{CUSTOMER}"})
    assert made.status_code == 201
    path = f"{ORGANISATIONS}{made.json()['uuid']}/"
    assert api.patch(path, json={"description": "changed"}).json()["description"] == "changed"
    assert api.get(f"{path}list_users/").json() == []
    assert api.delete(path).status_code == 204
