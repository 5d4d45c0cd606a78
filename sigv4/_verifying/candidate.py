"""The checks of a request that require neither the key nor the body.

A server that accepts untrusted requests looks up a key and reads a body only for a `Candidate`.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .._algorithm import Algorithm
from .._canonical import format_timestamp
from .._errors import SignatureError
from .._limits import (
    LONGEST_ACCESS_KEY_ID,
    LONGEST_EXPIRY,
    LONGEST_HEAD,
    MOST_HEADERS,
    MOST_QUERY_PARAMETERS,
)
from .._payload import MARKERS, Payload
from .._request import SignableRequest
from .._signing_rules import SigningRules
from .._v4 import SigV4
from .authorization import ParsedAuthorization, parse_authorization

is_sha256 = re.compile(r"[0-9a-f]{64}").fullmatch
_is_timestamp = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII).fullmatch


class Candidate(NamedTuple):
    """A request with a well-formed authorization, the expected scope and an acceptable signing time.

    Attributes:
        request: The request; its payload is not used.
        authorization: The parsed authorization.
        algorithm: The algorithm that the authorization specifies, for the expected service and
            region.
        rules: The service's rules for canonical requests.
        region: The expected region, which a region set must include.
        access_key_id: The ID of the key that signed the request, according to the authorization.
        declared_hash: The payload hash according to the head; None if the body must be hashed.
        signed_at: The signing time, according to the sender.
        expires_at: The time at which a presigned URL expires; None for a signature in headers.
        valid_until: The last time at which the request is accepted.
    """

    request: SignableRequest
    authorization: ParsedAuthorization
    algorithm: Algorithm
    rules: SigningRules
    region: str
    access_key_id: str
    declared_hash: str | None
    signed_at: datetime
    expires_at: datetime | None
    valid_until: datetime

    def check_age(self, at: datetime) -> None:
        """Raise SignatureError if the request is too old at *at*, a datetime with a time zone."""
        if at > self.valid_until:
            raise SignatureError("RequestExpired", "the signature expired before the body arrived")


def _sigv4(service: str, region: str) -> Algorithm:
    return SigV4(service=service, region=region)


def _sigv4a(service: str, region: str) -> Algorithm:
    from .._v4a import SigV4A

    return SigV4A(service=service, region_set=region)


_ALGORITHMS: dict[str, Callable[[str, str], Algorithm]] = {
    "AWS4-HMAC-SHA256": _sigv4,
    "AWS4-ECDSA-P256-SHA256": _sigv4a,
}


def read_candidate(
    request: SignableRequest,
    *,
    at: datetime,
    service: str,
    region: str,
    tolerance: float | None,
) -> Candidate:
    """Check the head of a request, and return the request as a candidate.

    The arguments and errors are described in `verify`.
    """
    format_timestamp(at)  # raises an error if *at* has no time zone
    _check_size(request)
    authorization = parse_authorization(request)
    if authorization.algorithm not in _ALGORITHMS:
        raise SignatureError(authorization.malformed_code, "the signing algorithm is unknown")
    algorithm = _ALGORITHMS[authorization.algorithm](service, region)
    rules = SigningRules(algorithm)
    signed_at = _parse_signing_time(authorization)
    access_key_id = _parse_access_key_id(authorization, algorithm.scope(authorization.timestamp))
    if tolerance is None:
        tolerance = 900 if rules.s3 else 300
    margin = timedelta(seconds=tolerance)
    expires_at = _check_validity(authorization, signed_at, at, margin)
    return Candidate(
        request,
        authorization,
        algorithm,
        rules,
        region,
        access_key_id,
        _read_declared_hash(request, authorization, sent=rules.content_sha256),
        signed_at,
        expires_at,
        expires_at or signed_at + margin,
    )


def _check_size(request: SignableRequest) -> None:
    """Raise SignatureError if the head is too large to be parsed."""
    headers = request.headers
    if (
        len(headers) > MOST_HEADERS
        or request.query.count("&") >= MOST_QUERY_PARAMETERS
        or len(request.url) + sum([len(name) + len(value) for name, value in headers])
        > LONGEST_HEAD
    ):
        raise SignatureError(
            "RequestHeaderSectionTooLarge",
            f"the request head must not exceed {LONGEST_HEAD} characters, {MOST_HEADERS} headers and "
            f"{MOST_QUERY_PARAMETERS} query parameters",
        )


def _parse_access_key_id(authorization: ParsedAuthorization, scope: str) -> str:
    """Return the access key ID in the credential, after checking that its scope is *scope*."""
    # Access key IDs of other vendors may contain slashes, so the scope is removed from the end of
    # the credential.
    access_key_id = authorization.credential.removesuffix(f"/{scope}")
    if access_key_id == authorization.credential:
        raise SignatureError(
            authorization.malformed_code, f"the credential must be scoped to {scope!r}"
        )
    if not 1 <= len(access_key_id) <= LONGEST_ACCESS_KEY_ID:
        raise SignatureError(
            authorization.malformed_code,
            f"the access key ID must have 1 to {LONGEST_ACCESS_KEY_ID} characters",
        )
    return access_key_id


def _parse_signing_time(authorization: ParsedAuthorization) -> datetime:
    if not authorization.timestamp:
        raise SignatureError(
            "IncompleteSignature",
            "the request has neither an x-amz-date header nor a signed date header",
        )
    if _is_timestamp(authorization.timestamp):
        with suppress(ValueError):  # raised, for example, for a thirteenth month
            return datetime.strptime(authorization.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    raise SignatureError(
        authorization.malformed_code, "the signing time must have the form 20150830T123600Z"
    )


def _check_validity(
    authorization: ParsedAuthorization, signed_at: datetime, at: datetime, margin: timedelta
) -> datetime | None:
    """Compare the signing time and the expiry with *at*; return a presigned URL's expiry, or None."""
    if signed_at > at + margin or (authorization.expires is None and signed_at < at - margin):
        raise SignatureError(
            "RequestTimeTooSkewed",
            f"the signing time {authorization.timestamp} differs from the server's time by more than "
            f"{margin.total_seconds():.0f} seconds",
        )
    if authorization.expires is None:
        return None
    if not (
        authorization.expires.isascii()
        and authorization.expires.isdigit()
        and len(authorization.expires) < 9
    ):
        raise SignatureError(
            authorization.malformed_code, "X-Amz-Expires must be a number of seconds"
        )
    if not 1 <= int(authorization.expires) <= LONGEST_EXPIRY:
        raise SignatureError(
            authorization.malformed_code, f"X-Amz-Expires must be 1 to {LONGEST_EXPIRY} seconds"
        )
    expires_at = signed_at + timedelta(seconds=int(authorization.expires))
    if at >= expires_at:
        raise SignatureError(
            "RequestExpired", f"the presigned URL expired at {expires_at:%Y%m%dT%H%M%SZ}"
        )
    return expires_at


def _read_declared_hash(
    request: SignableRequest, authorization: ParsedAuthorization, *, sent: bool
) -> str | None:
    """Return the payload hash according to the head, or None if the body must be hashed.

    *sent* is whether a request that is not presigned must have the header ``x-amz-content-sha256``.
    """
    declared = request.header("x-amz-content-sha256")
    if declared is not None:
        foreign = "AWS4" in declared and f"-{authorization.algorithm}-" not in declared
        if not is_sha256(declared) and (declared not in MARKERS or foreign):
            raise SignatureError(
                "InvalidArgument",
                "x-amz-content-sha256 must be a hexadecimal SHA-256 digest, or a marker such as "
                "UNSIGNED-PAYLOAD",
            )
        return declared
    if not sent:
        return None
    if authorization.expires is None:
        raise SignatureError(
            "MissingSecurityHeader", "the request has no x-amz-content-sha256 header"
        )
    return Payload.UNSIGNED.hash
