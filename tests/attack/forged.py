"""Forged responses: how many of them are accepted as the response to a request.

An attacker on the network writes a response in plain text as soon as a connection is accepted, and
then relays the real TLS connection.  A malicious server sends an extra response with the end of the
handshake, together with a real response, or while the connection is idle.  Each attack runs on
threads, asyncio, uvloop and trio.
"""

import contextlib
import fcntl
import socket
import ssl
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import anyio.to_thread
import trustme
from _row import Row

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    SageMakerRuntimeClient,
    TransportError,
)
from sigv4 import Credentials

REQUESTS = 200
PATIENCE = 10.0
LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}
AUTHORITY = trustme.CA()
Serve = Callable[[socket.socket], None]


def response(location: str) -> bytes:
    """Return a response that contains this output location."""
    return (
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n"
        f"x-amzn-sagemaker-outputlocation: s3://{location}\r\n\r\n{{}}"
    ).encode()


FORGED = response("forged")


def settings(newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return a server's TLS context that supports TLS versions up to *newest*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """Listen on a free port, call *serve* for each connection, and yield the port."""

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=quietly, args=(connection,), daemon=True).start()

    def quietly(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(connection)

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def requests(connection: ssl.SSLSocket) -> Iterator[str]:
    """Yield the inference ID of each request that arrives."""
    for line in iter(connection.makefile("rb").readline, b""):
        name, _, value = line.decode().partition(":")
        if name.lower() == "x-amzn-sagemaker-inference-id":
            yield value.strip()


def honest(connection: socket.socket) -> None:
    """Send exactly one response to each request; the response contains the request's inference ID."""
    with settings().wrap_socket(connection, server_side=True) as secured:
        for inference_id in requests(secured):
            secured.sendall(response(inference_id))


def relaying(port: int, first: bytes) -> Serve:
    """Return a function that writes *first*, and then relays bytes between a client and *port*."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(first)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as upstream:
            threading.Thread(target=pump, args=(upstream, connection), daemon=True).start()
            pump(connection, upstream)

    return serve


def pump(source: socket.socket, target: socket.socket) -> None:
    """Relay bytes in one direction until one of the connections is closed."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def with_the_handshake(connection: socket.socket) -> None:
    """Send a forged response together with the server's last message of a TLS 1.2 handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = settings(ssl.TLSVersion.TLSv1_2).wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            secured.do_handshake()
            break
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))
    secured.write(FORGED)
    connection.sendall(outgoing.read())
    connection.recv(65536)


def with_a_response(connection: socket.socket) -> None:
    """Send a real and a forged response together, each in its own TLS record."""
    with settings().wrap_socket(connection, server_side=True) as secured:
        for inference_id in requests(secured):
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            secured.sendall(response(inference_id))
            secured.sendall(FORGED)
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


class WhileIdle:
    """Sends a forged response on an idle connection, between two requests of the client."""

    def __init__(self) -> None:
        self._had, self._sent = threading.Event(), threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        with settings().wrap_socket(connection, server_side=True) as secured:
            for inference_id in requests(secured):
                secured.sendall(response(inference_id))
                self._had.wait(PATIENCE)
                self._had.clear()
                secured.sendall(FORGED)
                while any(fcntl.ioctl(secured, termios.TIOCOUTQ, bytes(4))):
                    time.sleep(0)  # until the client's kernel has acknowledged all bytes
                self._sent.set()

    def pause(self) -> None:
        """Let the server send a forged response on the idle connection, and wait until it has been
        sent.
        """
        self._had.set()
        self._sent.wait(PATIENCE)
        self._sent.clear()


def nothing() -> None:
    """Do not wait between two requests of a client."""


def threads(where: dict[str, Any], pause: Callable[[], None]) -> Iterator[str | None]:
    """Make calls with a blocking client, and yield each output location, or None if a call fails."""
    with SageMakerRuntimeClient(**where) as client:
        for number in range(REQUESTS):
            try:
                yield client.invoke_endpoint_async(
                    "e", body=b"x", inference_id=str(number)
                ).output_location
            except TransportError:
                yield None
            pause()


async def tasks(where: dict[str, Any], pause: Callable[[], None]) -> list[str | None]:
    """Make calls with an async client, and return each output location, or None if a call fails."""
    locations: list[str | None] = []
    async with AsyncSageMakerRuntimeClient(**where) as client:
        for number in range(REQUESTS):
            try:
                invocation = await client.invoke_endpoint_async(
                    "e", body=b"x", inference_id=str(number)
                )
                locations.append(invocation.output_location)
            except TransportError:
                locations.append(None)
            await anyio.to_thread.run_sync(pause)
    return locations


def rows(
    what: str, serve: Serve, pause: Callable[[], None], bundle: str, *, fails: bool
) -> Iterator[Row]:
    """Attack each kind of client, and count the forged responses that it accepts."""
    with serving(serve) as port:
        where = {
            "region": "eu-west-1",
            "credentials": Credentials("AKIDEXAMPLE", "secret"),
            "endpoint_url": f"https://127.0.0.1:{port}",
            "ca_bundle": bundle,
            "max_attempts": 1,
        }
        for kind in ("threads", *LOOPS):
            found = (
                list(threads(where, pause))
                if kind == "threads"
                else anyio.run(tasks, where, pause, **LOOPS[kind])
            )
            real = [f"s3://{number}" for number in range(REQUESTS)]
            wrong = sum(
                one is not None and one != right for one, right in zip(found, real, strict=True)
            )
            yield Row(f"wrong responses of {REQUESTS}, {what}, {kind}", wrong, 0, "responses")
            if not fails:
                yield Row(
                    f"requests without a response, {what}, {kind}", found.count(None), 0, "requests"
                )


def run() -> Iterator[Row]:
    """Run each attack, and yield its figures."""
    idle = WhileIdle()
    with tempfile.TemporaryDirectory() as folder, serving(honest) as port:
        bundle = f"{folder}/ca.pem"
        AUTHORITY.cert_pem.write_to_path(bundle)
        in_the_clear = relaying(port, FORGED)
        yield from rows("response before the handshake", in_the_clear, nothing, bundle, fails=True)
        yield from rows("plain relay", relaying(port, b""), nothing, bundle, fails=False)
        yield from rows(
            "response with the handshake", with_the_handshake, nothing, bundle, fails=True
        )
        yield from rows("extra response", with_a_response, nothing, bundle, fails=False)
        yield from rows("extra response while idle", idle, idle.pause, bundle, fails=False)
