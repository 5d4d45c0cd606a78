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
        expires_at: When a presigned URL or its credentials expire, whichever is first; None for a
            signature in headers.
        signed_headers: The names of the headers that the signature covers.
        payload_hash: The signed payload hash; ``UNSIGNED-PAYLOAD`` if the body is not signed, and
            ``STREAMING-...`` if its chunks or events are signed.
        seed: The seed of the signatures of those chunks or events, for `ChunkDecoder` and
            `EventVerifier`.  It holds the key.
        signature: The signature in hexadecimal, which identifies a request that is sent again.
            Anyone can convert a SigV4A signature (r, s) to the equally valid (r, n - s); this
            attribute always has the smaller s of the two.
    """

    access_key_id: str
    signed_at: datetime
    expires_at: datetime | None
    signed_headers: tuple[str, ...]
    payload_hash: str
    seed: SeedSignature = field(repr=False, eq=False)
    signature: str = field(repr=False)
