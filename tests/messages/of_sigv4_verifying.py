"""Messages about requests whose signature is rejected, and about the arguments of `verify`."""

from datetime import UTC, datetime, timedelta

from sigv4 import Credentials, Payload, SignableRequest, Signer, SigV4, SigV4A, verify
from sigv4._verifying.candidate import read_candidate

COVERED = ("sigv4/_verifying",)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
SIGNER = Signer(SigV4("s3", "us-east-1"))
URL = "https://bucket.example/key"


def _request(url=URL, headers=(), body=b""):
    return SignableRequest("GET", url, headers, Payload.of(body))


def _header(key=KEY, signer=SIGNER, **changes):
    """Return the headers of a signed request with *changes*; ``replace`` changes Authorization."""
    headers = signer.sign(_request(), key, at=AT).headers
    for old, new in changes.pop("replace", {}).items():
        headers["authorization"] = headers["authorization"].replace(old, new)
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in headers.items() if value is not None}


def _presigned(**replaced):
    """Return a presigned URL with strings inserted at the beginning of some parameters' values."""
    url = SIGNER.presign(_request(), KEY, at=AT, expires=60)
    for old, new in replaced.items():
        url = url.replace(f"X-Amz-{old}=", f"X-Amz-{old}={new}")
    return url


def _check(headers=(), url=URL, secrets=None, at=AT, **options):
    """Verify a request with these headers; by default, the clock shows the time of signing."""
    options = {"service": "s3", "region": "us-east-1", **options}
    known = {KEY.access_key_id: KEY} if secrets is None else secrets
    return verify(_request(url, headers, options.pop("body", b"")), known, at=at, **options)


def _check_with_v4a(region):
    headers = _header(signer=Signer(SigV4A("s3", "eu-*")))
    return _check(headers, region=region)


def _check_age():
    candidate = read_candidate(
        _request(headers=_header()), at=AT, service="s3", region="us-east-1", tolerance=None
    )
    candidate.check_age(AT + timedelta(hours=1))


MESSAGES = [
    # The header or the parameters that contain the signature.
    (
        lambda: _check({"a": "b" * 65_536}),
        "the request head must not exceed 65536 characters, 256 headers and 1024 query parameters",
    ),
    (_check, "the request is not signed"),
    (
        lambda: _check([("Authorization", "AWS4"), ("Authorization", "AWS4")]),
        "the request has more than one Authorization header",
    ),
    (
        lambda: _check(_header(), _presigned()),
        "the request has a signature in both its headers and its query",
    ),
    (
        lambda: _check({"Authorization": "AWS4 " + "," * 16}),
        "the Authorization header has more than 16 parts",
    ),
    (
        lambda: _check({"Authorization": "AWS4 Signature=1, Signature=2"}),
        "the Authorization header has a repeated part",
    ),
    (
        lambda: _check({"Authorization": "AWS4 Credential=AKIDEXAMPLE"}),
        "the Authorization header has no SignedHeaders, Signature",
    ),
    (
        lambda: _check(url=f"{URL}?X-Amz-Signature=1&X-Amz-Signature=2"),
        "the query parameter X-Amz-Signature is repeated",
    ),
    (
        lambda: _check(url=_presigned(Expires="").replace("X-Amz-Expires=60", "")),
        "the query has no X-Amz-Expires",
    ),
    # The credential scope.
    (
        lambda: _check(_header(replace={"AWS4-HMAC": "AWS5-HMAC"})),
        "the signing algorithm is unknown",
    ),
    (
        lambda: _check(_header(), region="eu-west-1"),
        "the credential must be scoped to '20261122/eu-west-1/s3/aws4_request'",
    ),
    (
        lambda: _check(_header(replace={"AKIDEXAMPLE": ""})),
        "the access key ID must have 1 to 255 characters",
    ),
    (
        lambda: _check_with_v4a("us-east-1"),
        "the region set must include 'us-east-1'",
    ),
    # The signing time.
    (
        lambda: _check(_header(x_amz_date=None)),
        "the request has neither an x-amz-date header nor a signed date header",
    ),
    (
        lambda: _check(_header(x_amz_date="noon")),
        "the signing time must have the form 20150830T123600Z",
    ),
    (
        lambda: _check(_header(), at=AT + timedelta(hours=1)),
        "the signing time 20261122T120000Z differs from the server's time by more than 900 seconds",
    ),
    (
        lambda: _check(url=_presigned(Expires="1.")),
        "X-Amz-Expires must be a number of seconds",
    ),
    (
        lambda: _check(url=_presigned(Expires="999999")),
        "X-Amz-Expires must be 1 to 604800 seconds",
    ),
    (
        lambda: _check(url=_presigned(), at=AT + timedelta(minutes=1)),
        "the presigned URL expired at 20261122T120100Z",
    ),
    (_check_age, "the signature expired before the body arrived"),
    (
        lambda: _check(_header(), secrets=lambda _: Credentials("AKIDEXAMPLE", "secret", None, AT)),
        "the credentials have expired",
    ),
    # The key, the headers and the body.
    (
        lambda: _check(_header(), secrets={}),
        "the access key ID is unknown",
    ),
    (
        lambda: _check(_header(x_amz_security_token="token")),
        "the session token does not belong to this access key",
    ),
    (
        lambda: _check(_header(), f"{URL}2"),
        "the signature does not match the request and the key",
    ),
    (
        lambda: _check(_header(x_amz_acl="private", x_amz_meta_a="1")),
        "these headers must be signed: x-amz-acl, x-amz-meta-a",
    ),
    (
        lambda: _check(_header(replace={"SignedHeaders=": "SignedHeaders=absent;"})),
        "SignedHeaders must be sorted and name only headers of the request",
    ),
    (
        lambda: _check(_header(x_amz_content_sha256="SHA-256")),
        (
            "x-amz-content-sha256 must be a hexadecimal SHA-256 digest, or a marker "
            "such as UNSIGNED-PAYLOAD"
        ),
    ),
    (
        lambda: _check(_header(x_amz_content_sha256=None)),
        "the request has no x-amz-content-sha256 header",
    ),
    (
        lambda: _check(_header(), body=b"changed"),
        "the body does not match the signed payload hash",
    ),
    # The arguments of `verify`.
    (
        lambda: _check(_header(), unsigned_headers="x-amz-cf-id"),
        "unsigned_headers must be a collection of header names, not a str",
    ),
    (
        lambda: _check(_header(), unsigned_headers=["X-Amz-Date"]),
        "unsigned_headers must not contain x-amz-date, which must be signed",
    ),
]
