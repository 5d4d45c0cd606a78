"""Signature Version 4 for any AWS service: sign, presign and verify requests.

All modules that ``import sigv4`` loads are pure: they do no I/O and read neither the clock nor the
environment.  The time is passed as an argument.  (`httpx_auth`, `asgi` and the command-line tool
read the clock, but ``import sigv4`` does not load them.)  `Signer.sign` returns a `Signature` with
the headers to set, and does not change the request.

`SigV4A` makes signatures that are valid in several regions and can be verified with a
`VerifyingKey`.  `AwsChunked` and `ChunkDecoder` encode and decode chunked bodies; `EventSigner` and
`EventVerifier` sign and verify event-stream messages.  All of these classes except `VerifyingKey`
are imported on first use.

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

from ._algorithm import Algorithm, SeedSignature
from ._canonical import sign_all_headers, sign_default_headers
from ._credentials import (
    Credentials,
    CredentialsLike,
    CredentialsProvider,
    VerifyingKey,
    as_provider,
)
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
    from ._explain import (
        SECRET_PARAMETERS,
        Difference,
        Explanation,
        explain,
        is_secret_header,
    )
    from ._streaming.checksums import checksum, checksum_algorithm, decode_checksum
    from ._streaming.chunk_decoder import ChunkDecoder
    from ._streaming.chunked import AwsChunked, ChunkEncoder
    from ._streaming.event_headers import Int8, Int16, Int32, Int64
    from ._streaming.event_signing import EventSigner, EventVerifier
    from ._streaming.event_stream import EventDecoder, Message
    from ._v4a import SigV4A
    from ._verifying.verified import Verified
    from ._verifying.verify import verify

__all__ = [
    "Algorithm",
    "as_provider",
    "AwsChunked",
    "checksum",
    "checksum_algorithm",
    "ChunkDecoder",
    "ChunkEncoder",
    "Credentials",
    "CredentialsLike",
    "CredentialsProvider",
    "decode_checksum",
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
    "is_secret_header",
    "Message",
    "MissingDependencyError",
    "Payload",
    "percent_encode",
    "percent_encode_path",
    "SECRET_PARAMETERS",
    "SeedSignature",
    "sign_all_headers",
    "sign_default_headers",
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


# Maps each public name of version 0.1.0 that was renamed to its current name.
_RENAMED = {
    "ALL_BUT_NEVER_SIGNED": "sign_all_headers",
    "CredentialsSource": "CredentialsLike",
    "DEFAULT": "sign_default_headers",
    "Seed": "SeedSignature",
}


def __getattr__(name: str) -> Any:
    """Import a rarely used public name on first access; for a former name, issue a warning.

    The imports are written as import statements, so that bundlers such as PyInstaller and Nuitka
    find the modules.
    """
    match name:
        case "AwsChunked" | "ChunkEncoder":
            from ._streaming import chunked

            value = getattr(chunked, name)
        case "checksum" | "checksum_algorithm" | "decode_checksum":
            from ._streaming import checksums

            value = getattr(checksums, name)
        case "ChunkDecoder":
            from ._streaming import chunk_decoder

            value = getattr(chunk_decoder, name)
        case "Difference" | "explain" | "Explanation" | "is_secret_header" | "SECRET_PARAMETERS":
            from . import _explain

            value = getattr(_explain, name)
        case "EventDecoder" | "Message":
            from ._streaming import event_stream

            value = getattr(event_stream, name)
        case "EventSigner" | "EventVerifier":
            from ._streaming import event_signing

            value = getattr(event_signing, name)
        case "Int16" | "Int32" | "Int64" | "Int8":
            from ._streaming import event_headers

            value = getattr(event_headers, name)
        case "SigV4A":
            from . import _v4a

            value = _v4a.SigV4A
        case "Verified" | "verify":
            from ._verifying import verify

            value = getattr(verify, name)
        case _:
            return _renamed(name)
    globals()[name] = value
    return value


def _renamed(name: str) -> Any:
    from warnings import warn

    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = f"sigv4.{name} is deprecated: use sigv4.{_RENAMED[name]} instead"
    warn(message, DeprecationWarning, stacklevel=3)
    return globals()[_RENAMED[name]]
