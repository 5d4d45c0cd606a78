"""An emulator, and every way to drive a client at it."""

import os
import socket
from contextlib import ExitStack
from functools import partial

import pytest

from sagemaker_runtime_client._io import system
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client import pools
from tests.runtime_client.clients import KINDS, PLAIN_KINDS, Driver
from tests.runtime_client.loopback import certify

# What would point a client elsewhere.
_IN_THE_WAY = (
    "SAGEMAKER_RUNTIME_",
    *("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_", "REQUESTS_CA_BUNDLE"),
)


@pytest.fixture
def bare_environment(monkeypatch):
    """Take out of the environment whatever a client looks at, and return the monkeypatch."""
    for name in list(os.environ):
        if name.upper().startswith(_IN_THE_WAY):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def home(tmp_path, bare_environment):
    """Return a user's folder without a profile, in an environment that names nothing of AWS."""
    bare_environment.setenv("HOME", str(tmp_path))
    bare_environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / ".aws").mkdir()
    return tmp_path


@pytest.fixture
def shortest_pauses(monkeypatch):
    """Load the dice of the backoff: every pause is as short as jitter can make it."""
    monkeypatch.setattr(system.System, "random", lambda *_: 0.0)


@pytest.fixture
def emulator(bare_environment):  # noqa: ARG001 (the environment is emptied before)
    """An emulator whose model answers in capitals."""
    with Emulator(model=lambda request: request.body.upper()) as emulator:
        yield emulator


@pytest.fixture(params=[pytest.param(kind, id=name) for name, kind in KINDS.items()])
def driver(request):
    """Each way to drive a client, brought-in HTTP clients among them."""
    with ExitStack() as stack:
        yield Driver(request.param, stack)


@pytest.fixture(params=[pytest.param(kind, id=name) for name, kind in PLAIN_KINDS.items()])
def plain_driver(request):
    """Each way to drive a client with HTTP clients of its own: blocking, asyncio, trio."""
    with ExitStack() as stack:
        yield Driver(request.param, stack)


@pytest.fixture(params=pools.KINDS.values(), ids=pools.KINDS)
def make(request):
    """Make a client over a pool, of each kind."""
    with ExitStack() as stack:
        yield partial(request.param, stack)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate's path, and the TLS settings of a server that has it."""
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def all_names_here(monkeypatch):
    """Let every name lead to 127.0.0.1."""
    found = socket.getaddrinfo

    def here(_host, *arguments, **options):
        return found("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
