"""
Percent-encoding, dot segments and header blanks, each as the signing rules want them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import re
from functools import cache

# "Do not URI-encode any of the unreserved characters that RFC 3986 defines" (the page above).
_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH = _UNRESERVED + "/"


def _to_latin1(text: str | bytes) -> str:
    """Return a text with a character for each byte of *text*, of which ASCII is the usual case."""
    if isinstance(text, str):
        if text.isascii():
            return text
        text = text.encode()
    return text.decode("latin-1")


@cache
def _escapes(safe: str) -> dict[int, str]:
    """Return what stands for each byte but those that are *kept*."""
    return {code: f"%{code:02X}" for code in range(256) if chr(code) not in safe}


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[0].replace(b"%", b"").decode("ascii"))


def _percent_decode(text: str) -> bytes:
    """Return the bytes that a percent-encoded text stands for."""
    return re.sub(rb"(?:%[0-9A-Fa-f]{2})+", _unescape, text.encode("utf-8", "surrogatepass"))


def percent_encode(text: str | bytes) -> str:
    """
    Encode everything but letters, digits and ``-._~``, as a path segment or query part needs.

    Args:
        text: What to encode; a ``str`` as UTF-8.  What is encoded already is encoded again.

    >>> percent_encode("a b/c")
    'a%20b%2Fc'
    """
    text = _to_latin1(text)
    if not text.strip(_UNRESERVED):
        return text
    return text.translate(_escapes(_UNRESERVED))


def percent_encode_path(text: str | bytes) -> str:
    """
    Encode like `percent_encode`, but leave ``/``: for an S3 key or a whole path.

    >>> percent_encode_path("/a b/c")
    '/a%20b/c'
    """
    text = _to_latin1(text)
    if not text.strip(_PATH):
        return text
    return text.translate(_escapes(_PATH))


def reencode_s3_path(path: str) -> str:
    """
    Return the path of a URL as S3 signs it, however it is encoded: decoded, and encoded anew.

    A dot segment stays as it is, since a client would take it out where its dots are bare.  In what
    S3 signs it is bare, so that a key with such a segment is out of reach for most clients.

    Source: the CanonicalRequest in S3's answer to a signature that does not match.
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
    """
    Return a name or value of a query, encoded on the wire in whatever way, in the one canonical way.

    Services decode the query before they check the signature, so ``*`` and ``%2a`` are both
    ``%2A`` here.  A ``+`` is a plus, as in every AWS SDK, never a blank.
    """
    if not part.strip(_UNRESERVED):
        return part
    return percent_encode(_percent_decode(part))


def remove_dot_segments(path: str) -> str:
    """
    Normalise a path: no ``.``, no ``..``, no empty segment; a closing ``/`` stays.

    Unlike RFC 3986, section 5.2.4, AWS drops empty segments, and keeps no ``/`` for a closing dot.

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
    """
    Return a header's value as it is signed: trimmed, and inner runs of blanks as one space.

    >>> canonical_value("  a   b  ")
    'a b'
    """
    if "  " not in value and "\t" not in value:
        return value.strip(" ")
    return re.sub(r"[ \t]+", " ", value).strip(" ")
