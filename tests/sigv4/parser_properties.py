"""Properties that the parsers of signed requests and AWS error responses must have for all input.

``test_parser_properties.py`` checks each property with 500 examples, and ``tests/fuzz`` checks it
with many more.  `PROPERTIES` maps each check to the strategy for its argument.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from sigv4 import (
    Credentials,
    SignableRequest,
    Signer,
    SigV4,
    SigV4Error,
    UnexplainedError,
    Verified,
    explain,
    verify,
)
from sigv4._cli.raw_request import parse_request
from sigv4._explain import mask_secrets

KEY = Credentials("AKID", "very-secret", "to-ken")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST = "h.example"


class Change(NamedTuple):
    """Replaces `length` bytes at the position `at` by the bytes `by`."""

    at: int
    length: int
    by: bytes


def altered(data: bytes, changes: Sequence[Change]) -> bytes:
    """Apply *changes* to *data*, and return the result."""
    for change in changes:
        at = change.at % (len(data) + 1)
        data = data[:at] + change.by + data[at + change.length :]
    return data


class Arriving(NamedTuple):
    """Data, which may be valid, and the changes that are made to it in transit."""

    data: bytes
    changes: Sequence[Change]

    @property
    def altered(self) -> bytes:
        """The data after the changes."""
        return altered(self.data, self.changes)


def outcome(read: Callable[[], Any]) -> Any:
    """Return the result of *read*, or the SigV4Error that it raises; other errors are not caught."""
    try:
        return read()
    except SigV4Error as refusal:
        return refusal


def requests_are_parsed_or_rejected(data: bytes) -> None:
    """For any bytes, `parse_request` returns a valid request or raises a short SigV4Error."""
    read = outcome(lambda: parse_request(data))
    if isinstance(read, SigV4Error):
        assert len(str(read)) < 200
    else:
        rebuilt = SignableRequest(read.method, read.url, read.headers, read.payload)
        assert (read.url, read.headers) == (rebuilt.url, rebuilt.headers)


def signatures_are_valid_or_rejected(arriving: Arriving) -> None:
    """A changed request is rejected, or `verify` returns the original key ID, time and signature.

    If the request is rejected, the error and its masked canonical request contain no session token.
    """
    good = verified(arriving.data)
    found = outcome(lambda: verified(arriving.altered))
    if isinstance(found, SigV4Error):
        shown = mask_secrets(getattr(found, "canonical_request", None) or "")
        assert KEY.session_token not in str(found) + repr(found) + shown
    else:
        assert (good.access_key_id, good.signed_at) == (found.access_key_id, found.signed_at)
        assert good.seed.signature == found.seed.signature


def verified(data: bytes) -> Verified:
    """Parse and verify a raw request, and return the result of `verify`."""
    known = {KEY.access_key_id: KEY}
    return verify(parse_request(data), known, at=AT, service="s3", region="us-east-1")


def responses_are_explained_or_rejected(arriving: Arriving) -> None:
    """For any response, `explain` returns printable text or raises UnexplainedError.

    If a valid response is unchanged, the reported cause is the key, and the text does not contain
    the session token.
    """
    explanation = outcome(lambda: explain(arriving.altered, SIGNATURE))
    if isinstance(explanation, UnexplainedError):
        assert len(str(explanation)) < 200
        return
    text = str(explanation)
    assert all(line.isprintable() for line in text.split("\n"))
    assert (explanation.cause in {"unknown", "key"}) == (explanation.differences == ())
    if not arriving.changes:
        assert (explanation.cause, KEY.session_token in text) == ("key", False)


def _raw(target: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


_SIGNER = Signer(SigV4("s3", "us-east-1"))
_UNSIGNED = SignableRequest("GET", f"https://{HOST}/a%20b?c=d")
SIGNATURE = _SIGNER.sign(_UNSIGNED, KEY, at=AT)
BY_HEADER = _raw("/a%20b?c=d", SIGNATURE.headers)
PRESIGNED = _raw(
    _SIGNER.presign(_UNSIGNED, KEY, at=AT, expires=60).removeprefix(f"https://{HOST}"), {}
)
_MESSAGE = (
    f"The Canonical String for this request should have been\n'{SIGNATURE.canonical_request}'\n\n"
    f"The String-to-Sign should have been\n'{SIGNATURE.string_to_sign}'\n"
)
RESPONSES = [
    json.dumps({"__type": "a#InvalidSignatureException", "message": _MESSAGE}).encode(),
    f"<ErrorResponse><Error><Code>A</Code><Message>{escape(_MESSAGE)}</Message></Error></ErrorResponse>".encode(),
    (
        f"<Error><Code>A</Code><StringToSign>{SIGNATURE.string_to_sign}</StringToSign>"
        f"<CanonicalRequest>{escape(SIGNATURE.canonical_request)}</CanonicalRequest></Error>"
    ).encode(),
]

_REQUEST_BITS = (
    b"\r\n", b"\n", b"\r", b" ", b":", b",", b"=", b"&", b"?", b"/", b"%", b"%2", b"%ff", b"+", b";",
    b"\x00", b"\xff", b"\xc3\xbc", b"Host: a\r\n", b"x-amz-date: 20261122T120000Z\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Authorization: ",
    b"AWS4-ECDSA-P256-SHA256", b"X-Amz-Signature=", b"X-Amz-Region-Set=%2A", b"20261322T120000Z",
    "\uff12".encode(), b"http://a/",
)  # fmt: skip
_RESPONSE_BITS = (
    b"<", b">", b"</a>", b"<a>", b"&amp;", b"&a;", b"<!DOCTYPE a>", b"<![CDATA[", b"<?xml version='1.0'?>",
    b'"', b"\\", b"\\ud800", b"\\n", b"{", b"[", b"]", b"}", b"null", b"1e999", b"\n", b":", b"\x1b[0m",
    b"\xff\xfe", b"\xff", b"\x00", b"'", b"&", b"=",
)  # fmt: skip


def _changes(bits: Sequence[bytes]) -> st.SearchStrategy[list[Change]]:
    change = st.builds(
        Change,
        st.integers(0, 2**16),
        st.sampled_from([0, 0, 1, 2, 30]),
        st.sampled_from(bits) | st.binary(max_size=3),
    )
    return st.lists(change, max_size=4)


_requests = st.builds(Arriving, st.sampled_from([BY_HEADER, PRESIGNED]), _changes(_REQUEST_BITS))
PROPERTIES = {
    requests_are_parsed_or_rejected: _requests.map(lambda arriving: arriving.altered)
    | st.lists(st.sampled_from(_REQUEST_BITS) | st.binary(max_size=2)).map(b"".join),
    signatures_are_valid_or_rejected: _requests,
    responses_are_explained_or_rejected: st.builds(
        Arriving,
        st.sampled_from(RESPONSES) | st.lists(st.sampled_from(_RESPONSE_BITS)).map(b"".join),
        _changes(_RESPONSE_BITS),
    ).filter(lambda arriving: arriving.changes or arriving.data in RESPONSES),
}
