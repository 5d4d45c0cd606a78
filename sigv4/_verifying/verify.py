"""Verifies the signature of a received request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html and, for
S3's error codes, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from hmac import compare_digest

from .._algorithm import Algorithm, SeedSignature
from .._canonical import ALWAYS_SIGNED, canonical_headers, canonical_query, string_to_sign
from .._credentials import Credentials, VerifyingKey
from .._errors import SignatureError
from .._payload import Payload
from .._request import SignableRequest
from .._signing_rules import canonical_request
from .authorization import ParsedAuthorization
from .candidate import Candidate, is_sha256, read_candidate
from .verified import Verified

Secrets = (
    Mapping[str, Credentials]
    | Mapping[str, VerifyingKey]
    | Mapping[str, Credentials | VerifyingKey]
    | Callable[[str], Credentials | VerifyingKey | None]
)

# If a request has these headers, they must be signed, because they determine where, when, for which
# body and with which session token the signature is valid, or how the body is decoded.
_DECISIVE = ALWAYS_SIGNED | {"x-amz-decoded-content-length", "x-amz-trailer"}


def verify(
    request: SignableRequest,
    secrets: Secrets,
    *,
    at: datetime,
    service: str,
    region: str,
    tolerance: float | None = None,
    unsigned_headers: Collection[str] = (),
) -> Verified:
    """Verify the signature in the headers or the query of a received request.

    Args:
        request: The request as it arrived: with the path and the query undecoded, all headers, and
            the payload hash of the received body.  A bare ``+`` in the query is treated as ``%2B``.
            An application that treats it as a space, as in HTML forms, must reject such a query
            first.
        secrets: A mapping from access key IDs to credentials, or a function that takes an access
            key ID and returns the credentials, or None if the ID is unknown.  The request must
            contain the session token of the credentials, or no token if they have none.  Expired
            credentials are rejected.  For SigV4A, a `VerifyingKey` can replace the credentials.
        at: The time of the check, a datetime with a time zone.
        service: The signing name to which the request must be scoped; for a service such as ``s3``,
            S3's rules apply.
        region: The region to which the request must be scoped, or that its region set must include.
        tolerance: The maximum difference between *at* and the signing time, in seconds; 300 by
            default, 900 for S3.  A presigned URL is accepted until it expires, but not before the
            signing time minus *tolerance*.
        unsigned_headers: Names of ``x-amz-*`` headers that a proxy may add, such as CloudFront's
            ``x-amz-cf-id``.  All other ``x-amz-*`` headers must be signed.  If one of these names
            is not in `Verified.signed_headers`, do not trust the header's value.

    Returns:
        The sender, and what the signature covers.  If `Verified.payload_hash` is
        ``UNSIGNED-PAYLOAD``, the signature does not cover the body.  If it is ``STREAMING-...``,
        decode the body with a `ChunkDecoder` or an `EventVerifier`.

    Raises:
        SignatureError: The request is rejected.  In most cases, its ``code`` is S3's error code,
            because S3's codes are the most specific: other services use the same code for several
            errors.
        MissingDependencyError: The request is signed with SigV4A, and `cryptography` cannot be
            imported.
        ValueError: *at* has no time zone, *service* or *region* is invalid, or *unsigned_headers*
            contains a header that must be signed, such as ``x-amz-date``.
        TypeError: *unsigned_headers* is a ``str`` instead of a collection of names.
    """
    candidate = read_candidate(request, at=at, service=service, region=region, tolerance=tolerance)
    credentials = (secrets if callable(secrets) else secrets.get)(candidate.access_key_id)
    key = check_key(candidate, credentials)
    payload_hash = candidate.declared_hash or request.payload.hash
    verified = check_signature(
        candidate, key, payload_hash, at=at, unsigned_headers=unsigned_headers
    )
    check_body(verified, request.payload)
    return verified


def check_key(
    candidate: Candidate, credentials: Credentials | VerifyingKey | None
) -> Credentials | VerifyingKey:
    """Return *credentials*, after checking the session token and, for SigV4A, the region set.

    Args:
        candidate: The request, whose head was checked.
        credentials: The credentials for the candidate's access key ID; None if the ID is unknown.
    """
    authorization = candidate.authorization
    if credentials is None:
        raise SignatureError("InvalidAccessKeyId", "the access key ID is unknown")
    if not _equal_tokens(credentials.session_token, authorization.token):
        raise SignatureError("InvalidToken", "the session token does not belong to this access key")
    if candidate.algorithm.region_set is not None:
        _check_region(authorization, candidate.region)
    return credentials


def check_signature(
    candidate: Candidate,
    key: Credentials | VerifyingKey,
    payload_hash: str,
    *,
    at: datetime,
    unsigned_headers: Collection[str] = (),
) -> Verified:
    """Verify the signature of a request, but not that its body matches the signed payload hash.

    Args:
        candidate: The request, whose head was checked.
        key: The return value of `check_key`.
        payload_hash: The candidate's declared hash, or the hash of the body if no hash is declared.
        at: The time of the check, a datetime with a time zone.
        unsigned_headers: As for `verify`.
    """
    request, authorization, algorithm = (
        candidate.request,
        candidate.authorization,
        candidate.algorithm,
    )
    text = canonical_request(
        candidate.rules,
        request,
        canonical_query(authorization.query),
        _read_signed_headers(request, authorization, check_unsigned_headers(unsigned_headers)),
        authorization.signed_headers,
        payload_hash,
    )
    scope = algorithm.scope(authorization.timestamp)
    to_sign = string_to_sign(authorization.algorithm, authorization.timestamp, scope, text)
    if not algorithm.check_string(to_sign, key, authorization.timestamp, authorization.signature):
        raise SignatureError(
            "SignatureDoesNotMatch",
            "the signature does not match the request and the key",
            text,
            to_sign,
        )
    expires_at = candidate.expires_at
    expiration = getattr(key, "expiration", None)  # a VerifyingKey has no expiration
    if expiration is not None:
        if at >= expiration:
            raise SignatureError("ExpiredToken", "the credentials have expired")
        expires_at = expires_at and min(expires_at, expiration)
    return Verified(
        candidate.access_key_id,
        candidate.signed_at,
        expires_at,
        tuple(authorization.signed_headers.split(";")),
        payload_hash,
        SeedSignature(algorithm, key, authorization.timestamp, authorization.signature),
        _normalize_signature(algorithm, authorization),
    )


def _normalize_signature(algorithm: Algorithm, authorization: ParsedAuthorization) -> str:
    """Return the signature; for SigV4A, return the valid form with the smaller s."""
    if algorithm.region_set is None:
        return authorization.signature
    from .._v4a import low_s_signature

    return low_s_signature(authorization.signature)


def check_body(verified: Verified, payload: Payload) -> None:
    """Raise SignatureError if the body does not match the signed payload hash."""
    if is_sha256(verified.payload_hash) and verified.payload_hash != payload.hash:
        raise SignatureError(
            "XAmzContentSHA256Mismatch", "the body does not match the signed payload hash"
        )


def _equal_tokens(token: str | None, claimed: str | None) -> bool:
    """Return whether two session tokens are equal; the comparison takes constant time."""
    if token is None or claimed is None:
        return token is claimed
    return compare_digest(token.encode(), claimed.encode("utf-8", "surrogateescape"))


def _check_region(authorization: ParsedAuthorization, region: str) -> None:
    from .._v4a import covers

    if not covers(authorization.region_set, region):
        raise SignatureError(
            authorization.malformed_code, f"the region set must include {region!r}"
        )


def check_unsigned_headers(unsigned_headers: Collection[str]) -> frozenset[str]:
    """Return *unsigned_headers* in lowercase, after checking them.

    Raises:
        ValueError: One of the headers must be signed.
        TypeError: *unsigned_headers* is a ``str``.
    """
    if isinstance(unsigned_headers, str):
        raise TypeError("unsigned_headers must be a collection of header names, not a str")
    names = frozenset(map(str.lower, unsigned_headers))
    if decisive := names & _DECISIVE:
        raise ValueError(f"unsigned_headers must not contain {min(decisive)}, which must be signed")
    return names


def _read_signed_headers(
    request: SignableRequest, authorization: ParsedAuthorization, exempt: frozenset[str]
) -> str:
    """Return the canonical headers, after checking that the required headers are signed."""
    claimed = frozenset(authorization.signed_headers.split(";"))
    needless = claimed | exempt
    unsigned = [
        name
        for name, _ in request.headers
        if (name == "host" or name.startswith("x-amz-")) and name not in needless
    ]
    if unsigned:
        named = ", ".join([name[:64] for name in unsigned[:8]])
        raise SignatureError("AccessDenied", f"these headers must be signed: {named}")
    lines, names = canonical_headers([pair for pair in request.headers if pair[0] in claimed])
    if names != authorization.signed_headers:
        raise SignatureError(
            "SignatureDoesNotMatch",
            "SignedHeaders must be sorted and name only headers of the request",
        )
    return lines
