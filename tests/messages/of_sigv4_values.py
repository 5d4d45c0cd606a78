"""Messages about values that a caller passes to the signer, and about the algorithms."""

import asyncio
import sys
from datetime import UTC, datetime
from unittest.mock import patch

import httpx

import sigv4
from sigv4 import (
    Credentials,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
    SigV4A,
    VerifyingKey,
    as_provider,
)
from sigv4.httpx_auth import SigV4Auth
from tests.messages.templates import ROOT

# The files and folders of the product whose messages must all be in a table.
COVERED = tuple(f"sigv4/{file.name}" for file in sorted((ROOT / "sigv4").glob("*.py")))

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
SIGNER = Signer(SigV4("s3", "us-east-1"))
URL = "https://bucket.example/key"


class SigningOnly:
    """An algorithm that can sign requests, but supports neither streams nor other scopes."""

    name = "AWS4-TEST"
    service = "sts"
    region_set = None

    def scope(self, timestamp):
        return timestamp

    def sign_string(self, text, credentials, timestamp):
        return "signature"


def _sign(url=URL, headers=(), at=AT, credentials=KEY):
    return SIGNER.sign(SignableRequest("GET", url, headers), credentials, at=at)


def _presign(url=URL, headers=(), expires=60):
    return SIGNER.presign(SignableRequest("GET", url, headers), KEY, at=AT, expires=expires)


def _auth(signer=SIGNER, **options):
    """Sign an httpx request with `SigV4Auth`."""
    next(SigV4Auth(signer, KEY).sync_auth_flow(httpx.Request("GET", URL, **options)))


def _seed_of_a_signing_only_algorithm():
    signer = Signer(SigningOnly())
    signature = signer.sign(SignableRequest("GET", URL), KEY, at=AT)
    return signer.seed(signature, KEY)


def _without_cryptography():
    with patch.dict(sys.modules, {"cryptography.hazmat.primitives.asymmetric": None}):
        return VerifyingKey.from_pem("")


async def _load_credentials():
    return KEY


MESSAGES = [
    (lambda: sigv4.Sigv4, "module 'sigv4' has no attribute 'Sigv4'"),
    (lambda: sigv4.Seed, "sigv4.Seed is deprecated: use sigv4.SeedSignature instead"),
    (lambda: SigV4("s3", "us-east-1").zone, "'SigV4' object has no attribute 'zone'"),
    (
        lambda: SigV4("", "us-east-1"),
        "service must be 1 to 255 printable ASCII characters, without spaces, slashes or commas",
    ),
    (
        lambda: SigV4A("s3", "us east"),
        "region_set must be region names or patterns, such as us-east-1, eu-* or *",
    ),
    (
        _seed_of_a_signing_only_algorithm,
        "SigningOnly cannot sign streams: it needs signature_length and check_string",
    ),
    (
        _without_cryptography,
        (
            "SigV4A requires the cryptography package: pip install cryptography (the import failed: "
            "import of cryptography.hazmat.primitives.asymmetric halted; None in sys.modules)"
        ),
    ),
    # Keys.
    (lambda: Credentials(None, "secret"), "access_key_id must be a str, not NoneType"),
    (lambda: Credentials("AKID", ""), "secret_access_key must not be empty"),
    (
        lambda: Credentials("AKID", "secret", "a token"),
        "session_token must be printable ASCII without spaces",
    ),
    (
        lambda: Credentials("AKID", "secret", expiration=datetime(2026, 11, 22)),  # noqa: DTZ001
        "expiration must have a time zone, such as datetime.UTC",
    ),
    (
        KEY.__reduce__,
        "credentials cannot be pickled: load them in the other process instead",
    ),
    (
        lambda: VerifyingKey("-----BEGIN PUBLIC KEY-----"),
        "public_key must be a public key of cryptography on the curve P-256",
    ),
    (
        lambda: as_provider("AKID"),
        (
            "credentials must be sigv4.Credentials, a provider with get and aget methods, or a function "
            "that returns sigv4.Credentials, not str"
        ),
    ),
    (
        lambda: as_provider(_load_credentials, blocking=True),
        (
            "a blocking client needs a synchronous function that returns sigv4.Credentials, not an "
            "async function"
        ),
    ),
    (
        lambda: as_provider(lambda: asyncio.sleep(0)).get(),
        (
            "a blocking client needs a synchronous function that returns sigv4.Credentials, not "
            "coroutine"
        ),
    ),
    # Payloads.
    (
        lambda: Payload(""),
        "hash must be a hexadecimal SHA-256 digest, or a marker such as UNSIGNED-PAYLOAD",
    ),
    (
        lambda: Payload.hashed("A" * 64),
        "hexdigest must be 64 lowercase hexadecimal digits",
    ),
    (
        lambda: Payload.streaming("AWS5"),
        "aws-chunked has no payload type STREAMING-AWS5-PAYLOAD",
    ),
    # Requests.
    (
        lambda: SignableRequest("GET /", URL),
        "method must be an HTTP method, such as GET",
    ),
    (
        lambda: _sign("bucket.example/key"),
        "url must be an absolute URL in percent-encoded ASCII, without a fragment",
    ),
    (
        lambda: _sign("https://bucket.example/100%"),
        "url: each % must be followed by two hexadecimal digits",
    ),
    (
        lambda: _sign(headers={"x amz": "1"}),
        "the name of header 1 is not a valid header name (RFC 9110, section 5.6.2)",
    ),
    (
        lambda: _sign(headers={"X-Amz-Meta-A": "line\nline"}),
        (
            "header x-amz-meta-a: control characters (such as line ends) and lone surrogates are not "
            "allowed"
        ),
    ),
    # Signing and presigning.
    (
        lambda: _sign(at=datetime(2026, 11, 22)),  # noqa: DTZ001
        "at must have a time zone, such as datetime.UTC",
    ),
    (
        lambda: _sign(credentials=Credentials("AKID", "secret", None, AT)),
        "the credentials expired at 2026-11-22 12:00:00+00:00: load new ones",
    ),
    (
        lambda: _sign(f"{URL}?X-Amz-Signature=1&X-Amz-Date=2"),
        "url is already signed: its query has X-Amz-Date, X-Amz-Signature",
    ),
    (
        lambda: _presign(expires=604_801),
        "expires must be an integer, from 1 to 604800 seconds",
    ),
    (
        lambda: _presign(headers={"X-Amz-Date": "20261122T120000Z"}),
        "header x-amz-date must be removed, because a presigned URL carries its value in the query",
    ),
    (
        lambda: _presign(headers={"User-Agent": "me"}),
        "header user-agent cannot be signed, because proxies may change it: remove it",
    ),
    # httpx.
    (
        lambda: _auth(signer=SigV4("s3", "us-east-1")),
        "signer must be a Signer, such as Signer(SigV4(service, region)), not SigV4",
    ),
    (
        lambda: _auth(headers={"x-amz-date": "noon"}),
        "header x-amz-date must have the form 20150830T123600Z",
    ),
    (
        lambda: _auth(extensions={"sigv4": "eu-west-1"}),
        (
            "extension sigv4 must be a mapping of str to str with the keys service and region, or "
            "service and region_set for SigV4A"
        ),
    ),
    (
        lambda: _auth(Signer(SigningOnly()), extensions={"sigv4": {"region": "eu-west-1"}}),
        "extension sigv4: SigningOnly has no replace method, so the scope cannot be changed",
    ),
]
