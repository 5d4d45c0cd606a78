"""What is known of a request once its signature has been found right."""

from datetime import datetime

from attrs import field, frozen

from .._algorithm import SeedSignature


@frozen
class Verified:
    """
    Who sent a request, and what the signature vouches for.

    Attributes:
        access_key_id: Whose key signed it.
        signed_at: The instant of signing, as the sender states it.
        expires_at: When a presigned URL ends, or its credentials do, if that is sooner; None for a
            signature in headers.
        signed_headers: The names of the headers that the signature covers.
        payload_hash: What the signature says of the body; ``UNSIGNED-PAYLOAD`` if nothing, and
            ``STREAMING-...`` if its parts say it themselves.
        seed: What those parts are chained to, for `ChunkDecoder` and `EventVerifier`.  It holds
            the key.
        signature: The signature, in hexadecimal: by it a request that is sent again is known.  With
            SigV4A anybody can make of (r, s) its twin (r, n - s), which is as right; this is
            the one with the smaller s, whichever came.
    """

    access_key_id: str
    signed_at: datetime
    expires_at: datetime | None
    signed_headers: tuple[str, ...]
    payload_hash: str
    seed: SeedSignature = field(repr=False, eq=False)
    signature: str = field(repr=False)
