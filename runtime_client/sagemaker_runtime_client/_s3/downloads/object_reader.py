"""Reads ranges of an object, and requests the rest of a range again if a connection fails."""

import logging
from collections.abc import Callable
from functools import partial

from ..._errors import RuntimeClientError, TransportError
from ..._io.message import Request, Response
from ..._io.open_response import OpenResponse
from ..._io.system import System
from ..._io.transport import Transport
from ..._limits import ResponseLimit
from ..checksums import CHECKSUM_MODE
from ..client import S3
from ..objects import S3Location, printable
from ..request import Headers, S3Request
from ..responses import check_object
from .ranges import (
    Range,
    Version,
    parse_range,
    parse_range_error,
    range_headers,
    replaced,
    whole_version,
)

_log = logging.getLogger("sagemaker_runtime_client")

# How often a range is requested again if each time fewer than `_PROGRESS` bytes have arrived.
_MAX_CUTS = 5
_PROGRESS = 1 << 20
# The longest pause before the first repetition of a request, in seconds.  There is a pause only if
# no data have arrived since the last interruption.  The limit doubles with each repetition.
_PAUSE = 0.2


class ObjectSource:
    """Sends requests for one object.

    Args:
        system: Provides the clock and the pauses.
        s3: The S3 client.
        transport: Sends the requests.
        location: The location of the object.
        deadline: When the call must end, on the monotonic clock; None for no limit.

    Attributes:
        system: The value of *system*.
        location: The location of the object.
    """

    def __init__(
        self,
        system: System,
        s3: S3,
        transport: Transport,
        location: S3Location,
        deadline: float | None,
    ) -> None:
        self.system, self.location = system, location
        self._s3, self._transport, self._deadline = s3, transport, deadline

    @property
    def verifies(self) -> bool:
        """Whether downloads are verified."""
        return self._s3.verifies_downloads

    async def head(self, version: Version | None) -> Response:
        """Request the description of the object, and return the response.

        Args:
            version: The version that the object must have; None for any.

        Raises:
            ObjectReplacedError: The object has another version than *version*.
        """
        request = S3Request("HEAD", headers=self._headers(0, None, version))
        operation = self._s3.operation(self.location, request)._replace(
            deadline=self._deadline,
            parse_error=partial(parse_range_error, self.location),
            check=partial(_check_head, self.location, version),
        )
        return await self._s3.send(operation, self.location)

    async def open(
        self, start: int, end: int | None, version: Version | None
    ) -> tuple[OpenResponse, Range]:
        """Request a range; return the response as soon as its head has arrived, and the range it contains.

        Args:
            start: The offset of the first byte.
            end: The offset after the last byte; None for the whole object.
            version: The version that the object must have; None for any.

        Raises:
            ObjectReplacedError: The object has another version than *version*.
        """
        attempt = _Attempt(
            self._transport, partial(parse_range, self.location, start, end, version)
        )
        request = S3Request("GET", headers=self._headers(start, end, version))
        operation = self._s3.operation(self.location, request)._replace(
            deadline=self._deadline,
            parse_error=partial(parse_range_error, self.location),
            send=attempt.send,
        )
        try:
            await self._s3.send(operation, self.location)
        except BaseException:
            await attempt.aclose()
            raise
        return attempt.result

    def _headers(self, start: int, end: int | None, version: Version | None) -> Headers:
        return range_headers(start, end, version) + ((CHECKSUM_MODE,) if self.verifies else ())


class _Attempt:
    """Sends a request, possibly several times, and keeps the response to the last attempt.

    Args:
        transport: Sends the request.
        parse: Returns the range in a successful response, or raises an error.

    Attributes:
        result: The open response and the range that it contains; set only after a success.
    """

    result: tuple[OpenResponse, Range]

    def __init__(self, transport: Transport, parse: Callable[[Response], Range]) -> None:
        self._transport, self._parse = transport, parse
        self._opened: OpenResponse | None = None

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        /,
        *,
        limit: ResponseLimit,
        connect_timeout: float | None,
        read_timeout: float | None,
    ) -> Response:
        """Send the request, and return the head of the response, whose body stays unread."""
        self._opened = opened = await self._transport.open(
            origin, make, deadline, connect_timeout=connect_timeout, read_timeout=read_timeout
        )
        if opened.head.ok:
            try:
                self.result = opened, self._parse(opened.head)
            except RuntimeClientError:
                await opened.aclose()
                raise
        return opened.head

    async def aclose(self) -> None:
        """Release the connection."""
        if self._opened is not None:
            await self._opened.aclose()


def _check_head(location: S3Location, version: Version | None, response: Response) -> None:
    check_object(location, response)
    if version is not None and whole_version(response) != version:
        raise replaced(location, response)


class ObjectReader:
    """Reads a range of an object.

    Args:
        source: Sends the requests.
        start: The offset of the first byte.
        end: The offset after the last byte; None for the whole object.
        version: The version that the object must have.  If it is None, the first response
            determines the version, which must not change later.

    Attributes:
        head: The head of the first response.
        range: The range that the first response contains.
    """

    head: Response
    range: Range

    def __init__(
        self, source: ObjectSource, start: int, end: int | None, version: Version | None
    ) -> None:
        self._source = source
        self._position, self._end, self._version = start, end, version
        self._opened: OpenResponse | None = None
        self._last_cut, self._cuts = start, 0

    async def open(self) -> None:
        """Send the first request.

        Raises:
            RuntimeClientError: The request failed.
        """
        self._opened, found = await self._source.open(self._position, self._end, self._version)
        self.head, self.range = self._opened.head, found
        self._end, self._version = found.end, found.version

    def extend(self) -> None:
        """From now on, read to the end of the object, which may need another request."""
        self._end = self.range.version.size

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes into *buffer*, and return how many were read; 0 at the end of the range.

        Raises:
            TransportError: The connection was interrupted too often, or a timeout elapsed.
            ObjectReplacedError: The object was replaced.
            ServiceError: A request for the rest of the range failed for another reason.
        """
        end = self._end or 0
        while self._position < end:
            if self._opened is None:
                self._opened, _ = await self._source.open(self._position, end, self._version)
            try:
                size = await self._opened.read_into(buffer[: end - self._position])
                if not size:
                    raise self._ended_early()
            except TransportError as error:
                await self._opened.aclose()
                self._opened = None
                if not self._may_continue(error):
                    raise
                await self._pause()
                continue
            self._position += size
            if self._position == end:
                await self._opened.drain()
                self._opened = None
            return size
        return 0

    def _ended_early(self) -> TransportError:
        return TransportError(
            f"{printable(self._source.location)}: the response ended after {self._position:,} bytes "
            f"of {self._end:,}"
        )

    def _may_continue(self, error: TransportError) -> bool:
        """Return whether the rest of the range may be requested after *error*."""
        if self._position - self._last_cut >= _PROGRESS:
            self._cuts = 0
        self._cuts += 1
        etag = None if self._version is None else self._version.etag
        if self._cuts > _MAX_CUTS or etag is None:
            return False
        _log.info(
            "%s: requesting the rest after %d bytes: %s",
            printable(self._source.location),
            self._position,
            error,
        )
        return True

    async def _pause(self) -> None:
        """Pause if no data have arrived since the previous interruption."""
        system, has_progress = self._source.system, self._position > self._last_cut
        self._last_cut = self._position
        if not has_progress:
            await system.sleep(_PAUSE * 2 ** (self._cuts - 1) * system.random())

    async def aclose(self) -> None:
        """Release the connection."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.aclose()
