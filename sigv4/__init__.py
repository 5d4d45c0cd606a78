"""
Signature Version 4, for any AWS service: sign, presign and verify.

Pure: no I/O, no clock, no environment.  Time is an argument; a signature comes back as headers
to set, and the request stays as it was.

Beside `SigV4` there is `SigV4A`, whose signatures count in many regions and are checked with a
`VerifyingKey`; bodies in chunks, `AwsChunked` and `ChunkDecoder`; and signed events, `EventSigner`
and `EventVerifier`.  They are imported when they are first asked for.

>>> from datetime import UTC, datetime
>>> from sigv4 import Credentials, SignableRequest, Signer, SigV4
>>> signer = Signer(SigV4(service="sagemaker", region="us-east-1"))
>>> request = SignableRequest("GET", "https://runtime.sagemaker.us-east-1.amazonaws.com/ping")
>>> credentials = Credentials("AKIDEXAMPLE", "secret")
>>> signature = signer.sign(request, credentials, at=datetime(2026, 11, 22, 12, tzinfo=UTC))
>>> signature.headers["x-amz-date"]
'20261122T120000Z'
>>> signature.signed_headers
('host', 'x-amz-date')
"""

from typing import TYPE_CHECKING, Any

from ._algorithm import Algorithm
from ._canonical import ALL_BUT_NEVER_SIGNED, DEFAULT
from ._credentials import Credentials, CredentialsProvider, CredentialsSource, as_provider
from ._encoding import percent_encode, percent_encode_path
from ._errors import (
    EventStreamError,
    ExpiredCredentialsError,
    InvalidRequestError,
    MissingDependencyError,
    SignatureError,
    SigV4Error,
    UnexplainedError,
)
from ._payload import Payload
from ._request import SignableRequest
from ._signer import Signature, Signer
from ._v4 import SigV4

if TYPE_CHECKING:
    from ._chain import Seed
    from ._checksums import checksum
    from ._chunk_decoder import ChunkDecoder
    from ._chunked import AwsChunked, ChunkEncoder
    from ._event_headers import Int8, Int16, Int32, Int64
    from ._event_signing import EventSigner, EventVerifier
    from ._event_stream import EventDecoder, Message
    from ._explain import Difference, Explanation, explain
    from ._v4a import SigV4A, VerifyingKey
    from ._verify import Verified, verify

__all__ = [
    "Algorithm",
    "ALL_BUT_NEVER_SIGNED",
    "as_provider",
    "AwsChunked",
    "checksum",
    "ChunkDecoder",
    "ChunkEncoder",
    "Credentials",
    "CredentialsProvider",
    "CredentialsSource",
    "DEFAULT",
    "Difference",
    "EventDecoder",
    "EventSigner",
    "EventStreamError",
    "EventVerifier",
    "ExpiredCredentialsError",
    "explain",
    "Explanation",
    "Int16",
    "Int32",
    "Int64",
    "Int8",
    "InvalidRequestError",
    "Message",
    "MissingDependencyError",
    "Payload",
    "percent_encode",
    "percent_encode_path",
    "Seed",
    "SignableRequest",
    "Signature",
    "SignatureError",
    "Signer",
    "SigV4",
    "SigV4A",
    "SigV4Error",
    "UnexplainedError",
    "Verified",
    "verify",
    "VerifyingKey",
]

# What few programs use is imported when it is first asked for.
_LATER = {
    "AwsChunked": "._chunked",
    "checksum": "._checksums",
    "ChunkDecoder": "._chunk_decoder",
    "ChunkEncoder": "._chunked",
    "Difference": "._explain",
    "EventDecoder": "._event_stream",
    "EventSigner": "._event_signing",
    "EventVerifier": "._event_signing",
    "explain": "._explain",
    "Explanation": "._explain",
    "Int16": "._event_headers",
    "Int32": "._event_headers",
    "Int64": "._event_headers",
    "Int8": "._event_headers",
    "Message": "._event_stream",
    "Seed": "._chain",
    "SigV4A": "._v4a",
    "Verified": "._verify",
    "verify": "._verify",
    "VerifyingKey": "._v4a",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for the first time."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LATER[name], __name__), name)
    globals()[name] = value
    return value
