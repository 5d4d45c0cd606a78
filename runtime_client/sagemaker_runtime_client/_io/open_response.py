"""A response whose body is read piece by piece while the caller uses the pieces."""

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from .._errors import TransportError
from .httpx_bridge import (
    build_request,
    library_errors,
    make_transport_error,
    set_time_limits,
    time_left,
)
from .message import Response

if TYPE_CHECKING:
    import httpx

    from .message import Request
    from .senders import Sender

T = TypeVar("T")

# To be able to reuse its connection, at most this many bytes of the rest of a response are read,
# and for at most this many seconds.
_DRAIN_SIZE = 16 * 1024
_DRAIN_SECONDS = 0.05


class OpenResponse:
    """A response that occupies its connection until `aclose`.

    Args:
        sender: Sends the request.
        origin: The scheme, host and port of the server.
        deadline: When the whole response must have been read, on the monotonic clock; if it is
            None, only the connect and read timeouts apply.

    Attributes:
        head: The status and the headers of the response.  Its body is empty unless the response is
            an error.
    """

    head: Response

    def __init__(self, sender: "Sender", origin: str, deadline: float | None) -> None:
        self._sender, self._origin, self._deadline = sender, origin, deadline
        self._ends = inf if deadline is None else deadline
        # `aclose` closes these two objects.  If an interrupt occurred while an AsyncExitStack
        # closes them, the stack would refer to the exception, and this reference cycle would keep
        # the connection's permit.
        self._reservation: Any = None
        self._body: Any = None

    async def send(
        self, make: "Callable[[], Request]", *, connect: float, read: float
    ) -> "httpx.Response":
        """Send the request that *make* returns, and return the response when its head has arrived.

        Args:
            make: Builds the request when a connection is free.
            connect: The connect timeout in seconds.
            read: The read timeout in seconds; it also applies to each later `read`.
        """
        wait = connect + read
        if self._deadline is not None:
            wait = min(wait, time_left(self._deadline))
        try:
            return await self._send(make, wait, connect, read)
        except library_errors(self._sender.library) as error:
            await self.aclose()
            raise self._transport_error(error) from error
        except BaseException:
            await self.aclose()
            raise

    async def _send(
        self, make: "Callable[[], Request]", wait: float, connect: float, read: float
    ) -> "httpx.Response":
        sender = self._sender
        self._reservation = sender.reserve(wait)
        reservation = await self._reservation.__aenter__()
        request = build_request(sender.library, sender.client, self._origin, make())
        set_time_limits(request, connect=connect, read=read, deadline=self._deadline)
        response: httpx.Response = await sender.send(request, reservation)
        self._body = response.stream
        self.head = Response(response.status_code, response.headers.raw)
        return response

    async def pass_to(self, add: Callable[[bytes], bool]) -> bool:
        """Pass the pieces of the body to *add* until it returns False, and close the response.

        Return whether *add* has accepted the whole body.
        """
        try:
            while piece := await self.read():
                if not add(piece):
                    return False
        except TransportError:  # for an error response, the head suffices
            return False
        else:
            return True
        finally:
            await self.aclose()

    async def read(self) -> bytes:
        """Return the next bytes of the body, or empty bytes at its end.

        Raises:
            TransportError: The connection failed, or a timeout elapsed.
        """
        piece: bytes = await self._read("read")
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes of the body into *buffer*, and return their number; 0 at the end.

        Before the end, a call may fill only a part of *buffer*.  It raises the same errors as `read`.
        """
        size: int = await self._read("read_into", buffer)
        return size

    async def _read(self, method: str, *arguments: object) -> Any:
        """Call a method of the body, within the time limit."""
        try:
            if self._ends == inf:
                return await getattr(self._body, method)(*arguments)
            if time.monotonic() < self._ends:
                async with self._sender.limit(self._ends):
                    return await getattr(self._body, method)(*arguments)
        except library_errors(self._sender.library) as error:
            raise self._transport_error(error) from error
        raise TransportError(f"the timeout elapsed while the response from {self._origin} arrived")

    def _transport_error(self, error: BaseException) -> TransportError:
        sender = self._sender
        return make_transport_error(sender.library, sender.client, self._origin, error)

    async def drain(self) -> None:
        """Close the response, after reading the rest of it if this is small and arrives very soon.

        If the response was read to its end, its connection can be reused.
        """
        ends = min(self._ends, time.monotonic() + _DRAIN_SECONDS)
        if self._body is not None and self._body.end_by(ends):
            self._ends = ends
            size = 0

            def add(piece: bytes) -> bool:
                nonlocal size
                size += len(piece)
                return size <= _DRAIN_SIZE

            await self.pass_to(add)
        await self.aclose()

    async def aclose(self) -> None:
        """Release the connection; close it if the body was not read to its end."""
        body, self._body = self._body, None
        reservation, self._reservation = self._reservation, None
        try:
            if body is not None:
                await body.aclose()
        finally:
            if reservation is not None:
                await reservation.__aexit__(None, None, None)
