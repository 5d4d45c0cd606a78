"""A flood of unsigned requests with endless bodies against `SigV4Middleware`, on several servers.

A server that reads bodies before it checks signatures would hold all the bodies in memory and delay
other clients.  The flood has a fixed rate, because without a limit, it would use up every
processor, regardless of how the server behaves.
"""

import asyncio
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

import hypercorn.asyncio
import uvicorn
from _row import Row

from sigv4 import Credentials, SignableRequest, Signer, SigV4
from sigv4.asgi import SigV4Middleware

SERVICE, REGION, HOST = "my-api", "eu-west-1", "api.example"
KEY = Credentials("AKIDEXAMPLE", "secret")
SIGNER = Signer(SigV4(SERVICE, REGION))
PACE = 100  # unsigned requests per second
ATTACKERS = 8
SECONDS = 0.4  # seconds of each measurement, with and without the flood
TURNS = 8
PIECE = b"10000\r\n" + b"x" * 65536 + b"\r\n"
HEAD = f"PUT /q HTTP/1.1\r\nhost: {HOST}\r\ntransfer-encoding: chunked\r\n\r\n".encode()


async def hello(_: Any, receive: Any, send: Any) -> None:
    """Respond to each accepted request with "hello"."""
    while (await receive())["more_body"]:
        pass
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


def application() -> Any:
    """Return the application, wrapped in the middleware."""
    keys = {KEY.access_key_id: KEY}
    return SigV4Middleware(hello, keys, service=SERVICE, region=REGION, allowed_hosts=[HOST])


def by_uvicorn(http: str, listener: socket.socket) -> None:
    """Serve with uvicorn until the process is killed."""
    config = uvicorn.Config(
        application(), http=http, lifespan="off", log_config=None, access_log=False
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def by_hypercorn(listener: socket.socket) -> None:
    """Serve with hypercorn until the process is killed."""
    config = hypercorn.Config()
    config.bind, config.errorlog = [f"fd://{listener.detach()}"], None
    config.keep_alive_max_requests = 1_000_000
    asyncio.run(hypercorn.asyncio.serve(application(), config))


SERVERS: dict[str, Callable[[socket.socket], None]] = {
    "uvicorn with h11": partial(by_uvicorn, "h11"),
    "uvicorn with httptools": partial(by_uvicorn, "httptools"),
    "hypercorn": by_hypercorn,
}


@contextmanager
def process(function: Callable[..., None], *arguments: Any) -> Iterator[int]:
    """Run a function in a new process, and yield the process ID; kill the process at the end."""
    child = get_context("spawn").Process(target=function, args=arguments, daemon=True)
    child.start()
    try:
        assert child.pid is not None
        yield child.pid
    finally:
        child.kill()
        child.join()


def flood(port: int, begun: Any, ended: Any) -> None:
    """Send unsigned requests while *begun* is set, and count the closed connections in *ended*."""

    def attack(number: int) -> None:
        due = 0.0
        while True:
            if not begun.is_set():
                begun.wait()
                due = time.monotonic() + number / PACE  # spreads the threads' requests over time
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + ATTACKERS / PACE, time.monotonic())
            with suppress(OSError), socket.socket() as connection:
                # The send buffer is small, so that most time passes in the server and not in
                # filling this buffer.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
                connection.settimeout(5)
                connection.connect(("127.0.0.1", port))
                connection.sendall(HEAD)
                while True:
                    connection.sendall(PIECE)
            with ended.get_lock():
                ended.value += 1

    threads = [Thread(target=attack, args=(number,)) for number in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Client:
    """A legitimate client of the server, which signs its requests."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def ask(self) -> float:
        """Send a request, and return how many milliseconds the response takes."""
        request = SignableRequest("GET", f"http://{HOST}/q")
        headers = SIGNER.sign(request, KEY, at=datetime.now(UTC)).headers
        lines = [f"{name}: {value}" for name, value in headers.items()]
        sent = "\r\n".join(["GET /q HTTP/1.1", f"host: {HOST}", *lines, "", ""]).encode()
        start = time.perf_counter()
        self.socket.sendall(sent)
        answer = b""
        while not answer.endswith(b"\r\n\r\nhello"):
            piece = self.socket.recv(65536)
            assert piece, answer
            answer += piece
        return (time.perf_counter() - start) * 1000

    def measure(self, server: int) -> tuple[float, int]:
        """Return the median response time in ms, and the peak of the server's memory in KiB."""
        end = time.monotonic() + SECONDS
        times, sizes = [], []
        while time.monotonic() < end:
            times.append(self.ask())
            sizes.append(memory(server))
            time.sleep(0.005)
        return statistics.median(times), max(sizes)


def memory(process: int) -> int:
    """Return the resident memory of the process with this ID, in KiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def run() -> Iterator[Row]:
    """For each server, measure its memory, and a client's latency with and without a flood."""
    for name, serve in SERVERS.items():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # Connections inherit this option.  Without it, the body of a response is delayed by 40
            # ms, until the client has acknowledged the head.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with process(serve, listener) as server:
                yield from attack(name, server, listener.getsockname()[1])


def attack(name: str, server: int, port: int) -> Iterator[Row]:
    """Flood the server whose process ID is *server*, and yield the figures."""
    context = get_context("spawn")
    begun, ended = context.Event(), context.Value("i", 0)
    client = Client(port)
    ratios: list[float] = []
    grown: list[int] = []
    with process(flood, port, begun, ended):
        while not ended.value:  # the flood's process first imports its modules
            begun.set()
            client.ask()
        for turn in range(-2, TURNS):  # turns -2 and -1 only fill caches and pools
            begun.clear()
            quiet, before = client.measure(server)
            begun.set()
            flooded, most = client.measure(server)
            if turn == 0:
                start, ended.value = before, 0
            if turn >= 0:
                ratios.append(flooded / quiet)
                grown.append(most - start)
        begun.clear()
        _, after = client.measure(server)
    expected = PACE * SECONDS * (TURNS - 1)
    held = max(0.0, expected - ended.value)
    in_flight = ATTACKERS * 16 * 64  # hypercorn queues ten pieces for each connection
    yield Row(f"unsigned requests unanswered, {name}", held, expected / 4, "requests")
    if name != "hypercorn":  # hypercorn's own work for each piece of a body dominates its latency
        yield Row(f"latency with a flood / without, {name}", statistics.median(ratios), 2, "times")
    yield Row(f"memory gained in the flood, {name}", max(grown), in_flight, "KiB")
    yield Row(f"memory gained after the flood, {name}", after - start, 2048, "KiB")
