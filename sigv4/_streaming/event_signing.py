"""
Signed events: each message is carried by another, with an instant and a signature of its own.

    :date             when it was signed
    :chunk-signature  of the headers before it and the payload, chained to the one before
    payload           the message itself, encoded; empty in the last, which ends the stream

Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
"""

from datetime import datetime, timedelta

from .._algorithm import SeedSignature
from .._canonical import format_timestamp
from .._errors import SignatureError
from .event_headers import encode_headers
from .event_stream import Message
from .signature_chain import Chain

_DATE, _SIGNATURE = ":date", ":chunk-signature"


class EventSigner:
    """
    Signs the events of one request, whose payload is `Payload.EVENTS`.

        events = EventSigner(signer.seed(signature, credentials))
        send(events.sign(Message(headers, payload).encode(), at=now).encode())
        send(events.sign(b"", at=now).encode())

    Args:
        seed: From `Signer.seed`.
    """

    __slots__ = ("_chain",)

    def __init__(self, seed: SeedSignature) -> None:
        self._chain = Chain(seed)

    def sign(self, payload: bytes, *, at: datetime) -> Message:
        """
        Return the message that carries *payload* with its signature.

        Args:
            payload: An encoded message, or nothing to end the stream.
            at: The aware instant of signing.
        """
        signed_at = format_timestamp(at)
        dated = encode_headers({_DATE: at})
        signature = self._chain.sign("PAYLOAD", dated, payload, timestamp=signed_at)
        return Message({_DATE: at, _SIGNATURE: bytes.fromhex(signature)}, payload)


class EventVerifier:
    """
    Checks the events of one request, in the order in which they came.

    Args:
        seed: From `Verified.seed`.
        tolerance: How many seconds the sender's clock may be off.

    Attributes:
        ended: Whether the last event has come, so that nothing was cut off.
    """

    __slots__ = ("_chain", "_margin", "ended")

    def __init__(self, seed: SeedSignature, *, tolerance: float = 300) -> None:
        self._chain = Chain(seed)
        self._margin = timedelta(seconds=tolerance)
        self.ended = False

    def verify(self, message: Message, *, at: datetime) -> bytes:
        """
        Return what *message* carries: an encoded message, or nothing if it is the last.

        Args:
            message: As it was decoded.
            at: The aware instant of the check.

        Raises:
            SignatureError: It is not signed, not by this key or for this place in the stream,
                or not now; or the stream has ended.
        """
        headers = dict(message.headers)
        signature, date = headers.pop(_SIGNATURE, None), headers.get(_DATE)
        if self.ended or not isinstance(signature, bytes) or not isinstance(date, datetime):
            raise SignatureError(
                "IncompleteSignature", "the event is not signed, or is one too many"
            )
        if abs(date - at) > self._margin:
            seconds = f"{self._margin.total_seconds():.0f} s"
            raise SignatureError("RequestTimeTooSkewed", f"the event is more than {seconds} off")
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
