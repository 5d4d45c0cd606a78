"""The names that belong to operations on objects, which most first calls do not need."""

from .._io.sources.body import SourceError
from .._io.sources.opened import Source
from .._io.targets.target import AnyPath, TargetError, TargetLike
from .._s3.downloads.folder import FolderDownload
from .._s3.downloads.names import SkippedObject
from .._s3.downloads.ranges import ObjectReplacedError
from .._s3.downloads.result import Download
from .._s3.listing import MultipartUpload
from .._s3.options import ObjectOptions
from .._s3.presign import PresignedURL
from .object_body import AsyncObjectBody, BodyContext, ObjectBody
from .object_listing import ObjectListing

__all__ = [
    "AnyPath",
    "AsyncObjectBody",
    "BodyContext",
    "Download",
    "FolderDownload",
    "MultipartUpload",
    "ObjectBody",
    "ObjectListing",
    "ObjectOptions",
    "ObjectReplacedError",
    "PresignedURL",
    "SkippedObject",
    "Source",
    "SourceError",
    "TargetError",
    "TargetLike",
]
