"""Interrupts: Ctrl-C in the middle of calls, and signal handlers that call or close the client.

After the interrupts, a pool of two connections must still handle two calls at the same time.  A
signal handler must not wait for the thread that it interrupts.
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
CONNECTIONS = 2
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A server that responds to each request; requests to the endpoint ``pair`` wait for each
    other.
    """

    def __init__(self) -> None:
        self._together = threading.Barrier(CONNECTIONS)
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


def new_client(server: Server) -> SageMakerRuntimeClient:
    """Return a client whose pool has `CONNECTIONS` connections."""
    return SageMakerRuntimeClient(
        region="eu-west-1",
        credentials=Credentials("AKIDEXAMPLE", "secret"),
        endpoint_url=server.url,
        max_connections=CONNECTIONS,
        max_attempts=1,
        connect_timeout=2,
        read_timeout=2,
    )


def concurrent_calls(client: SageMakerRuntimeClient) -> int:
    """Make `CONNECTIONS` calls at the same time, and return how many succeed."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        calls = [
            threads.submit(client.invoke_endpoint_async, "pair", body=b"x")
            for _ in range(CONNECTIONS)
        ]
    return sum(one.exception() is None for one in calls)


def interrupted(client: SageMakerRuntimeClient, handler: Callable[..., Any]) -> int:
    """Make calls, run *handler* at a random moment of each, and return how often *handler* ran."""
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
    """Raise KeyboardInterrupt, as Ctrl-C does."""
    raise KeyboardInterrupt


def run() -> Iterator[Row]:
    """Interrupt calls with each handler, and count the lost connections.

    If a deadlock occurs, the attack exceeds its time limit and is killed.
    """
    server = Server()
    handlers = {
        "that raise": lambda _: interrupt,
        "that call": lambda client: lambda: client.invoke_endpoint_async("x", body=b"x"),
        "that close": lambda client: client.close,
    }
    for name, make in handlers.items():
        client = new_client(server)
        client.invoke_endpoint_async("x", body=b"x")
        handler = make(client)
        count = interrupted(client, handler)
        yield Row(
            f"connections lost of {CONNECTIONS} after {count:,} signals {name}",
            CONNECTIONS - concurrent_calls(client),
            0,
            "connections",
        )
        client.close()
