"""The faults that can be injected into a running emulator, as values."""

from typing import Literal

from attrs import frozen

from ._reply import ErrorResponse


@frozen
class Latency:
    """Delays the processing of a request.

    Attributes:
        seconds: The delay, in seconds.
    """

    seconds: float


@frozen
class Reset:
    """Resets the connection (TCP RST) before the response is complete.

    Attributes:
        when: The time of the reset.  With ``before_read``, the request is not executed.  Neither is
            it with ``while_read``, which first waits for a part of the request's body.  With any
            other value, the request is executed first, so an asynchronous invocation is queued.
            After that, ``after_taken`` sends nothing of the response, ``in_head`` sends half of its
            head, and ``in_body`` sends its head and half of its body.  Of a large body, it sends
            less.
    """

    when: Literal["before_read", "while_read", "after_taken", "in_head", "in_body"]


@frozen
class MalformedResponse:
    """Accepts the invocation, but sends an incomplete 202 response.

    Attributes:
        what: The defect.  ``no_locations`` omits the output location and the failure location;
            ``broken_body`` truncates the JSON.
    """

    what: Literal["no_locations", "broken_body"]


@frozen
class StaleOutput:
    """Writes an older object to the output location when the invocation is accepted.

    The model's output later replaces this object, as happens when a ``Filename`` is used again.

    Attributes:
        body: The content of the object.
        age: The age of the object when the invocation arrives, in seconds.
    """

    body: bytes = b"stale"
    age: float = 3600.0


@frozen
class BrokenStream:
    """Breaks a response stream, and ends it.

    Attributes:
        what: The damage.  ``truncated`` ends the response within an event, ``reset`` resets the
            connection there, and ``corrupt`` sends an event with a wrong checksum;
            ``internal_failure`` sends an InternalStreamFailure, and ``error`` sends an error that
            the service model does not define.
        after: The number of events that are sent before the damage.  A shorter stream is broken
            after its last event.
    """

    what: Literal["truncated", "reset", "corrupt", "internal_failure", "error"]
    after: int = 1


@frozen
class Delivery:
    """Delivers a message several times, or not at all.

    This applies to messages of requests, and to those that the emulator itself sends.

    Attributes:
        copies: How often the message is delivered.
    """

    copies: int


@frozen
class BrokenBody:
    """Damages the body of a GetObject response.

    Attributes:
        what: The damage.  ``flipped`` inverts one bit, and ``reset`` resets the connection.
        after: The number of bytes before the damage.  In a shorter body, it is at the last byte.
    """

    what: Literal["flipped", "reset"]
    after: int = 0


@frozen
class SlowBody:
    """Sends the body of a GetObject response slowly.

    Attributes:
        pause: The time to wait before each piece, in seconds.
        size: The size of a piece, in bytes.
    """

    pause: float
    size: int = 65_536


@frozen
class EarlySuccess:
    """Sends the status 200 before the operation is complete, and white space until it is.

    Of all operations, only CompleteMultipartUpload does so in production.

    Attributes:
        seconds: The time for which white space is sent, in seconds.
        error: The error that follows the status 200.  With None, the result of the operation
            follows, which may also be an error.
    """

    seconds: float = 0.0
    error: ErrorResponse | None = None


@frozen
class NoContinue:
    """Sends no ``100 Continue``, but waits for the body of the request."""


Fault = (
    Latency
    | ErrorResponse
    | Reset
    | MalformedResponse
    | StaleOutput
    | BrokenStream
    | Delivery
    | BrokenBody
    | SlowBody
    | EarlySuccess
    | NoContinue
)
