"""Expected results from botocore and awscrt: SigV4A signatures, bodies in chunks, and events.

Neither library has a Python API that signs chunks or events.  Therefore, a string to sign is built
according to the documentation, and signed with botocore's key derivation and HMAC.  botocore's
chunked encoding, checksums and event decoder are used directly.  awscrt creates and verifies SigV4A
signatures, and its checksum functions can be used as hashers.
"""

from base64 import b64encode
from hashlib import sha256
from io import BytesIO
from struct import pack
from types import SimpleNamespace
from zlib import crc32

from awscrt import checksums
from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.crypto import EC
from awscrt.http import HttpHeaders, HttpRequest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer, ParserError
from botocore.httpchecksum import _CHECKSUM_CLS, AwsChunkedWrapper
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EMPTY = sha256(b"").hexdigest()


def awscrt_signs_with_v4a(case: dict, expires: int | None = None) -> HttpRequest:
    """Sign *case* with awscrt's SigV4A: in headers, or as a presigned URL if *expires* is set."""
    given = case["credentials"]
    by_header, s3 = expires is None, case["service"] == "s3"
    kinds = AwsSignatureType
    sent = AwsSignedBodyHeaderType
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=(
            kinds.HTTP_REQUEST_HEADERS if by_header else kinds.HTTP_REQUEST_QUERY_PARAMS
        ),
        credentials_provider=AwsCredentialsProvider.new_static(
            given["access_key_id"], given["secret_access_key"], given.get("session_token")
        ),
        region=case["region_set"],
        service=case["service"],
        date=case["at"],
        use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3,
        signed_body_value="UNSIGNED-PAYLOAD" if s3 and not by_header else None,
        signed_body_header_type=sent.X_AMZ_CONTENT_SHA_256 if by_header and s3 else sent.NONE,
        expiration_in_seconds=expires,
    )
    _, host, target = case["url"].split("/", 3)[1:]
    headers = HttpHeaders([("host", host), *map(tuple, case["headers"])])
    unsigned_request = HttpRequest(
        case["method"], f"/{target}", headers, BytesIO(case["body"].encode())
    )
    return aws_sign_request(unsigned_request, config).result(10)


def awscrt_verifies(public_key, text: str, signature: str) -> bool:
    """Return whether awscrt accepts *signature* for *text* and *public_key*."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = sha256(text.encode()).digest()
    return EC.new_key_from_der_data(der).verify(digest, bytes.fromhex(signature))


def botocore_signs_text(text: str, credentials: dict, service: str, region: str) -> str:
    """Return the signature that botocore's key derivation and HMAC compute for a string to sign."""
    auth = SigV4Auth(
        Credentials(credentials["access_key_id"], credentials["secret_access_key"]), service, region
    )
    return auth.signature(text, SimpleNamespace(context={"timestamp": text.split("\n")[1]}))


def split_chunks(body: bytes, size: int) -> list[bytes]:
    """Split *body* into chunks of *size* bytes, and add the empty last chunk."""
    return [*(body[at : at + size] for at in range(0, len(body), size)), b""]


def botocore_signs_chunks(case: dict, body: bytes) -> list[str]:
    """Return the signatures of the chunks of *body*, and of the trailer if *case* has one."""
    instant, region = case["instant"], case["region"]
    scope = f"{instant[:8]}/{region}/{case['service']}/aws4_request"
    signatures = [case["seed"]]
    ends = [("PAYLOAD", [EMPTY, sha256(c).hexdigest()]) for c in split_chunks(body, case["size"])]
    if case["trailer"]:
        trailer = f"{case['trailer'][0]}:{case['trailer'][1]}\n"
        ends.append(("TRAILER", [sha256(trailer.encode()).hexdigest()]))
    for kind, hashes in ends:
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", instant, scope, signatures[-1], *hashes])
        signatures.append(botocore_signs_text(text, case["credentials"], case["service"], region))
    return signatures[1:]


def botocore_checksum(algorithm: str, body: bytes) -> str:
    """Return botocore's checksum in base64; *algorithm* is, for example, ``CRC32C``."""
    made = _CHECKSUM_CLS[algorithm.lower()]()
    made.update(body)
    return b64encode(made.digest()).decode()


def botocore_encodes(body: bytes, algorithm: str, size: int) -> bytes:
    """Return botocore's encoding of a body in unsigned chunks with a checksum."""
    return AwsChunkedWrapper(
        BytesIO(body),
        checksum_cls=_CHECKSUM_CLS[algorithm.lower()],
        checksum_name=f"x-amz-checksum-{algorithm.lower()}",
        chunk_size=size,
    ).read()


class AwscrtHasher:
    """Gives one of awscrt's checksum functions the interface of a hash object."""

    def __init__(self, algorithm: str) -> None:
        self._function = getattr(checksums, algorithm.lower())
        self._size = 8 if "64" in algorithm else 4
        self._value = 0

    def update(self, data: bytes) -> None:
        """Add the next bytes to the checksum."""
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        """Return the checksum of all added bytes."""
        return self._value.to_bytes(self._size, "big")


def event(headers: bytes, payload: bytes) -> bytes:
    """Return an encoded event-stream message, whose *headers* are already encoded."""
    prelude = pack(">II", 16 + len(headers) + len(payload), len(headers))
    start = prelude + pack(">I", crc32(prelude)) + headers + payload
    return start + pack(">I", crc32(start))


def botocore_decodes(data: bytes) -> tuple[dict, bytes]:
    """Return the headers and the payload that botocore decodes from the only message in *data*."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    [message] = buffer
    return message.headers, message.payload


def botocore_decodes_what_is_whole(data: bytes) -> list[bytes]:
    """Return the payloads that botocore decodes before the first invalid or incomplete message."""
    buffer, payloads = EventStreamBuffer(), []
    buffer.add_data(data)
    while True:
        try:
            payloads.append(next(buffer).payload)
        except (ParserError, StopIteration):
            return payloads
