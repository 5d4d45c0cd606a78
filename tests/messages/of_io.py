"""Messages about side effects: files, connections, proxies, TLS and time limits."""

import asyncio
from contextlib import ExitStack
from errno import EMFILE, ENOENT
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from unittest.mock import patch

import httpx

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client._io import files, tls
from sagemaker_runtime_client._io.httpx_bridge import build_request, make_transport_error
from sagemaker_runtime_client._io.message import Request
from sagemaker_runtime_client._io.open_response import OpenResponse
from sagemaker_runtime_client._io.proxies import make_proxied_client
from sagemaker_runtime_client._io.run import async_backend, run
from sagemaker_runtime_client._io.streams.thread_stream import connect_first
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._io.transport import ResponseReader, Transport
from sagemaker_runtime_client._io.user_client import AsyncClient
from sagemaker_runtime_client._limits import RESPONSE
from sigv4 import Credentials
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PooledTransport, limited

COVERED = ("runtime_client/sagemaker_runtime_client/_io",)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _no_descriptor(call):
    """Call a function in a process that cannot open more files."""
    with patch("builtins.open", side_effect=OSError(EMFILE, "Too many open files")):
        return call()


def _replace_file(path):
    with files.replacing(Path(path)) as file:
        file.write(b"x")


def _get(*pieces, url="http://host/", **extensions):
    """Send a request to a server that writes these pieces, and return the response body."""
    pool = PooledTransport(network=Scripted(pieces))
    request = httpx.Request("GET", url, extensions=extensions)
    return pool.handle_request(request).read()


def _read_into(*pieces):
    """Send a request to a server that writes these pieces, and read the response into a buffer."""

    async def main():
        response = await pool.handle_async_request(httpx.Request("GET", "http://host/"))
        while await response.stream.read_into(memoryview(bytearray(99))):
            pass

    pool = PooledTransport(network=Scripted(pieces)).pool
    return run(main())


def _connect_to_closed():
    network = Scripted([])
    network.close()
    return PooledTransport(network=network).handle_request(httpx.Request("GET", "http://host/"))


def _wait_for_connection():
    pool = PooledTransport(limits=limited(8), network=Scripted([]))
    with ExitStack() as stack:
        for _ in range(9):
            stack.enter_context(pool.reserve(0.001))


def _send_without_entering():
    pool = PooledTransport(network=Scripted([])).pool
    return run(pool.send(httpx.Request("GET", "http://host/"), pool.reserve(None)))


def _build(*headers, path="/", client=None):
    return build_request(httpx, client, "https://bucket.example", Request("GET", path, headers))


def _proxied_client(proxy):
    return make_proxied_client(
        "Client", "https", proxy, ca_bundle=None, max_connections=1, max_idle=1
    )


def _use_closed_client():
    http_client = httpx.Client()
    http_client.close()
    client = SageMakerRuntimeClient(
        region="eu-west-1", credentials=Credentials("AKID", "secret"), http_client=http_client
    )
    return client.get_object("s3://bucket/key")


def _too_large():
    reader = ResponseReader(httpx.Response(200), RESPONSE.replace(size=1000), None, 60)
    reader.add(bytes(1001))
    return reader.response("GET https://bucket.example")


def _slow_credentials():
    class Provider:
        async def aget(self):
            await asyncio.sleep(60)

    async def main():
        await System(async_backend).credentials(Provider(), monotonic() + 0.01)

    return asyncio.run(main())


def _slow_calls():
    async def main():
        transport = Transport(async_backend, max_connections=8)
        lock = transport.senders().admission
        while lock.acquire_nowait():
            pass
        await transport.wait(lock, monotonic())

    return asyncio.run(main())


def _slow_user_client():
    async def respond(_request):
        await asyncio.sleep(60)

    async def main():
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
            extensions = {"deadline": monotonic(), "timeout": {"write": 0.0}}
            request = httpx.Request("GET", "http://host/", extensions=extensions)
            await AsyncClient(httpx, client, async_backend()).send(request, None)

    return asyncio.run(main())


def _without_certifi():
    with patch.object(tls, "_certifi", side_effect=OSError(ENOENT, "No such file or directory")):
        return tls._context.__wrapped__(None)


def _bundle_without_descriptor():
    with patch.object(tls, "_make_context", side_effect=OSError(EMFILE, "Too many open files")):
        return tls._context.__wrapped__("/etc/ca.pem")


class _NoAttempts:
    def close(self):
        pass


SHORTAGE = "too many open files; close some, raise the limit (ulimit -n) or lower max_connections"
PROXY_FORM = "use http://host:port, https://host:port or socks5://host:port"


def read_too_late():
    """Read a response after its deadline."""
    response = OpenResponse(None, "https://host.example", 0.0)
    response._body = SimpleNamespace(read=None)
    run(response.read())


MESSAGES = [
    # Files.
    (
        lambda: _no_descriptor(lambda: files.read("/home/user/.aws/config", 99)),
        f"/home/user/.aws/config cannot be read: {SHORTAGE}",
    ),
    (
        lambda: _replace_file("/dev/full"),
        "/dev/full could not be written: No space left on device",
    ),
    # TLS.
    (
        lambda: tls.tls_context("/etc/ca.pem"),
        "the CA bundle /etc/ca.pem cannot be read: No such file or directory",
    ),
    (
        _without_certifi,
        "the CA bundle of certifi cannot be read: No such file or directory",
    ),
    (
        _bundle_without_descriptor,
        f"the CA bundle /etc/ca.pem cannot be read: {SHORTAGE}",
    ),
    # Requests.
    (
        lambda: _build(("x token", "a")),
        "'x token' is not a valid header name: use only letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        lambda: _build(("x-token", "secret\n")),
        (
            "the value of the header x-token is not valid: remove control characters, line breaks and "
            "any space or tab at either end"
        ),
    ),
    (
        lambda: _build(path="/a/../b?versionId=1", client=httpx.Client(proxy="http://127.0.0.1:9")),
        (
            "https://bucket.example/a/../b cannot be requested through an HTTP proxy, because httpx "
            "removes the segments '.' and '..' from the path: use another key or no proxy"
        ),
    ),
    (
        read_too_late,
        "the timeout elapsed while the response from https://host.example arrived",
    ),
    # The httpx client that sends requests.
    (
        lambda: SageMakerRuntimeClient(http_client=httpx.AsyncClient()),
        "http_client must be httpx.Client or httpx2.Client, not httpx.AsyncClient",
    ),
    (
        _use_closed_client,
        "http_client is closed; create a new client with an open http_client",
    ),
    (
        lambda: _proxied_client("http://user:secret@host:x"),
        f"the proxy in HTTPS_PROXY cannot be used: {PROXY_FORM}",
    ),
    (
        lambda: _proxied_client("ftp://user:secret@host:1"),
        f"the proxy ftp://host:1 in HTTPS_PROXY cannot be used: {PROXY_FORM}",
    ),
    (
        lambda: _proxied_client("socks5://user:secret@host:1"),
        "the proxy socks5://host:1 in HTTPS_PROXY cannot be used: run pip install 'httpx[socks]'",
    ),
    (
        _slow_user_client,
        "the response did not arrive in time",
    ),
    # Connections.
    (
        lambda: run(connect_first([], None, _NoAttempts())),
        "no IP address was found for the host",
    ),
    (
        lambda: _get(url="ftp://host/"),
        "a URL must begin with http:// or https://",
    ),
    (
        _connect_to_closed,
        "the server closed the new connection, or wrote to it, before a request was sent",
    ),
    (
        _get,
        "Server disconnected without sending a response.",
    ),
    (
        lambda: _get(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9999),
        "the response headers are larger than 102,400 bytes",
    ),
    (
        lambda: _get(CHUNKED + b"zz\r\n"),
        "the chunked response body is malformed: a chunk does not begin with its size",
    ),
    (
        lambda: _get(CHUNKED + b"1\r\n", b"xyz"),
        "the chunked response body is malformed: a chunk is longer than its size",
    ),
    (
        lambda: _get(CHUNKED + b"1;" + b"x" * 5000),
        "the chunked response body is malformed: a line is too long",
    ),
    (
        lambda: _get(CHUNKED + b"0\r\n" + b"A: b\r\n" * 20_000),
        "the chunked response body is malformed: the trailers are too long",
    ),
    (
        lambda: _read_into(HEAD + b"hi", b"hi"),
        "the connection was closed before the end of the response body",
    ),
    (
        lambda: _get(deadline=0.0),
        "the timeout of the call has elapsed",
    ),
    (
        _wait_for_connection,
        "no connection became free in time: all 8 (max_connections) are in use",
    ),
    (
        _send_without_entering,
        "a reservation can be used only inside its `async with` block",
    ),
    # Errors that a call raises.
    (
        lambda: make_transport_error(httpx, None, "https://host", httpx.ReadTimeout("timed out")),
        "ReadTimeout from https://host: timed out",
    ),
    (
        lambda: make_transport_error(
            httpx,
            httpx.Client(proxy="http://user:secret@127.0.0.1:9"),
            "https://host",
            httpx.LocalProtocolError("Illegal header value b'secret '"),
        ),
        (
            "LocalProtocolError from https://host through the proxy http://127.0.0.1:9: the request is "
            "not valid HTTP"
        ),
    ),
    (
        _too_large,
        (
            "GET https://bucket.example: the response is larger than 1,000 bytes, the limit for a "
            "response"
        ),
    ),
    (
        _slow_credentials,
        "the timeout elapsed before credentials were available",
    ),
    (
        _slow_calls,
        "the timeout elapsed before the call could start: 8 calls (max_connections) are in progress",
    ),
    (
        lambda: run(asyncio.sleep(0)),
        (
            "a coroutine suspended in a blocking client, which runs no event loop: pass nothing async to "
            "SageMakerRuntimeClient, or use AsyncSageMakerRuntimeClient"
        ),
    ),
]
