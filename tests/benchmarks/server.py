"""A server that responds to each request as fast as Python can: `python server.py CERTIFICATE`.

It responds with the head of an accepted InvokeEndpointAsync, with the output of a model, or with a
stream.  The JSON body of a request describes the stream:

    events   the number of events
    size     the size of each payload in bytes
    pause    how many seconds to wait between the head of the response and the first event
    at_once  how many events are sent in one HTTP chunk and, over https, in one TLS record
    interval how many seconds to wait after each event; 0 to send as fast as any client can read

The payload of each event begins with the time on the monotonic clock when the first event was sent.

The server prints its ports for http and https.  For each line of standard input, it prints the last
request in hexadecimal, and the number of connections so far.  It stops when standard input ends.
"""

import asyncio
import json
import ssl
import sys
import time

from sigv4 import Message

BODY = b'{"InferenceId":"0f6d8cc7-4c8b-4d1f-9c2a-0f6d8cc74c8b"}'
COMMON = b"x-amzn-RequestId: 7d3c7d3c-7d3c-4d3c-8d3c-7d3c7d3c7d3c\r\n"
LENGTH = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\n"
    + COMMON
    + b"X-Amzn-SageMaker-OutputLocation: s3://bucket/outputs/answer.out\r\n"
    + LENGTH
)
OUTPUT = b"HTTP/1.1 200 OK\r\n" + COMMON + LENGTH
STREAM = (
    b"HTTP/1.1 200 OK\r\n"
    + COMMON
    + b"Content-Type: application/vnd.amazon.eventstream\r\n"
    + b"X-Amzn-SageMaker-Content-Type: application/octet-stream\r\n"
    + b"Transfer-Encoding: chunked\r\n\r\n"
)
HEADERS = {
    ":event-type": "PayloadPart",
    ":content-type": "application/octet-stream",
    ":message-type": "event",
}


# This many chunks are passed to the kernel together, because the server would otherwise be slower
# than some clients, and waiting costs CPU time.  Each chunk is still a separate TLS record.
SENT_TOGETHER = 50


class Answering(asyncio.Protocol):
    """Responds to each request as soon as it has arrived."""

    last = b""
    connections = 0

    def __init__(self) -> None:
        self.pending = b""
        self.may_write = asyncio.Event()
        self.may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        Answering.connections += 1

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n") + 4) > 3:
            head = self.pending[:end]
            end += content_length(head)
            if len(self.pending) < end:
                return
            Answering.last, self.pending = self.pending[:end], self.pending[end:]
            path = head.split(b" ", 2)[1]
            if path.endswith(b"/invocations-response-stream"):
                self.task = asyncio.create_task(
                    self.stream(**json.loads(Answering.last[len(head) :]))
                )
            else:
                self.transport.write(OUTPUT if path.endswith(b"/invocations") else ACCEPTED)

    async def stream(
        self, *, events: int, size: int, pause: float, at_once: int, interval: float
    ) -> None:
        """Send a stream of events."""
        self.transport.write(STREAM)
        await asyncio.sleep(pause)
        payload = f"{time.monotonic():<20.9f}".encode().ljust(size, b"x")
        data = Message(HEADERS, payload).encode() * at_once
        chunk = b"%x\r\n%s\r\n" % (len(data), data)
        left, chunks = events // at_once, 1 if interval else SENT_TOGETHER
        while left:
            self.transport.writelines([chunk] * min(left, chunks))
            left -= min(left, chunks)
            await (asyncio.sleep(interval) if interval else self.may_write.wait())
        self.transport.write(b"0\r\n\r\n")

    def pause_writing(self) -> None:
        self.may_write.clear()

    def resume_writing(self) -> None:
        self.may_write.set()


def content_length(head: bytes) -> int:
    """Return the length of the body that follows *head*."""
    found = head.lower().partition(b"content-length:")[2]
    return int(found.split(b"\r\n", 1)[0]) if found else 0


async def main() -> None:
    """Serve until standard input ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    loop = asyncio.get_running_loop()
    for tls in (None, context):
        server = await loop.create_server(Answering, "127.0.0.1", 0, ssl=tls, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(Answering.last.hex(), Answering.connections, flush=True)


asyncio.run(main())
