"""One server for the whole run of tests. Each test that asks for it finds the world of world.yaml."""

import subprocess
from pathlib import Path

import httpx
import pytest

WORLD = Path(__file__).parent.parent / "world.yaml"


class Server:
    """The server under test and what controls it, under /sandbox/."""

    def __init__(self, url):
        self.url = url
        self.control = httpx.Client(base_url=f"{url}/sandbox/")

    def ask(self, method, path, body=None):
        answer = self.control.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def reset(self):
        self.ask("POST", "reset/")
        self.ask("DELETE", "requests/")

    def set_time(self, now):
        self.ask("PUT", "clock/", {"now": now, "speed": 0})

    def advance(self, by):
        self.ask("POST", "clock/advance/", {"by": by})

    def fail(self, operation, code, times):
        self.ask("PUT", "faults/", [{"operation": operation, "code": code, "times": times}])

    def requests(self):
        return self.ask("GET", "requests/").json()


@pytest.fixture(scope="session")
def running_server(tmp_path_factory):
    log_path = tmp_path_factory.mktemp("opencalls") / "log"
    command = ["opencalls", "serve", "--sandbox", "--sandbox-clock", "2027-01-31T00:00:00Z",
               "--import", str(WORLD), "--listen", "127.0.0.1:0", "--until-stdin-ends"]
    with open(log_path, "w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    # Leaving this block closes the server's standard input. So does the end of this process, even by
    # SIGKILL. That ends the server.
    with process:
        first_line = process.stdout.readline()  # it comes once the server is ready
        if not first_line.startswith("listening on "):
            pytest.exit(f"opencalls did not start: {log_path.read_text()}", returncode=1)
        yield Server(first_line.removeprefix("listening on ").strip()), process, log_path


@pytest.fixture
def server(running_server):
    server, process, log_path = running_server
    if process.poll() is not None:
        pytest.exit(f"opencalls ended with {process.returncode}: {log_path.read_text()}", returncode=1)
    server.reset()
    return server
