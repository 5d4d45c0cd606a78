"""Test reading the body of an open response into a buffer, with every kind of client."""

import pytest

from sagemaker_runtime_client import Request, TransportError
from sagemaker_runtime_client._io.run import run
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.loopback import Loopback, always

BODY = bytes(range(256)) * 1500


def collect(driver, server, size, deadline=None):
    """Read a response from *server* through a buffer of *size* bytes, and return its body."""
    client = driver.client(**pointed_at(server)).itself

    async def read():
        session = await client._core._session()
        opened = await session.transport.open(
            server.url, lambda: Request("GET", "/"), deadline, connect_timeout=None, read_timeout=9
        )
        try:
            buffer, found = memoryview(bytearray(size)), []
            while count := await opened.read_into(buffer):
                found.append(bytes(buffer[:count]))
            return found
        finally:
            await opened.aclose()

    return driver.call(read) if driver.kind.is_async else run(read())


@pytest.mark.parametrize("size", [1000, 1 << 18])
def test_body(driver, size):
    """The complete body is read with a buffer of any size."""
    with Loopback(always(BODY)) as server:
        assert b"".join(collect(driver, server, size)) == BODY


def test_full_buffers(plain_driver):
    """Every read fills the buffer, except at the end of the data received with the head, and at the
    end.
    """
    with Loopback(always(BODY)) as server:
        found = collect(plain_driver, server, 10_000)
    assert sum(len(piece) < 10_000 for piece in found) <= 2


def test_deadline(plain_driver):
    """Reading after the deadline raises an error."""
    with (
        Loopback(always(BODY)) as server,
        pytest.raises(TransportError),
    ):
        collect(plain_driver, server, 1000, deadline=0.0)
