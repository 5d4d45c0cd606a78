"""Network backends for pool tests: real ones, each with a way to run coroutines, and a scripted
one.
"""

import socket
from contextlib import ExitStack, contextmanager

import anyio

from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.on_threads import SyncBackend
from sagemaker_runtime_client._io.on_trio import TrioBackend
from sagemaker_runtime_client._io.run import run
from tests.runtime_client.clients import LOOPS


def _running_in(loop):
    return lambda function: anyio.run(function, **loop)


# Maps a name to a network backend, and to a function that runs a coroutine function on it.
NETWORKS = {
    "threads": (SyncBackend, lambda function: run(function())),
    **{
        name: (
            TrioBackend if name == "trio" else AsyncioBackend,
            _running_in(loop),
        )
        for name, loop in LOOPS.items()
    },
}


@contextmanager
def full():
    """Yield the port of a server that accepts no connections and whose backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Scripted:
    """A network backend whose only connection is scripted.

    Args:
        pieces: The data of consecutive reads; after the last piece, the connection ends.

    Attributes:
        written: The pieces of data that were written.
    """

    def __init__(self, pieces):
        self._pieces = list(pieces)
        self.written = []
        self.is_closed = False

    async def connect(self, _host, _port, _tls=None, _timeout=None):
        return self

    async def is_readable(self):
        return self.is_closed

    async def read_ready(self):
        return b""

    async def read(self, max_bytes, _timeout=None):
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece[max_bytes:]:
            self._pieces.insert(0, piece[max_bytes:])
        return piece[:max_bytes]

    async def read_into(self, buffer, _timeout=None):
        piece = await self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    async def write(self, buffer, _timeout=None):
        self.written.extend([buffer] if buffer else [])

    async def write_part(self, buffer, _timeout=None):
        self.written.append(bytes(buffer))
        return len(buffer)

    def close(self):
        self.is_closed = True

    def discard(self):
        self.is_closed = True
