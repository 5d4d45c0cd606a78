"""The response streams of InvokeEndpointWithResponseStream, as event-stream messages."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping

from attrs import define, field

from sigv4 import Message

from ._fault_types import BrokenStream
from ._models.output import Output
from ._models.values import (
    ModelFailure,
    ModelRequest,
    ModelResponse,
    container_message,
    model_timeout,
)
from ._queue.deadline import Deadline
from ._queue.queue import InvocationQueue

CONTENT_TYPE = "application/vnd.amazon.eventstream"
# The maximum time that a model may take to send a whole stream, in seconds.
# https://docs.aws.amazon.com/sagemaker/latest/dg/deploy-model-options.html
_TIMEOUT = 480.0


@define(eq=False)
class EventStream:
    """The response stream of one invocation.

    Attributes:
        output: The output of the model, whose first part has already been read.
        first: The first part; None if there is none.
        deadline: The time at which the output must be complete.
        part_size: The maximum size of the payload of an event, in bytes.
        fault: The fault that breaks the stream; None if there is none.
    """

    output: Output
    first: bytes | None = field(repr=False)
    deadline: Deadline
    part_size: int
    fault: BrokenStream | None

    @property
    def head(self) -> ModelResponse:
        """The content type and the attributes of the output."""
        return self.output.head

    @property
    def is_reset(self) -> bool:
        """Whether the connection is to be reset after the last frame."""
        return self.fault is not None and self.fault.what == "reset"

    async def aclose(self) -> None:
        """Release the resources of the model."""
        await self.output.aclose()

    async def frames(self) -> AsyncGenerator[bytes]:
        """Yield the encoded messages.  A fault replaces one of them, and ends the stream."""
        if self.fault is None:
            async for frame in self._intact_frames():
                yield frame
            return
        frame, number = _part(b""), 0  # this event is damaged if the stream is too short
        async for intact in self._intact_frames():
            if number == self.fault.after:
                frame = intact
                break
            yield intact
            number += 1
        yield _DAMAGES[self.fault.what](frame)

    async def _intact_frames(self) -> AsyncGenerator[bytes]:
        """Yield an encoded message for each part and, if the model fails, for the failure."""
        part = self.first
        try:
            while part is not None:
                for start in range(0, max(len(part), 1), self.part_size):
                    yield _part(part[start : start + self.part_size])
                async with self.deadline.enforced():
                    part = await self.output.next_part()
        except TimeoutError:
            yield _model_stream_error("ModelInvocationTimeExceeded", model_timeout(_TIMEOUT))
        except ModelFailure as failure:
            yield _model_stream_error("StreamBroken", failure)


async def open_stream(
    queue: InvocationQueue, request: ModelRequest, part_size: int, fault: BrokenStream | None
) -> EventStream:
    """Run a model until it has yielded the first part, and return its stream.

    Args:
        queue: Runs the model.
        request: The input.
        part_size: The maximum size of the payload of an event, in bytes.
        fault: The fault that breaks the stream; None if there is none.

    Returns:
        The stream, which the caller must close.

    Raises:
        ModelFailure: The model failed or took too long before it yielded the first part.
    """
    deadline = queue.deadline(_TIMEOUT)
    try:
        async with deadline.enforced():
            output = await queue.run(request)
            try:
                first = await output.next_part()
            except BaseException:
                await output.aclose()
                raise
    except TimeoutError:
        raise model_timeout(_TIMEOUT) from None
    return EventStream(output, first, deadline, part_size, fault)


def _part(payload: bytes) -> bytes:
    """Return an encoded PayloadPart event."""
    headers = {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    return Message(headers, payload).encode()


def _exception(name: str, members: Mapping[str, str]) -> bytes:
    """Return an encoded exception."""
    headers = {
        ":exception-type": name,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return Message(headers, json.dumps(members).encode()).encode()


def _model_stream_error(code: str, failure: ModelFailure) -> bytes:
    """Return an encoded ModelStreamError."""
    message = container_message(failure.status_code, failure.message)
    return _exception("ModelStreamError", {"Message": message, "ErrorCode": code})


def _half(frame: bytes) -> bytes:
    """Return the first half of a message."""
    return frame[: len(frame) // 2]


def _corrupt(frame: bytes) -> bytes:
    """Return a message with a wrong checksum."""
    return frame[:-1] + bytes([frame[-1] ^ 1])


def _internal_failure(_frame: bytes) -> bytes:
    """Return the exception that the service sends if the stream fails for an unknown reason."""
    return _exception("InternalStreamFailure", {"Message": "The stream processing failed."})


def _unmodelled_error(_frame: bytes) -> bytes:
    """Return an error that the service model does not define."""
    headers = {
        ":error-code": "InternalError",
        ":error-message": "An internal server error occurred.",
        ":message-type": "error",
    }
    return Message(headers).encode()


# Maps each kind of damage to a function that returns the bytes to send instead of a message.
_DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "truncated": _half,
    "reset": _half,
    "corrupt": _corrupt,
    "internal_failure": _internal_failure,
    "error": _unmodelled_error,
}
