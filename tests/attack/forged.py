"""
Answers that nobody asked for: how many of them are taken for the answer to a request.

A man in the middle writes one in the clear, right after he accepts a connection, and relays the real TLS
from then on.  A server sends one with the end of the handshake, one together with a real answer, or one
while the connection is idle.  Each on threads, asyncio, uvloop and trio.
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


def answer(location: str) -> bytes:
    """Return an answer that says where an output will be."""
    return (
        "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n"
        f"x-amzn-sagemaker-outputlocation: s3://{location}\r\n\r\n{{}}"
    ).encode()


FORGED = answer("forged")


def settings(newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return a server's TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """Serve each connection by *serve*, and give the port."""

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
    """Return the inference id of each request that comes."""
    for line in iter(connection.makefile("rb").readline, b""):
        name, _, value = line.decode().partition(":")
        if name.lower() == "x-amzn-sagemaker-inference-id":
            yield value.strip()


def honest(connection: socket.socket) -> None:
    """Answer each request, and no more."""
    with settings().wrap_socket(connection, server_side=True) as secured:
        for inference_id in requests(secured):
            secured.sendall(answer(inference_id))


def relaying(port: int, first: bytes) -> Serve:
    """Return what writes some bytes, and then carries all bytes to and fro."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(first)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as upstream:
            threading.Thread(target=pump, args=(upstream, connection), daemon=True).start()
            pump(connection, upstream)

    return serve


def pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until one of both is gone."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def with_the_handshake(connection: socket.socket) -> None:
    """Send an answer together with the end of the handshake, of which TLS 1.2 leaves the last word to a server."""
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


def with_an_answer(connection: socket.socket) -> None:
    """Send two answers at once, each in a TLS record of its own."""
    with settings().wrap_socket(connection, server_side=True) as secured:
        for inference_id in requests(secured):
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            secured.sendall(answer(inference_id))
            secured.sendall(FORGED)
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


class WhileIdle:
    """Sends another answer once the client has had the first one, and asks for no more yet."""

    def __init__(self) -> None:
        self._had, self._sent = threading.Event(), threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        with settings().wrap_socket(connection, server_side=True) as secured:
            for inference_id in requests(secured):
                secured.sendall(answer(inference_id))
                self._had.wait(PATIENCE)
                self._had.clear()
                secured.sendall(FORGED)
                while any(fcntl.ioctl(secured, termios.TIOCOUTQ, bytes(4))):
                    time.sleep(0)  # it is not all at the other end yet
                self._sent.set()

    def pause(self) -> None:
        """Wait for it, between two requests."""
        self._had.set()
        self._sent.wait(PATIENCE)
        self._sent.clear()


def nothing() -> None:
    """Do nothing between two requests."""


def threads(where: dict[str, Any], pause: Callable[[], None]) -> Iterator[str | None]:
    """Return which location each request is answered with; None for an error."""
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
    """Return the same, of a client for tasks."""
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
    """Attack each kind of client, and count."""
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
            yield Row(f"wrong answers of {REQUESTS}, {what}, {kind}", wrong, 0, "answers")
            if not fails:
                yield Row(f"no answer, {what}, {kind}", found.count(None), 0, "requests")


def run() -> Iterator[Row]:
    """Attack by each server."""
    idle = WhileIdle()
    with tempfile.TemporaryDirectory() as folder, serving(honest) as port:
        bundle = f"{folder}/ca.pem"
        AUTHORITY.cert_pem.write_to_path(bundle)
        in_the_clear = relaying(port, FORGED)
        yield from rows("a man in the middle", in_the_clear, nothing, bundle, fails=True)
        yield from rows("a relay", relaying(port, b""), nothing, bundle, fails=False)
        yield from rows("an early answer", with_the_handshake, nothing, bundle, fails=True)
        yield from rows("an extra answer", with_an_answer, nothing, bundle, fails=False)
        yield from rows("an idle extra answer", idle, idle.pause, bundle, fails=False)
