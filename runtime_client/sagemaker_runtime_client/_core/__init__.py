"""All operations of the clients, each written once for the blocking and the async client.

Annotations in this folder refer to classes, such as ``_core.Output``, that the first call does not
need.  Such a class is imported when a tool evaluates an annotation that refers to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._inference.invoke_endpoint import ModelOutput
    from .._inference.output import Output
    from .._io.sources.opened import Source
    from .._io.targets.target import AnyPath, TargetLike
    from .._s3.downloads.folder import FolderDownload
    from .._s3.downloads.result import Download
    from .._s3.listing import MultipartUpload
    from .._s3.objects import S3Object
    from .._s3.options import ObjectOptions
    from .._s3.presign import PresignedURL
    from ..events import Event
    from .model_stream import StreamContext
    from .object_body import BodyContext
    from .object_listing import ObjectListing

__all__ = [
    "AnyPath",
    "BodyContext",
    "Download",
    "FolderDownload",
    "Event",
    "ModelOutput",
    "MultipartUpload",
    "ObjectListing",
    "ObjectOptions",
    "Output",
    "PresignedURL",
    "S3Object",
    "Source",
    "StreamContext",
    "TargetLike",
]


def __getattr__(name: str) -> object:
    value: object
    match name:
        case (
            "AnyPath"
            | "BodyContext"
            | "Download"
            | "FolderDownload"
            | "MultipartUpload"
            | "ObjectListing"
            | "ObjectOptions"
            | "PresignedURL"
            | "Source"
            | "TargetLike"
        ):
            from . import object_names

            value = getattr(object_names, name)
        case "Event":
            from ..events import Event

            value = Event
        case "ModelOutput":
            from .._inference.invoke_endpoint import ModelOutput

            value = ModelOutput
        case "Output":
            from .._inference.output import Output

            value = Output
        case "S3Object":
            from .._s3.objects import S3Object

            value = S3Object
        case "StreamContext":
            from .model_stream import StreamContext

            value = StreamContext
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return value
