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
    """Resets the connection (with a TCP RST) before the response is complete.

    Attributes:
        when: The time of the reset.  With ``before_read``, the connection is reset as soon as the
            request's head has arrived, and with ``while_read``, when the first part of its body has
            arrived.  In both cases, the request is not executed.  With any other value, the request
            is executed first, so an asynchronous invocation is queued.  Then ``after_taken`` sends
            no part of the response, ``in_head`` sends half of the response's head, and ``in_body``
            sends the head and half of the body, or less of a streamed body.
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
    """Damages a response stream, and ends it early.

    Attributes:
        what: The damage.  ``truncated`` ends the response within an event, ``reset`` resets the
            connection there, and ``corrupt`` sends an event with a wrong checksum;
            ``internal_failure`` sends an InternalStreamFailure, and ``error`` sends an error that
            the service model does not define.
        after: The number of events that are sent before the damage.  If the stream has fewer
            events, the damage follows its last event.
    """

    what: Literal["truncated", "reset", "corrupt", "internal_failure", "error"]
    after: int = 1


@frozen
class Delivery:
    """Delivers a message several times, or not at all.

    This applies to messages that clients send, and to messages that the emulator itself sends.

    Attributes:
        copies: How many times the message is delivered; 0 loses the message.
    """

    copies: int


@frozen
class BrokenBody:
    """Damages the body of a GetObject response.

    Attributes:
        what: The damage.  ``flipped`` inverts one bit, and ``reset`` resets the connection.
        after: The number of bytes before the damage.  If the body is shorter, its last byte is
            damaged.
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
    """Sends the status 200, then white space, and the result of the operation only after that.

    In production, only CompleteMultipartUpload responds in this way.

    Attributes:
        seconds: The time for which white space is sent, in seconds.
        error: The error that is sent in place of the result of the operation; None sends the
            result, which may also be an error.
    """

    seconds: float = 0.0
    error: ErrorResponse | None = None


@frozen
class NoContinue:
    """Does not send ``100 Continue``, and waits for the body of the request."""


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
