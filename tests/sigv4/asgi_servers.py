"""Run ASGI servers on real sockets, each in its own thread, and send raw requests to them."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPResponse
from threading import Event, Thread
from typing import Any, NamedTuple, Self

import hypercorn.asyncio
import hypercorn.trio
import trio
import uvicorn
import uvloop

from sigv4 import Credentials, Payload, SignableRequest, Signer, SigV4

SERVICE, REGION, HOST = "my-api", "eu-west-1", "api.example"
KEY = Credentials("AKIDEXAMPLE", "very-secret")
SIGNER = Signer(SigV4(SERVICE, REGION))
PATIENCE = 30.0  # timeout in seconds for events that normally happen immediately


def _uvicorn(http: str, app: Any, listener: socket.socket, stop: Event, root_path: str) -> None:
    config = uvicorn.Config(
        app, http=http, root_path=root_path, log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(stop.wait)
        server.should_exit = True
        await serving

    # uvicorn[standard] installs both httptools and uvloop, so they are tested together.
    run = uvloop.run if http == "httptools" else asyncio.run
    run(serve())


def _config(listener: socket.socket, root_path: str) -> hypercorn.Config:
    config = hypercorn.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.root_path = root_path
    config.errorlog = None
    config.graceful_timeout = 1
    return config


def _hypercorn(app: Any, listener: socket.socket, stop: Event, root_path: str) -> None:
    stopped = partial(asyncio.to_thread, stop.wait)
    config = _config(listener, root_path)
    asyncio.run(hypercorn.asyncio.serve(app, config, shutdown_trigger=stopped))


def _hypercorn_on_trio(app: Any, listener: socket.socket, stop: Event, root_path: str) -> None:
    stopped = partial(trio.to_thread.run_sync, stop.wait)
    config = _config(listener, root_path)
    trio.run(partial(hypercorn.trio.serve, app, config, shutdown_trigger=stopped))


SERVERS: dict[str, Callable[[Any, socket.socket, Event, str], None]] = {
    "uvicorn, h11": partial(_uvicorn, "h11"),
    "uvicorn, httptools": partial(_uvicorn, "httptools"),
    "hypercorn": _hypercorn,
    "hypercorn, trio": _hypercorn_on_trio,
}


@contextmanager
def serving(server: str, app: Any, root_path: str = "") -> Iterator[int]:
    """Run one of `SERVERS` with *app*, which must support the lifespan protocol; yield its port."""
    listener, stop = socket.create_server(("127.0.0.1", 0)), Event()
    port: int = listener.getsockname()[1]
    thread = Thread(target=SERVERS[server], args=(app, listener, stop, root_path))
    thread.start()
    try:
        yield port
    finally:
        stop.set()
        thread.join()


class Inner:
    """An application that responds with the body and the access key ID of the request in JSON.

    It does not respond to requests to ``/wait``.

    Attributes:
        seen: The scopes of the received requests.
        last: For each request to ``/wait``, the type of the message that followed the body.
        is_gone: Set when a message has followed the body of a request to ``/wait``.
        started: Whether the server has sent a lifespan message.
    """

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.last: list[str] = []
        self.is_gone = Event()
        self.started = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                self.started = True
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        self.seen.append(scope)
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        if scope["path"] == "/wait":
            self.last.append((await receive())["type"])
            self.is_gone.set()
            return
        content = json.dumps({"body": body.decode(), "key": scope["sigv4"].access_key_id}).encode()
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


class Response(NamedTuple):
    """The status, the headers (keyed by lowercase name) and the decoded JSON body of a response."""

    status: int
    headers: dict[str, str]
    body: Any


def signed(
    method: str = "GET",
    target: str = "/q",
    headers: Any = (),
    body: bytes = b"",
    *,
    signer: Signer = SIGNER,
    credentials: Credentials = KEY,
    at: datetime | None = None,
) -> dict[str, str]:
    """Sign a request, and return its headers, including ``host`` and those that the signer adds."""
    headers = {"host": HOST, **dict(headers)}
    request = SignableRequest(method, f"http://{HOST}{target}", headers, Payload.of(body))
    signature = signer.sign(request, credentials, at=at or datetime.now(UTC))
    return {**headers, **signature.headers}


def head(method: str, target: str, headers: Any) -> bytes:
    """Return the request line and the headers of a request as bytes."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Connection:
    """A client connection over which arbitrary bytes can be sent."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def request(
        self, method: str = "GET", target: str = "/q", headers: Any = (), body: bytes = b""
    ) -> Response:
        """Send a request, with a Content-Length if it has a body, and return the response."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if body:
            pairs.append(("content-length", str(len(body))))
        self.socket.sendall(head(method, target, pairs) + body)
        return self.receive_response(method)

    def receive_response(self, method: str = "GET") -> Response:
        """Return the next response, except informational ones (1xx)."""
        with HTTPResponse(self.socket, method=method) as response:
            response.begin()
            content = response.read()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, json.loads(content) if content else None)

    def is_closed(self) -> bool:
        """Return whether the server closes the connection before it sends another byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def flood(self, piece: bytes) -> None:
        """Send *piece* repeatedly until the server closes the connection."""
        try:
            while True:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def fill(self, piece: bytes) -> None:
        """Send *piece* repeatedly until it cannot be sent within 0.3 s (all buffers are full)."""
        self.socket.settimeout(0.3)
        with suppress(TimeoutError):
            while True:
                self.socket.sendall(piece)
        self.socket.settimeout(PATIENCE)
