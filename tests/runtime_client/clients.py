"""Drivers for every kind of client, so that each scenario is written once, with blocking calls.

An async client runs in an event loop in another thread, through an anyio portal.  A blocking client
runs in the thread of the test or, if it is of the kind "blocking in a loop", inside a running event
loop.
"""

from functools import partial
from importlib import import_module

import pytest
import uvloop  # noqa: F401 (which keeps the class of sockets, so it comes before a test's own)
from anyio.from_thread import start_blocking_portal
from attrs import frozen

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sagemaker_runtime_client._io.run import run
from sigv4 import Credentials

CREDENTIALS = Credentials(
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "TOKEN/example="
)
REGION = "eu-west-1"

# On trio, if a test or a user's hook uses httpx itself and does not read a response completely, httpx
# leaves the generators of its body to the garbage collector, and Python issues a warning.
unread_body = pytest.mark.filterwarnings(
    "ignore:Exception ignored (in.|while finalizing generator) <async_generator object"
    ":pytest.PytestUnraisableExceptionWarning"
)


# Maps the name of an event loop to the anyio arguments that select it.
LOOPS = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}
each_loop = pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)


@frozen
class Kind:
    """A kind of client, and the event loop in which it runs.

    Attributes:
        is_async: Whether the client is async.
        backend: The event loop, as a key of `LOOPS`, or None if there is no event loop.
        library: The library of the user-supplied HTTP client, or None for the built-in pool.
    """

    is_async: bool
    backend: str | None = None
    library: str | None = None

    @property
    def client_class(self):
        return AsyncSageMakerRuntimeClient if self.is_async else SageMakerRuntimeClient


PLAIN_KINDS = {
    "blocking": Kind(False),
    "asyncio": Kind(True, "asyncio"),
    "asyncio on uvloop": Kind(True, "uvloop"),
    "trio": Kind(True, "trio"),
}
KINDS = {
    **PLAIN_KINDS,
    "blocking in a loop": Kind(False, "asyncio"),
    "httpx": Kind(False, None, "httpx"),
    "httpx2": Kind(False, None, "httpx2"),
    "httpx on asyncio": Kind(True, "asyncio", "httpx"),
    "httpx on trio": Kind(True, "trio", "httpx"),
    "httpx2 on asyncio": Kind(True, "asyncio", "httpx2"),
    "httpx2 on trio": Kind(True, "trio", "httpx2"),
}


class Driver:
    """Makes clients of one kind, and calls their methods in the right thread or event loop."""

    def __init__(self, kind, stack):
        self.kind = kind
        self._stack = stack
        self._portal = None
        if kind.backend is not None:
            self._portal = stack.enter_context(start_blocking_portal(**LOOPS[kind.backend]))

    def call(self, function, *args, **kwargs):
        """Call *function* and return its result; await the result if it is a coroutine function."""
        if self._portal is None:
            return function(*args, **kwargs)
        return self._portal.call(partial(function, *args, **kwargs))

    def client(self, **options):
        """Return a client whose methods can be called like those of a blocking client.

        The client is closed after the test.
        """
        if self.kind.library is not None and "http_client" not in options:
            options["http_client"] = self.http_client(self.kind.library, trust_env=False)
        client = self.kind.client_class(**options)
        close = client.aclose if self.kind.is_async else client.close
        self._stack.callback(self.call, close)
        return Driven(self, client)

    def http_client(self, library, **options):
        """Return an httpx or httpx2 client for this kind.

        The HTTP client is closed after the test.
        """
        httpx = import_module(library)
        options = {"verify": False, **options}
        if self.kind.is_async:
            client = httpx.AsyncClient(**options)
            self._stack.callback(self.call, client.aclose)
        else:
            client = httpx.Client(**options)
            self._stack.callback(client.close)
        return client


class Driven:
    """A client whose methods are called through a driver."""

    def __init__(self, driver, client):
        self.driver = driver
        self.itself = client

    def __getattr__(self, name):
        return partial(self.driver.call, getattr(self.itself, name))

    def send(self, origin, request, deadline=None):
        """Send a request through the client's transport, without a signature and without retries."""
        arguments = origin, lambda: request, deadline
        if self.driver.kind.is_async:
            return self.driver.call(self._send, *arguments)
        return run(self._send(*arguments))

    async def _send(self, *arguments):
        session = await self.itself._core._session()
        return await session.transport.send(*arguments)


def get_transport(client):
    """Return the transport of a client that has been used."""
    return client._core._session.value.transport


def opened(client):
    """Return how many senders a client has open, in all its event loops together."""
    return sum(len(senders._opened) for senders in get_transport(client).senders._made.values())


def settings(emulator, **changes):
    """Return the arguments that point a client at an emulator."""
    return {
        "region": emulator.region,
        "credentials": emulator.credentials,
        "endpoint_url": emulator.url,
        "router_endpoint_url": emulator.url,
        "s3_endpoint_url": emulator.url,
        **changes,
    }


def pointed_at(server, **changes):
    """Return the arguments that point a client at a raw server."""
    return {
        "region": REGION,
        "credentials": CREDENTIALS,
        "endpoint_url": server and server.url,
        "s3_endpoint_url": server and server.url,
        "max_attempts": 1,
        **changes,
    }


def often(_elapsed):
    """Return the pause between two polls of S3, which is short so that tests run fast."""
    return 0.005
