"""
The texts that a signature is made of, in the order of the specification.

    canonical request = method LF path LF query LF headers LF signed headers LF payload hash
    string to sign    = algorithm LF timestamp LF scope LF SHA-256 of the canonical request

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

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

# Proxies and tracers add or rewrite these, so a signature over them would break on the way.
# The list is botocore's (auth.py, SIGNED_HEADERS_BLACKLIST, 1.44), with what carries the signature itself.
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
# Whatever a caller selects: without these a signature says nothing.
ALWAYS_SIGNED = frozenset(
    {"host", "x-amz-content-sha256", "x-amz-date", "x-amz-region-set", "x-amz-security-token"}
)
# What a signer writes itself; what stood there before is replaced, so that a retry can be re-signed.
REPLACED = frozenset({"authorization", "x-amz-date", "x-amz-region-set", "x-amz-security-token"})
# What makes a URL a presigned one, and what else a presigned URL says of its signature.  The first
# are those that aws-c-auth refuses to sign (aws_signing.c, s_forbidden_params).
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
    """
    Select what AWS asks to be signed: host, content-type, content-md5, x-amz-* and x-amzn-*.

    What proxies add or rewrite is left out, so that it may change on the way.
    """
    return name in _BY_DEFAULT or (
        name.startswith(("x-amz-", "x-amzn-")) and name not in NEVER_SIGNED
    )


def sign_all_headers(name: str) -> bool:
    """Select every header but those on the never-signed list, as botocore does."""
    return name not in NEVER_SIGNED


def format_timestamp(at: datetime) -> str:
    """Return the aware instant *at* as ``20150830T123600Z``."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("at must have a time zone, such as datetime.UTC")
        at = at.astimezone(UTC)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    return "%04d%02d%02dT%02d%02d%02dZ" % parts  # noqa: UP031 (in half the time of an f-string)


def canonical_path(path: str, *, normalize: bool, double_encode: bool) -> str:
    """Return the path as it is signed: for S3 untouched, for all others normalised and encoded again."""
    if normalize:
        path = remove_dot_segments(path)
    return percent_encode_path(path) if double_encode else path


def canonical_query(query: str, added: Iterable[tuple[str, str]] = ()) -> str:
    """
    Return the query's pairs, encoded canonically and sorted by name, then by value.

    Args:
        query: The query as it stands in a URL.
        added: Further pairs, which are encoded canonically already.
    """
    pairs = [*added]
    if query:
        split = [pair.partition("=") for pair in query.split("&") if pair]
        pairs += [(canonical_part(name), canonical_part(value)) for name, _, value in split]
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """
    Return the canonical headers, a line each, and the list of their names.

    Args:
        headers: Those that are signed: names in lower case, and values; a repeated name's values
            are joined by commas.
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
    """Return the values of each name, each trimmed, joined by commas."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(canonical_value(value))
    return {name: ",".join(several) for name, several in values.items()}


def string_to_sign(algorithm: str, timestamp: str, scope: str, canonical_request: str) -> str:
    """Return the text that the key signs."""
    digest = sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{algorithm}\n{timestamp}\n{scope}\n{digest}"
