"""Operations that download objects from S3 to files, into memory, or as streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import _core
from .._inference.arguments import check_max_size
from .._io.generation import importing
from .._io.transport import Admission
from .base import BaseOperations, parse_location

if TYPE_CHECKING:
    from .._s3.downloads.body import BodyReader
    from .._s3.objects import S3Location


class DownloadOperations(BaseOperations):
    """Operations that download objects of any size."""

    async def download(
        self,
        location: str,
        target: _core.TargetLike,
        *,
        part_size: int | None = None,
        concurrency: int = 8,
        resume: bool = False,
        max_size: int | None = None,
        on_progress: Callable[[int, int], object] | None = None,
        timeout: float | None = None,
    ) -> _core.Download:
        """Download an object of any size to a file or into memory, and verify it.

        An object of more than *part_size* bytes is downloaded in parts, several at the same time,
        all from the same version of the object.  If a connection breaks, only the rest of its part
        is requested again.  If the object was damaged in transit, it is downloaded once more.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            target: A path, whose file is created or replaced when the download is complete; or an
                open binary file, which is written from its current position and stays open; or a
                bytearray, which is resized; or a memoryview that is large enough.
            part_size: The size of a part in bytes, at least 65,536; None for 8 MiB.  If the object
                would have more than 10,000 parts, larger parts are used.
            concurrency: The largest number of parts that are downloaded at the same time.  If
                *target* is an open file that cannot seek, this number of parts is held in memory.
            resume: Whether a later call with the same path continues a failed download.  Until
                then, the data and their state are stored in the same folder as *target*, as
                ``.NAME.part`` and ``.NAME.part.json``.
            max_size: The maximum size of the object in bytes; None for no limit.
            on_progress: A plain (not async) function that is called with the number of bytes that
                were received and the size of the object; possibly from other threads, but never
                twice at the same time.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The description of the object.  `verified` is the algorithm of the checksum that was
            compared; None if S3 has no checksum of the whole object that this machine can compute.
            CRC64NVME and CRC32C need the package awscrt.

        Raises:
            ObjectNotFoundError: The key or the bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:GetObject``, or ``kms:Decrypt`` for
                the KMS key of the object.
            ObjectReplacedError: The object was replaced during the download.  Try again.
            ChecksumError: The object was damaged in transit in both attempts.
            TargetError: The target cannot be written, for example because the folder is missing,
                the disk is full, or another download to the path is in progress.
            ResponseTooLargeError: The object is larger than *max_size*.
            LocationNotAllowedError: The location is outside ``allowed_locations``; nothing was
                requested.
            ParamValidationError: An argument is invalid; nothing was sent.
            ServiceError: S3 rejected a request for another reason; see `code`.
            TransportError: A part was not received before the timeout, or after several attempts.
        """
        start = self._start(timeout)
        parsed = parse_location(location)
        check_max_size(max_size)
        with importing():
            from .._s3.downloads.operation import check_options, download

        options = check_options(part_size, concurrency, max_size, on_progress)
        session = await self._session()
        session.s3.check_allowed(parsed)
        deadline = session.deadline(start, timeout)
        async with Admission(session.transport, deadline):
            return await download(
                self._system,
                session.s3,
                session.transport,
                parsed,
                target,
                options,
                deadline,
                resume=resume,
            )

    async def download_all(
        self,
        prefix: str,
        folder: _core.AnyPath,
        *,
        part_size: int | None = None,
        concurrency: int = 8,
        timeout: float | None = None,
    ) -> _core.FolderDownload:
        """Download all objects below a prefix to files in a folder, and verify them.

        The path of each file below *folder* is the part of the object's key after the last slash of
        *prefix*; slashes in this part separate folders.  No file is written outside *folder*.  An
        object is skipped if its key contains ``..``, a backslash, a NUL character, a drive letter,
        an empty name or a name of more than 255 bytes; if a folder in the path is a symbolic link;
        if the key ends with a slash; if another key differs only by case; or if another key needs a
        folder with the name of the file.

        Args:
            prefix: The location with which the objects' locations begin: ``s3://bucket/inputs/``,
                or ``s3://bucket`` for all objects.
            folder: The path of the folder, which is created if it is missing.  Existing files with
                the same names are replaced.
            part_size: As for `download`.
            concurrency: The maximum number of requests at the same time, from 1 to 256.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The result.  Its attribute ``downloads`` contains the descriptions of the downloaded
            objects, and ``skipped`` contains the skipped objects, each with the reason.

        Raises:
            AccessDeniedError: The credentials do not allow ``s3:ListBucket``, or ``s3:GetObject``
                for an object.
            LocationNotAllowedError: The prefix is outside ``allowed_locations``; nothing was
                requested.
            TargetError: The folder cannot be written, for example because the disk is full.
            RuntimeClientError: Any other error that `download` raises for one of the objects.  The
                files of the objects that were downloaded before the error are complete.
        """
        start = self._start(timeout)
        with importing():
            from .._s3.downloads.folder import FolderDownloader, open_folder
            from .._s3.downloads.operation import check_options
            from .._s3.objects import S3Location

        parsed = S3Location.parse_prefix(prefix)
        options = check_options(part_size, concurrency, None, None)
        session = await self._session()
        session.s3.check_allowed(parsed, "prefix")
        deadline = session.deadline(start, timeout)
        async with Admission(session.transport, deadline):
            return await FolderDownloader(
                self._system,
                session.s3,
                session.transport,
                parsed,
                open_folder(folder),
                options,
                deadline,
            ).run()

    def open(self, location: str, *, timeout: float | None = None) -> _core.BodyContext:
        """Return a context in which the body of an object can be read while it arrives.

        Entering the context sends the request and waits for the beginning of the response.  Leaving
        the context early closes the connection.  If the connection breaks, the rest of the object
        is requested again, unless the object was replaced meanwhile.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            timeout: The time limit from entering the context to the end of the body, in seconds;
                None uses the client's default.

        Returns:
            A context manager or, from an async client, an async context manager.  Its value has the
            methods ``read`` and ``readinto``, and is an iterator over pieces.  Its attribute
            ``description`` is the `S3Object`, and ``verified`` is, after the end of the body, the
            algorithm of the checksum that was compared, or None.

        Raises:
            ObjectNotFoundError: The key or the bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:GetObject``, or ``kms:Decrypt`` for
                the KMS key of the object.
            ChecksumError: The object was damaged in transit.  Only reading the last bytes raises
                this error, so do not use the bytes that were read before.
            ObjectReplacedError: The object was replaced while it was read.
            LocationNotAllowedError: The location is outside ``allowed_locations``; nothing was
                requested.
            ParamValidationError: An argument is invalid; nothing was sent.
            ServiceError: S3 rejected the request for another reason; see `code`.
            TransportError: The object was not received before the timeout, or after several
                attempts.
        """
        self._start(timeout)
        parsed = parse_location(location)
        with importing():
            from .object_body import BodyContext

        async def prepare() -> tuple[BodyReader, Admission]:
            return await self._prepare_body(parsed, timeout)

        return BodyContext(prepare)

    async def _prepare_body(
        self, location: S3Location, timeout: float | None
    ) -> tuple[BodyReader, Admission]:
        start = self._start(timeout)
        with importing():
            from .._s3.downloads.body import BodyReader
            from .._s3.downloads.object_reader import ObjectSource
        session = await self._session()
        session.s3.check_allowed(location)
        deadline = session.deadline(start, timeout)
        source = ObjectSource(self._system, session.s3, session.transport, location, deadline)
        return BodyReader(source), Admission(session.transport, deadline)
