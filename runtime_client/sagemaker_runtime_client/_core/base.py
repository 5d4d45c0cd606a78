"""What all operations share: a client's settings, and how a call begins."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from .._inference.arguments import as_bytes, check_timeout
from .._inference.members import OperationModel
from .._io.generation import importing
from .._io.message import Response
from .._io.system import Once, System
from .._io.transport import Admission
from .session import Session

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._s3.objects import S3Location

T = TypeVar("T")


class BaseOperations:
    """
    What each family of operations is derived from.

    Args:
        system: Clocks and locks.
        open_session: Finds out the settings, at the first call.
    """

    def __init__(self, system: System, open_session: Callable[[], Awaitable[Session]]) -> None:
        self._system = system
        self._session = Once(system, open_session, self._close_if_closed)
        self._is_closed = False

    async def _close_if_closed(self, session: Session) -> None:
        """Keep no connections of a session that is opened after `close`, or at the same time."""
        if self._is_closed:
            await session.transport.close()

    async def close(self) -> None:
        """
        Close the connections that were opened here; a user-supplied client stays open.

        What is under way goes on, and loses nothing: a request that was sent or waits for a connection, and
        a `wait` between two polls, which opens a new connection for the next one.  So does a closed client
        that is used again.  But it keeps none of them after its request, so that nothing is left open
        when the last call ends.
        """
        self._is_closed = True
        if self._session.value is not None:
            await self._session.value.transport.close()

    def _start(self, timeout: float | None) -> float:
        """Return when a call begins, if its *timeout* can be one."""
        if timeout is not None:
            check_timeout(timeout)
        return self._system.monotonic()

    async def _bytes(self, value: object, argument: str) -> bytes:
        """Return the bytes of an argument: a copy of what may change."""
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
        """
        Check arguments, send them, and return the output.

        Args:
            model: The table of the operation.
            parse: Makes the output of a success.
            arguments: By name; one that is None, or is not there, is not given.
            timeout: Seconds that the call may take in all; None takes the client's.
        """
        start = self._start(timeout)
        request = model.to_http(arguments)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        operation = model.to_operation(session.endpoint, request, deadline)
        async with Admission(session.transport, deadline):
            response = await session.runtime.send(operation)
        return parse(response)


def parse_location(text: str, argument: str = "location") -> "S3Location":
    """Return the location that an argument names."""
    with importing():
        from .._s3.objects import S3Location

    return S3Location.parse(text, argument=argument)
