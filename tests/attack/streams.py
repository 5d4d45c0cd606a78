"""Hostile servers that stream: damaged, misleading, endless and slow responses.

Each kind of client reads each response.  It must return the items that precede the damage, raise a
typed error that shows no secret, and not reuse the connection.  Endless responses must end at a
size limit or at the timeout, and must not occupy much memory.
"""

import gzip
import json
import logging
import pickle
import socket
import sys
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import repeat
from struct import pack
from typing import Any, NamedTuple
from zlib import crc32

from _row import Row
from endless import BUFFERS, KINDS, MIB, MOST_SENT, READ_TIMEOUT, SLACK, TIMEOUT, Server, where

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, RuntimeClientError
from sigv4 import Credentials, Message

KEY, TOKEN, ATTRIBUTES = "key-90d3b2", "token-4f1c9e", "attributes-77ab02"
SECRETS = (KEY, TOKEN, ATTRIBUTES)
ECHO = f"{TOKEN} {ATTRIBUTES}"
LARGE = bytes(3 * MIB)  # a request body that does not fit into the buffers


def part(payload: bytes) -> bytes:
    """Return an encoded event with this payload."""
    return Message({":message-type": "event", ":event-type": "PayloadPart"}, payload).encode()


def failure(kind: str, **members: str) -> bytes:
    """Return an encoded exception of the type *kind*."""
    headers = {":message-type": "exception", ":exception-type": kind}
    return Message(headers, json.dumps(members).encode()).encode()


def head(*lines: str, framing: str = "transfer-encoding: chunked") -> bytes:
    """Return the head of a response with these header lines."""
    return "\r\n".join(["HTTP/1.1 200 OK", framing, *lines, "", ""]).encode()


def chunks(*bodies: bytes) -> bytes:
    """Return the chunks that contain these bodies, without the last chunk of the response."""
    return b"".join(b"%x\r\n%b\r\n" % (len(body), body) for body in bodies)


def whole(*frames: bytes) -> bytes:
    """Return a complete response that consists of these messages."""
    return head() + chunks(*frames) + END


def prelude(total: int, headers: int) -> bytes:
    """Return the start of a message that states these lengths."""
    lengths = pack(">II", total, headers)
    return lengths + pack(">I", crc32(lengths))


class Case(NamedTuple):
    """A response that the server sends, and what the client must do with it.

    Attributes:
        data: The bytes that the server sends.
        items: The items that the client must return before it raises an error.
        fails: Whether the client must raise an error.
        kind: The method that reads the response.
        is_clean: Whether the connection may be reused; checked only for the built-in pool.
        body: The body of the request.
    """

    data: bytes
    items: list[str]
    fails: bool = True
    kind: str = "lines"
    is_clean: bool = False
    body: bytes = b"x"


END = b"0\r\n\r\n"
ONE = part(b"1\n")
UNKNOWN = Message({":message-type": "event", ":event-type": "new", "x": "y" * 30_000}, b"z")
CASES = {
    "cut off in a message": Case(head() + chunks(ONE, ONE[:-3]), ["1"]),
    "cut off between messages": Case(head() + chunks(ONE), ["1"]),
    "end in a message": Case(whole(ONE, ONE[:-3]), ["1"], is_clean=True),
    "doubled": Case(whole(ONE, ONE), ["1", "1"], fails=False, is_clean=True),
    "reordered": Case(whole(part(b"2\n"), ONE), ["2", "1"], fails=False, is_clean=True),
    "halves reordered": Case(whole(ONE, ONE[20:], ONE[:20]), ["1"]),
    "prelude CRC": Case(whole(ONE, ONE[:11] + b"?" + ONE[12:]), ["1"]),
    "message CRC": Case(whole(ONE, ONE[:-1] + b"?"), ["1"]),
    "payload of 4 GiB": Case(head() + chunks(ONE, prelude(0xFFFFFFFF, 0)), ["1"]),
    "headers of 1 GiB": Case(head() + chunks(ONE, prelude(1 << 30, 1 << 29)), ["1"]),
    "negative payload": Case(head() + chunks(ONE, prelude(20, 30)), ["1"]),
    "unknown messages": Case(
        whole(ONE, UNKNOWN.encode(), Message().encode(), ONE), ["1", "1"], False, is_clean=True
    ),
    "not an event stream": Case(whole(ONE, b"<html>" + b" " * 50_000), ["1"]),
    "gzip": Case(
        head("content-encoding: gzip") + chunks(gzip.compress(ONE)) + END, [], is_clean=True
    ),
    "gzip in name only": Case(
        head("content-encoding: gzip, br") + chunks(ONE) + END, ["1"], fails=False, is_clean=True
    ),
    "model error": Case(
        whole(ONE, part(b"2"), failure("ModelStreamError", Message=ECHO, ErrorCode=ECHO)), ["1"]
    ),
    "escaped secrets": Case(
        whole(ONE, failure("ModelStreamError", Message=json.dumps(ECHO).replace("o", "\\u006f"))),
        ["1"],
    ),
    "secrets in a code": Case(whole(ONE, failure(ECHO, Message="m")), ["1"]),
    "secrets at first": Case(whole(failure("InternalStreamFailure", Message=ECHO)), []),
    "secrets in an id": Case(head(f"x-amzn-requestid: {ECHO}") + chunks(ONE[:9]) + END, [], is_clean=True),
    "secrets in a header": Case(head(ECHO), []),
    "secrets in a chunk": Case(head() + chunks(ONE) + ECHO.encode() + b"\r\n", ["1"]),
    "headers of 200 KiB": Case(head(*repeat("x: " + "y" * 2000, 100)), []),
    "chunk of 2^60 bytes": Case(head() + chunks(ONE) + b"1" + b"0" * 15 + b"\r\nx", ["1"]),
    "endless chunk header": Case(head() + chunks(ONE) + b"1;" + b"x" * 300_000, ["1"]),
    "endless trailers": Case(head() + chunks(ONE) + b"0\r\n" + b"x: y\r\n" * 50_000, ["1"]),
    "longer than stated": Case(
        head(framing=f"content-length: {len(ONE)}") + ONE + ONE, ["1"], fails=False
    ),
    "shorter than stated": Case(head(framing=f"content-length: {len(ONE) + 9}") + ONE, ["1"]),
    "before the request is complete": Case(
        head() + chunks(ONE) + END, ["1"], fails=False, is_clean=True, body=LARGE
    ),
    "a response after the end": Case(whole(ONE) + head() + chunks(ONE), ["1"], fails=False),
    "an exception after the end": Case(
        whole(ONE) + chunks(failure("ModelStreamError", Message=ECHO)), ["1"], fails=False
    ),
    "NUL and invalid UTF-8": Case(
        whole(part(b"\0\xff\n\xe2"), part(b"\x82"), part(b"\xac\r"), part(b"\n\xf0\x9f")),
        ["\0\ufffd", "\u20ac", "\ufffd"],
        fails=False,
        is_clean=True,
    ),
    "more after [DONE]": Case(
        whole(part(b"data:1\n\ndata:[DONE]\n\ndata:2\n\n"), part(b"data:3\n\n")),
        ["1"], False, "events", is_clean=True,
    ),
    "exception after [DONE]": Case(
        whole(part(b"data:1\n\ndata:[DONE]\n\n"), failure("ModelStreamError", Message=ECHO)),
        ["1"], False, "events", is_clean=True,
    ),
    "no end after [DONE]": Case(
        head() + chunks(part(b"data:1\n\ndata:[DONE]\n\n")), ["1"], False, "events"
    ),
    "nested JSON": Case(whole(part(b"1\n" + b"[" * 200_000)), ["1"], kind="json", is_clean=True),
    "secrets in place of JSON": Case(
        whole(part(b"1\n" + ECHO.encode() + b"\n")), ["1"], kind="json", is_clean=True
    ),
    "an integer of 100,000 digits": Case(
        whole(part(b"1\n" + b"9" * 100_000)), ["1"], kind="json", is_clean=True
    ),
}  # fmt: skip
# httpx's own pool reuses a connection even if more data than the response has arrived.
OF_THE_POOL = {"longer than stated", "a response after the end", "an exception after the end"}

# Maps the name of an endless response to three values: the method that reads it, the data that the
# server repeats, and how many MiB it may send, or None if only the timeout ends the response.
ENDLESS: dict[str, tuple[str, bytes, int | None]] = {
    "a line": ("lines", part(b"x" * 65536), 17),
    "an event of short lines": ("events", part(b"data:01234567890123456789\n" * 4096), 21),
    "a payload of 24 MiB": ("lines", prelude(16 + 24 * MIB, 0) + bytes(65536), 25),
    "single bytes, slowly": ("lines", b"x", None),
    "comments": ("events", part(b": comment\n" * 6000), None),
    "unknown messages": ("lines", Message({"x": "y" * 30_000}, b"z" * 30_000).encode(), None),
    "empty lines": ("json", part(b"\n" * 65536), None),
}
ENDLESS_KINDS = ("threads", "asyncio", "trio")
# How many MiB of memory the client may occupy.  A line or an event has at most 16 MiB, and is
# copied
# when it is complete.  A message of 24 MiB is copied twice.
MEMORY = {
    "a line": 40,
    "an event of short lines": 40,
    "a payload of 24 MiB": 80,
    "single bytes, slowly": 4,
    "comments": 4,
    "unknown messages": 4,
    "empty lines": 4,
}


# The context of a stream, the method that reads it, and functions called with each item and error.
Reading = tuple[Any, str, Callable[[str], None], Callable[[Exception], None]]


def read(client: Any, *readings: Reading) -> Any:
    """Read streams one after the other; for an async client, return a coroutine that does so."""
    if isinstance(client, AsyncSageMakerRuntimeClient):
        return read_async(*readings)
    for context, kind, add, fail in readings:
        try:
            with context as stream:
                for item in getattr(stream, kind)():
                    add(str(getattr(item, "data", item)))
        except Exception as error:  # noqa: BLE001 (an untyped error is counted)
            fail(error)
    return None


async def read_async(*readings: Reading) -> None:
    """Read the streams of an async client one after the other."""
    for context, kind, add, fail in readings:
        try:
            async with context as stream:
                async for item in getattr(stream, kind)():
                    add(str(getattr(item, "data", item)))
        except Exception as error:  # noqa: BLE001 (an untyped error is counted)
            fail(error)


class Attack:
    """An attack on one client with one response.

    Attributes:
        items: The items that the client returned.
        errors: The errors that the client raised.
        reused: Whether the client sent another request over the same connection.
        again: The items of the honest response to a second request.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self.items: list[str] = []
        self.errors: list[Exception] = []
        self.again: list[str] = []
        self.reused = False

    def answer(self, head: bytes, connection: socket.socket, server: Server) -> None:
        """Send the response, and wait until another request arrives or the connection ends."""
        if b"/endpoints/honest/" in head:
            connection.sendall(whole(part(b"honest\n")))
            return
        server.send(connection, self._case.data)
        connection.settimeout(0.1)
        received = b"?"
        while received and not self.reused:
            try:
                received = connection.recv(65536)
            except TimeoutError:  # the client waits for more data
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(None)
                continue
            self.reused = b"POST /" in received
        if self.reused:
            connection.sendall(whole(part(b"honest\n")))

    def call(self, client: Any) -> Any:
        """Read the response, and then an honest response to a second request."""
        case = self._case
        first = client.stream_endpoint("e", case.body, custom_attributes=ATTRIBUTES)
        second = client.stream_endpoint("honest", b"x")
        return read(
            client,
            (first, case.kind, self.items.append, self.errors.append),
            (second, "lines", self.again.append, self.errors.append),
        )

    def is_wrong(self) -> bool:
        """Return whether the client returned wrong items or raised wrong errors."""
        are_typed = all(isinstance(error, RuntimeClientError) for error in self.errors)
        is_right = (self.items, len(self.errors)) == (self._case.items, int(self._case.fails))
        return not (is_right and are_typed and self.again == ["honest"])

    def shown(self) -> str:
        """Return everything that the errors show, except for the response data in `partial`."""
        texts: list[str] = []
        for error in self.errors:
            facts = {name: value for name, value in vars(error).items() if name != "partial"}
            copied = pickle.loads(pickle.dumps(error))
            texts += [repr(error), repr(copied), repr(facts), *traceback.format_exception(error)]
        return "".join(texts)


class Records(logging.Handler):
    """A log handler that collects the client's messages."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Append the message of a log record."""
        self.text += record.getMessage()


def damaged(kind: str) -> Iterator[Row]:
    """Send each damaged response to one kind of client, and count what the client does wrong."""
    records, logger = Records(), logging.getLogger("sagemaker_runtime_client")
    logger.addHandler(records)
    logger.setLevel(logging.DEBUG)
    wrong, reused, shown, longest = list[str](), 0, 0, 0.0
    cases = {n: c for n, c in CASES.items() if "httpx" not in kind or n not in OF_THE_POOL}
    for name, case in cases.items():
        attack = Attack(case)
        server = Server(attack.answer)
        credentials = Credentials("AKIDEXAMPLE", KEY, TOKEN)
        start = time.monotonic()
        KINDS[kind]({**where(server), "credentials": credentials}, attack.call)
        longest = max(longest, time.monotonic() - start)
        server.close()
        if attack.is_wrong():
            wrong.append(name)
        reused += attack.reused and not case.is_clean
        shown += any(one in attack.shown() + records.text for one in SECRETS)
        records.text = ""
    logger.removeHandler(records)
    print(*wrong, sep="; ", file=sys.stderr, end="\n" if wrong else "")
    yield Row(f"of {len(cases)} damaged streams read wrongly, {kind}", len(wrong), 0, "streams")
    if "httpx" not in kind:
        yield Row(f"connections reused after damage, {kind}", reused, 0, "streams")
    yield Row(f"secrets shown, {kind}", shown, 0, "errors")
    yield Row(f"longest damaged stream, {kind}", longest, READ_TIMEOUT + SLACK, "s")


def endless(kind: str, name: str) -> Iterator[Row]:
    """Send an endless response to one kind of client, and yield how much the client reads or holds."""
    method, data, most = ENDLESS[name]

    def answer(_head: bytes, connection: socket.socket, server: Server) -> None:
        connection.sendall(head())
        while server.sent < MOST_SENT:
            server.send(connection, chunks(data))
            if len(data) == 1:
                server.stopped.wait(0.1)

    errors: list[Exception] = []
    server = Server(answer)
    options = where(server) if most is not None else {**where(server), "timeout": TIMEOUT}
    is_traced = kind == "threads"  # tracing takes time, and all kinds decode in the same way
    if is_traced:
        tracemalloc.start()
    held = KINDS[kind](
        options,
        lambda client: read(
            client, (client.stream_endpoint("e", b"x"), method, lambda _: None, errors.append)
        ),
    )
    server.close()
    what = f"endless stream of {name}, {kind}"
    if is_traced:
        yield Row(f"memory, {what}", tracemalloc.get_traced_memory()[1] / MIB, MEMORY[name], "MiB")
        tracemalloc.stop()
    if [isinstance(error, RuntimeClientError) for error in errors] != [True]:
        yield Row(f"typed errors missing, {what}", 1, 0, "errors")
    if most is None:
        yield Row(f"time, {what}", held, TIMEOUT + READ_TIMEOUT + SLACK, "s")
    else:
        yield Row(f"bytes sent, {what}", server.sent / MIB, most + BUFFERS / MIB, "MiB")


def run() -> Iterator[Row]:
    """Attack each kind of client with damaged and with endless responses."""
    for kind in KINDS:
        yield from damaged(kind)
    for kind in ENDLESS_KINDS:
        for name in ENDLESS:
            yield from endless(kind, name)
