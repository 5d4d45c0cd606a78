"""Long-lived processes that make calls on command; they run `clients/worker.py`."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import Any

from contenders import CLIENTS, Client, environ
from loopback import Server


class Worker:
    """A client in a separate process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(
        self,
        calls: int,
        at_once: int = 1,
        arguments: Sequence[str] = (),
        *,
        is_warm: bool = False,
        within: float = 3600,
    ) -> dict[str, Any]:
        """Make calls, and return the figures that the worker measured.

        If the calls take longer than *within* seconds, kill the worker, and return an empty
        dictionary.
        """
        command = {"calls": calls, "at_once": at_once, "arguments": arguments, "is_warm": is_warm}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        if not select([self._process.stdout], [], [], within)[0]:
            self._process.kill()
            return {}
        return json.loads(self._process.stdout.readline())


@contextmanager
def worker(client: Client, url: str, ca_bundle: Path) -> Iterator[Worker]:
    """Run a worker in its client's environment, and yield it."""
    with process(client.python, client.module, url, environ(ca_bundle)) as started:
        yield Worker(started)


@contextmanager
def process(
    python: Path, module: str, url: str, variables: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Run the process of a worker, and yield it."""
    with subprocess.Popen(
        [python, CLIENTS / "worker.py", module, url],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def workers(
    clients: dict[str, Client], server: Server, url: str = ""
) -> Iterator[dict[str, Worker]]:
    """Run a worker for each client, and yield the workers, keyed by the clients' names.

    All workers call *url*, or by default the server over plain http.
    """
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(worker(client, url or server.http, server.ca_bundle))
            for name, client in clients.items()
        }
