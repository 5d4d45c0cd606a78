"""Sends complete responses, streams, or the beginning of a response before a reset."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from anyio import create_task_group
from attrs import evolve
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ._fault_types import Reset
from ._reply import Reply


class Resettable(Protocol):
    """A connection that the application can reset."""

    def reset(self, partial_response: bytes = b"") -> None:
        """Send the beginning of a response, then reset the connection."""
        ...


async def send_reply(
    reply: Reply, reset: Reset | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a response, or reset the connection.

    Args:
        reply: The response.
        reset: The fault that resets the connection before the response is complete; None if there
            is none.
        scope: The ASGI scope of the request.
        receive: The ASGI function that waits for the client to disconnect.
        send: The ASGI function that sends a message.
    """
    if reply.stream is None:
        await _send_whole(reply, reset, scope, receive, send)
        return
    async with aclosing(reply.stream) as stream, aclosing(stream.frames()) as frames:
        if reset is not None:
            first = await anext(frames, b"")
            await _send_whole(evolve(reply, body=first), reset, scope, receive, send)
            return
        if stream.is_reset:
            await _send_frames(reply, frames, receive, send, is_whole=False)
            await reset_connection(scope, receive)
            return
        await _send_frames(reply, frames, receive, send, is_whole=True)


async def _send_whole(
    reply: Reply, reset: Reset | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a response whose body is known, or a part of it before a reset."""
    response = Response(reply.body, reply.status, reply.headers)
    if reset is None:
        await response(scope, receive, send)
        return
    has_body = scope["method"] != "HEAD"
    await reset_connection(scope, receive, _partial_response(response, reset, has_body=has_body))


async def reset_connection(scope: Scope, receive: Receive, partial_response: bytes = b"") -> None:
    """Send the beginning of a response, and reset the connection."""
    connection: Resettable = scope["state"]["connection"]
    connection.reset(partial_response)
    # Once `receive` returns, uvicorn has noticed the reset and does not expect a response.
    await receive()


async def _send_frames(
    reply: Reply, frames: AsyncGenerator[bytes], receive: Receive, send: Send, *, is_whole: bool
) -> None:
    """Send each frame when it is available, until the last one or until the client disconnects.

    If *is_whole* is false, the end of the response is not sent.
    """
    headers = StreamingResponse(frames, reply.status, reply.headers).raw_headers
    async with create_task_group() as group:

        async def cancel_when_client_leaves() -> None:
            # The body of the request was read, so the next message reports that the client has
            # disconnected.
            await receive()
            group.cancel_scope.cancel()

        group.start_soon(cancel_when_client_leaves)
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        await send(start)
        async for frame in frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        if is_whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        group.cancel_scope.cancel()


def _partial_response(response: Response, reset: Reset, *, has_body: bool) -> bytes:
    """Return the part of a response that is sent before a reset."""
    if reset.when == "after_taken":
        return b""
    lines = [b"HTTP/1.1 %d " % response.status_code]
    lines += [b"%s: %s" % pair for pair in response.raw_headers]
    head = b"\r\n".join(lines)
    if reset.when == "in_head":
        return head[: len(head) // 2]
    body = bytes(response.body[: len(response.body) // 2]) if has_body else b""
    return head + b"\r\n\r\n" + body
