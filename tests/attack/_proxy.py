"""A proxy between a client and the emulated S3 that fails at one request.

The proxy runs on an event loop in a thread of its own.  Each request is read completely, sent to the
server over a new connection, and its response is read completely, unless the fault says otherwise.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self, TypeVar

T = TypeVar("T")

END = b"\r\n\r\n"
PIECES = 16  # a slow message arrives in so many pieces
PAUSE = 0.005  # seconds between two pieces
CLOSES = re.compile(rb"(?i)\r\nconnection: close(?=\r\n)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
EXPECTS = re.compile(rb"(?i)\r\nexpect: *100-continue(?=\r\n)")
SUCCESS = (
    b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef0123456789abcdef"\r\nContent-Length: 0\r\n\r\n'
)
FAILURE = b"HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FAILURE_IN_SUCCESS = (
    b"<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>"
)


class CutError(Exception):
    """The proxy closes the connection to the client."""


class Exchange:
    """A request, and the ways to respond to it."""

    def __init__(
        self,
        proxy: Proxy,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.proxy, self.head = proxy, head
        self._reader, self._writer = reader, writer
        length = LENGTH.search(head)
        self._left = int(length[1]) if length else 0
        self.body = bytearray()

    async def read(self, parts: int = 1) -> None:
        """Read the first of so many equal parts of the rest of the body."""
        if EXPECTS.search(self.head) and self._left and not self.body:
            await self.send(b"HTTP/1.1 100 Continue" + END)
        data = await self._reader.readexactly(self._left // parts)
        self._left -= len(data)
        self.body += data

    async def forward(self) -> bytes:
        """Send the request to the server, and return its response."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.server_port)
        head = self.head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        try:
            with suppress(ConnectionError):  # the server may respond before it has read everything
                writer.write(EXPECTS.sub(b"", head) + self.body)
                await writer.drain()
            response = await reader.read()
        finally:
            await _close(writer)
        return CLOSES.sub(b"", response, count=1)

    async def relay(self) -> None:
        """Do what a proxy without faults does."""
        await self.read()
        await self.send(await self.forward())

    async def send(self, data: bytes) -> None:
        """Send data to the client."""
        self._writer.write(data)
        await self._writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection at once, and wait until its descriptor is closed."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def _flip(data: bytearray | bytes, start: int = 0) -> bytes:
    """Return *data* with another bit in the middle of what follows *start*."""
    changed = bytearray(data)
    if len(changed) > start:
        changed[(start + len(changed)) // 2] ^= 1
    return bytes(changed)


def _shorten(message: bytes) -> bytes:
    """Return a message without the last byte of its body, which states the smaller length."""
    head, _, body = message.partition(END)
    if body:
        body = body[:-1]
        head = LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head)
    return head + END + body


async def cut_before(_: Exchange) -> None:
    """Close the connection when the head of the request has arrived."""
    raise CutError


async def cut_request(exchange: Exchange) -> None:
    """Close the connection in the middle of the request."""
    await exchange.read(2)
    raise CutError


async def cut_response(exchange: Exchange) -> None:
    """Close the connection in the middle of the response."""
    await exchange.read()
    response = await exchange.forward()
    await exchange.send(response[: len(response) // 2])
    raise CutError


async def lose_response(exchange: Exchange) -> None:
    """Close the connection in place of the response."""
    await exchange.read()
    await exchange.forward()
    raise CutError


async def stall_request(exchange: Exchange) -> None:
    """Read half of the request, and then nothing."""
    await exchange.read(2)
    await exchange.proxy.stall()


async def stall_response(exchange: Exchange) -> None:
    """Send half of the response, and then nothing."""
    with suppress(CutError):
        await cut_response(exchange)
    await exchange.proxy.stall()


async def trickle(exchange: Exchange) -> None:
    """Read and respond slowly."""
    for parts in range(PIECES, 0, -1):
        await exchange.read(parts)
        await asyncio.sleep(PAUSE)
    response = await exchange.forward()
    size = -(-len(response) // PIECES)
    for start in range(0, len(response), size):
        await exchange.send(response[start : start + size])
        await asyncio.sleep(PAUSE)


async def flip_request(exchange: Exchange) -> None:
    """Change a bit in the body of the request."""
    await exchange.read()
    exchange.body[:] = _flip(exchange.body)
    await exchange.send(await exchange.forward())


async def flip_response(exchange: Exchange) -> None:
    """Change a bit in the content of an object; XML has no checksum."""
    await exchange.read()
    response = await exchange.forward()
    if exchange.head.startswith(b"GET"):
        response = _flip(response, response.index(END) + len(END))
    await exchange.send(response)


async def truncate_request(exchange: Exchange) -> None:
    """Omit the last byte of the request, and state the smaller length."""
    await exchange.read()
    exchange.head, _, body = _shorten(exchange.head + exchange.body).partition(END)
    exchange.head, exchange.body = exchange.head + END, bytearray(body)
    await exchange.send(await exchange.forward())


async def truncate_response(exchange: Exchange) -> None:
    """Omit the last byte of the response, and state the smaller length."""
    await exchange.read()
    await exchange.send(_shorten(await exchange.forward()))


async def replace(exchange: Exchange) -> None:
    """Let another program write the object before the request."""
    exchange.proxy.replace_object()
    await exchange.relay()


async def refuse_early(exchange: Exchange) -> None:
    """Send an error before the body of the request has arrived."""
    await exchange.send(FAILURE)
    await exchange.read()


async def accept_early(exchange: Exchange) -> None:
    """Report success before the body of the request has arrived, and discard the body."""
    await exchange.send(SUCCESS)
    await exchange.read()


async def refuse_in_success(exchange: Exchange) -> None:
    """Forward the request, and send an error with the status of success."""
    await exchange.read()
    await exchange.forward()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FAILURE_IN_SUCCESS)
    await exchange.send(head + FAILURE_IN_SUCCESS)


Fault = Callable[[Exchange], Awaitable[None]]
FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        *(cut_before, cut_request, cut_response, lose_response, stall_request, stall_response),
        *(trickle, flip_request, flip_response, truncate_request, truncate_response),
        *(replace, refuse_early, accept_early, refuse_in_success),
    )
}


class Proxy:
    """The proxy; use it as a context manager.

    Args:
        server_port: The port of the server on 127.0.0.1.
        replace_object: Writes another object in place of the one that is transferred.
        tls: The TLS context of `https_url`.

    Attributes:
        requests: The first lines of the requests since `plan` was called.
        http_url: The URL without TLS.
        https_url: The URL with TLS.
    """

    def __init__(
        self, server_port: int, replace_object: Callable[[], object], tls: ssl.SSLContext
    ) -> None:
        self.server_port, self.replace_object = server_port, replace_object
        self.requests: list[bytes] = []
        self._tls = tls
        self._fault: Fault | None = None
        self._number = 0
        self._open: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.http_url, self.https_url = self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Awaitable[T]) -> T:
        async def call() -> T:
            return await coroutine

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    async def _listen(self) -> list[str]:
        for tls in (None, self._tls):
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
            self._servers.append(server)
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        return [f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"]

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        await self._settle()

    def plan(self, fault: Fault | None, number: int) -> None:
        """Count requests from 0 again, and let the request *number* fail."""
        self._call(self._plan(fault, number))

    async def _plan(self, fault: Fault | None, number: int) -> None:
        self.requests, self._fault, self._number = [], fault, number
        self._over.clear()

    def settle(self) -> None:
        """Wait until all connections are closed, by both ends; the clients must be closed."""
        self._call(self._settle())

    async def _settle(self) -> None:
        self._over.set()
        while self._open:
            await asyncio.wait(self._open)

    async def stall(self) -> None:
        """Wait until the clients are closed, and cut the connection."""
        await self._over.wait()
        raise CutError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, CutError):
                while True:
                    await self._exchange(reader, writer)
        finally:
            await _close(writer)
            self._open.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(self, await reader.readuntil(END), reader, writer)
        number = len(self.requests)
        self.requests.append(exchange.head.partition(b"\r\n")[0])
        fails = self._fault is not None and number == self._number
        await (self._fault if fails else Exchange.relay)(exchange)
