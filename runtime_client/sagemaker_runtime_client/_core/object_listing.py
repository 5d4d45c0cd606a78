"""The listing of the objects below a prefix: the result of `list_objects`."""

import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from .._inference.members import invalid_argument
from .._io.system import System
from .._s3.arguments import check_number
from .._s3.buckets import list_page
from .._s3.listing import MAX_PAGE_SIZE, Marker
from .._s3.objects import S3Location, S3Object
from .._value import type_name
from .items import AsyncItems, Items
from .session import Session


class ObjectListing:
    """The objects below a prefix, which are requested in pages during the iteration.

    The arguments are described in `BucketOperations.list_objects`.

    Attributes:
        ready: The objects that were received but not yet returned.
    """

    def __init__(
        self,
        system: System,
        open_session: Callable[[], Awaitable[Session]],
        prefix: str,
        start_after: str | None,
        page_size: int,
        max_objects: int | None,
        timeout: float | None,
    ) -> None:
        self._system, self._open_session = system, open_session
        self._location = S3Location.parse_prefix(prefix)
        self._start_after = _check_start(start_after, self._location.bucket)
        self._page_size = check_number("page_size", page_size, 1, MAX_PAGE_SIZE, "objects")
        self._left = max_objects
        if max_objects is not None:
            check_number("max_objects", max_objects, 0, sys.maxsize, "objects")
        self._timeout = timeout
        self._marker: Marker = ()
        self._is_at_end = self._left == 0
        self.ready: deque[S3Object] = deque()

    def blocking(self) -> Iterator[S3Object]:
        """Return the iterator for a blocking client."""
        return Items(self)

    def asynchronous(self) -> AsyncIterator[S3Object]:
        """Return the async iterator for an async client."""
        return AsyncItems(self)

    async def fill(self) -> bool:
        """Request pages until an object is ready, and return True; return False at the end.

        If a request fails, the next call repeats it.
        """
        while not (self.ready or self._is_at_end):
            await self._request_page()
        return bool(self.ready)

    async def _request_page(self) -> None:
        start, session = self._system.monotonic(), await self._open_session()
        left, size = self._left, self._page_size
        page = await list_page(
            session.s3,
            self._location,
            session.deadline(start, self._timeout),
            start_after=self._start_after,
            page_size=size if left is None else min(size, left),
            marker=self._marker,
        )
        objects = page.objects[:left]
        if left is not None:
            self._left = left - len(objects)
        self._marker = page.marker
        self._is_at_end = not page.marker or self._left == 0
        self.ready.extend(objects)


def _check_start(start_after: object, bucket: str) -> str:
    """Return the key in *start_after*, which may be a location in the same bucket."""
    if start_after is None:
        return ""
    if not isinstance(start_after, str):
        raise invalid_argument("start_after", f"must be a str, not {type_name(start_after)}")
    if not start_after.startswith("s3://"):
        start_after = f"s3://{bucket}/{start_after}"
    location = S3Location.parse_prefix(start_after, argument="start_after")
    if location.bucket != bucket:
        raise invalid_argument("start_after", "must be a location in the bucket that is listed")
    return location.key
