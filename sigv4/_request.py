"""The request to sign or to verify, as it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

from ._errors import InvalidRequestError
from ._payload import Payload

_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SCHEME = _ALPHANUMERIC + "+.-"  # RFC 3986, section 3.1
_TOKEN = _ALPHANUMERIC + "!#$%&'*+-.^_`|~"  # RFC 9110, section 5.6.2
# This pattern matches control characters except the tab, and surrogates except those that represent
# bytes (PEP 383).  The pattern is compiled only when it is needed, which is rare.
_UNSENDABLE = r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]"


class HasItems(Protocol):
    """A mapping, or another object with an ``items`` method, such as an `email.message.Message`."""

    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]:
        """Return the headers as pairs of name and value."""
        ...


Headers = HasItems | Iterable[tuple[str | bytes, str | bytes]]


def _decode(part: str | bytes) -> str:
    """Decode bytes as UTF-8, with surrogates for invalid bytes; return a ``str`` unchanged."""
    return part if isinstance(part, str) else part.decode("utf-8", "surrogateescape")


def _check_names(names: list[str]) -> None:
    """Raise InvalidRequestError if a name is not a valid header name."""
    joined = "".join(names)
    # Nearly all names consist of letters, digits and hyphens, so this check of all names together
    # usually suffices.
    if "" not in names and joined.isascii() and joined.replace("-", "0").isalnum():
        return
    for number, name in enumerate(names, 1):
        if not name or name.strip(_TOKEN):
            # The message leaves out the name, because in a damaged line of a raw request, the name
            # can contain the value.
            raise InvalidRequestError(
                f"the name of header {number} is not a valid header name (RFC 9110, section 5.6.2)"
            )


def _normalize_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers as pairs with lowercase names, after checking that they can be sent."""
    items: Any = headers
    names: list[str] = []
    pairs: list[tuple[str, str]] = []
    for name, value in items.items() if hasattr(items, "items") else items:
        known = name if isinstance(name, str) else _decode(name)
        text = value if isinstance(value, str) else _decode(value)
        names.append(known)
        if not text.isprintable() and re.search(_UNSENDABLE, text):
            _check_names(names)
            raise InvalidRequestError(
                f"header {known.lower()}: control characters (such as line ends) and lone surrogates "
                "are not allowed"
            )
        pairs.append((known.lower(), text))
    if names:
        _check_names(names)
    return pairs


def _check_method(method: str) -> str:
    if not method or method.strip(_TOKEN):
        raise InvalidRequestError("method must be an HTTP method, such as GET")
    return method


class SignableRequest:
    """A request to sign or to verify, as it is sent.

    The path and the query of the URL must already be percent-encoded.  They are not changed, so
    that the signature is made for the bytes that are sent.  Encode an S3 key with
    `percent_encode_path` first.

    Args:
        method: The HTTP method, such as ``GET``; case-sensitive.
        url: An absolute, percent-encoded URL without a fragment.
        headers: A mapping from names to values, or pairs of name and value, as ``str`` or
            ``bytes``.  A ``host`` header has priority over the host of the URL.  Without that
            header, the host of the URL is used, in lowercase, without the user information or the
            scheme's default port.
        payload: The payload hash; by default that of an empty body.

    The object is not frozen, but treat it as immutable.

    Attributes:
        method, url, payload: The arguments of the constructor.
        host: The value of the ``host`` header.
        path: The path of the URL; ``/`` if the URL has none.
        query: The query of the URL, without the ``?``.
        headers: Pairs of lowercase name and value, in the given order; a missing ``host`` is added
            at the start.

    Raises:
        InvalidRequestError: The URL, the method or a header is invalid and could not be sent.
    """

    __slots__ = ("headers", "host", "method", "path", "payload", "query", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Headers = (),
        payload: Payload = Payload.EMPTY,
    ) -> None:
        before, _, query = url.partition("?")
        scheme, _, rest = before.partition("://")
        authority, _, path = rest.partition("/")
        fit = url.isascii() and url.isprintable() and " " not in url and "#" not in url
        if not fit or not authority or not scheme[:1].isalpha() or scheme.strip(_SCHEME):
            raise InvalidRequestError(
                "url must be an absolute URL in percent-encoded ASCII, without a fragment"
            )
        if "%" in url and re.search(r"%(?![0-9A-Fa-f]{2})", url):
            raise InvalidRequestError("url: each % must be followed by two hexadecimal digits")
        pairs = _normalize_headers(headers)
        host = next((value for name, value in pairs if name == "host"), None)
        if host is None:
            host = authority.rpartition("@")[2].lower()
            host = host.removesuffix(_DEFAULT_PORTS.get(scheme.lower(), ":")).removesuffix(":")
            pairs.insert(0, ("host", host))
        self.method = _check_method(method)
        self.url = url
        self.host = host
        self.path = "/" + path
        self.query = query
        self.headers = tuple(pairs)
        self.payload = payload

    def __repr__(self) -> str:
        """Return a repr without secrets.

        The query, the headers and the part of the path after the first ``=`` are left out, because
        they can contain secrets.
        """
        path, equals, _ = self.path.partition("=")
        return f"SignableRequest({self.method} {self.host}{path}{equals and '=...'})"

    def header(self, name: str) -> str | None:
        """Return the first value of the header *name*, in lowercase; None if there is no such header.

        Whitespace around the value is removed, because it is not part of the value (RFC 9110,
        section 5.5).
        """
        for known, value in self.headers:
            if known == name:
                return value.strip(" \t")
        return None
