"""Checks the options of `download`, creates the target, and downloads the object."""

from collections.abc import Callable
from typing import cast

from ..._errors import ParamValidationError
from ..._io.run import is_async
from ..._io.system import System
from ..._io.targets.make_target import make_target
from ..._io.transport import Transport
from ..arguments import check_number
from ..client import S3
from ..objects import S3Location
from .download import Downloader
from .object_reader import ObjectSource
from .result import DEFAULT_PART_SIZE, Download, DownloadOptions
from .resume import Progress, StateFile

_MIN_PART_SIZE, _MAX_PART_SIZE = 64 << 10, 5 << 30
_MAX_CONCURRENCY = 256


def check_options(
    part_size: int | None,
    concurrency: int,
    max_size: int | None,
    on_progress: Callable[[int, int], object] | None,
) -> DownloadOptions:
    """Return the options as an object, or raise ParamValidationError if one is invalid."""
    size = DEFAULT_PART_SIZE if part_size is None else part_size
    check_number("part_size", size, _MIN_PART_SIZE, _MAX_PART_SIZE, "bytes")
    check_number("concurrency", concurrency, 1, _MAX_CONCURRENCY, "parts")
    if on_progress is not None and not is_plain(on_progress):
        raise ParamValidationError(
            "on_progress must be a plain function of two numbers, not an async one",
            argument="on_progress",
        )
    return DownloadOptions(size, concurrency, max_size, on_progress)


def is_plain(function: object) -> bool:
    """Return whether *function* is callable and not async."""
    return callable(function) and not is_async(function)


async def download(
    system: System,
    s3: S3,
    transport: Transport,
    location: S3Location,
    target: object,
    options: DownloadOptions,
    deadline: float | None,
    *,
    resume: bool = False,
    argument: str = "target",
) -> Download:
    """Download an object; `DownloadOperations.download` describes the arguments and the errors."""
    made = make_target(system.backend(), target, argument, resume=resume)
    source = ObjectSource(system, s3, transport, location, deadline)
    progress = Progress(location, cast("StateFile", made) if resume else None)
    return await Downloader(source, made, options, progress).run()
