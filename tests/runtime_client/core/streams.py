"""Servers and readers for the tests of streamed responses."""

import json

from sigv4 import Message
from tests.runtime_client.clients import pointed_at

HEADERS = {
    "Content-Type": "application/vnd.amazon.eventstream",
    "X-Amzn-SageMaker-Content-Type": "text/event-stream",
    "x-Amzn-Invoked-Production-Variant": "blue",
    "X-Amzn-SageMaker-Custom-Attributes": "c=d",
    "x-amzn-requestid": "R1",
}


def part(payload):
    """Return an encoded PayloadPart event."""
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    return Message(headers, payload).encode()


def failure(kind, **members):
    """Return an encoded exception of the type *kind*."""
    headers = {":message-type": "exception", ":exception-type": kind}
    return Message(headers, json.dumps(members).encode()).encode()


def head(headers=HEADERS):
    """Return the head of a chunked response."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *lines, "", ""]).encode()


def chunked(body):
    """Return *body* as one chunk of a chunked body, or the last chunk if it is empty."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def whole(*frames):
    """Return a complete response with these messages."""
    return head() + b"".join(map(chunked, filter(None, frames))) + chunked(b"")


def collect(driver, client, kind="bytes", most=None, **arguments):
    """Read at most *most* items of a stream with the method *kind*; return the items and the error.

    The error is None if the stream ends without an error.
    """
    items = []
    context = client.itself.stream_endpoint("e", b"body", **arguments)

    def read():
        with context as stream:
            for item in getattr(stream, kind)():
                items.append(item)
                if len(items) == most:
                    return

    async def read_async():
        async with context as stream:
            async for item in getattr(stream, kind)():
                items.append(item)
                if len(items) == most:
                    return

    try:
        driver.call(read_async if driver.kind.is_async else read)
    except Exception as error:  # noqa: BLE001 (tests compare it)
        return items, error
    return items, None


def collect_from(driver, server, kind="bytes", most=None, **settings):
    """Read a stream from a test server with a new client; return the items and the error."""
    return collect(driver, driver.client(**pointed_at(server, **settings)), kind, most)
