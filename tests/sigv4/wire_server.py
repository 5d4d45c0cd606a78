"""A server on a real socket that records the bytes of each request and sends given responses."""

from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import NamedTuple, Self


class RawRequest(NamedTuple):
    """The parts of a received request; a chunked body is decoded."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of the header *name*, which must be lowercase."""
        return next((value for known, value in self.headers if known.lower() == name), None)


class WireServer:
    """A server on 127.0.0.1 that runs inside a ``with`` block.

    Args:
        respond: A function that takes a request, and returns the status code and the headers of the
            response.
    """

    def __init__(self, respond: Callable[[RawRequest], tuple[int, dict[str, str]]]) -> None:
        self.requests: list[RawRequest] = []
        kept = self.requests

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                while (request := _read(self.rfile)) is not None:
                    kept.append(request)
                    status, headers = respond(request)
                    lines = [f"HTTP/1.1 {status} X", "Content-Length: 0"]
                    lines += [f"{name}: {value}" for name, value in headers.items()]
                    self.wfile.write("\r\n".join([*lines, "", ""]).encode())

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _read(stream) -> RawRequest | None:
    """Return the next request on a connection, or None at the end of the connection."""
    first = stream.readline()
    if not first:
        return None
    method, target, _ = first.decode("ascii").split(" ")
    headers = []
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.partition(b":")
        headers.append((name, value.strip(b" \t")))
    request = RawRequest(method, target, headers, b"")
    if request.header(b"transfer-encoding") == b"chunked":
        return request._replace(body=_read_chunks(stream))
    return request._replace(body=stream.read(int(request.header(b"content-length") or 0)))


def _read_chunks(stream) -> bytes:
    """Read a chunked body, and return it without the chunk framing."""
    chunks = []
    while (size := int(stream.readline(), 16)) != 0:
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)
