"""The request to be signed or checked: what goes on the wire, as it goes on the wire."""

import re
from collections.abc import Iterable
from typing import Any, Protocol

from ._errors import InvalidRequestError
from ._payload import Payload

_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SCHEME = _ALPHANUMERIC + "+.-"  # RFC 3986, section 3.1
_TOKEN = _ALPHANUMERIC + "!#$%&'*+-.^_`|~"  # RFC 9110, section 5.6.2
# Control characters but the tab, and surrogates but those that stand for bytes (PEP 383).  Compiled
# when a value asks for it, which is seldom.
_UNSENDABLE = r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]"


class HasItems(Protocol):
    """A mapping, or what is near enough: the headers of `email` and urllib are none."""

    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]:
        """Return pairs of name and value."""
        ...


Headers = HasItems | Iterable[tuple[str | bytes, str | bytes]]


def _decode(part: str | bytes) -> str:
    """Return the text of bytes from the wire, such that encoding it gives those bytes again."""
    return part if isinstance(part, str) else part.decode("utf-8", "surrogateescape")


def _check_names(names: list[str]) -> None:
    """Refuse what cannot be the name of a header."""
    joined = "".join(names)
    # Nearly all are of letters, digits and hyphens: one look at all of them tells.
    if "" not in names and joined.isascii() and joined.replace("-", "0").isalnum():
        return
    for name in names:
        if not name or name.strip(_TOKEN):
            raise InvalidRequestError(
                f"{name[:64]!r} is not a valid header name (RFC 9110, section 5.6.2)"
            )


def _normalize_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return headers as pairs, names in lower case, each fit for the wire."""
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
    """Return *method*, if it can be one."""
    if not method or method.strip(_TOKEN):
        raise InvalidRequestError("method must be an HTTP method, such as GET")
    return method


class SignableRequest:
    """
    A request as it goes on the wire, for signing or for checking.

    Path and query are taken as they stand, percent-encoded: what is signed is what is sent.
    Encode an S3 key with `percent_encode_path` first.

    Args:
        method: Such as ``GET``; its case counts.
        url: Absolute, percent-encoded, without a fragment.
        headers: A mapping or pairs; ``bytes`` are taken as they came off the wire.  A ``host``
            header wins over the URL's; without one the URL's is taken, its user, its default
            port and the case of its name left out.
        payload: What stands for the body; by default no body.

    Treat it as a value: nothing here changes it.

    Attributes:
        method, url, payload: As given.
        host: What the ``host`` header says.
        path: The path as it stands in the URL; ``/`` if there is none.
        query: The query as it stands in the URL, without the ``?``.
        headers: Pairs in the order given, names in lower case, ``host`` among them.

    Raises:
        InvalidRequestError: The URL, the method or a header could not go on the wire.
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
        """Show neither query nor headers, nor a path that looks like one: signatures and tokens are there."""
        path, equals, _ = self.path.partition("=")
        return f"SignableRequest({self.method} {self.host}{path}{equals and '=...'})"

    def header(self, name: str) -> str | None:
        """
        Return the first value of the header *name*, given in lower case; None without it.

        Blanks around it are no part of it (RFC 9110, section 5.5).
        """
        for known, value in self.headers:
            if known == name:
                return value.strip(" \t")
        return None
