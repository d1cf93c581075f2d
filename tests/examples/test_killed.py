"""A run of tests that is killed."""

import os
import signal
from pathlib import Path


def test_killed(server, running_server):
    Path(os.environ["PID_FILE"]).write_text(str(running_server[1].pid))
    os.kill(os.getpid(), signal.SIGKILL)
