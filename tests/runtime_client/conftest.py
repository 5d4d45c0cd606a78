"""Fixtures: an emulator, and a driver for every kind of client."""

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

# Prefixes of the environment variables that a client reads.
_CONFLICTING = (
    "SAGEMAKER_RUNTIME_",
    *("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_", "REQUESTS_CA_BUNDLE"),
)


@pytest.fixture
def bare_environment(monkeypatch):
    """Remove from the environment every variable that a client reads, and return `monkeypatch`."""
    for name in list(os.environ):
        if name.upper().startswith(_CONFLICTING):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def home(tmp_path, bare_environment):
    """Return a new home directory with an empty ``.aws`` folder; the environment has no other
    settings.
    """
    bare_environment.setenv("HOME", str(tmp_path))
    bare_environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / ".aws").mkdir()
    return tmp_path


@pytest.fixture
def shortest_pauses(monkeypatch):
    """Make every backoff pause as short as its random jitter allows."""
    monkeypatch.setattr(system.System, "random", lambda *_: 0.0)


@pytest.fixture
def emulator(bare_environment):  # noqa: ARG001 (the environment is emptied before)
    """An emulator whose model returns the payload in upper case."""
    with Emulator(model=lambda request: request.body.upper()) as emulator:
        yield emulator


@pytest.fixture(params=[pytest.param(kind, id=name) for name, kind in KINDS.items()])
def driver(request):
    """A driver for each kind of client, including those with a user-supplied HTTP client."""
    with ExitStack() as stack:
        yield Driver(request.param, stack)


@pytest.fixture(params=[pytest.param(kind, id=name) for name, kind in PLAIN_KINDS.items()])
def plain_driver(request):
    """A driver for each kind of client with the built-in pool: blocking, asyncio, uvloop and trio."""
    with ExitStack() as stack:
        yield Driver(request.param, stack)


@pytest.fixture(params=pools.KINDS.values(), ids=pools.KINDS)
def make(request):
    """A function that creates an HTTP client over a connection pool; one for each kind of pool."""
    with ExitStack() as stack:
        yield partial(request.param, stack)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The path of a self-signed certificate, and the TLS context of a server that uses it."""
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def all_names_here(monkeypatch):
    """Resolve every host name to 127.0.0.1."""
    found = socket.getaddrinfo

    def here(_host, *arguments, **options):
        return found("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
