"""Signed event-stream messages.

Each encoded message becomes the payload of an outer message, which contains the signature:

    :date             the time of signing
    :chunk-signature  covers the other headers, the payload and the previous signature
    payload           the encoded message; empty in the last event, which ends the stream

Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
"""

from datetime import datetime, timedelta

from .._algorithm import SeedSignature
from .._canonical import format_timestamp
from .._errors import SignatureError
from .event_headers import encode_headers
from .event_stream import Message
from .signature_chain import SignatureChain

_DATE, _SIGNATURE = ":date", ":chunk-signature"


class EventSigner:
    """Signs the events of one request; the payload of the request must be `Payload.EVENTS`.

        events = EventSigner(signer.seed(signature, credentials))
        send(events.sign(Message(headers, payload).encode(), at=now).encode())
        send(events.sign(b"", at=now).encode())

    Args:
        seed: The result of `Signer.seed`.
    """

    __slots__ = ("_chain",)

    def __init__(self, seed: SeedSignature) -> None:
        self._chain = SignatureChain(seed)

    def sign(self, payload: bytes, *, at: datetime) -> Message:
        """Return a signed message that contains *payload*.

        Args:
            payload: An encoded message; empty to end the stream.
            at: The time of signing, a datetime with a time zone.
        """
        signed_at = format_timestamp(at)
        dated = encode_headers({_DATE: at})
        signature = self._chain.sign("PAYLOAD", dated, payload, timestamp=signed_at)
        return Message({_DATE: at, _SIGNATURE: bytes.fromhex(signature)}, payload)


class EventVerifier:
    """Verifies the events of one request, in the order in which they arrive.

    Args:
        seed: The value of `Verified.seed` for the request.
        tolerance: The maximum difference between ``:date`` and the argument *at* of `verify`, in
            seconds.

    Attributes:
        ended: Whether the last event has been verified.  If the connection ends while this is
            False, the stream is truncated.
    """

    __slots__ = ("_chain", "_tolerance", "ended")

    def __init__(self, seed: SeedSignature, *, tolerance: float = 300) -> None:
        self._chain = SignatureChain(seed)
        self._tolerance = timedelta(seconds=tolerance)
        self.ended = False

    def verify(self, message: Message, *, at: datetime) -> bytes:
        """Check the signature of *message*, and return its payload.

        Args:
            message: The outer message, decoded.
            at: The current time, a datetime with a time zone.

        Returns:
            The encoded inner message; empty for the last event.

        Raises:
            SignatureError: The event is unsigned, its signature does not match at this position in
                the stream, its date is outside the tolerance, or the stream has already ended.
        """
        headers = dict(message.headers)
        signature, date = headers.pop(_SIGNATURE, None), headers.get(_DATE)
        if self.ended:
            raise SignatureError("IncompleteSignature", "the event follows the end of the stream")
        if not isinstance(signature, bytes) or not isinstance(date, datetime):
            raise SignatureError(
                "IncompleteSignature",
                f"the event must have the headers {_SIGNATURE} (bytes) and {_DATE} (timestamp)",
            )
        if abs(date - at) > self._tolerance:
            seconds = f"{self._tolerance.total_seconds():.0f} s"
            raise SignatureError(
                "RequestTimeTooSkewed",
                f"the {_DATE} of the event differs from the verifier's clock by more than {seconds}",
            )
        signed = encode_headers(headers)
        self._chain.check(
            signature.hex(),
            "the event",
            "PAYLOAD",
            signed,
            message.payload,
            timestamp=format_timestamp(date),
        )
        self.ended = not message.payload
        return message.payload
