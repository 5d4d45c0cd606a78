"""Test reading an object as a stream, with every kind of client."""

import pytest

from sagemaker_runtime_client import (
    ChecksumError,
    LocationNotAllowedError,
    ObjectReplacedError,
    ParamValidationError,
    RuntimeClientError,
)
from tests.runtime_client.clients import get_transport, pointed_at
from tests.runtime_client.s3.downloads import faults
from tests.runtime_client.s3.downloads.object_server import (
    PART,
    ObjectServer,
    content,
    crc32,
    sha256,
)

LOCATION = "s3://bucket/key"
BODY = content(10 * PART)


def read(driver, server, use, use_async=None, **settings):
    """Open the object, call *use* with its body, and return the result.

    If the client is async, await *use_async* instead.
    """
    client = driver.client(**pointed_at(server, **settings)).itself

    def main():
        with client.open(LOCATION) as body:
            return use(body)

    async def main_async():
        async with client.open(LOCATION) as body:
            return await use_async(body)

    return driver.call(main_async if driver.kind.is_async else main)


def whole(body):
    """Return the whole body, and the algorithm that verified it."""
    return body.read(), body.verified


async def whole_async(body):
    """Return the whole async body, and the algorithm that verified it."""
    return await body.read(), body.verified


@pytest.mark.parametrize("checksum", [crc32, sha256, lambda _: {}], ids=["CRC32", "SHA256", "none"])
@pytest.mark.parametrize("size", [0, 1, len(BODY)])
def test_read(driver, size, checksum):
    """`read` returns the whole body after one request, and the body is verified."""
    with ObjectServer(BODY[:size], checksum) as server:
        found = read(driver, server, whole, whole_async)
    algorithm = {crc32: "CRC32", sha256: "SHA256"}.get(checksum)
    assert found == (BODY[:size], algorithm)
    assert server.ranges == [None]


def test_pieces(driver):
    """Iterating over a body yields pieces of at most 256 KiB."""

    def use(body):
        return list(body), body.verified, body.description, repr(body)

    async def use_async(body):
        return [piece async for piece in body], body.verified, body.description, repr(body)

    with ObjectServer(BODY) as server:
        pieces, verified, description, shown = read(driver, server, use, use_async)
    assert (b"".join(pieces), verified) == (BODY, "CRC32")
    assert max(map(len, pieces)) <= 256 << 10
    assert (description.size, description.etag) == (len(BODY), server.etag)
    assert "size=655360" in shown


def test_read_sizes(plain_driver):
    """`read` returns as many bytes as requested, and fewer only at the end."""

    def use(body):
        return [body.read(size) for size in (0, 3, 300_000, 10**9, 1)]

    async def use_async(body):
        return [await body.read(size) for size in (0, 3, 300_000, 10**9, 1)]

    with ObjectServer(BODY) as server:
        found = read(plain_driver, server, use, use_async)
    assert found == [b"", BODY[:3], BODY[3:300_003], BODY[300_003:], b""]


def test_readinto(plain_driver):
    """`readinto` fills a buffer with any item type, and returns 0 at the end."""
    buffer = bytearray(len(BODY))

    def use(body):
        view, position = memoryview(buffer), 0
        while count := body.readinto(view[position:]):
            position += count
        return position, body.verified

    async def use_async(body):
        view, position = memoryview(buffer), 0
        while count := await body.readinto(view[position:]):
            position += count
        return position, body.verified

    with ObjectServer(BODY) as server:
        assert read(plain_driver, server, use, use_async) == (len(BODY), "CRC32")
    assert buffer == BODY


@pytest.mark.parametrize("fault", [faults.cut, faults.stall, faults.cut_at_once])
def test_cut(plain_driver, fault, shortest_pauses):  # noqa: ARG001
    """If the connection is cut, the rest is requested, and the whole body is verified."""
    with ObjectServer(BODY, faults={0: fault}) as server:
        found = read(plain_driver, server, whole, whole_async, read_timeout=0.5, max_attempts=2)
    assert found == (BODY, "CRC32")
    assert len(server.requests) == 2


def test_replaced(plain_driver):
    """If the connection is cut, and the object is then replaced, an error is raised."""
    with (
        ObjectServer(BODY, faults={0: faults.cut}, replaced_at=1) as server,
        pytest.raises(ObjectReplacedError),
    ):
        read(plain_driver, server, whole, whole_async)


@pytest.mark.parametrize("body", [BODY, b""])
def test_damaged(plain_driver, body):
    """If the body does not match its checksum, the call that reads its last bytes raises an error."""
    with (
        ObjectServer(body, lambda _: crc32(b"other")) as server,
        pytest.raises(ChecksumError),
    ):
        read(plain_driver, server, whole, whole_async)


def test_leaving_early(plain_driver):
    """If the `with` block ends before the body was read, the connection is released."""

    def use(body):
        return body.read(3)

    async def use_async(body):
        return await body.read(3)

    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server, max_connections=1)).itself

        def main():
            for _ in range(3):
                with client.open(LOCATION) as body:
                    assert use(body) == BODY[:3]
            return client.get_object(LOCATION).body

        async def main_async():
            for _ in range(3):
                async with client.open(LOCATION) as body:
                    assert await use_async(body) == BODY[:3]
            return (await client.get_object(LOCATION)).body

        is_async = plain_driver.kind.is_async
        assert plain_driver.call(main_async if is_async else main) == BODY
        assert get_transport(client) is not None


def test_entered_twice(plain_driver):
    """The context manager that `open` returns can be entered only once."""
    with ObjectServer(b"") as server:
        client = plain_driver.client(**pointed_at(server)).itself
        context = client.open(LOCATION)

        def main():
            for _ in range(2):
                with context:
                    pass

        async def main_async():
            for _ in range(2):
                async with context:
                    pass

        with pytest.raises(RuntimeClientError, match="can be entered once"):
            plain_driver.call(main_async if plain_driver.kind.is_async else main)


def test_errors(plain_driver):
    """`open` rejects invalid arguments; a location that is not allowed is rejected on entry."""
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server)).itself
        with pytest.raises(ParamValidationError):
            client.open("bucket/key")
        with pytest.raises(ParamValidationError):
            client.open(LOCATION, timeout=-1)
        with pytest.raises(LocationNotAllowedError):
            read(plain_driver, server, whole, whole_async, allowed_locations=["s3://other"])
    assert server.requests == []


def test_switched_off(plain_driver):
    """With response_checksum_validation="when_required", the body is not verified."""
    with ObjectServer(BODY, lambda _: crc32(b"other")) as server:
        found = read(
            plain_driver,
            server,
            whole,
            whole_async,
            response_checksum_validation="when_required",
        )
    assert found == (BODY, None)
