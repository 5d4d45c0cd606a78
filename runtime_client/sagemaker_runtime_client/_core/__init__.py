"""All operations of the clients, each written once for both clients.

Annotations in this folder refer to classes such as ``_core.Output``, which the first call does not
need.  Such a class is imported when a tool evaluates an annotation that refers to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._inference.invoke_endpoint import ModelOutput
    from .._inference.output import Output
    from .._io.sources.opened import Source
    from .._s3.listing import MultipartUpload
    from .._s3.objects import S3Object
    from .._s3.options import ObjectOptions
    from .._s3.presign import PresignedURL
    from ..events import Event
    from .model_stream import StreamContext
    from .object_listing import ObjectListing

__all__ = [
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
]


def __getattr__(name: str) -> object:
    value: object
    match name:
        case "Event":
            from ..events import Event

            value = Event
        case "ModelOutput":
            from .._inference.invoke_endpoint import ModelOutput

            value = ModelOutput
        case "MultipartUpload":
            from .._s3.listing import MultipartUpload

            value = MultipartUpload
        case "ObjectListing":
            from .object_listing import ObjectListing

            value = ObjectListing
        case "ObjectOptions":
            from .._s3.options import ObjectOptions

            value = ObjectOptions
        case "Output":
            from .._inference.output import Output

            value = Output
        case "PresignedURL":
            from .._s3.presign import PresignedURL

            value = PresignedURL
        case "S3Object" | "Source":
            from .._io.sources.opened import Source
            from .._s3.objects import S3Object

            value = {"S3Object": S3Object, "Source": Source}[name]
        case "StreamContext":
            from .model_stream import StreamContext

            value = StreamContext
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return value
