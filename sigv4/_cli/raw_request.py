"""Parses the raw bytes of an HTTP/1.1 request into a `SignableRequest`.

    request = method SP target SP version CRLF *( name ":" value CRLF ) CRLF body

The parser is intended for captured or handwritten requests, so a bare line feed also ends a line.
The parser is not suitable for a server.  Percent-encoding is not decoded, and ambiguous input is
rejected.

Source: RFC 9112, sections 2 to 7
"""

import re

from .._errors import InvalidRequestError
from .._limits import LONGEST_HEAD
from .._payload import Payload
from .._request import SignableRequest

_end_of_head = re.compile(rb"\r?\n\r?\n")
_end_of_line = re.compile(rb"\r?\n")
_is_request_line = re.compile(rb"([^ ]+) ([^ ]+) HTTP/[0-9.]+").fullmatch
_is_length = re.compile(rb"[0-9]{1,15}").fullmatch


def parse_request(data: bytes, *, scheme: str = "https") -> SignableRequest:
    """Parse a raw request.

    Args:
        data: The request, from the request line to the end of the body.  Without a
            ``Content-Length`` header, the body is everything after the head; with such a header,
            data after the body is ignored.
        scheme: The scheme of the URL; ignored if the request target is itself a URL.

    Raises:
        InvalidRequestError: *data* is not a valid request, its head is longer than 64 KiB, or it
            has an unsupported feature: folded headers, ``Transfer-Encoding``, or a target that is
            neither a path nor a URL.
    """
    end = _end_of_head.search(data, 0, LONGEST_HEAD)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data.rstrip(b"\r\n"), b"")
    if len(head) > LONGEST_HEAD:
        raise InvalidRequestError(f"the head of the request is longer than {LONGEST_HEAD} bytes")
    first, *lines = _end_of_line.split(head)
    match = _is_request_line(first)
    if match is None:
        raise InvalidRequestError("the first line of the request must be METHOD TARGET HTTP/1.1")
    method, target = (part.decode("ascii", "replace") for part in match.groups())
    headers = [_header(line) for line in lines]
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        raise InvalidRequestError("the request must have exactly one Host header")
    if target.startswith("/"):
        target = f"{scheme}://{hosts[0].decode('ascii', 'replace')}{target}"
    return SignableRequest(method, target, headers, Payload.of(_body(headers, body)))


def _header(line: bytes) -> tuple[bytes, bytes]:
    """Parse a header line, and return the lowercase name and the value."""
    name, colon, value = line.partition(b":")
    if not colon or line[:1] in b" \t":
        raise InvalidRequestError("each header must be on its own line, in the form NAME: VALUE")
    return name.lower(), value.strip(b" \t")


def _body(headers: list[tuple[bytes, bytes]], rest: bytes) -> bytes:
    """Return the body: the part of *rest* that ``Content-Length`` covers, or all of *rest*."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise InvalidRequestError(
            "Transfer-Encoding is not supported: join the chunks of the body and remove the header"
        )
    lengths = [value for name, value in headers if name == b"content-length"]
    if not lengths:
        return rest
    length = int(lengths[0]) if len(lengths) == 1 and _is_length(lengths[0]) else len(rest) + 1
    if length > len(rest):
        raise InvalidRequestError(
            f"Content-Length must be a number, at most {len(rest)}, the length of the body"
        )
    return rest[:length]
