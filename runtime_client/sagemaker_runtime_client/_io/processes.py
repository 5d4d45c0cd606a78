"""Runs a program and collects its output, for ``credential_process``."""

import signal
import subprocess
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING

from .._limits import bounded

if TYPE_CHECKING:
    from .concurrency import Backend

_PIPES = ("stdout", "stderr")


class Finished:
    """A process that has ended.

    Args:
        status: The exit status.
        stdout: The bytes that the process wrote to stdout.
        stderr: The bytes that the process wrote to stderr.
    """

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr


async def run_process(backend: "Backend", arguments: Sequence[str], max_bytes: int) -> Finished:
    """Run a program, and return its status and output.  See `System.run_process`.

    If the task is cancelled, the program is killed.
    """
    program = _Program()
    try:
        return await backend.in_new_thread(program.run, arguments, max_bytes)
    except BaseException:
        program.kill()
        raise


class _Program:
    """A program that a thread runs.  The waiting task may kill it, even before it has started."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def run(self, arguments: Sequence[str], max_bytes: int) -> Finished:
        with self._lock:
            if self._is_killed:
                return Finished(-signal.SIGKILL, b"", b"")
            self._process = process = _start(arguments)
        return _outcome(process, max_bytes)

    def kill(self) -> None:
        """Kill the program.  The thread that runs the program then collects the exit status."""
        with self._lock:
            self._is_killed = True
            if self._process is not None:
                self._process.kill()


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _outcome(process: subprocess.Popen[bytes], max_bytes: int) -> Finished:
    """Wait for a process to end, and return its status and output.

    Kill the process if it writes more than *max_bytes* bytes to a pipe, or if the wait is
    interrupted.
    """
    read: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def read_pipe(name: str) -> None:
        with getattr(process, name) as pipe:  # closing the pipe stops further writes
            data = pipe.read(max_bytes + 1)
        read.put((name, data))

    try:
        for name in _PIPES:
            # These threads are not joined, because a child of the program may keep the pipe open.
            Thread(target=read_pipe, args=(name,), daemon=True).start()
        pairs = (read.get() for _ in _PIPES)
        outputs = {name: bounded(data, max_bytes) for name, data in pairs}
        status = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Finished(status, outputs["stdout"], outputs["stderr"])
