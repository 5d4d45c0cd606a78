"""
Converts requests, responses and errors between our types and httpx's (or httpx2's).

A request goes out as it is: no headers, cookies or parameters of a client are added, nothing is
decoded.  Every exception of httpx becomes a `TransportError`.
"""

import time
from collections.abc import Iterable
from functools import lru_cache
from math import inf
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from .._errors import ConfigError, ParamValidationError, TransportError
from .._value import type_name
from .message import PIECE_SIZE, Request
from .proxies import get_client_proxy

if TYPE_CHECKING:
    from httpx import URL, ByteStream
    from httpx import Request as HTTPXRequest

# From so many bytes on S3 is asked, by the head of a PUT, before the body is sent: a refusal, or a redirect
# to another region, then costs no upload.  That takes a round trip, which is little beside the time for a
# body of this size.  The SDKs for Java and Go ask from 1 and 2 MiB on; botocore asks for any size.  Only a
# pool of our own can wait for leave.
_EXPECT_SIZE = 1 << 20

# What HTTP allows in the name and in the value of a header (RFC 9110, section 5.5), and what h11 refuses
# after it.  These are no patterns, which take longer to compile than to import this module.
_NAME = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

# Raised before anything of the request is on the wire; after any other, it may have arrived.
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
# Methods whose requests state the length of their body, even of none (RFC 9110, section 8.6).
_WITH_LENGTH = frozenset({"PATCH", "POST", "PUT"})
# Raised for what will be the same at the next attempt.
_LASTING = frozenset({"InvalidURL", "LocalProtocolError", "UnsupportedProtocol"})


class HTTPClient(Protocol):
    """A client of httpx or httpx2, blocking or async."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    def send(
        self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: Any = ...
    ) -> Any:
        """Send a request of its own library."""
        ...


def get_library(client: HTTPClient, kind: str) -> str:
    """
    Return ``httpx`` or ``httpx2``: the library of a user-supplied client.

    Args:
        client: The client.
        kind: The class that it must be of: ``Client`` or ``AsyncClient``.

    Raises:
        ConfigError: It is of another class.
    """
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if base.__name__ == kind and library in {"httpx", "httpx2"}:
            return library
    raise ConfigError(f"http_client must be httpx.{kind} or httpx2.{kind}, not {type_name(client)}")


def build_request(
    httpx: ModuleType, client: HTTPClient | None, origin: str, request: Request
) -> "HTTPXRequest":
    """Return the request in httpx's terms, made without the client, which would add to it."""
    url, host, target = _address(httpx, origin + request.path)
    headers = [(b"host", host)]
    if request.body or request.method in _WITH_LENGTH:
        headers.append((b"content-length", b"%d" % len(request.body)))
    headers += _encode_headers(request.headers)
    if client is None or len(request.body) <= PIECE_SIZE:
        body = httpx.ByteStream(request.body)
    else:
        body = _split(httpx, request.body)
    message: HTTPXRequest = httpx.Request(request.method, url, headers=headers, stream=body)
    if client is None and request.method == "PUT" and len(request.body) >= _EXPECT_SIZE:
        message.extensions["expect"] = True
    if target is not None:
        if client is not None and get_client_proxy(client, url).forwards:
            path = request.path.partition("?")[0]
            raise ConfigError(
                f"{origin}{path} cannot be requested through an HTTP proxy, because httpx removes the "
                "segments '.' and '..' from the path: use another key or no proxy"
            )
        message.extensions["target"] = target
    if url.raw_host.endswith(b"."):  # which is no part of a name in TLS; the pool knows that
        message.extensions["sni_hostname"] = url.raw_host.rstrip(b".").decode("ascii")
    return message


@lru_cache(maxsize=64)
def _address(httpx: ModuleType, address: str) -> tuple["URL", bytes, bytes | None]:
    """
    Return a URL in httpx's terms and the host header that goes with it.

    A client's URLs are few, and to make one takes as long as a signature.  Path and query come third,
    where httpx would alter them: it drops dot segments, and what is signed is what is sent.
    """
    url = httpx.URL(address)
    target = ("/" + address.split("/", 3)[3]).encode("ascii")
    # httpx leaves IPv6 addresses in capitals, which are signed in lower case.
    return url, url.netloc.lower(), None if url.raw_path == target else target


def _encode_headers(headers: tuple[tuple[str, str], ...]) -> Iterable[tuple[bytes, bytes]]:
    """Return headers as they are sent."""
    if not headers:
        return ()
    names, values = zip(*headers, strict=True)
    # In the usual case one check is enough for all of them, and each call for one would be felt.
    together = f"|{'|'.join(values)}|"
    has_outer_blank = "| " in together or " |" in together
    if together.isascii() and together.isprintable() and not has_outer_blank:
        return zip(map(_field_name, names), map(str.encode, values), strict=True)
    return zip(map(_field_name, names), map(_field_value, names, values), strict=True)


@lru_cache(maxsize=256)
def _field_name(name: str) -> bytes:
    """Return the name of a header as it is sent."""
    encoded = name.encode()
    if not encoded or encoded.translate(None, _NAME):
        raise ParamValidationError(
            f"{name!a} is not a valid header name: use only letters, digits and !#$%&'*+-.^_`|~",
            argument=name,
        )
    return encoded


def _field_value(name: str, value: str) -> bytes:
    """Return a header's value as it is sent; its text is nobody's to see, for it may be a secret."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        encoded = b"\n"  # no text: refused as other control characters are
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
    """
    Return headers as h11 keeps those that it has checked; None for those that it must check itself.

    h11 matches two patterns against each header, which takes longer than to sign the request.  Here
    all of them are checked at once.
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


def _split(httpx: ModuleType, body: bytes) -> "ByteStream":
    """Return the stream of a large body, in pieces, so that each has the whole write timeout."""
    from .bodies import request_body

    return request_body(httpx, body)


def set_time_limits(
    request: "HTTPXRequest", *, connect: float, read: float, deadline: float | None
) -> None:
    """Give *request* its time limits: the usual ones, or what is left until *deadline*."""
    left = inf if deadline is None else time_left(deadline)
    # The pool's own; httpx ignores it.
    request.extensions["deadline"] = inf if deadline is None else time.monotonic() + left
    request.extensions["timeout"] = {
        "connect": min(connect, left),
        "read": min(read, left),
        "write": min(read, left),
        "pool": min(connect + read, left),
    }


def time_left(deadline: float) -> float:
    """Return the seconds until *deadline*: a moment at least, for what comes at once."""
    return max(0.001, deadline - time.monotonic())


def make_transport_error(
    httpx: ModuleType, client: HTTPClient | None, origin: str, error: BaseException
) -> TransportError:
    """Return what is said of *error*, of a request to *origin*."""
    name, reason = type(error).__name__, _reason(error)
    proxy = "" if client is None else get_client_proxy(client, httpx.URL(origin)).address
    destination = f"{origin} through the proxy {proxy}" if proxy else origin
    mapped = TransportError(f"{name} from {destination}" + (f": {reason}" if reason else ""))
    mapped.possibly_accepted = name not in _BEFORE_SENDING
    lasting = name in _LASTING or "CERTIFICATE_VERIFY" in reason
    mapped.retryable = isinstance(error, httpx.TransportError) and not lasting
    return mapped


def _reason(error: BaseException) -> str:
    """
    Return what an exception says; one that says nothing, as trio's do, leaves it to its cause.

    What h11 says of a request quotes the header that it refuses.  That may be a secret, so that text is
    taken out of the exceptions themselves, which a traceback shows.
    """
    reason, cause = "", cast("BaseException | None", error)
    while cause is not None:
        if type(cause).__name__ == "LocalProtocolError":
            cause.args = ("the request is not valid HTTP",)
        reason = reason or str(cause)
        cause = cause.__cause__ or cause.__context__
    return reason
