"""Checks the arguments of an upload and opens its source before anything is sent."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from .._inference.members import invalid_argument
from .._io.run import is_async
from .._io.sources.opened import UploadSource, open_source
from .._io.sources.stream import StreamSource
from .._io.system import System
from .._s3.arguments import check_number
from .._s3.client import S3
from .._s3.objects import S3Location, S3Object
from .._s3.part_plan import plan_parts
from .._s3.request import Headers
from .._s3.upload_headers import upload_headers
from .._s3.uploads.job import Job
from .._s3.uploads.upload import MAX_SINGLE_SIZE, upload

_MAX_CONCURRENCY = 64
_CONDITIONS = frozenset({"if-match", "if-none-match"})


@asynccontextmanager
async def open_until_end(
    system: System, content: object, argument: str
) -> AsyncGenerator[UploadSource]:
    """Open the source of an upload, and close it when the context ends."""
    opened = await open_source(system.backend(), content, argument)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def small_or_open(
    system: System, content: object, argument: str, most: int
) -> AsyncGenerator[bytes | UploadSource]:
    """Return a source's bytes if there are at most *most*; otherwise, open it."""
    async with open_until_end(system, content, argument) as source:
        if isinstance(source, StreamSource):
            start = await source.take(most + 1)
            source.unread(start)
            yield bytes(start) if len(start) <= most else source
        elif source.size <= most:
            pieces = [piece async for piece in source.region(0, source.size).chunks()]
            yield b"".join(pieces)
        else:
            yield source


class UploadArguments(NamedTuple):
    """The arguments of an upload, which `ObjectOperations.upload` describes."""

    location: S3Location
    content_type: str | None
    metadata: Mapping[str, str] | None
    conditions: tuple[str | None, str | None]
    options: Headers
    part_size: int | None = None
    concurrency: int = 8
    on_progress: Any = None
    max_single: int = MAX_SINGLE_SIZE

    @asynccontextmanager
    async def open(
        self, system: System, source: object, argument: str
    ) -> AsyncGenerator[UploadSource]:
        """Check the arguments, and open the source, which is closed when the context ends.

        Raises:
            ParamValidationError: An argument is invalid.
        """
        self.headers()
        self._check()
        async with open_until_end(system, source, argument) as opened:
            yield opened

    async def upload(
        self, system: System, s3: S3, source: UploadSource, deadline: float | None
    ) -> S3Object:
        """Upload the object, and return its description."""
        headers = self.headers()
        job = Job(
            system,
            s3,
            self.location,
            tuple(header for header in headers if header[0] not in _CONDITIONS),
            tuple(header for header in headers if header[0] in _CONDITIONS),
            deadline,
        )
        return await upload(
            job,
            source,
            part_size=self.part_size,
            concurrency=self.concurrency,
            on_progress=self.on_progress,
            max_single=self.max_single,
        )

    def headers(self) -> Headers:
        """Return the headers of the object, including those that contain a condition."""
        return self.options + upload_headers(
            self.content_type, self.metadata or {}, *self.conditions
        )

    def _check(self) -> None:
        plan_parts(0, self.part_size)
        check_number("concurrency", self.concurrency, 1, _MAX_CONCURRENCY, "parts")
        function = self.on_progress
        if function is not None and (is_async(function) or not callable(function)):
            raise invalid_argument(
                "on_progress",
                "must be a plain (not async) function that accepts the number of bytes that were "
                "sent, and the number in all",
            )
