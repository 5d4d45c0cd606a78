"""
uvicorn, and what lies below ASGI: a server in its own thread, connections that can be reset.

The event loop runs in a thread of its own (anyio's blocking portal); other threads enter it by
`Server.call`.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import h11
from anyio.from_thread import BlockingPortal, start_blocking_portal
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ._app import Application
from ._target import target_of

T = TypeVar("T")

# l_onoff = 1, l_linger = 0: what is closed so is reset (socket(7), SO_LINGER).
_NO_LINGER = struct.pack("ii", 1, 0)
_BACKLOG = 2048
# asyncio makes a task, then a transport, then a connection of what it accepts.  What is on that way
# when the server closes is left open for ever (Server._attach fails), so it is let through first.
_TURNS_TO_ACCEPT = 4
# A head that is longer is not waited for: it is uvicorn's to refuse.
_LONGEST_HEAD = 64 * 1024


class Connection(H11Protocol):
    """
    uvicorn's HTTP/1.1 connection, which can be reset at any byte.

    The application finds it in the scope's state.
    """

    def __init__(self, config: Config, server_state: ServerState, application: Application) -> None:
        super().__init__(
            config,
            server_state,
            app_state={"connection": self},
            _loop=asyncio.get_running_loop(),
        )
        self.access_log = False  # its lines would show presigned URLs
        self._application = application
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Read on, or reset the connection if that befalls the request whose head has come."""
        if self.conn.their_state is h11.IDLE:
            data = self._head + data
            head, is_whole, _ = data.partition(b"\r\n\r\n")
            if not is_whole and len(data) < _LONGEST_HEAD:
                self._head = data
                return
            self._head = b""
            if self._is_reset(head.decode("latin-1")):
                self.reset()
                return
        super().data_received(data)

    def _is_reset(self, head: str) -> bool:
        """Tell whether the request with this head is to be reset unread, and note it if so."""
        line, *headers = head.split("\r\n")
        method, _, rest = line.partition(" ")
        raw_target = rest.rpartition(" ")[0]
        path, _, query = raw_target.partition("?")
        names = (header.partition(":") for header in headers)
        host = next((value.strip() for name, _, value in names if name.lower() == "host"), "")
        operation = target_of(method, path, query, host).operation
        if not self._application.faults.take_before_read(operation):
            return False
        self._application.record_unread(method, raw_target, operation)
        return True

    def reset(self, partial_answer: bytes = b"") -> None:
        """
        Send the beginning of an answer, then reset the connection (RST).

        Args:
            partial_answer: What the peer gets to see first, raw.
        """
        if partial_answer:
            self.transport.write(partial_answer)
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class Server:
    """
    A server on one address, in a thread of its own.  It runs from its making until `stop`.

    Args:
        application: What answers.
        host: The address to listen on.
        port: 0 for any free one; `port` tells which it was.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(self, application: Application, host: str, port: int) -> None:
        self._application = application
        self._state = ServerState()
        listener = socket.create_server((host, port), backlog=_BACKLOG)
        # Connections inherit it.  Without, an answer's body waits 40 ms for its head's ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = listener.getsockname()[1]
        self._thread: AbstractContextManager[BlockingPortal] = start_blocking_portal("asyncio")
        self._portal = self._thread.__enter__()
        self._server = self._portal.call(self._listen, listener)

    def call(self, function: Callable[..., T], *args: object) -> T:
        """Return what a function returns in the thread of the event loop."""
        return self._portal.call(function, *args)

    def stop(self) -> None:
        """Close what is open, drop what is queued, and end the thread."""
        self._portal.call(self._close)
        self._thread.__exit__(None, None, None)

    async def _listen(self, listener: socket.socket) -> asyncio.Server:
        """Begin to accept connections."""
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
        """Stop at once: nobody waits for an emulator that is torn down."""
        for listener in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_TURNS_TO_ACCEPT):
            await asyncio.sleep(0)
        self._server.close()
        self._application.stopping.set()
        connections: list[Any] = list(self._state.connections)
        for connection in connections:
            connection.shutdown()  # closes what is idle
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks)
        await self._application.queue.aclose()
