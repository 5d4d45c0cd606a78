"""Test reading bodies into the caller's buffer: directly if their length is known, otherwise
through h11.
"""

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io.run import run
from tests.runtime_client.clients import LOOPS
from tests.runtime_client.loopback import Loopback, always
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PooledTransport, async_pool, counts

HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = HEAD + b"Content-Length: 9\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\n"
BODY = bytes(range(256)) * 4096


def sent(pool, url, method="GET"):
    """Send a request through a pool for threads, and return the response stream."""
    request = httpx.Request(method, url, extensions={"timeout": {"read": 10}})
    return run(pool.handle_async_request(request)).stream


async def collected(stream, size):
    """Read a body through a buffer of *size* bytes, close the stream, and return the body."""
    buffer, found = bytearray(size), []
    while read := await stream.read_into(memoryview(buffer)):
        found.append(bytes(buffer[:read]))
    assert await stream.read_into(memoryview(buffer)) == 0
    await stream.aclose()
    assert await stream.read_into(memoryview(buffer)) == 0
    return b"".join(found)


@pytest.mark.parametrize("size", [1 << 10, 1 << 18, 1 << 21])
class TestSockets:
    def test_threads(self, size):
        """With threads, buffers of any size receive the complete body, and the connection is used
        again.
        """
        with Loopback(always(BODY)) as server, PooledTransport() as transport:
            for _ in range(3):
                assert run(collected(sent(transport.pool, server.url), size)) == BODY
        assert [one.connection for one in server.requests] == [0, 0, 0]

    @pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
    def test_tasks(self, loop, size):
        """On event loops, buffers of any size receive the complete body, and the connection is used
        again.
        """

        async def main():
            pool = async_pool()
            for _ in range(3):
                response = await pool.handle_async_request(httpx.Request("GET", server.url))
                assert await collected(response.stream, size) == BODY
            await pool.aclose()

        with Loopback(always(BODY)) as server:
            anyio.run(main, **loop)
        assert [one.connection for one in server.requests] == [0, 0, 0]


# For each case, the data of each read, the length of the body, and whether the connection is kept.
ANSWERS = {
    "at once": ([LONG + b"\r\nabcdefghi"], 9, True),
    "piece by piece": ([LONG + b"\r\n", b"abc", b"def", b"ghi"], 9, True),
    "chunked": ([CHUNKED], 9, True),
    "chunked, piece by piece": (
        [CHUNKED[start : start + 1] for start in range(len(CHUNKED))],
        9,
        True,
    ),
    "no body": ([HEAD + b"Content-Length: 0\r\n\r\n"], 0, True),
    "to be closed": ([LONG + b"Connection: keep, Close\r\n\r\n", b"abc", b"defghi"], 9, False),
    "old": ([LONG.replace(b"1.1", b"1.0") + b"\r\n", b"abc", b"defghi"], 9, False),
    "to the end": ([HEAD + b"\r\n", b"abc", b"defghi"], 9, False),
}


@pytest.mark.parametrize("size", [1, 4, 99])
@pytest.mark.parametrize(("pieces", "length", "is_kept"), ANSWERS.values(), ids=ANSWERS)
def test_framing(pieces, length, is_kept, size):
    """With each kind of framing, `read_into` reads the complete body for any buffer size, and the
    connection is kept if and only if it can be used again.
    """
    transport = PooledTransport(network=Scripted(pieces))
    assert run(collected(sent(transport.pool, "http://x/"), size)) == b"abcdefghi"[:length]
    assert (counts(transport)[3] == 1) == is_kept


def test_next_response():
    """If a body was read directly into a buffer, the bytes after it are parsed as the next
    response.
    """
    pieces = [LONG + b"\r\nab", b"cdefghi", LONG + b"\r\n123456789"]
    transport = PooledTransport(network=Scripted(pieces))
    assert run(collected(sent(transport.pool, "http://x/"), 99)) == b"abcdefghi"
    assert run(collected(sent(transport.pool, "http://x/"), 4)) == b"123456789"


def test_read_on():
    """If the beginning of a body was read with `read_into`, the rest can be read with `read`."""
    transport = PooledTransport(network=Scripted([LONG + b"\r\nab", b"cd", b"efg", b"hi"]))
    stream = sent(transport.pool, "http://x/")
    buffer = bytearray(2)
    assert [run(stream.read_into(memoryview(buffer))) for _ in range(2)] == [2, 2]
    assert [run(stream.read()) for _ in range(3)] == [b"efg", b"hi", b""]
    run(stream.aclose())
    assert counts(transport) == (0, 0, 1, 1)


@pytest.mark.parametrize("by", ["read_into", "read"])
def test_short(by):
    """If the connection ends before the body is complete, an error is raised, and the connection is
    not used again.
    """
    transport = PooledTransport(network=Scripted([LONG + b"\r\nab", b"cd"]))
    stream = sent(transport.pool, "http://x/")
    buffer = memoryview(bytearray(2))
    for _ in range(2):
        run(stream.read_into(buffer))
    with pytest.raises(httpx.RemoteProtocolError, match="the connection was closed before the end"):
        run(stream.read_into(buffer) if by == "read_into" else stream.read())
    run(stream.aclose())
    assert counts(transport) == (0, 0, 0, 0)


def test_left_in_the_middle():
    """If a body was not read to its end, its connection is closed."""
    transport = PooledTransport(network=Scripted([LONG + b"\r\nab", b"cd", b"efghi"]))
    stream = sent(transport.pool, "http://x/")
    for _ in range(2):
        run(stream.read_into(memoryview(bytearray(2))))
    run(stream.aclose())
    assert counts(transport) == (0, 0, 0, 0)


def test_head():
    """The response to a HEAD request has no body, regardless of its Content-Length."""
    transport = PooledTransport(network=Scripted([LONG + b"\r\n"]))
    assert run(collected(sent(transport.pool, "http://x/", "HEAD"), 4)) == b""
    assert counts(transport) == (0, 0, 1, 1)


def test_read_after_a_part():
    """If the received bytes do not fit into the buffer, the next read returns the rest of them."""
    transport = PooledTransport(network=Scripted([LONG + b"\r\nabcdef", b"ghi"]))
    stream = sent(transport.pool, "http://x/")
    assert run(stream.read_into(memoryview(bytearray(3)))) == 3
    assert [run(stream.read()) for _ in range(3)] == [b"def", b"ghi", b""]
