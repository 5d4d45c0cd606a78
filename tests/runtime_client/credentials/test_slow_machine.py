"""Test that slow imports do not use up the time limit for a local agent's response."""

import subprocess
import sys
import time

import pytest

from tests.runtime_client.credentials.fakes import IMDS, Container
from tests.runtime_client.loopback import Loopback

# Each import moves the clock forward by ten seconds.
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
CLIENTS = {
    "blocking": "print(default_chain().get().access_key_id)",
    "async": "print(asyncio.run(default_chain().aget()).access_key_id)",
}
AGENTS = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": (Container, ["GET"]),
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": (IMDS, ["PUT", "GET", "GET"]),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("variable", AGENTS)
def test_slow_machine(client, variable, tmp_path):
    """Although each import takes ten seconds, a local agent receives each request only once."""
    kind, methods = AGENTS[variable]
    agent = kind()

    def respond(*request):
        time.sleep(0.05)
        return agent(*request)

    with Loopback(respond) as server:
        environ = {variable: server.url, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", SLOW + CLIENTS[client]],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.startswith("ASIA")
    assert [request.method for request in server.requests] == methods
