"""A server that responds to each request with a 202, as fast as Python can: `python server.py CERTIFICATE`.

The server prints its ports for http and https.  For each line of standard input, it prints the head
of the last request in hexadecimal, and the number of connections so far.  It stops when standard
input ends.
"""

import asyncio
import ssl
import sys

BODY = b'{"InferenceId":"0f6d8cc7-4c8b-4d1f-9c2a-0f6d8cc74c8b"}'
ANSWER = (
    b"HTTP/1.1 202 Accepted\r\n"
    b"x-amzn-RequestId: 7d3c7d3c-7d3c-4d3c-8d3c-7d3c7d3c7d3c\r\n"
    b"X-Amzn-SageMaker-OutputLocation: s3://bucket/outputs/answer.out\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


class Answering(asyncio.Protocol):
    """Responds to each request as soon as its head arrives; the benchmarks' requests have no body."""

    last = b""
    connections = 0

    def __init__(self) -> None:
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        Answering.connections += 1

    def data_received(self, data: bytes) -> None:
        *heads, self.pending = (self.pending + data).split(b"\r\n\r\n")
        if heads:
            Answering.last = heads[-1]
            self.transport.write(ANSWER * len(heads))


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
