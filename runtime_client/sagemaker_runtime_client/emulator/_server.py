"""Runs the ASGI application with uvicorn, on connections that can be reset.

The event loop runs in a separate thread (anyio's blocking portal), in which `Server.call` executes
functions for other threads.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import h11
from anyio.from_thread import BlockingPortal, start_blocking_portal
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ._app import Application
from ._target import parse_target

T = TypeVar("T")

# With l_onoff = 1 and l_linger = 0, closing the socket resets the connection (socket(7),
# SO_LINGER).
_NO_LINGER = struct.pack("ii", 1, 0)
_BACKLOG = 2048
# For each accepted connection, asyncio creates a task, then a transport, then the connection.  If
# the server closes before the last step, the connection is never closed (Server._attach fails).
# Therefore `_close` lets the event loop run this many iterations before it closes the server.
_ITERATIONS_TO_ACCEPT = 4
# The maximum length of a request head, in bytes.  A longer head is passed on to uvicorn, which
# rejects it.
_LONGEST_HEAD = 64 * 1024


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection, which can also be reset.

    The application finds the connection in the state of the ASGI scope.
    """

    def __init__(self, config: Config, server_state: ServerState, application: Application) -> None:
        super().__init__(
            config,
            server_state,
            app_state={"connection": self},
            _loop=asyncio.get_running_loop(),
        )
        self.access_log = False  # the access log would contain presigned URLs
        self._application = application
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Pass data on to uvicorn as soon as the head of the request is complete.

        If a fault `RESET_BEFORE_READ` applies to the request, reset the connection instead.
        """
        if self.conn.their_state is h11.IDLE:
            data = self._head + data
            head, is_whole, _ = data.partition(b"\r\n\r\n")
            if not is_whole and len(data) < _LONGEST_HEAD:
                self._head = data
                return
            self._head = b""
            if self._resets_unread(head.decode("latin-1")):
                self.reset()
                return
        super().data_received(data)

    def _resets_unread(self, head: str) -> bool:
        """Return whether a fault resets this request before it is read; if so, record the request."""
        line, *headers = head.split("\r\n")
        method, _, rest = line.partition(" ")
        raw_target = rest.rpartition(" ")[0]
        path, _, query = raw_target.partition("?")
        pairs = (header.partition(":") for header in headers)
        named = {name.lower(): value.strip() for name, _, value in pairs}
        operation = parse_target(method, path, query, named).operation
        if not self._application.faults.take_before_read(operation):
            return False
        self._application.record_unread(method, raw_target, operation)
        return True

    def skip_continue(self) -> None:
        """Do not send ``100 Continue`` to a client that waits for it."""
        self.cycle.waiting_for_100_continue = False

    def reset(self, partial_response: bytes = b"") -> None:
        """Reset the connection (RST) after sending *partial_response*.

        Args:
            partial_response: The bytes of the response to send before the reset; empty for none.
        """
        if partial_response:
            self.transport.write(partial_response)
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class Server:
    """A server on one address, which runs in a separate thread until `stop` is called.

    Args:
        application: The ASGI application.
        host: The address to listen on.
        port: The port to listen on; 0 for any free port.

    Attributes:
        port: The port on which the server listens.

    Raises:
        OSError: The address is in use or not available.
    """

    def __init__(self, application: Application, host: str, port: int) -> None:
        self._application = application
        self._state = ServerState()
        listener = socket.create_server((host, port), backlog=_BACKLOG)
        # Accepted connections inherit this option.  Without it, the body of a response would be
        # delayed by 40 ms, until the client has acknowledged the head of the response.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = listener.getsockname()[1]
        self._thread: AbstractContextManager[BlockingPortal] = start_blocking_portal("asyncio")
        self._portal = self._thread.__enter__()
        self._server = self._portal.call(self._listen, listener)

    def call(self, function: Callable[..., T], *args: object) -> T:
        """Call a function in the event loop's thread, and return the function's result."""
        return self._portal.call(function, *args)

    def close(self, function: Callable[[], Awaitable[None]]) -> None:
        """Call a coroutine function in the event loop's thread, and wait until it has ended."""
        self._portal.call(function)

    def stop(self) -> None:
        """Close all connections, drop queued and running invocations, and end the thread."""
        self._portal.call(self._close)
        self._thread.__exit__(None, None, None)

    async def _listen(self, listener: socket.socket) -> asyncio.Server:
        """Start accepting connections on *listener*, and return the asyncio server."""
        config = Config(
            self._application,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
        )
        config.load()
        return await asyncio.get_running_loop().create_server(
            lambda: Connection(config, self._state, self._application), sock=listener
        )

    async def _close(self) -> None:
        """Stop the server immediately, without waiting for clients to finish their requests."""
        for listener in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_ITERATIONS_TO_ACCEPT):
            await asyncio.sleep(0)
        self._server.close()
        self._application.stop()
        connections: list[Any] = list(self._state.connections)
        for connection in connections:
            connection.shutdown()  # closes the connection if it is idle
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks)
        await self._application.queue.aclose()
