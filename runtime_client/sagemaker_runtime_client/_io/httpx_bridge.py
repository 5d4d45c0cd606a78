"""Converts requests, responses and errors between this package's types and httpx's (or httpx2's).

A request is sent exactly as it was built: no headers, cookies or parameters of a client are added.
Response bodies are not decoded.  Every httpx exception becomes a `TransportError`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from math import inf
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from .._errors import ConfigError, ParamValidationError, TransportError
from .._value import type_name
from .generation import importing
from .message import Request
from .proxies import get_client_proxy

if TYPE_CHECKING:
    from httpx import URL, TimeoutException
    from httpx import Request as HTTPXRequest

    from .message import BodySource

# A PUT of at least this many bytes to S3 is sent with ``Expect: 100-continue``, so that an error or
# a redirect to another region costs no upload.  Waiting for permission to send the body takes one
# round trip, which is short compared to sending a body of this size.  The SDKs for Java and Go do
# so from 1 and 2 MiB on, botocore for any size.  Only the built-in pool can wait for the
# permission.
_EXPECT_SIZE = 1 << 20

# The characters that HTTP allows in header names and values (RFC 9110, section 5.5); h11 rejects
# all others.  Regular expressions are not used here: compiling them takes longer than importing
# this module.
_NAME = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

# These errors are raised before anything was sent.  After any other error, the request may have
# arrived.
_BEFORE_SENDING = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    }
)
# Methods whose requests have a Content-Length even if the body is empty (RFC 9110, section 8.6).
_WITH_LENGTH = frozenset({"PATCH", "POST", "PUT"})
# Errors that would occur again in another attempt.
_LASTING = frozenset({"InvalidURL", "LocalProtocolError", "UnsupportedProtocol"})
_MAX_REASON = 500  # the maximum length of another library's message, in characters


class HTTPClient(Protocol):
    """A blocking or async httpx or httpx2 client."""

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        ...

    def send(
        self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: Any = ...
    ) -> Any:
        """Send a request, an instance of the `Request` class of the client's library."""
        ...


def get_library(client: HTTPClient, kind: str) -> str:
    """Return ``httpx`` or ``httpx2``: the library of a user-supplied client.

    Args:
        client: The user-supplied client.
        kind: The name of the required class, ``Client`` or ``AsyncClient``.

    Raises:
        ConfigError: The client is not an instance of this class.  Pass a client of a class that the
            message mentions.
    """
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if base.__name__ == kind and library in {"httpx", "httpx2"}:
            return library
    raise ConfigError(f"http_client must be httpx.{kind} or httpx2.{kind}, not {type_name(client)}")


def build_request(
    httpx: ModuleType, client: HTTPClient | None, origin: str, request: Request
) -> HTTPXRequest:
    """Convert *request* to an httpx request.

    The client's `build_request` is not used, because it would add headers and cookies.
    """
    url, host, target = _address(httpx, origin + request.path)
    headers, body = [(b"host", host)], cast("bytes | BodySource", request.body)
    size = len(body) if isinstance(body, bytes) else body.size
    if client is None and isinstance(body, bytes):
        stream: object = httpx.ByteStream(body)
    else:
        stream = _stream(httpx, client, body)
    if size or request.method in _WITH_LENGTH:
        headers.append((b"content-length", b"%d" % size))
    headers += _encode_headers(request.headers)
    message: HTTPXRequest = httpx.Request(request.method, url, headers=headers, stream=stream)
    if client is None and request.method == "PUT" and size >= _EXPECT_SIZE:
        message.extensions["expect"] = True
    if target is not None:
        if client is not None and get_client_proxy(client, url).forwards:
            path = request.path.partition("?")[0]
            raise ConfigError(
                f"{origin}{path} cannot be requested through an HTTP proxy, because httpx removes the "
                "segments '.' and '..' from the path: use another key or no proxy"
            )
        message.extensions["target"] = target
    # A server name in TLS has no trailing dot.  The pool removes the dot itself.
    if url.raw_host.endswith(b"."):
        message.extensions["sni_hostname"] = url.raw_host.rstrip(b".").decode("ascii")
    return message


@lru_cache(maxsize=64)
def _address(httpx: ModuleType, address: str) -> tuple[URL, bytes, bytes | None]:
    """Return the URL, the Host header, and the request target (None if httpx does not change it).

    A client uses few URLs, and parsing a URL takes as long as signing a request, so the results are
    cached.  httpx removes dot segments from a path, but the target that was signed must be sent.
    """
    url = httpx.URL(address)
    target = ("/" + address.split("/", 3)[3]).encode("ascii")
    # httpx keeps upper case in IPv6 addresses, but they are signed in lower case.
    return url, url.netloc.lower(), None if url.raw_path == target else target


def _encode_headers(headers: tuple[tuple[str, str], ...]) -> Iterable[tuple[bytes, bytes]]:
    """Return the names and values of headers as bytes, or raise ParamValidationError."""
    if not headers:
        return ()
    names, values = zip(*headers, strict=True)
    # Usually one check is enough for all headers.  A function call for each header would take
    # noticeable time.
    together = f"|{'|'.join(values)}|"
    has_outer_blank = "| " in together or " |" in together
    if together.isascii() and together.isprintable() and not has_outer_blank:
        return zip(map(_field_name, names), map(str.encode, values), strict=True)
    return zip(map(_field_name, names), map(_field_value, names, values), strict=True)


@lru_cache(maxsize=256)
def _field_name(name: str) -> bytes:
    """Return a header name as bytes, or raise ParamValidationError."""
    encoded = name.encode("utf-8", "surrogatepass")  # a lone surrogate is rejected below
    if not encoded or encoded.translate(None, _NAME):
        raise ParamValidationError(
            f"{name!a} is not a valid header name: use only letters, digits and !#$%&'*+-.^_`|~",
            argument=name,
        )
    return encoded


def _field_value(name: str, value: str) -> bytes:
    """Return a header value as bytes, or raise ParamValidationError.

    The error does not show the value, which may be a secret.
    """
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        encoded = b"\n"  # a lone surrogate is rejected like a control character
    if encoded.translate(None, _VALUE) or encoded != encoded.strip(b" \t"):
        raise ParamValidationError(
            f"the value of the header {name} is not valid: remove control characters, line breaks "
            "and any space or tab at either end",
            argument=name,
        )
    return encoded


def checked_headers(
    headers: list[tuple[bytes, bytes]],
) -> list[tuple[bytes, bytes, bytes]] | None:
    """Check all headers in one step, and return them in the form that h11 uses after its checks.

    Return None if h11 must check them itself.  h11 matches two patterns against each header, which
    takes longer than signing the request.
    """
    if not headers:
        return None
    as_written, values = zip(*headers, strict=True)
    names = tuple(map(bytes.lower, as_written))
    together = b"|%b|" % b"|".join(values)
    length = values[names.index(b"content-length")] if b"content-length" in names else b"0"
    is_valid = (
        all(names)
        and not b"".join(names).translate(None, _NAME)
        and not together.translate(None, _VALUE)
        and not (b"| " in together or b" |" in together)
        and not (b"|\t" in together or b"\t|" in together)
        and b"transfer-encoding" not in names
        and names.count(b"content-length") < 2
        and length.isdigit()
        and len(length) < 20
    )
    return list(zip(as_written, names, values, strict=True)) if is_valid else None


def _stream(httpx: ModuleType, client: HTTPClient | None, body: bytes | BodySource) -> object:
    """Return a stream of httpx (or httpx2) that is sent in pieces."""
    with importing():
        from .bodies import body_stream

    return body_stream(httpx, body, is_blocking=isinstance(client, httpx.Client))


def set_time_limits(
    request: HTTPXRequest, *, connect: float, read: float, deadline: float | None
) -> None:
    """Set the timeouts of *request*.

    No timeout is longer than the time until *deadline*.
    """
    left = inf if deadline is None else time_left(deadline)
    # Only this package reads this extension.  httpx ignores it.
    request.extensions["deadline"] = inf if deadline is None else time.monotonic() + left
    request.extensions["timeout"] = {
        "connect": min(connect, left),
        "read": min(read, left),
        "write": min(read, left),
        "pool": min(connect + read, left),
    }


def time_left(deadline: float) -> float:
    """Return the seconds until *deadline*, but at least 1 ms, to read data that have arrived."""
    return max(0.001, deadline - time.monotonic())


def seconds_left(ends: float, deadline: float, kind: "type[TimeoutException]") -> float | None:
    """Return the seconds until the first of two limits (None if infinite), or raise *kind*."""
    first = min(ends, deadline)
    if first == inf:
        return None
    left = first - time.monotonic()
    if left <= 0:
        elapsed = "timeout of the call" if deadline <= ends else "read timeout"
        raise kind(f"the {elapsed} has elapsed")
    return left


def library_errors(httpx: ModuleType) -> tuple[type[Exception], ...]:
    """Return the exception classes of *httpx* that sending a request or reading its response raises.

    `StreamError` and `CookieConflict` can come only from the hooks or the custom transport of a
    user-supplied client.
    """
    return httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict


def make_transport_error(
    httpx: ModuleType, client: HTTPClient | None, origin: str, error: BaseException
) -> TransportError:
    """Return the `TransportError` for *error*, which a request to *origin* raised."""
    name, reason = type(error).__name__, _reason(error)
    proxy = "" if client is None else get_client_proxy(client, httpx.URL(origin)).address
    destination = f"{origin} through the proxy {proxy}" if proxy else origin
    mapped = TransportError(f"{name} from {destination}" + (f": {reason}" if reason else ""))
    mapped.possibly_accepted = name not in _BEFORE_SENDING
    lasting = name in _LASTING or "CERTIFICATE_VERIFY" in reason
    mapped.retryable = isinstance(error, httpx.TransportError) and not lasting
    return mapped


def _reason(error: BaseException) -> str:
    """Return the message of an exception, or that of its cause if the message is empty (on trio).

    An h11 message may quote the header that h11 rejects, which may be a secret, or a line of a
    response, which may be long or repeat a secret.  Therefore the message is also replaced or
    truncated in the exceptions themselves, because a traceback shows their messages.
    """
    reason, cause = "", cast("BaseException | None", error)
    while cause is not None:
        if type(cause).__name__ == "LocalProtocolError":
            cause.args = ("the request is not valid HTTP",)
        elif (text := _without_quote(str(cause))) != str(cause):
            cause.args = (text,)
        reason = reason or str(cause)
        cause = cause.__cause__ or cause.__context__
    return reason


def _without_quote(text: str) -> str:
    """Return the message of another library without the line that h11 quotes, and truncated."""
    text = text.partition(": bytearray(")[0]
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}..."
