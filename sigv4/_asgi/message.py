"""The types of ASGI, a body that is read before the application reads it, and the refusal of a request."""

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

_LONGEST_MESSAGE = 300  # characters; some repeat what the client sent


class RefusedError(Exception):
    """A request is refused: with which status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message[:_LONGEST_MESSAGE]


class DisconnectedError(Exception):
    """The client has gone before its body was there."""


class Body:
    """
    The body of a request, which is read once and then handed on.

    Attributes:
        is_read: Whether all of it has arrived.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._data: bytearray | None = None
        self.is_read = False

    async def read(self, limit: int) -> Payload:
        """
        Read all of it, and return what stands for it in a signature.

        Raises:
            RefusedError: It has more than *limit* bytes.
            DisconnectedError: Its end does not come.
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
        """Give the application the body, and after it what the server has to say."""
        if self._data is None:
            return await self._receive()
        body, self._data = bytes(self._data), None
        return {"type": "http.request", "body": body, "more_body": False}

    async def discard(self) -> None:
        """Take what still arrives, and keep nothing of it."""
        while not self.is_read:
            message = await self._receive()
            self.is_read = not message.get("more_body", False)


def check_size(size: int, limit: int) -> None:
    """Refuse a body of *size* bytes if it is too large."""
    if size > limit:
        raise RefusedError(413, "EntityTooLarge", f"the body must not be larger than {limit} bytes")


async def refuse(refusal: RefusedError, scope: Scope, body: Body, send: Send) -> None:
    """Answer, and close the connection of HTTP/1 if a body has not arrived."""
    content = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-amzn-errortype", refusal.code.encode()),
    ]
    is_http_1 = scope["http_version"] < "2"
    # HTTP/2 has no such header (RFC 9113, section 8.2.2).
    if is_http_1 and not body.is_read and _announces_body(scope):
        headers.append((b"connection", b"close"))
    start: Message = {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": headers,
    }

    async def answer(*, ends: bool) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": content, "more_body": not ends})

    # What still arrives must be taken by somebody, for hypercorn's sake (0.18).  It queues ten pieces
    # of a body and then waits for the application to take one, at the end of an answer as well: it
    # would wait for ever.  On HTTP/2 it fails at a piece that comes after the end of the answer; on
    # trio, the whole server does.
    if body.is_read:
        await answer(ends=True)
    elif is_http_1:
        await run_beside(body.discard, answer(ends=True))
    else:
        await answer(ends=False)
        await body.discard()
        await send({"type": "http.response.body"})


def _announces_body(scope: Scope) -> bool:
    """Tell whether a body follows the head (RFC 9112, section 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
