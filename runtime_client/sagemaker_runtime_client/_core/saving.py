"""Waits for the output of a job, and writes it to a target, without holding all of it in memory."""

from collections.abc import Callable, Coroutine
from typing import Any

from .._inference.invocation import Invocation
from .._inference.output import Output
from .._io.system import System
from .._io.targets.make_target import make_target
from .._io.transport import Transport
from .._limits import OBJECT, ResponseLimit
from .._s3.client import S3
from .._s3.downloads.operation import download
from .._s3.downloads.result import DownloadOptions
from .._s3.objects import S3Location

Wait = Callable[..., Coroutine[object, object, Output]]

# The wait requests only the first byte, which suffices to show that the output exists.
_FIRST_BYTE = OBJECT.replace(size=1, is_truncated=True)
# If the output exists at the time limit, its transfer may take this many more seconds.
_TRANSFER_TIME = 60.0


class SavingWait:
    """A replacement for the function `wait` that also writes the output to a target.

    Args:
        wait: Waits for the output.
        system: Provides clocks and the backend.
        transport: Sends the requests.
        target: The target that the caller has passed.

    Raises:
        ParamValidationError: *target* is not a path, an open binary file or a writable buffer.
        TargetError: The target cannot be written.
    """

    def __init__(self, wait: Wait, system: System, transport: Transport, target: object) -> None:
        self._wait, self._transport, self._target = wait, transport, target
        made = make_target(system.backend(), target, "output")
        try:
            made.open()
        finally:
            made.abandon()

    async def __call__(
        self,
        system: System,
        s3: S3,
        invocation: Invocation,
        *,
        timeout: float,
        limit: ResponseLimit,
        **options: Any,
    ) -> Output:
        """Wait for the output, write it to the target, and return its description."""
        ends = system.monotonic() + timeout + _TRANSFER_TIME
        found = await self._wait(
            system, s3, invocation, timeout=timeout, limit=_FIRST_BYTE, **options
        )
        location = S3Location.parse(found.location)
        download_options = DownloadOptions(max_size=limit.size)
        saved = await download(
            system,
            s3,
            self._transport,
            location,
            self._target,
            download_options,
            ends,
            argument="output",
        )
        return Output(
            b"",
            saved.content_type,
            saved.metadata,
            saved.location,
            saved.last_modified,
            found.invocation,
            saved.size,
            saved.etag,
        )
