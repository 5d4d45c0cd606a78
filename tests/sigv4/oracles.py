"""Sign requests with botocore and with awscrt, to compare the results with this package's.

All functions sign for the time that is stored in the request.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest
from botocore.auth import (
    S3SigV4Auth,
    S3SigV4QueryAuth,
    SigV4Auth,
    SigV4QueryAuth,
    _host_from_url,
)
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

Headers = list[tuple[str, str]]


class Unsigned(NamedTuple):
    """A request to sign, with its service, region, credentials and signing time."""

    service: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None
    at: datetime
    method: str
    url: str
    headers: Headers
    body: bytes
    unsigned_payload: bool = False

    @property
    def s3(self) -> bool:
        """Whether the request is signed by S3's rules."""
        return self.service == "s3"


def from_fixture(case: Mapping[str, Any]) -> Unsigned:
    """Return the request of a case in ``fixtures/sigv4``."""
    given = case["credentials"]
    return Unsigned(
        service=case["service"],
        region=case["region"],
        access_key_id=given["access_key_id"],
        secret_access_key=given["secret_access_key"],
        session_token=given.get("session_token"),
        at=datetime.strptime(case["instant"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        method=case["method"],
        url=case["url"],
        headers=[(name, value) for name, value in case["headers"]],
        body=case["body"].encode(),
        unsigned_payload=case["unsigned_payload"],
    )


class Signed(NamedTuple):
    """The intermediate and final results of signing a request with botocore."""

    canonical_request: str
    string_to_sign: str
    signature: str
    signed_headers: str
    url: str


def botocore_signs(request: Unsigned) -> Signed:
    """Sign a request with botocore, with the signature in the headers."""
    auth = S3SigV4Auth if request.s3 else SigV4Auth
    return _stages(request, auth(*_botocore_arguments(request)))


def botocore_presigns(request: Unsigned, expires: int) -> Signed:
    """Presign a request with botocore, which drops repeated parameters and decodes ``+``."""
    auth = S3SigV4QueryAuth if request.s3 else SigV4QueryAuth
    return _stages(request, auth(*_botocore_arguments(request), expires=expires))


def _botocore_arguments(request: Unsigned) -> tuple[BotocoreCredentials, str, str]:
    credentials = BotocoreCredentials(
        request.access_key_id, request.secret_access_key, request.session_token
    )
    return credentials, request.service, request.region


def _stages(request: Unsigned, auth: SigV4Auth) -> Signed:
    """Perform the steps of botocore's ``add_auth`` for the request's time; return the results."""
    # When botocore presigns, it moves the body into the query as if it were a form.  Therefore, the
    # body is set only after that step.
    presigning = isinstance(auth, SigV4QueryAuth)
    unsigned_request = AWSRequest(
        request.method, request.url, data=b"" if presigning else request.body
    )
    for name, value in request.headers:
        unsigned_request.headers.add_header(name, value)
    unsigned_request.context["timestamp"] = request.at.strftime("%Y%m%dT%H%M%SZ")
    unsigned_request.context["payload_signing_enabled"] = not request.unsigned_payload
    unsigned_request.context["client_config"] = SimpleNamespace(
        s3={"payload_signing_enabled": not request.unsigned_payload}
    )
    auth._modify_request_before_signing(unsigned_request)
    unsigned_request.data = request.body
    canonical_request = auth.canonical_request(unsigned_request)
    string_to_sign = auth.string_to_sign(unsigned_request, canonical_request)
    signature = auth.signature(string_to_sign, unsigned_request)
    signed_headers = auth.signed_headers(auth.headers_to_sign(unsigned_request))
    auth._inject_signature_to_request(unsigned_request, signature)
    return Signed(
        canonical_request, string_to_sign, signature, signed_headers, unsigned_request.url
    )


def awscrt_signs(request: Unsigned) -> tuple[str, str]:
    """Sign a request in its headers with awscrt; return the signed header names and signature."""
    signed = _awscrt(request, AwsSignatureType.HTTP_REQUEST_HEADERS, None)
    authorization = dict(signed.headers)["Authorization"]
    _, names, signature = authorization.split(", ")
    return names.removeprefix("SignedHeaders="), signature.removeprefix("Signature=")


def awscrt_presigns(request: Unsigned, expires: int) -> str:
    """Presign a request with awscrt, and return the signature."""
    signed = _awscrt(request, AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS, expires)
    return signed.path.rpartition("X-Amz-Signature=")[2]


def _awscrt(request: Unsigned, kind: AwsSignatureType, expires: int | None) -> HttpRequest:
    parts = urlsplit(request.url)
    target = parts.path + ("?" + parts.query if "?" in request.url else "")
    headers = HttpHeaders([("host", _host_from_url(request.url)), *request.headers])
    unsigned_request = HttpRequest(request.method, target, headers, BytesIO(request.body))
    by_header = kind == AwsSignatureType.HTTP_REQUEST_HEADERS
    unsigned = request.unsigned_payload or (request.s3 and not by_header)
    sent = AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        signature_type=kind,
        credentials_provider=AwsCredentialsProvider.new_static(
            request.access_key_id, request.secret_access_key, request.session_token
        ),
        region=request.region,
        service=request.service,
        date=request.at,
        use_double_uri_encode=not request.s3,
        should_normalize_uri_path=not request.s3,
        signed_body_value="UNSIGNED-PAYLOAD" if unsigned else None,
        signed_body_header_type=(
            sent
            if by_header and (request.s3 or request.unsigned_payload)
            else AwsSignedBodyHeaderType.NONE
        ),
        expiration_in_seconds=expires,
    )
    return aws_sign_request(unsigned_request, config).result(10)
