"""Downloads several ranges of an object at the same time, and verifies the object.

The first request is for the first range.  Its response states the size and the entity tag of the
object.  The other ranges are requested under the condition that the entity tag has not changed, so
that all ranges belong to the same version.  S3 states the checksum of an object only in response to
a request for the whole object, so an object that has several ranges also needs a HEAD request if it
is to be verified.
"""

import logging
from typing import NamedTuple

from ..._errors import ChecksumError, ResponseTooLargeError, ServiceError
from ..._io.message import Response
from ..._io.targets.target import Target
from ..checksums import StatedChecksum, damaged, start_verification
from ..objects import object_fields, printable
from .object_reader import ObjectReader, ObjectSource
from .ranges import Version, replaced, whole_version
from .reading import RangeReading, split
from .result import Download, DownloadOptions
from .resume import Progress, Ranges
from .verification import Verification, needs_order

_RANGE_NOT_SATISFIABLE = 416

_log = logging.getLogger("sagemaker_runtime_client")


class _Found(NamedTuple):
    """The object that the first request has found.

    Attributes:
        head: The response that describes the object.
        version: The version of the object.
        first: The reader that has requested the first range; None if no range has been requested.
        stored: The ranges that an earlier download has stored.
    """

    head: Response
    version: Version
    first: ObjectReader | None = None
    stored: Ranges = ()


class Downloader:
    """Downloads one object.

    Args:
        source: Sends the requests.
        target: Where the data are written; it is not open yet.
        options: How the object is downloaded.
        progress: Which ranges are complete, in this download or in an earlier one that it
            continues.
    """

    def __init__(
        self, source: ObjectSource, target: Target, options: DownloadOptions, progress: Progress
    ) -> None:
        self._source, self._target = source, target
        self._options, self._progress = options, progress
        self._name = printable(source.location)

    async def run(self) -> Download:
        """Download the object, and return its description.

        Raises:
            ChecksumError: The object did not match its checksum, even in a second download if the
                target can be written again.
            ObjectReplacedError: The object was replaced or deleted during the download.
            TargetError: The target cannot be opened, written, read or replaced.
            ResponseTooLargeError: The object is larger than `max_size`.
            RuntimeClientError: A request failed.
        """
        try:
            self._target.open()
            return await self._run()
        except BaseException:
            self._progress.save_now()
            raise
        finally:
            self._target.abandon()

    async def _run(self) -> Download:
        try:
            return await self._attempt()
        except ChecksumError as error:
            if not self._target.is_restartable:
                raise
            _log.warning("%s; downloading the object again", error)
        return await self._attempt()

    async def _attempt(self) -> Download:
        found = await self._find()
        try:
            stated = await self._stated(found)
            verification = await self._read(found, stated)
        finally:
            if found.first is not None:
                await found.first.aclose()
        if stated is not None:
            system = self._source.system
            if not await verification.is_right(stated, system, self._target):
                await self._begin(found, None)  # a later download must not reuse these data
                raise damaged(self._source.location, stated, found.head)
        await self._target.commit()
        fields = object_fields(found.head)
        fields["size"] = found.version.size
        verified = None if stated is None else stated.algorithm
        return Download(str(self._source.location), b"", **fields, verified=verified)

    async def _find(self) -> _Found:
        """Find the object, and request its first range unless an earlier download can continue."""
        state = await self._progress.load()
        if state is not None:
            head = await self._source.head(None)
            if whole_version(head) == state.version:
                return self._check_size(_Found(head, state.version, None, state.ranges))
        first = ObjectReader(self._source, 0, self._options.part_size, None)
        try:
            await first.open()
        except ServiceError as error:
            if error.status_code != _RANGE_NOT_SATISFIABLE:
                raise
            found = await self._find_empty()
        else:
            found = _Found(first.head, first.range.version, first)
        try:
            self._check_size(found)
            await self._begin(found, found.version)
        except BaseException:
            await first.aclose()
            raise
        return found

    async def _find_empty(self) -> _Found:
        """Return the description of an empty object, of which no range can be requested."""
        head = await self._source.head(None)
        version = whole_version(head)
        if version is None or version.size:
            raise replaced(self._source.location, head)
        return _Found(head, version)

    def _check_size(self, found: _Found) -> _Found:
        limit, size = self._options.max_size, found.version.size
        if limit is not None and size > limit:
            raise ResponseTooLargeError(
                f"{self._name}: the object has {size:,} bytes, more than max_size={limit:,}",
                limit=limit,
                status_code=found.head.status,
                request_id=found.head.request_id,
            )
        return found

    async def _begin(self, found: _Found, version: Version | None) -> None:
        """Discard the data in the target, and record a new download of *version*.

        If *version* is None, record nothing, so that a later download starts from the beginning.
        """
        await self._target.begin(found.version.size)
        self._progress.begin(version)

    async def _stated(self, found: _Found) -> StatedChecksum | None:
        """Return the checksum that S3 states for the object.

        Return None if verification is disabled, or if S3 states no checksum of the whole object
        that can be computed here.
        """
        if not self._source.verifies:
            return None
        first, size = found.first, found.version.size
        is_whole = first is None or first.range.end == size
        verification = start_verification(found.head.headers) if is_whole else None
        if verification is None and first is not None:
            head = await self._source.head(found.version)
            verification = start_verification(head.headers)
        if verification is None:
            _log.info(
                "%s: not verified: S3 has no checksum of the whole object that can be computed here",
                self._name,
            )
            return None
        return verification[0]

    async def _read(self, found: _Found, stated: StatedChecksum | None) -> Verification:
        """Read all ranges that are not stored yet, and return the checksums of all ranges."""
        if needs_order(stated) and not self._target.is_readable and found.first is not None:
            found.first.extend()
            missing = [(0, found.version.size)]
        else:
            end = 0 if found.first is None else found.first.range.end
            missing = split(found.stored, end, found.version.size, self._options.part_size)
        verification = Verification(stated, sorted([*found.stored, *missing]))
        reading = RangeReading(
            self._source, self._target, found.version, verification, self._progress, self._options
        )
        await reading.run(found.stored, missing, found.first)
        return verification
