"""The values that models accept, return and raise."""

from collections.abc import Callable, Iterator
from operator import index
from threading import Event
from typing import cast

from attrs import field, frozen

DEFAULT_CONTENT_TYPE = "application/octet-stream"


def _shown(body: object) -> str:
    """Return a short description of a body for a repr, without the content."""
    return f"<{len(body)} bytes>" if isinstance(body, bytes) else f"<{type(body).__name__}>"


@frozen
class ModelRequest:
    """The input of a model.

    Attributes:
        body: The payload, which is the inline body or the content of the input object.
        content_type: The MIME type of the body; None if the caller did not specify it.
        accept: The requested MIME type of the output; None if the caller did not specify it.
        custom_attributes: The caller's custom attributes; None if there are none.
        endpoint_name: The name of the endpoint that was invoked, or that an inference router chose.
        inference_id: The caller's inference ID, or one that the emulator generated.
        session_id: The ID of the session; None if the caller did not specify one.
        cancelled: An event that is set when the output is complete, the invocation has timed out,
            the client of a response stream has disconnected, or the emulator stops.  A function
            that blocks should wait for this event.
    """

    body: bytes = field(repr=_shown)
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = field(default=None, repr=False)
    endpoint_name: str = "endpoint"
    inference_id: str = ""
    session_id: str | None = None
    cancelled: Event = field(factory=Event, eq=False, repr=False)


Parts = Iterator[bytes] | Iterator[str] | Iterator[bytes | str]


@frozen
class ModelResponse:
    """The output of a model: the content of the output object, or the response of a synchronous call.

    Attributes:
        body: The content, or an iterator of its parts, which are bytes or strings.  A response
            stream sends each part as soon as the iterator yields it.  Every other response, and an
            output object, contains all parts joined.
        content_type: The MIME type of the content.
        custom_attributes: The custom attributes, which only a synchronous call returns.
        closes_session: Whether the model has closed the session of the request.
    """

    body: bytes | Parts = field(repr=_shown)
    content_type: str = DEFAULT_CONTENT_TYPE
    custom_attributes: str | None = field(default=None, repr=False)
    closes_session: bool = False


class ModelFailure(Exception):  # noqa: N818 (it carries the content of the failure object)
    """The inference failed.  Raise it in a model to choose the content of the failure object.

    Attributes:
        body: The content of the failure object.  A lone surrogate in a string is escaped.
        content_type: The MIME type of the content.
        status_code: The container's status, which a synchronous call returns with `message`.

    Raises:
        ValueError: *content_type* is not printable ASCII.
        TypeError: *status_code* is not an int.
    """

    def __init__(
        self,
        body: bytes | str,
        content_type: str = "text/plain; charset=utf-8",
        *,
        status_code: int = 500,
        message: str | None = None,
    ) -> None:
        super().__init__(body, content_type)
        _check_content_type(content_type)
        self.body = body.encode("utf-8", "backslashreplace") if isinstance(body, str) else body
        self.content_type = content_type
        self.status_code = index(status_code)
        self.message = self.body.decode("utf-8", "replace") if message is None else message


ModelResult = bytes | str | Parts | tuple[bytes | Parts, str] | ModelResponse
ModelFunction = Callable[[ModelRequest], ModelResult]
Model = ModelFunction | str


def echo(request: ModelRequest) -> ModelResponse:
    """Return the payload unchanged.  This is the default model."""
    return ModelResponse(request.body, request.content_type or DEFAULT_CONTENT_TYPE)


def to_response(result: object) -> ModelResponse:
    """Convert the return value of a model to a `ModelResponse`."""
    match result:
        case ModelResponse():
            _check_content_type(result.content_type)
            attributes = result.custom_attributes or ""
            if not (attributes.isascii() and attributes.isprintable()):
                raise ValueError("the custom attributes of a model must be printable ASCII")
            return result
        case bytes():
            return ModelResponse(result)
        case str():
            return ModelResponse(result.encode(), "text/plain; charset=utf-8")
        case Iterator():
            return ModelResponse(cast("Parts", result))
        case (bytes() | Iterator(), str()):
            return to_response(ModelResponse(*cast("tuple[bytes | Parts, str]", result)))
        case _:
            raise TypeError(
                "a model must return bytes, str, an iterator, (bytes or an iterator, content type) "
                f"or ModelResponse, not {type(result).__name__}"
            )


def _check_content_type(text: str) -> None:
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"the content type of a model must be printable ASCII, not {text!r}")


def to_part(part: object) -> bytes:
    """Convert an item of a model's iterator to bytes."""
    if not isinstance(part, bytes | str):
        raise TypeError(f"a model must yield bytes or str, not {type(part).__name__}")
    return part.encode() if isinstance(part, str) else part


def container_error(status: int, message: str) -> ModelFailure:
    """Return the failure that SageMaker reports if a container responds with an error status."""
    return ModelFailure(container_message(status, message), status_code=status, message=message)


def container_message(status: int, message: str) -> str:
    """Return SageMaker's message about an error response of a container."""
    side = "client" if 0 < status < 500 else "server"
    return f'Received {side} error ({status}) from model with message "{message}"'


def model_timeout(seconds: float) -> ModelFailure:
    """Return the failure of a model that did not respond in time."""
    return ModelFailure(f"The model did not respond within {seconds:g} seconds.", status_code=0)
