"""
Interrupts: Ctrl-C by a timer in the middle of calls, and a signal handler that calls or closes the client.

After them a pool of two has to serve two at once; a handler must not wait for its own thread.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from _row import Row

from sagemaker_runtime_client import RuntimeClientError, SageMakerRuntimeClient
from sigv4 import Credentials

SECONDS = 8.0
PLACES = 2
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request; those to the endpoint ``pair`` once two of them are there."""

    def __init__(self) -> None:
        self._together = threading.Barrier(PLACES)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, threading.BrokenBarrierError):
            while head := connection.recv(1 << 16):
                if b"/endpoints/pair/" in head:
                    self._together.wait(10)
                connection.sendall(ANSWER)


def client_of(server: Server) -> SageMakerRuntimeClient:
    """Return a client with two places."""
    return SageMakerRuntimeClient(
        region="eu-west-1",
        credentials=Credentials("AKIDEXAMPLE", "secret"),
        endpoint_url=server.url,
        max_connections=PLACES,
        max_attempts=1,
        connect_timeout=2,
        read_timeout=2,
    )


def places(client: SageMakerRuntimeClient) -> int:
    """Return how many calls are served at once."""
    with ThreadPoolExecutor(PLACES) as threads:
        calls = [
            threads.submit(client.invoke_endpoint_async, "pair", body=b"x") for _ in range(PLACES)
        ]
    return sum(one.exception() is None for one in calls)


def struck(client: SageMakerRuntimeClient, handler: Callable[..., Any]) -> int:
    """Call while a timer strikes at ever other moments; return how often it did."""
    count = 0

    def handle(*_: object) -> None:
        nonlocal count
        count += 1
        handler()

    before = signal.signal(signal.SIGALRM, handle)
    ends = time.monotonic() + SECONDS
    try:
        while time.monotonic() < ends:
            delay = 1e-5 + int.from_bytes(os.urandom(2)) / 65536 * 1e-3
            with suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, delay)
                with suppress(RuntimeClientError):
                    client.invoke_endpoint_async("x", body=b"x")
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    return count


def interrupt() -> None:
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


def run() -> Iterator[Row]:
    """Strike by each handler; a watch ends a process that waits for itself."""
    server = Server()
    handlers = {
        "that raise": lambda _: interrupt,
        "that call": lambda client: lambda: client.invoke_endpoint_async("x", body=b"x"),
        "that close": lambda client: client.close,
    }
    for name, made in handlers.items():
        client = client_of(server)
        client.invoke_endpoint_async("x", body=b"x")
        handler = made(client)
        count = struck(client, handler)
        yield Row(
            f"places lost of {PLACES}, after {count:,} signals {name}",
            PLACES - places(client),
            0,
            "places",
        )
        client.close()
