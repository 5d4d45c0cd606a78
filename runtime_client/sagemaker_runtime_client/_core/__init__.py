"""All operations of the clients, each written once for both clients.

Annotations in this folder refer to classes such as ``_core.Output``, which the first call does not
need.  Such a class is imported when a tool evaluates an annotation that refers to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._inference.invoke_endpoint import ModelOutput
    from .._inference.output import Output
    from .._s3.objects import S3Object
    from ..events import Event
    from .model_stream import StreamContext

__all__ = ["Event", "ModelOutput", "Output", "S3Object", "StreamContext"]


def __getattr__(name: str) -> object:
    match name:
        case "Event":
            from ..events import Event

            return Event
        case "ModelOutput":
            from .._inference.invoke_endpoint import ModelOutput

            return ModelOutput
        case "Output":
            from .._inference.output import Output

            return Output
        case "S3Object":
            from .._s3.objects import S3Object

            return S3Object
        case "StreamContext":
            from .model_stream import StreamContext

            return StreamContext
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
