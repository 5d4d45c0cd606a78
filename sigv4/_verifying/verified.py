"""The result of a successful verification."""

from datetime import datetime

from attrs import field, frozen

from .._algorithm import SeedSignature


@frozen
class Verified:
    """The sender of a request, and what its signature covers.

    Attributes:
        access_key_id: The ID of the key that signed the request.
        signed_at: The signing time, according to the sender.
        expires_at: The time at which a presigned URL or its credentials expire, whichever is
            earlier; None for a signature in headers.
        signed_headers: The names of the headers that the signature covers.
        payload_hash: The signed payload hash; ``UNSIGNED-PAYLOAD`` if the body is not signed, and a
            marker that starts with ``STREAMING-`` if the body consists of chunks or events.
        seed: The seed from which `ChunkDecoder` or `EventVerifier` verifies the signatures of the
            chunks or events in the body.  The seed contains the key.
        signature: The signature in hexadecimal, by which a request that is sent again can be
            recognized.  Anyone can convert a SigV4A signature (r, s) to the equally valid
            (r, n - s); this attribute is always the form with the smaller s.
    """

    access_key_id: str
    signed_at: datetime
    expires_at: datetime | None
    signed_headers: tuple[str, ...]
    payload_hash: str
    seed: SeedSignature = field(repr=False, eq=False)
    signature: str = field(repr=False)
