"""Explains why a signature did not match, by comparing what was signed with what AWS expected.

An explanation looks like this:

    SignatureDoesNotMatch: the canonical requests differ.
      path: we signed '/a b', AWS expected '/a%20b'
"""

from collections.abc import Callable
from typing import Literal

from attrs import field, frozen

from ._encoding import percent_encode_path, reencode_s3_path
from ._errors import UnexplainedError
from ._refusal import SignatureMismatch, normalize_line_ends
from ._signer import Signature

# Headers whose values must not be printed or logged.
_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "x-amz-s3session-token",
        "x-amz-security-token",
        "x-amzn-sagemaker-custom-attributes",
        "x-api-key",
    }
)
_SECRET_SUFFIX = "-customer-key"  # headers with customer-provided S3 encryption keys (SSE-C)
# Query parameters whose values must not be printed or logged.
SECRET_PARAMETERS = ("X-Amz-S3session-Token", "X-Amz-Security-Token", "X-Amz-Signature")
_SHOWN = 120

Cause = Literal["canonical request", "string to sign", "key", "unknown"]

_VERDICTS: dict[Cause, str] = {
    "canonical request": "the canonical requests differ.",
    "string to sign": "the canonical requests are equal, but the strings to sign differ.",
    "key": "both sides signed the same string, so the signing keys differ: the secret access key does "
    "not belong to this access key ID.",
    "unknown": "the canonical requests are equal, so the string to sign or the key differs: compare "
    "the string to sign as well.",
}


@frozen
class Difference:
    """A part of a signed string whose value differs from the value that AWS expected.

    A secret value is replaced by its length.  A long value is shortened to the text around the
    first difference, or to its beginning if the other value is None.

    Attributes:
        part: ``method``, ``path``, ``query parameter NAME``, ``header NAME``, ``signed headers``,
            ``payload hash``, ``order of query parameters`` or ``order of headers``; in the string
            to sign, ``algorithm``, ``timestamp`` or ``scope``.
        ours: The signed value; None if the part was not signed.
        theirs: The value that AWS expected; None if AWS did not expect the part.
        hint: A common cause of such a difference; an empty string if none is known.
    """

    part: str
    ours: str | None
    theirs: str | None
    hint: str = ""

    def __str__(self) -> str:
        sides = [_quote(self.ours), _quote(self.theirs)]
        return f"{self.part}: we signed {sides[0]}, AWS expected {sides[1]}" + (
            f" ({self.hint})" if self.hint else ""
        )


@frozen
class Explanation:
    """The reason why a signature did not match; ``str(explanation)`` returns a readable report.

    Attributes:
        code: The service's error code; None if the response has none.
        cause: The first string that differs: ``canonical request`` or ``string to sign``; ``key``
            if neither differs; ``unknown`` if the canonical requests are equal and the strings to
            sign could not be compared.
        differences: The parts that differ in the string given by *cause*, in the order in which the
            string contains them.
        string_to_sign: The string to sign that AWS expected: algorithm, timestamp, scope and the
            hash of the canonical request.  None if the response does not contain the string.
    """

    code: str | None
    cause: Cause
    differences: tuple[Difference, ...] = ()
    string_to_sign: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        lines = [*map(str, self.differences)]
        if self.cause == "unknown" and self.string_to_sign:
            lines += [f"AWS expected {_quote(line)}" for line in self.string_to_sign.split("\n")]
        code = f"{self.code}: " if self.code else ""
        return "\n  ".join([code + _VERDICTS[self.cause], *lines])


def explain(answer: bytes | str | Exception, ours: Signature | str) -> Explanation:
    """Explain why a signature did not match, by comparing *ours* with AWS's error response.

    Args:
        answer: A ``SignatureDoesNotMatch`` or ``InvalidSignatureException`` error: the response
            body in XML or JSON, botocore's ``ClientError``, or any text that contains the response,
            such as an excerpt from a log.
        ours: The return value of `Signer.sign` for the request, or only the canonical request of
            that signature, if nothing else is available.  With `SigV4Auth`, the signature is
            ``response.request.extensions["sigv4"]``.

    Raises:
        UnexplainedError: *answer* does not contain the canonical request that AWS expected,
            *answer* is longer than 256 KiB, or one of the two canonical requests is malformed.
            Responses with other errors do not contain a canonical request.
    """
    theirs = SignatureMismatch.parse(answer)
    mine = normalize_line_ends(ours) if isinstance(ours, str) else ours.canonical_request
    differences = _compare(_canonical_fields, mine, theirs.canonical_request) or _compare(
        _name_order, mine, theirs.canonical_request
    )
    cause: Cause = "canonical request" if differences else "unknown"
    if not (differences or isinstance(ours, str) or theirs.string_to_sign is None):
        differences = _compare(_string_to_sign_fields, ours.string_to_sign, theirs.string_to_sign)
        cause = "string to sign" if differences else "key"
    return Explanation(theirs.code, cause, differences, theirs.string_to_sign)


def is_secret_header(name: str) -> bool:
    """Return whether the values of a header must not be shown; *name* must be lowercase."""
    return name in _SECRET_HEADERS or name.endswith(_SECRET_SUFFIX)


def mask_secrets(canonical_request: str) -> str:
    """Return a canonical request in which each secret is replaced by its length."""
    lines = canonical_request.split("\n")
    if len(lines) > 2:
        pairs = [pair.partition("=") for pair in lines[2].split("&")]
        lines[2] = "&".join([name + mark + _mask(name, value) for name, mark, value in pairs])
    headers = [line.partition(":") for line in lines[3:-2]]
    lines[3:-2] = [name + mark + _mask(name, value) for name, mark, value in headers]
    return "\n".join(lines)


# Step 1: parse a string into named parts, in order.


@frozen
class _CanonicalRequest:
    """A parsed canonical request; a parameter or header is a tuple of name, separator and value."""

    method: str
    path: str
    query: list[tuple[str, str, str]] = field(repr=False)
    headers: list[tuple[str, str, str]] = field(repr=False)  # these can include the session token
    signed_headers: str
    payload_hash: str

    @classmethod
    def parse(cls, text: str) -> "_CanonicalRequest":
        lines = text.strip("\n").split("\n")
        if len(lines) < 6:
            raise UnexplainedError("the text is not a canonical request: it has fewer than 6 lines")
        method, path, query, *headers, signed_headers, payload_hash = lines
        return cls(
            method,
            path,
            [pair.partition("=") for pair in query.split("&") if pair],
            [line.partition(":") for line in headers if line],
            signed_headers,
            payload_hash,
        )


def _canonical_fields(canonical_request: str) -> dict[str, str]:
    of = _CanonicalRequest.parse(canonical_request)
    return {
        "method": of.method,
        "path": of.path,
        **_join_values("query parameter", of.query),
        **_join_values("header", of.headers),
        "signed headers": of.signed_headers,
        "payload hash": of.payload_hash,
    }


def _join_values(kind: str, pairs: list[tuple[str, str, str]]) -> dict[str, str]:
    """Return values keyed by *kind* and name; commas join the values of a repeated name."""
    values: dict[str, list[str]] = {}
    for name, _, value in pairs:
        values.setdefault(f"{kind} {name}", []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _name_order(canonical_request: str) -> dict[str, str]:
    """Return the names of the query parameters and of the headers, in order.

    The order can differ even if all values are equal.
    """
    of = _CanonicalRequest.parse(canonical_request)
    return {
        "order of query parameters": "&".join([name + mark for name, mark, _ in of.query]),
        "order of headers": ",".join([name + mark for name, mark, _ in of.headers]),
    }


def _string_to_sign_fields(string_to_sign: str) -> dict[str, str]:
    """Return the algorithm, timestamp and scope of a string to sign, but not the hash."""
    return dict(zip(("algorithm", "timestamp", "scope"), string_to_sign.split("\n"), strict=False))


# Step 2: compare the parts of two strings.


def _compare(
    parts: Callable[[str], dict[str, str]], ours: str, theirs: str
) -> tuple[Difference, ...]:
    """Return the parts that differ between two strings; *parts* splits a string into parts."""
    mine, others = parts(ours), parts(theirs)
    both = [(part, mine.get(part), others.get(part)) for part in {**mine, **others}]
    return tuple([_difference(*values) for values in both if values[1] != values[2]])


def _difference(part: str, ours: str | None, theirs: str | None) -> Difference:
    """Describe a part whose values differ; secrets are masked, and long values are shortened."""
    name = part.rpartition(" ")[2]
    shown = [value if value is None else _mask(name, value) for value in (ours, theirs)]
    return Difference(
        ascii(part[:_SHOWN])[1:-1], *_clip_to_difference(*shown), _hint(part, ours, theirs)
    )


def _hint(part: str, ours: str | None, theirs: str | None) -> str:
    """Return a common cause of a difference in *part*, or an empty string if none is known."""
    kind = part.partition(" ")[0]
    if theirs is None and kind == "header":
        return "it was removed in transit, or never sent"
    if ours is None:
        return "it was added after signing" if kind in {"header", "query"} else ""
    if theirs is None:
        return ""
    if part == "path":
        return _path_hint(ours, theirs)
    return _HINTS.get(part, "it was changed after signing" if kind in {"header", "query"} else "")


def _path_hint(ours: str, theirs: str) -> str:
    """Return a hint for two paths that differ, for example because one is encoded twice."""
    if percent_encode_path(ours.encode("utf-8", "surrogatepass")) == theirs:
        return (
            "AWS encodes the path twice: use double_encode=True, which is correct for all "
            "services except S3"
        )
    if percent_encode_path(theirs.encode("utf-8", "surrogatepass")) == ours:
        return "AWS encodes the path only once: use double_encode=False, which is correct for S3"
    if reencode_s3_path(ours) == theirs:
        return "S3 decodes the path and encodes it again: encode the key with percent_encode_path"
    return "the path must be sent exactly as it was signed"


_HINTS = {
    "payload hash": "the body was changed after signing, or only one side used UNSIGNED-PAYLOAD",
    "scope": "the service, region or date differs",
    "header host": "a proxy, a DNS alias or a port changed it",
}


def _mask(name: str, value: str) -> str:
    """Return *value*, or only its length if values with this name are secret."""
    secret = is_secret_header(name) or name in SECRET_PARAMETERS
    return f"<{len(value)} characters, hidden>" if secret and value else value


def _clip_to_difference(ours: str | None, theirs: str | None) -> tuple[str | None, str | None]:
    """Shorten two values, if they are long, to the text around their first difference."""
    if ours is None or theirs is None:
        return _clip(ours), _clip(theirs)
    pairs = enumerate(zip(ours, theirs, strict=False))
    at = next((at for at, (mine, other) in pairs if mine != other), min(len(ours), len(theirs)))
    start = max(0, at - _SHOWN // 4) if max(len(ours), len(theirs)) > _SHOWN else 0
    dots = "..." if start else ""
    return _clip(dots + ours[start:]), _clip(dots + theirs[start:])


def _clip(value: str | None) -> str | None:
    """Shorten *value* to its first characters if it is too long to be shown."""
    return value if value is None or len(value) <= _SHOWN else value[:_SHOWN] + "..."


def _quote(value: str | None) -> str:
    """Return *value* in quotes, with control and non-ASCII characters escaped; for None, "nothing"."""
    return "nothing" if value is None else ascii(value)
