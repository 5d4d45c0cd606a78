"""Test that calls continue if their client is closed meanwhile, and that no connection stays open."""

import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import anyio
import pytest

from sagemaker_runtime_client import Invocation
from sagemaker_runtime_client._io import senders as module
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.pool.pool import Pool
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.senders import Senders
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.loopback import Loopback, response
from tests.runtime_client.pools import counts, state

PATIENCE = 10
NO_SUCH_KEY = response(b"<Error><Code>NoSuchKey</Code></Error>", 404)


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


@pytest.fixture
def pools(monkeypatch):
    """A list to which each newly created connection pool is added."""
    made = []
    original = Pool.__init__

    def noting(self, *arguments):
        original(self, *arguments)
        made.append(self)

    monkeypatch.setattr(Pool, "__init__", noting)
    return made


class Closing:
    """A wrapper whose `close` and `aclose` close a client and then set an event."""

    def __init__(self, client, closed):
        self._client, self._closed = client, closed

    def close(self):
        self._client.close()
        self._closed.set()

    async def aclose(self):
        await self._client.aclose()
        self._closed.set()


def during(driver, client, call, is_under_way):
    """Start a call, close the client as soon as *is_under_way* returns true, and return the result
    of the call.
    """
    if not driver.kind.is_async:
        with ThreadPoolExecutor(1) as threads:
            result = threads.submit(call)
            while not is_under_way():
                Event().wait(0.001)
            client.close()
            return result.result()

    async def main():
        found = []

        async def note():
            found.append(await call())

        async with anyio.create_task_group() as group:
            group.start_soon(note)
            while not is_under_way():
                await anyio.lowlevel.checkpoint()
            await client.aclose()
        return found[0]

    return driver.call(main)


def test_wait_that_sleeps(plain_driver, pools):
    """If the client is closed while `wait` sleeps between polls, `wait` still returns the output,
    and keeps no connection open.
    """
    closed, slept = Event(), Event()

    def schedule(_elapsed):
        slept.set()
        return 0.001

    def respond(_request, _connection):
        return response(b"output") if closed.is_set() else NO_SUCH_KEY

    with Loopback(respond) as server:
        client = plain_driver.client(**pointed_at(server)).itself

        def call():
            return client.wait(Invocation("id", "s3://b/out"), timeout=PATIENCE, schedule=schedule)

        output = during(plain_driver, Closing(client, closed), call, slept.is_set)
        gc.collect()  # makes Python warn about sockets that were not closed
    assert output.body == b"output"
    assert [counts(one) for one in pools] == [(0, 0, 0, 0)] * len(pools)


def test_call_in_the_queue(plain_driver, pools):
    """If the client is closed while a call waits for a connection, the call still gets a
    connection, which is closed after the request.
    """
    closed = Event()

    def respond(_request, _connection):
        assert closed.wait(PATIENCE)
        return response(b"object")

    with Loopback(respond) as server, ExitStack() as stack:
        client = plain_driver.client(**pointed_at(server, max_connections=1)).itself

        def get():
            return client.get_object("s3://b/key")

        async def get_two():
            found = []

            async def note():
                found.append(await get())

            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(note)
            return found

        def get_two_in_threads():
            threads = stack.enter_context(ThreadPoolExecutor(2))
            return [one.result() for one in [threads.submit(get) for _ in range(2)]]

        call = get_two if plain_driver.kind.is_async else get_two_in_threads
        found = during(
            plain_driver,
            Closing(client, closed),
            call,
            lambda: pools and counts(pools[0])[:2] == (1, 1),
        )
        gc.collect()
    assert [one.body for one in found] == [b"object"] * 2
    assert [counts(one) for one in pools] == [(0, 0, 0, 0)] * len(pools)


def test_used_again(plain_driver, pools):
    """A closed client can be used again, but it opens a new connection for each request."""
    with Loopback(lambda *_: response(b"object")) as server:
        client = plain_driver.client(**pointed_at(server))
        close = client.aclose if plain_driver.kind.is_async else client.close
        for _ in range(2):
            assert client.get_object("s3://b/key").body == b"object"
        close()
        for _ in range(2):
            assert client.get_object("s3://b/key").body == b"object"
        assert [counts(one) for one in pools] == [(0, 0, 0, 0)] * 2
    assert [one.connection for one in server.requests] == [0, 0, 1, 2]


def test_used_again_through_a_proxy(plain_driver, bare_environment):
    """A closed client that sends its requests through a proxy can be used again, but it keeps no
    idle connections.
    """
    with Loopback(lambda *_: response(b"object")) as proxy:
        bare_environment.setenv("HTTP_PROXY", proxy.url)
        client = plain_driver.client(**pointed_at(None, s3_endpoint_url="http://s3.example"))
        close = client.aclose if plain_driver.kind.is_async else client.close
        assert client.get_object("s3://b/key").body == b"object"
        close()
        assert client.get_object("s3://b/key").body == b"object"
        gc.collect()
    assert [one.connection for one in proxy.requests] == [0, 1]


def test_closed_while_a_pool_is_made(monkeypatch):
    """If another thread closes the client while its pool is being created, the pool keeps no idle
    connections.
    """
    senders = Senders(sync_backend(), None, max_connections=1, ca_bundle=None)
    original = Pool.__init__

    def closing(self, *arguments):
        senders.close()
        original(self, *arguments)

    monkeypatch.setattr(Pool, "__init__", closing)
    pool = run(senders.get("http://x", direct=True))
    assert state(pool)._max_idle == 0


def test_closed_while_a_proxied_client_is_made(bare_environment, monkeypatch):
    """If another thread closes the client while its httpx client for a proxy is being created,
    another httpx client is created, which keeps no idle connections.
    """
    bare_environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    senders = Senders(sync_backend(), None, max_connections=1, ca_bundle=None)
    idle = []
    original = module.make_proxied_client

    def closing(*arguments, max_idle, **keywords):
        senders.close()
        idle.append(max_idle)
        return original(*arguments, max_idle=max_idle, **keywords)

    monkeypatch.setattr(module, "make_proxied_client", closing)
    sender = run(senders.get("http://x", direct=False))
    assert idle == [1, 0]
    run(sender.aclose())
