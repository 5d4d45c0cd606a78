"""Endless responses: how many bytes a client reads, and how long a slow server can delay a call.

Each kind of client calls each of `OPERATIONS` on a server that sends endless bodies, and invokes an
endpoint on a server that sends its responses slowly.  The server with the endless bodies counts the
bytes that it could write.  The limit for this count includes the capacity of the buffers at both
ends, because bytes in these buffers are counted, although the client does not read them.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import trio
from _row import Row

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    Invocation,
    RuntimeClientError,
    SageMakerRuntimeClient,
)
from sigv4 import Credentials

MIB = 1 << 20
BUFFERS = 12 * MIB  # capacity of the kernel's and the event loop's buffers, at both ends, in total
MOST_SENT = 256 * MIB  # the server stops here; a client that reads so much has no limit
READ_TIMEOUT = 0.5
TIMEOUT = 0.5
SLACK = 1.0  # in seconds, for importing httpx and for a busy machine
LONGEST_CALL = 12.0  # in seconds; a call that takes longer counts as endless
LOCATION = "s3://bucket/key"
HANDLE = Invocation("id", "s3://bucket/out", "s3://bucket/err")


class Server:
    """A server that reads a request on each connection, and calls *answer* to send the response."""

    def __init__(self, answer: Callable[[bytes, socket.socket, "Server"], None]) -> None:
        self.sent = 0
        self.stopped = threading.Event()
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := connection.recv(65536)):
                    return
                head += piece
            self._answer(head, connection, self)

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send data, and add its size to `sent`."""
        connection.sendall(data)
        self.sent += len(data)

    def close(self) -> None:
        """Stop the server."""
        self.stopped.set()
        self._listener.close()


def endless(status: str) -> Callable[[bytes, socket.socket, Server], None]:
    """Return a function that sends an endless body of spaces, or a 404 for the output of `HANDLE`."""

    def answer(head: bytes, connection: socket.socket, server: Server) -> None:
        if b"/bucket/out " in head:
            connection.sendall(b"HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 %s\r\ntransfer-encoding: chunked\r\n\r\n" % status.encode())
        while server.sent < MOST_SENT:
            server.send(connection, b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    return answer


def dripping(beginning: bytes, piece: bytes) -> Callable[[bytes, socket.socket, Server], None]:
    """Return a function that sends *beginning*, and then *piece* again and again."""

    def answer(_head: bytes, connection: socket.socket, server: Server) -> None:
        connection.sendall(beginning)
        while not server.stopped.wait(0.05):
            connection.sendall(piece)

    return answer


# Each of the next four functions runs an operation, ignores its errors, and returns how many
# seconds the operation took.
def threads(where: dict[str, Any], call: Callable[[Any], Any], **more: Any) -> float:
    """Run an operation of a blocking client in this thread."""
    with SageMakerRuntimeClient(**where, **more) as client:
        start = time.monotonic()
        with suppress(RuntimeClientError):
            call(client)
        return time.monotonic() - start


def user_threads(where: dict[str, Any], call: Callable[[Any], Any]) -> float:
    """Run an operation of a blocking client that uses a user-supplied httpx client."""
    with httpx.Client(trust_env=False, verify=False) as http_client:
        return threads(where, call, http_client=http_client)


async def task(where: dict[str, Any], call: Callable[[Any], Any], **more: Any) -> float:
    """Run an operation of an async client."""
    async with AsyncSageMakerRuntimeClient(**where, **more) as client:
        start = time.monotonic()
        with suppress(RuntimeClientError):
            await call(client)
        return time.monotonic() - start


async def user_task(where: dict[str, Any], call: Callable[[Any], Any]) -> float:
    """Run an operation of an async client that uses a user-supplied httpx client."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as http_client:
        return await task(where, call, http_client=http_client)


KINDS: dict[str, Callable[[dict[str, Any], Callable[[Any], Any]], float]] = {
    "threads": threads,
    "asyncio": lambda where, call: asyncio.run(task(where, call)),
    "trio": lambda where, call: trio.run(task, where, call),
    "httpx.Client": user_threads,
    "httpx.AsyncClient": lambda where, call: asyncio.run(user_task(where, call)),
    "httpx.AsyncClient on trio": lambda where, call: trio.run(user_task, where, call),
}
# Maps the name of an operation to a function that calls it, the status line of the response, and
# how many bytes of the response may be read.
OPERATIONS: dict[str, tuple[Callable[[Any], Any], str, int]] = {
    "invoke_endpoint_async": (lambda c: c.invoke_endpoint_async("e", body=b"x"), "202 X", MIB),
    "submit": (
        lambda c: c.submit("e", b"x", inline=False, input_prefix="s3://bucket/in/"), "200 X", MIB,
    ),
    "put_object": (lambda c: c.put_object(LOCATION, b"x"), "200 X", MIB),
    "get_object(max_size=1 MiB)": (lambda c: c.get_object(LOCATION, max_size=MIB), "200 X", MIB),
    "wait(max_size=1 MiB)": (
        lambda c: c.wait(Invocation("id", LOCATION), timeout=9, max_size=MIB), "200 X", MIB,
    ),
    "wait, a failure object": (lambda c: c.wait(HANDLE, timeout=9), "200 X", MIB),
    "get_object, an error": (lambda c: c.get_object(LOCATION), "404 X", MIB),
}  # fmt: skip
DRIPS = {
    "single bytes of a head": (b"HTTP/1.1 202 X\r\nx: ", b"x"),
    "103 heads": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "header lines": (b"HTTP/1.1 202 X\r\n", b"x: 1\r\n"),
    "single bytes of a body": (b"HTTP/1.1 202 X\r\ncontent-length: 99999\r\n\r\n", b"x"),
    "trailers": (b"HTTP/1.1 202 X\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: 1\r\n"),
}


def where(server: Server) -> dict[str, Any]:
    """Return the client arguments that point a client at *server*."""
    return {
        "region": "eu-west-1",
        "credentials": Credentials("AKIDEXAMPLE", "secret"),
        "endpoint_url": server.url,
        "s3_endpoint_url": server.url,
        "connect_timeout": READ_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "max_attempts": 1,
    }


def seconds(kind: str, drip: str, *, timeout: float | None) -> float:
    """Return how many seconds a call to a slow server takes; infinity if it exceeds `LONGEST_CALL`."""
    server = Server(dripping(*DRIPS[drip]))
    held = [float("inf")]

    def call() -> None:
        held.append(
            KINDS[kind](
                where(server), lambda c: c.invoke_endpoint_async("e", body=b"x", timeout=timeout)
            )
        )

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(LONGEST_CALL)
    server.close()
    return held[-1]


def run() -> Iterator[Row]:
    """Attack each operation with endless bodies, and then each kind of client with slow responses."""
    for kind, call_by in KINDS.items():
        for name, (call, status, limit) in OPERATIONS.items():
            server = Server(endless(status))
            call_by(where(server), call)
            sent = server.sent / MIB
            server.close()
            yield Row(f"bytes sent, {name}, {kind}", sent, (limit + BUFFERS) / MIB, "MiB")
    # The head of a response must arrive within one read timeout, and a small body within another.
    # With a user-supplied client, the limit is the sum of all its time limits: two for a
    # connection, two for the pool, one for writing and one for reading.
    limits = {"timeout": TIMEOUT, "built-in": 2 * READ_TIMEOUT, "user-supplied": 6 * READ_TIMEOUT}
    for kind in KINDS:
        # The timeout of a call with a blocking httpx client takes effect only while the body of the
        # response is read.
        drips = [*DRIPS] if kind != "httpx.Client" else ["single bytes of a body"]
        for timeout in (TIMEOUT, None):
            with ThreadPoolExecutor(len(drips)) as pool:
                held = list(pool.map(partial(seconds, kind, timeout=timeout), drips))
            limit = "timeout" if timeout else "user-supplied" if "httpx" in kind else "built-in"
            worst = drips[held.index(max(held))]
            how = "no timeout" if timeout is None else f"timeout={timeout:g}"
            yield Row(
                f"time of a call, {worst}, {kind}, {how}", max(held), limits[limit] + SLACK, "s"
            )
