"""Functions that compute the parts of a canonical request, and the string to sign.

    canonical request = method LF path LF query LF headers LF signed headers LF payload hash
    string to sign    = algorithm LF timestamp LF scope LF SHA-256 of the canonical request

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from operator import itemgetter

from ._encoding import (
    canonical_part,
    canonical_value,
    percent_encode_path,
    remove_dot_segments,
)

HeaderSelection = Callable[[str], bool]

_first = itemgetter(0)

# The built-in selections exclude these headers.  Proxies and tracers add or rewrite most of them,
# so a signature that covers these headers could become invalid in transit.  The list consists of
# botocore's list (auth.py, SIGNED_HEADERS_BLACKLIST, 1.44) and Authorization, which contains the
# signature.
NEVER_SIGNED = frozenset(
    {
        "authorization",
        "baggage",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    }
)
# These headers are signed regardless of the caller's selection, because they determine where, when,
# for which body and with which session token the signature is valid.  (Only the session token can
# be excluded, with ``sign_session_token=False``.)
ALWAYS_SIGNED = frozenset(
    {"host", "x-amz-content-sha256", "x-amz-date", "x-amz-region-set", "x-amz-security-token"}
)
# `Signer.sign` sets these headers if they are needed.  It ignores the values that the request
# already has, so that the request can be signed again for a retry.
REPLACED = frozenset({"authorization", "x-amz-date", "x-amz-region-set", "x-amz-security-token"})
# `Signer.sign` rejects a URL that has any of these query parameters, because the URL is already
# presigned.  aws-c-auth rejects the same parameters (aws_signing.c, s_forbidden_params).
# SIGNATURE_PARAMETERS also contains the other parameters that a presigned URL can have;
# `Signer.presign` rejects a URL that has any of them.
PRESIGNED = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    }
)
SIGNATURE_PARAMETERS = PRESIGNED | {"X-Amz-Expires", "X-Amz-Region-Set", "X-Amz-Security-Token"}
_BY_DEFAULT = ALWAYS_SIGNED | {"content-type", "content-md5"}


def sign_default_headers(name: str) -> bool:
    """Return whether the header *name*, in lowercase, is signed by default.

    The headers host, content-type, content-md5, x-amz-* and x-amzn-* are signed, except
    x-amzn-trace-id.  All other headers are not signed, so proxies may change them in transit.
    """
    return name in _BY_DEFAULT or (
        name.startswith(("x-amz-", "x-amzn-")) and name not in NEVER_SIGNED
    )


def sign_all_headers(name: str) -> bool:
    """Return whether the header *name*, in lowercase, is among those that botocore signs.

    botocore signs all headers except authorization and those that proxies and tracers may add or
    rewrite, such as user-agent.
    """
    return name not in NEVER_SIGNED


def format_timestamp(at: datetime) -> str:
    """Convert *at*, a datetime with a time zone, to UTC, and format it as ``20150830T123600Z``."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("at must have a time zone, such as datetime.UTC")
        at = at.astimezone(UTC)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    return "%04d%02d%02dT%02d%02d%02dZ" % parts  # noqa: UP031 (takes half as long as an f-string)


def canonical_path(path: str, *, normalize: bool, double_encode: bool) -> str:
    """Return the path as it is signed.

    If *normalize* is set, dot segments and empty segments are removed; if *double_encode* is set,
    the path is percent-encoded once more.
    """
    if normalize:
        path = remove_dot_segments(path)
    return percent_encode_path(path) if double_encode else path


def canonical_query(query: str, added: Iterable[tuple[str, str]] = ()) -> str:
    """Return the query, canonically encoded and sorted by parameter name, then by value.

    Args:
        query: The query of the URL, without the ``?``.
        added: Additional pairs of name and value, which must already be canonically encoded.
    """
    pairs = [*added]
    if query:
        split = [pair.partition("=") for pair in query.split("&") if pair]
        pairs += [(canonical_part(name), canonical_part(value)) for name, _, value in split]
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the canonical headers, one per line, and their names, joined by ``;``.

    Args:
        headers: The headers to sign, as pairs of lowercase name and value.  The values of a
            repeated name are joined by commas.
    """
    signed = sorted(headers, key=_first)
    values = dict(signed)
    if len(values) < len(signed):
        values = _join_values(signed)
    lines = "".join([f"{name}:{value}\n" for name, value in values.items()])
    if " " in lines or "\t" in lines:
        lines = "".join([f"{name}:{canonical_value(value)}\n" for name, value in values.items()])
    return lines, ";".join(values)


def _join_values(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the header values, keyed by name; the values of a repeated name are joined by commas."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(canonical_value(value))
    return {name: ",".join(several) for name, several in values.items()}


def string_to_sign(algorithm: str, timestamp: str, scope: str, canonical_request: str) -> str:
    """Return the string to sign, as it is defined in the docstring of this module."""
    digest = sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{algorithm}\n{timestamp}\n{scope}\n{digest}"
