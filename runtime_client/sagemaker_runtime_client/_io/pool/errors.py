"""Errors of a connection in httpx's terms."""

import httpx

# The exceptions of h11 bear the names of httpx's.
_EXCEPTIONS: dict[str, type[httpx.TransportError]] = {
    "LocalProtocolError": httpx.LocalProtocolError,
    "ProtocolError": httpx.ProtocolError,
    "RemoteProtocolError": httpx.RemoteProtocolError,
}


def raise_as_httpx(error: BaseException, request: httpx.Request) -> None:
    """Raise *error*, which came of *request*, in httpx's terms if it is h11's; tell httpx's own the request."""
    try:
        if isinstance(error, httpx.TransportError):
            error.request = request
            return
        for kind in type(error).__mro__:
            library, name = kind.__module__.partition(".")[0], kind.__name__
            if library == "h11" and name in _EXCEPTIONS:
                raise _EXCEPTIONS[name](str(error), request=request) from error
    finally:
        del error  # a frame that holds the error whose traceback holds the frame is a cycle
