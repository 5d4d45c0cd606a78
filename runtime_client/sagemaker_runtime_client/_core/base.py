"""What all operations share: a client's settings, and how a call begins."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sigv4 import CredentialsProvider

from .._aws.call import ServiceClient
from .._aws.operation import Operation
from .._inference.arguments import as_bytes, check_timeout
from .._inference.members import OperationModel
from .._io.generation import importing
from .._io.message import Response, TransportOptions
from .._io.system import IO
from ..credentials import ChainCredentials, Context, LazyContext
from .services import Services

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._s3.objects import S3Location

T = TypeVar("T")


class BaseOperations:
    """
    What each family of operations is derived from.

    Args:
        io: The outside world.
        arguments: The settings that the caller gave, by name; None leaves one to the environment.
        credentials: Whatever gives credentials; None takes the chain's.
    """

    def __init__(
        self, io: IO, arguments: Mapping[str, Any], credentials: CredentialsProvider | None
    ) -> None:
        self._io = io
        self._context = LazyContext(io, arguments)
        self._credentials = (
            ChainCredentials(io, self._context) if credentials is None else credentials
        )
        self._made: Services | None = None

    async def close(self) -> None:
        """
        Close the connections that were opened here; a user-supplied client stays open.

        What is under way goes on, and loses nothing: a request that was sent or waits for a connection, and
        a `wait` between two looks, which opens a new connection for the next one.  So does a closed client
        that is used again.  But it keeps none of them after its request, so that nothing is left open
        when the last call ends.
        """
        await self._io.close()

    def _start(self, timeout: float | None) -> float:
        """Return when a call begins, if its *timeout* can be one."""
        if timeout is not None:
            check_timeout(timeout)
        return self._io.monotonic()

    async def _bytes(self, value: object, argument: str) -> bytes:
        """Return the bytes of an argument: a copy of what may change."""
        may_change = isinstance(value, bytearray | memoryview)
        size = memoryview(cast("bytes", value)).nbytes if may_change else 0
        return await self._io.compute(size, as_bytes, value, argument)

    async def call(
        self,
        model: OperationModel,
        parse: Callable[[Response], T],
        arguments: Mapping[str, Any],
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
        services = await self._services()
        deadline = services.deadline(start, timeout)
        operation = model.to_operation(services.endpoint, request, deadline)
        return parse(await self._send(services.runtime, operation))

    async def _send(self, runtime: ServiceClient, operation: Operation) -> Response:
        await self._io.begin(operation.deadline)
        try:
            return await runtime.send(operation)
        finally:
            self._io.end()

    @property
    def transport_options(self) -> TransportOptions:
        """What a client of our own is opened with."""
        return self._context.transport_options

    async def _services(self) -> Services:
        """Find out the settings at the first call, and return the services that they lead to."""
        return self._made or self._make(await self._context())

    def _make(self, context: Context) -> Services:
        """Make the services, unless somebody else has done so in the meantime."""
        if self._made is None:
            with importing():
                import_module("email.utils")  # for an answer's date; later it may not be had
            self._made = Services(context, self._credentials)
        return self._made


def parse_location(text: str, argument: str = "location") -> "S3Location":
    """Return the location that an argument names."""
    from .._s3.objects import S3Location

    return S3Location.parse(text, argument=argument)
