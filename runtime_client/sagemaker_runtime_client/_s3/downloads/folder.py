"""Downloads all objects below a prefix to a folder."""

from collections import deque
from collections.abc import Iterator
from errno import EEXIST, ENAMETOOLONG, ENOTDIR

from ..._io.system import System
from ..._io.targets.folder import Folder
from ..._io.targets.make_target import make_folder
from ..._io.targets.target import TargetError
from ..._io.transport import Transport
from ..._value import Value
from ..buckets import list_page
from ..client import S3
from ..listing import Marker
from ..objects import S3Location, S3Object
from .names import FileNames, SkippedObject
from .operation import download
from .reading import take
from .result import Download, DownloadOptions

# Error numbers that show that the folder cannot contain a file with the name of an object.  None is
# the number of an error that `Folder.place` detects itself.
_NAME_ERRORS = frozenset({None, EEXIST, ENAMETOOLONG, ENOTDIR})


def open_folder(path: object) -> Folder:
    """Create the folder if it is missing, and return it.

    Raises:
        ParamValidationError: *path* is not a path.
        TargetError: The folder cannot be created.
    """
    return make_folder(path, "folder")


class FolderDownload(Value):
    """The result of `download_all`.

    Attributes:
        downloads: The descriptions of the downloaded objects, sorted by key.
        skipped: The objects that were not downloaded because of their keys, sorted by key.
    """

    __slots__ = __match_args__ = ("downloads", "skipped")

    downloads: tuple[Download, ...]
    skipped: tuple[SkippedObject, ...]

    def __init__(self, downloads: tuple[Download, ...], skipped: tuple[SkippedObject, ...]) -> None:
        self.downloads = downloads
        self.skipped = skipped


class FolderDownloader:
    """Downloads all objects below a prefix.

    Args:
        system: Provides the backend.
        s3: The S3 client.
        transport: Sends the requests.
        prefix: The location with which the locations of the objects begin.
        folder: The folder in which the files are created.
        options: How each object is downloaded.
        deadline: When the call must end, on the monotonic clock; None for no limit.
    """

    def __init__(
        self,
        system: System,
        s3: S3,
        transport: Transport,
        prefix: S3Location,
        folder: Folder,
        options: DownloadOptions,
        deadline: float | None,
    ) -> None:
        self._system, self._s3, self._transport = system, s3, transport
        self._prefix, self._folder = prefix, folder
        self._options, self._deadline = options, deadline
        self._names = FileNames(prefix.key)
        self._downloads: list[Download] = []
        self._skipped: list[SkippedObject] = []

    async def run(self) -> FolderDownload:
        """List the objects page by page, download those of each page, and return the result."""
        marker: Marker = ()
        while True:
            page = await list_page(self._s3, self._prefix, self._deadline, marker=marker)
            await self._take(list(self._placed(page.objects)))
            if not page.marker:
                break
            marker = page.marker
        self._downloads.sort(key=lambda one: one.location)
        return FolderDownload(tuple(self._downloads), tuple(self._skipped))

    def _placed(self, objects: list[S3Object]) -> Iterator[tuple[S3Object, str]]:
        """Return each object that can be downloaded, with the path of its file; record the others."""
        for found in objects:
            names = self._names.assign(found.location.split("/", 3)[3])
            if isinstance(names, tuple):
                try:
                    yield found, self._folder.place(names)
                    continue
                except TargetError as error:
                    if error.errno not in _NAME_ERRORS:
                        raise
                    names = error.message
            self._skipped.append(SkippedObject(found.location, names))

    async def _take(self, placed: list[tuple[S3Object, str]]) -> None:
        """Download several small objects at the same time, and then the large ones one by one."""
        small = deque([one for one in placed if one[0].size <= self._options.part_size])
        options = self._options._replace(concurrency=1)

        async def work() -> None:
            while (one := take(small)) is not None:
                await self._download(*one, options)

        async with self._system.backend().task_group() as group:
            for _ in range(min(len(small), self._options.concurrency)):
                group.start(work)
        for found, path in placed:
            if found.size > self._options.part_size:
                await self._download(found, path, self._options)

    async def _download(self, found: S3Object, path: str, options: DownloadOptions) -> None:
        location = S3Location.parse(found.location)
        result = await download(
            self._system,
            self._s3,
            self._transport,
            location,
            path,
            options,
            self._deadline,
            argument="folder",
        )
        self._downloads.append(result)
