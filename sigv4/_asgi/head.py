"""Checks that the head of a request can be interpreted in only one way.

A signature covers only the canonical form of a path and a query.  If an attacker replaces a path or
a query in transit by another one with the same canonical form, the signature remains valid.
"""

import re
from typing import Literal
from urllib.parse import unquote

from .._encoding import canonical_part, percent_encode, remove_dot_segments
from .._errors import InvalidRequestError
from .._request import SignableRequest
from .._v4 import SigV4
from .._verifying.candidate import Candidate
from .message import RefusedError, Scope

Allowed = Literal["presigned", "sigv4a", "streaming", "unsigned-payload"]

_escape = re.compile(r"%[0-9A-Fa-f]{2}")


def read_head(scope: Scope) -> SignableRequest:
    """Return the request that an ASGI scope describes, without its body.

    Raises:
        RefusedError: The head is not valid HTTP or does not have exactly one Host header, the
            request target does not start with ``/``, or the server rewrote the path.
        RuntimeError: The server does not provide the path as it arrived.
    """
    headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:  # RFC 9112, section 3.2
        raise RefusedError(400, "InvalidRequest", "the request must have exactly one Host header")
    target = f"{_raw_path(scope)}?{scope['query_string'].decode('latin-1')}"
    try:
        return SignableRequest(scope["method"], f"http://host{target}", headers)
    except InvalidRequestError as error:
        raise RefusedError(400, "InvalidRequest", str(error)) from None


def _raw_path(scope: Scope) -> str:
    """Return the path as it arrived, after checking that ``scope["path"]`` is its decoded form."""
    raw_path: bytes | None = scope.get("raw_path")
    if raw_path is None:
        raise RuntimeError(
            "the ASGI server does not provide raw_path, which is needed to verify signatures: "
            "use a server that provides it, such as uvicorn or hypercorn"
        )
    path = raw_path.decode("latin-1")
    if not path.startswith("/"):
        raise RefusedError(
            400, "InvalidURI", "the request target must be a path that starts with /"
        )
    if unquote(path) != scope["path"]:
        message = "the server rewrote the path, so its signature cannot be verified"
        raise RefusedError(400, "InvalidURI", message)
    return path


def check_path(path: str) -> None:
    """Raise RefusedError if a path is not normalized.

    Source: RFC 3986, section 6.2.2.  In addition, empty segments are rejected, because
    `remove_dot_segments` removes them before signing.
    """
    decoded = unquote(path)
    if remove_dot_segments(decoded) != decoded:
        message = "the path must not have ., .. or empty segments"
        raise RefusedError(400, "InvalidURI", message)
    if _escape.sub(_normal_escape, path) != path:
        message = (
            "the path must percent-encode only what needs it, with uppercase hexadecimal digits"
        )
        raise RefusedError(400, "InvalidURI", message)


def _normal_escape(match: re.Match[str]) -> str:
    return percent_encode(bytes.fromhex(match[0][1:]))


def check_query(query: str) -> None:
    """Raise RefusedError if a query can be interpreted in more than one way.

    Such a query has a bare ``+``, or a repeated parameter whose values are not in ascending order.
    """
    if "+" in query:
        message = "the query must not have a bare +, which may mean a space: send %20 or %2B"
        raise RefusedError(400, "InvalidURI", message)
    last: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = map(canonical_part, pair.partition("="))
        if value < last.get(name, ""):
            message = "the values of a repeated query parameter must be in ascending order"
            raise RefusedError(400, "InvalidURI", message)
        last[name] = value


def required_permissions(candidate: Candidate) -> set[Allowed]:
    """Return the values that the middleware's argument ``allow`` must contain to accept a request."""
    declared = candidate.declared_hash or ""
    needs: dict[Allowed, bool] = {
        "presigned": candidate.authorization.expires is not None,
        "sigv4a": candidate.authorization.algorithm != SigV4.name,
        "streaming": declared.startswith("STREAMING-"),
        "unsigned-payload": "UNSIGNED" in declared,
    }
    return {name for name, needed in needs.items() if needed}
