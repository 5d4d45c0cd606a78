"""
The other side: does this request carry a right signature, and does it still count?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html and, for
S3, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (the codes).
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING

from attrs import field, frozen

from ._algorithm import Algorithm
from ._canonical import canonical_headers, canonical_query, string_to_sign, timestamp
from ._chain import Seed
from ._claim import Claim, claim_of
from ._credentials import Credentials
from ._errors import SignatureError
from ._limits import LONGEST_ACCESS_KEY_ID, LONGEST_HEAD, MOST_HEADERS, MOST_QUERY_PARAMETERS
from ._payload import MARKERS, Payload
from ._request import SignableRequest
from ._signer import LONGEST_EXPIRY, Signer
from ._v4 import SigV4

if TYPE_CHECKING:
    from ._v4a import VerifyingKey

Secrets = (
    Mapping[str, Credentials]
    | Mapping[str, "VerifyingKey"]
    | Mapping[str, "Credentials | VerifyingKey"]
    | Callable[[str], "Credentials | VerifyingKey | None"]
)

_is_sha256 = re.compile(r"[0-9a-f]{64}").fullmatch
_is_instant = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII).fullmatch


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
    """

    access_key_id: str
    signed_at: datetime
    expires_at: datetime | None
    signed_headers: tuple[str, ...]
    payload_hash: str
    seed: Seed = field(repr=False, eq=False)


def _sigv4(service: str, region: str) -> Algorithm:
    return SigV4(service=service, region=region)


def _sigv4a(service: str, region: str) -> Algorithm:
    from ._v4a import SigV4A

    return SigV4A(service=service, region_set=region)


_ALGORITHMS: dict[str, Callable[[str, str], Algorithm]] = {
    "AWS4-HMAC-SHA256": _sigv4,
    "AWS4-ECDSA-P256-SHA256": _sigv4a,
}


def verify(
    request: SignableRequest,
    secrets: Secrets,
    *,
    at: datetime,
    service: str,
    region: str,
    tolerance: float | None = None,
) -> Verified:
    """
    Check the signature of a request that arrived, in its headers or in its query.

    Args:
        request: The request as it came off the wire, its path and query undecoded, its headers
            all there, its payload made from the body that arrived.  A bare ``+`` in the query counts
            as ``%2B``: whoever reads it as a blank, as forms do, must refuse it first.
        secrets: Credentials by access key id: a mapping, or a function that returns None for an
            unknown one.  With a session token in them, the request must carry the same; with an
            expiration, they count until then.  For SigV4A a `VerifyingKey` does as well.
        at: The aware instant of the check.
        service: The signing name that the request must be scoped to; ``s3`` brings S3's rules.
        region: The region that it must be scoped to, or that its region set must cover.
        tolerance: How many seconds the sender's clock may be off; 300 by default, 900 for S3.

    Returns:
        Who sent it, and what the signature vouches for.  Where `Verified.payload_hash` is
        ``UNSIGNED-PAYLOAD``, that is not the body; where it is ``STREAMING-...``, the body must
        go through a `ChunkDecoder` or an `EventVerifier`.

    Raises:
        SignatureError: The request is refused.  Its ``code`` is S3's name for the reason, which
            is the most precise; other services fold several of them into one.
        MissingDependencyError: It is signed with SigV4A, and `cryptography` cannot be imported.
        ValueError: *at* has no time zone, or *service* or *region* cannot be one.
    """
    timestamp(at)  # refuses a naive one
    _check_size(request)
    claim = claim_of(request)
    if claim.algorithm not in _ALGORITHMS:
        raise SignatureError(claim.malformed, "the algorithm is not one that is known here")
    signer = Signer(_ALGORITHMS[claim.algorithm](service, region))
    signed_at = _signed_at(claim)
    access_key_id = _scoped_key(claim, signer.algorithm.scope(claim.instant))
    if tolerance is None:
        tolerance = 900 if signer.s3 else 300
    margin = timedelta(seconds=tolerance)
    expires_at = _check_time(claim, signed_at, at, margin)
    credentials = (secrets if callable(secrets) else secrets.get)(access_key_id)
    if credentials is None:
        raise SignatureError("InvalidAccessKeyId", "the access key id is not known here")
    if not _same(credentials.session_token, claim.token):
        raise SignatureError("InvalidToken", "the session token is not the one of this key")
    if signer.algorithm.region_set is not None:
        _check_region(claim, region)
    lines = _signed_lines(request, claim)
    payload_hash = _payload_hash(request, claim, sent=signer.content_sha256)
    text = signer.canonical_request(
        request, canonical_query(claim.query), lines, claim.signed_headers, payload_hash
    )
    to_sign = string_to_sign(
        claim.algorithm, claim.instant, signer.algorithm.scope(claim.instant), text
    )
    if not signer.algorithm.check_string(to_sign, credentials, claim.instant, claim.signature):
        raise SignatureError(
            "SignatureDoesNotMatch",
            "the signature is not the one that the key gives for this request",
            text,
            to_sign,
        )
    if _is_sha256(payload_hash) and payload_hash != request.payload.hash:
        raise SignatureError(
            "XAmzContentSHA256Mismatch", "the body is not the one that was signed", text, to_sign
        )
    expiration = getattr(credentials, "expiration", None)  # a verifying key has none
    if expiration is not None:
        if at >= expiration:
            raise SignatureError("ExpiredToken", "the credentials have expired")
        expires_at = expires_at and min(expires_at, expiration)
    names = tuple(claim.signed_headers.split(";"))
    seed = Seed(signer.algorithm, credentials, claim.instant, claim.signature)
    return Verified(access_key_id, signed_at, expires_at, names, payload_hash, seed)


def _check_size(request: SignableRequest) -> None:
    """Refuse what is larger than a signed request is, before anything of it is looked at."""
    headers = request.headers
    if (
        len(headers) > MOST_HEADERS
        or request.query.count("&") >= MOST_QUERY_PARAMETERS
        or len(request.url) + sum([len(name) + len(value) for name, value in headers])
        > LONGEST_HEAD
    ):
        raise SignatureError(
            "RequestHeaderSectionTooLarge",
            f"the head may have {LONGEST_HEAD} characters, {MOST_HEADERS} headers and "
            f"{MOST_QUERY_PARAMETERS} query parameters at most",
        )


def _same(token: str | None, claimed: str | None) -> bool:
    """Compare session tokens in constant time."""
    if token is None or claimed is None:
        return token is claimed
    return compare_digest(token.encode(), claimed.encode("utf-8", "surrogateescape"))


def _scoped_key(claim: Claim, scope: str) -> str:
    """Return the access key id, if the credential's scope is the one wanted here."""
    # A key of other vendors may hold slashes: the scope is what it ends with.
    access_key_id = claim.credential.removesuffix(f"/{scope}")
    if access_key_id == claim.credential:
        raise SignatureError(claim.malformed, f"the credential must be scoped to {scope!r}")
    if not 1 <= len(access_key_id) <= LONGEST_ACCESS_KEY_ID:
        raise SignatureError(
            claim.malformed, f"an access key id has 1 to {LONGEST_ACCESS_KEY_ID} characters"
        )
    return access_key_id


def _check_region(claim: Claim, region: str) -> None:
    """Refuse a signature that is not for this region."""
    from ._v4a import covers

    if not covers(claim.region_set, region):
        raise SignatureError(claim.malformed, f"the region set must cover {region!r}")


def _signed_at(claim: Claim) -> datetime:
    """Return the instant of signing."""
    if not claim.instant:
        raise SignatureError(
            "IncompleteSignature", "the request has no x-amz-date, and no signed date"
        )
    if _is_instant(claim.instant):
        with suppress(ValueError):  # of a thirteenth month
            return datetime.strptime(claim.instant, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    raise SignatureError(claim.malformed, "the date must be like 20150830T123600Z")


def _check_time(
    claim: Claim, signed_at: datetime, at: datetime, margin: timedelta
) -> datetime | None:
    """Refuse what is too old or too new, and return when the signature ends, if it says so."""
    if signed_at > at + margin or (claim.expires is None and signed_at < at - margin):
        raise SignatureError(
            "RequestTimeTooSkewed",
            f"signed at {claim.instant}, which is more than {margin.total_seconds():.0f} s off",
        )
    if claim.expires is None:
        return None
    if not (claim.expires.isascii() and claim.expires.isdigit() and len(claim.expires) < 9):
        raise SignatureError(claim.malformed, "X-Amz-Expires must be a number of seconds")
    if not 1 <= int(claim.expires) <= LONGEST_EXPIRY:
        raise SignatureError(claim.malformed, f"X-Amz-Expires must be 1 to {LONGEST_EXPIRY}")
    expires_at = signed_at + timedelta(seconds=int(claim.expires))
    if at >= expires_at:
        raise SignatureError("RequestExpired", f"the URL expired at {expires_at:%Y%m%dT%H%M%SZ}")
    return expires_at


def _signed_lines(request: SignableRequest, claim: Claim) -> str:
    """Return the canonical headers, if those are signed that must be, and those there that are."""
    claimed = frozenset(claim.signed_headers.split(";"))
    unsigned = [
        name
        for name, _ in request.headers
        if (name == "host" or name.startswith("x-amz-")) and name not in claimed
    ]
    if unsigned:
        named = ", ".join([name[:64] for name in unsigned[:8]])
        raise SignatureError("AccessDenied", f"headers that must be signed are not: {named}")
    lines, names = canonical_headers([pair for pair in request.headers if pair[0] in claimed])
    if names != claim.signed_headers:
        raise SignatureError(
            "SignatureDoesNotMatch",
            "the list of signed headers is unsorted, or names one that is absent",
        )
    return lines


def _payload_hash(request: SignableRequest, claim: Claim, *, sent: bool) -> str:
    """Return what the signature says of the body, where *sent* tells if it must be in a header."""
    declared = request.header("x-amz-content-sha256")
    if declared is not None:
        foreign = "AWS4" in declared and f"-{claim.algorithm}-" not in declared
        if not _is_sha256(declared) and (declared not in MARKERS or foreign):
            raise SignatureError(
                "InvalidArgument", "x-amz-content-sha256 must be a SHA-256 or one of the markers"
            )
        return declared
    if not sent:
        return request.payload.hash
    if claim.expires is None:
        raise SignatureError("MissingSecurityHeader", "the request has no x-amz-content-sha256")
    return Payload.UNSIGNED.hash
