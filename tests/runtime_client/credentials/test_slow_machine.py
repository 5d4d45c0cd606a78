"""Keys from an agent of this machine, where all loads slowly: its time is not used up by our loading."""

import subprocess
import sys
import time

import pytest

from tests.runtime_client.credentials.fakes import IMDS, Container
from tests.runtime_client.loopback import Loopback

# The clock goes on by ten seconds with each module that is looked for.
SLOW = """
import asyncio, sys, time
right, late = time.monotonic, 0.0
time.monotonic = lambda: right() + late

class Slow:
    def find_spec(name, *_):
        global late
        late += 10.0

from sagemaker_runtime_client import default_chain
sys.meta_path.insert(0, Slow)
"""
FACES = {
    "blocking": "print(default_chain().get().access_key_id)",
    "async": "print(asyncio.run(default_chain().aget()).access_key_id)",
}
AGENTS = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": (Container, ["GET"]),
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": (IMDS, ["PUT", "GET", "GET"]),
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("variable", AGENTS)
def test_slow_machine(face, variable, tmp_path):
    """An agent that takes its time, but not too long, is asked but once."""
    kind, methods = AGENTS[variable]
    agent = kind()

    def answer(*request):
        time.sleep(0.05)
        return agent(*request)

    with Loopback(answer) as server:
        environ = {variable: server.url, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", SLOW + FACES[face]],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.startswith("ASIA")
    assert [request.method for request in server.requests] == methods
