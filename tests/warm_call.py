"""Counts the work of a warm call; `python tests/warm_call.py` prints the figures.

The option ``--long`` also prints the number of calls of each function.

A call is warm if a similar call was made before: modules are loaded, settings are known, and a
connection is open.  The figures count what the client does on the caller's thread, without `sigv4`:
the files whose code runs, the function calls, how often a call leads from one file to another, and
the calls of `run`.  For an output from S3, they also count the files through which the body passes,
and the classes of this package whose objects contain the body.

The bounds in `test_warm_call.py` are for CPython 3.11, because other versions count comprehensions
differently.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dis import opmap
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

from attrs import Factory, define

import sagemaker_runtime_client
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sagemaker_runtime_client._io.run import run
from sigv4 import Credentials

PACKAGE = Path(sagemaker_runtime_client.__file__).parent
WARMING = 3
BODY = b"the body of an output"
_DEPTH = 3  # how many levels of a value's attributes are searched for the body
_RESUME = opmap["RESUME"]


class _Server(BaseHTTPRequestHandler):
    """The handler of a server that acts as both SageMaker and S3.

    It accepts every job, and responds to every GET request with `BODY`.
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(202, b"{}", ("x-amzn-sagemaker-outputlocation", "s3://bucket/answer"))

    def do_GET(self) -> None:
        self._answer(200, BODY, ("etag", '"1"'))

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send the response in a single write, so that the client receives it in a single read."""
        lines = [f"HTTP/1.1 {status} ", f"content-length: {len(body)}", *map(": ".join, headers)]
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode() + body)


@contextmanager
def _serving() -> Iterator[dict[str, Any]]:
    """Run a server until the context ends, and yield the arguments that point a client at it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        server.daemon_threads, server.block_on_close = True, False
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        yield {
            "region": "eu-west-1",
            "credentials": keys,
            "endpoint_url": url,
            "s3_endpoint_url": url,
        }
        server.shutdown()


@define
class Profile:
    """The work of one call.

    Attributes:
        calls: The number of function calls, by file and function.
        changes: How often a function was called that is in another file than the function called
            before it.
        runs: How often `run` was called.
        carriers: The files whose functions returned the body, alone or in another object, in the
            order of the first return.
        wrappers: The classes of this package whose objects contained the body, in order of
            appearance.
    """

    calls: Counter[tuple[str, str]] = Factory(Counter)
    changes: int = 0
    runs: int = 0
    carriers: list[str] = Factory(list)
    wrappers: list[str] = Factory(list)
    _last: str = ""

    @property
    def files(self) -> Counter[str]:
        """The number of function calls in each file."""
        files: Counter[str] = Counter()
        for (name, _), number in self.calls.items():
            files[name] += number
        return files

    @property
    def figures(self) -> dict[str, int]:
        """The figures for which test_warm_call.py has bounds."""
        return {
            "files": len(self.files),
            "calls": self.calls.total(),
            "changes of file": self.changes,
            "run()": self.runs,
            "files that the body passes": len(self.carriers),
            "values that wrap it": len(self.wrappers),
        }

    def see(self, frame: FrameType, event: str, value: object) -> None:
        """Record an event; this is a profile function for `sys.setprofile`."""
        path = Path(frame.f_code.co_filename)
        if event not in {"call", "return"} or not path.is_relative_to(PACKAGE):
            return
        name = path.relative_to(PACKAGE).as_posix()
        if event == "return":
            self._carry(name, value)
        elif not _is_resumed(frame):
            self.calls[name, frame.f_code.co_qualname] += 1
            self.changes += name != self._last
            self.runs += frame.f_code is run.__code__
            self._last = name

    def _carry(self, name: str, value: object) -> None:
        """If *value*, a return value, contains the body, record the file and the wrappers."""
        wrappers = list(_wrappers(value, _DEPTH))
        if wrappers and name not in self.carriers:
            self.carriers.append(name)
        for kind in map(type, wrappers):
            is_ours = kind.__module__.startswith(sagemaker_runtime_client.__name__)
            if is_ours and kind.__qualname__ not in self.wrappers:
                self.wrappers.append(kind.__qualname__)


def _is_resumed(frame: FrameType) -> bool:
    """Return whether a coroutine or generator is resumed rather than started."""
    opcode, argument = frame.f_code.co_code[frame.f_lasti :][:2]
    return opcode == _RESUME and argument != 0


def _wrappers(value: object, depth: int) -> Iterator[object]:
    """Yield the body, if *value* contains it, and each object around it up to *value*."""
    if isinstance(value, bytes | bytearray | memoryview):
        if BODY in bytes(value):
            yield value
        return
    held = list(value) if isinstance(value, tuple | list) else list(_attributes(value))
    inner = [found for one in held if depth for found in _wrappers(one, depth - 1)]
    if inner:
        yield from inner
        yield value


def _attributes(value: object) -> Iterator[object]:
    """Yield the values of an object's attributes, without evaluating properties."""
    yield from getattr(value, "__dict__", {}).values()
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__"):
                with_prefix = f"_{kind.__name__}{name}"
                yield getattr(value, name, getattr(value, with_prefix, None))


@contextmanager
def _profiled(profile: Profile) -> Iterator[None]:
    """Profile the current thread until the context ends, and record its calls in *profile*."""
    sys.setprofile(profile.see)
    try:
        yield
    finally:
        sys.setprofile(None)


def _profile_invoke(arguments: dict[str, Any]) -> Profile:
    """Return the profile of a warm call with the blocking client."""
    profile = Profile()
    with SageMakerRuntimeClient(**arguments) as client:
        invoke = partial(client.invoke_endpoint_async, "e", input_location="s3://bucket/in")
        for _ in range(WARMING):
            invoke()
        with _profiled(profile):
            invoke()
    return profile


def _profile_invoke_on_asyncio(arguments: dict[str, Any]) -> Profile:
    """Return the profile of a warm call with the async client."""
    profile = Profile()

    async def main() -> None:
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            invoke = partial(client.invoke_endpoint_async, "e", input_location="s3://bucket/in")
            for _ in range(WARMING):
                await invoke()
            with _profiled(profile):
                await invoke()

    asyncio.run(main())
    return profile


def _profile_wait(arguments: dict[str, Any]) -> Profile:
    """Return the profile of a blocking wait for an output that already exists."""
    profile = Profile()
    with SageMakerRuntimeClient(**arguments) as client:
        invocation = client.invoke_endpoint_async("e", input_location="s3://bucket/in")
        for _ in range(WARMING):
            client.wait(invocation, timeout=10)
        with _profiled(profile):
            output = client.wait(invocation, timeout=10)
    assert output.body == BODY
    return profile


MEASURED = {
    "invoke_endpoint_async": _profile_invoke,
    "invoke_endpoint_async on asyncio": _profile_invoke_on_asyncio,
    "wait, the output is there": _profile_wait,
}


def measured(name: str) -> Profile:
    """Return the profile of the call in `MEASURED` with this name."""
    with _serving() as arguments:
        return MEASURED[name](arguments)


def main(*, is_long: bool) -> None:
    """Print the figures of each call in `MEASURED` by file, and also by function if *is_long*."""
    for name in MEASURED:
        profile = measured(name)
        print(f"\n{name}: {', '.join(f'{n} {what}' for what, n in profile.figures.items() if n)}")
        for file, number in sorted(profile.files.items()):
            print(f"{number:6} {file}")
            for (path, function), calls in profile.calls.items():
                if is_long and path == file:
                    print(f"{calls:12} {function}")
        for passed in (profile.carriers, profile.wrappers):
            print(f"{'':6} body: {' > '.join(passed)}" if passed else "", end="\n" * bool(passed))


if __name__ == "__main__":
    main(is_long="--long" in sys.argv)
