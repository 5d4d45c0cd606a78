"""Converts the errors of a connection to httpx exceptions."""

from __future__ import annotations

import httpx

# These h11 exceptions have the same names as the corresponding httpx exceptions.
_EXCEPTIONS: dict[str, type[httpx.TransportError]] = {
    "LocalProtocolError": httpx.LocalProtocolError,
    "ProtocolError": httpx.ProtocolError,
    "RemoteProtocolError": httpx.RemoteProtocolError,
}


def raise_as_httpx(error: BaseException, request: httpx.Request) -> None:
    """Raise an h11 exception as the corresponding httpx exception.

    If *error* is an `httpx.TransportError`, only set its request.  Ignore all other errors.
    """
    try:
        if isinstance(error, httpx.TransportError):
            error.request = request
            return
        for kind in type(error).__mro__:
            library, name = kind.__module__.partition(".")[0], kind.__name__
            if library == "h11" and name in _EXCEPTIONS:
                raise _EXCEPTIONS[name](str(error), request=request) from error
    finally:
        del error  # the traceback of the error refers to this frame: avoid a reference cycle
