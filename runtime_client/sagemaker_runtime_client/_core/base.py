"""The base class of all operations: the client's session, and the first steps of every call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from .._inference.arguments import as_bytes, check_timeout
from .._inference.members import OperationModel
from .._io.generation import importing
from .._io.message import Response
from .._io.system import Once, System
from .._io.transport import Admission
from .session import Session

if TYPE_CHECKING:  # only for type checkers; a call that uses S3 imports it later
    from .._s3.objects import S3Location

T = TypeVar("T")


class BaseOperations:
    """The base class of the classes that define operations.

    Args:
        system: Provides clocks and locks.
        open_session: Resolves the settings and opens the session; called by the first operation.
    """

    def __init__(self, system: System, open_session: Callable[[], Awaitable[Session]]) -> None:
        self._system = system
        self._session = Once(system, open_session, self._close_if_closed)
        self._is_closed = False

    async def _close_if_closed(self, session: Session) -> None:
        """Close the connections of *session* if the client was closed while it was being opened."""
        if self._is_closed:
            await session.transport.close()

    async def close(self) -> None:
        """Close the client's connections; a user-supplied HTTP client stays open.

        Calls in progress are not interrupted: a request that was sent or that waits for a
        connection is completed.  A `wait` that is between two polls opens a new connection for its
        next poll.  A closed client can be used again, but it closes each connection after one
        request, so that no connection is open when the last call ends.
        """
        self._is_closed = True
        if self._session.value is not None:
            await self._session.value.transport.close()

    def _start(self, timeout: float | None) -> float:
        """Check *timeout*, and return the start time of the call, on the monotonic clock."""
        if timeout is not None:
            check_timeout(timeout)
        return self._system.monotonic()

    async def _bytes(self, value: object, argument: str) -> bytes:
        """Return *value* as bytes.

        A value that could change is copied; a value of another type is rejected.
        """
        may_change = isinstance(value, bytearray | memoryview)
        size = memoryview(cast("bytes", value)).nbytes if may_change else 0
        return await self._system.compute(size, as_bytes, value, argument)

    async def call(
        self,
        model: OperationModel,
        parse: Callable[[Response], T],
        arguments: Mapping[str, object],
        timeout: float | None,
    ) -> T:
        """Check the arguments, send the request, and return the parsed response.

        Args:
            model: The table that describes the operation.
            parse: Converts a successful response into the result of the call.
            arguments: The argument values, keyed by name; None counts as absent.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The result of *parse*.
        """
        start = self._start(timeout)
        request = model.to_http(arguments)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        operation = model.to_operation(session.endpoint, request, deadline)
        async with Admission(session.transport, deadline):
            response = await session.runtime.send(operation)
        return parse(response)


def parse_location(text: str, argument: str = "location") -> S3Location:
    """Return the S3 location in *text*; if it is invalid, the error message mentions *argument*."""
    with importing():
        from .._s3.objects import S3Location

    return S3Location.parse(text, argument=argument)
