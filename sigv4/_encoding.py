"""Percent-encodes strings and normalizes paths and header values, according to the signing rules.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from functools import cache

# "Do not URI-encode any of the unreserved characters that RFC 3986 defines" (the page above).
_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH = _UNRESERVED + "/"


def _to_latin1(text: str | bytes) -> str:
    """Return one character for each byte of *text*; a ``str`` is first encoded as UTF-8."""
    if isinstance(text, str):
        if text.isascii():
            return text
        text = text.encode()
    return text.decode("latin-1")


@cache
def _escapes(safe: str) -> dict[int, str]:
    """Return a translation table that percent-encodes each byte except those in *safe*."""
    return {code: f"%{code:02X}" for code in range(256) if chr(code) not in safe}


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[0].replace(b"%", b"").decode("ascii"))


def _percent_decode(text: str) -> bytes:
    return re.sub(rb"(?:%[0-9A-Fa-f]{2})+", _unescape, text.encode("utf-8", "surrogatepass"))


def percent_encode(text: str | bytes) -> str:
    """Percent-encode everything except ASCII letters, digits and ``-._~``.

    Use this function for a path segment, or for a name or value in a query.

    Args:
        text: The text to encode; a ``str`` is encoded as UTF-8.  Existing escapes such as ``%20``
            are encoded again.

    >>> percent_encode("a b/c")
    'a%20b%2Fc'
    """
    text = _to_latin1(text)
    if not text.strip(_UNRESERVED):
        return text
    return text.translate(_escapes(_UNRESERVED))


def percent_encode_path(text: str | bytes) -> str:
    """Percent-encode an S3 key or a whole path: like `percent_encode`, but ``/`` is not encoded.

    >>> percent_encode_path("/a b/c")
    '/a%20b/c'
    """
    text = _to_latin1(text)
    if not text.strip(_PATH):
        return text
    return text.translate(_escapes(_PATH))


def reencode_s3_path(path: str) -> str:
    """Decode the path of a URL and encode it again, as S3 does before it verifies a signature.

    A segment that consists of one or two encoded dots, such as ``%2E%2E``, stays encoded, because a
    client would remove a segment of unencoded dots.  S3, however, expects a signature that covers
    the unencoded dots, so most clients cannot access an S3 key with such a segment.

    Source: the element CanonicalRequest in S3's SignatureDoesNotMatch responses.
    """
    segments: list[str] = []
    for segment in path.split("/"):
        if segment in {".", ".."}:
            segments.append(segment)
            continue
        for part in _percent_decode(segment).split(b"/"):
            dots = part in {b".", b".."}
            segments.append("%2E" * len(part) if dots else percent_encode(part))
    return "/".join(segments)


def canonical_part(part: str) -> str:
    """Return the canonical encoding of a name or value in a query.

    Services decode the query before they verify the signature, so ``*`` and ``%2a`` both become
    ``%2A``.  As in every AWS SDK, ``+`` means a plus sign, not a space.
    """
    if not part.strip(_UNRESERVED):
        return part
    return percent_encode(_percent_decode(part))


def remove_dot_segments(path: str) -> str:
    """Remove ``.``, ``..`` and empty segments from a path; a trailing ``/`` is kept.

    AWS's rules differ from RFC 3986, section 5.2.4: empty segments are also removed, and no ``/``
    remains in place of a final dot segment, so ``/a/.`` becomes ``/a``.

    >>> remove_dot_segments("/a//b/../c/")
    '/a/c/'
    """
    if "//" not in path and "/." not in path:
        return path or "/"
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    closing = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + closing


def canonical_value(value: str) -> str:
    """Return a header value as it is signed.

    Leading and trailing spaces and tabs are removed, and every other run of spaces and tabs becomes
    one space.

    >>> canonical_value("  a   b  ")
    'a b'
    """
    if "  " not in value and "\t" not in value:
        return value.strip(" ")
    return re.sub(r"[ \t]+", " ", value).strip(" ")
