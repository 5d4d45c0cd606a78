"""ASGI types, the body of a request, and the response to a rejected request."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from typing import Any

from .._payload import Payload
from .event_loop import run_beside

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_LONGEST_MESSAGE = 300  # in characters; some messages contain parts of the request


class RefusedError(Exception):
    """Raised to reject a request; contains the status, the code and the message of the response."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message[:_LONGEST_MESSAGE]


class DisconnectedError(Exception):
    """The client disconnected before the complete body had arrived."""


class Body:
    """The body of a request, which is read once and then passed to the application.

    Attributes:
        is_read: Whether the body has been received to its end.  `discard` also sets this attribute
            if the client disconnects.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._data: bytearray | None = None
        self.is_read = False

    async def read(self, limit: int) -> Payload:
        """Read and store the whole body, and return its payload hash.

        Raises:
            RefusedError: The body is larger than *limit* bytes.
            DisconnectedError: The client disconnected before the end of the body.
        """
        data, digest = bytearray(), sha256()
        while not self.is_read:
            message = await self._receive()
            if message["type"] != "http.request":
                raise DisconnectedError
            piece: bytes = message.get("body", b"")
            check_size(len(data) + len(piece), limit)
            data += piece
            digest.update(piece)
            self.is_read = not message.get("more_body", False)
        self._data = data
        return Payload.hashed(digest.hexdigest())

    async def receive(self) -> Message:
        """Return the stored body as one message; afterwards, return the server's messages."""
        if self._data is None:
            return await self._receive()
        body, self._data = bytes(self._data), None
        return {"type": "http.request", "body": body, "more_body": False}

    async def discard(self) -> None:
        """Read the rest of the body, and discard it."""
        while not self.is_read:
            message = await self._receive()
            self.is_read = not message.get("more_body", False)


def check_size(size: int, limit: int) -> None:
    """Raise RefusedError if a body of *size* bytes is larger than *limit* bytes."""
    if size > limit:
        raise RefusedError(413, "EntityTooLarge", f"the body must not be larger than {limit} bytes")


async def refuse(refusal: RefusedError, scope: Scope, body: Body, send: Send) -> None:
    """Send the response to a rejected request.

    An HTTP/1 connection is closed if the request has a body that has not been read completely.
    """
    content = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-amzn-errortype", refusal.code.encode()),
    ]
    is_http_1 = scope["http_version"] < "2"
    # HTTP/2 forbids the header ``connection`` (RFC 9113, section 8.2.2).
    if is_http_1 and not body.is_read and _announces_body(scope):
        headers.append((b"connection", b"close"))
    start: Message = {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": headers,
    }

    async def respond(*, ends: bool) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": content, "more_body": not ends})

    # The rest of the body must be read.  Hypercorn (0.18) queues ten pieces of a body and then
    # waits until the application reads a piece, even if the response has ended; if nothing reads
    # the body, hypercorn waits forever.  If hypercorn runs on trio, a piece that arrives on HTTP/2
    # after the end of the response causes an error that stops the whole server.  Therefore, on
    # HTTP/2, the response is ended only after the body has been read.
    if body.is_read:
        await respond(ends=True)
    elif is_http_1:
        await run_beside(body.discard, respond(ends=True))
    else:
        await respond(ends=False)
        await body.discard()
        await send({"type": "http.response.body"})


def _announces_body(scope: Scope) -> bool:
    """Return whether the headers announce a body (RFC 9112, section 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
