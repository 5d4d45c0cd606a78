"""Transfers through a proxy that fails at one request, and what must hold after each of them.

A transfer ends with the right bytes or with a typed error.  Then no file is left except the target
or, with ``resume=True``, what a later call continues; no upload, no connection and no descriptor.
"""

from __future__ import annotations

import asyncio
import pickle
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zlib import crc32

import trio

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    RuntimeClientError,
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client.emulator import Emulator
from sagemaker_runtime_client.emulator._s3.objects import StoredObject, split_location

LOCATION = "s3://bucket/key"
OTHER = bytes(range(256)) * 8192  # what another program writes
PATIENCE = 60.0  # in seconds
KEPT = {"target", ".target.part", ".target.part.json"}

Fault = Callable[[Any], Awaitable[None]]


class FaultyProxy(Protocol):
    """What is used of the proxy."""

    requests: list[bytes]
    http_url: str
    https_url: str

    def plan(self, fault: Fault | None, number: int) -> None: ...

    def settle(self) -> None: ...


class Bench(NamedTuple):
    """What all transfers have in common.

    Attributes:
        emulator: The emulated S3.
        proxy: The proxy.
        folder: An empty folder.
        ca_bundle: The file with the certificate of the proxy.
        data: The content of the object.
        part_sizes: The sizes of parts for uploads and downloads; None for the default.
        read_timeout: The read timeout in seconds while the proxy stalls.
    """

    emulator: Emulator
    proxy: FaultyProxy
    folder: Path
    ca_bundle: str
    data: bytes
    part_sizes: tuple[int | None, int | None]
    read_timeout: float

    @property
    def source(self) -> Path:
        """The file that is uploaded."""
        return self.folder / "source"

    @property
    def target(self) -> Path:
        """The file that is downloaded."""
        return self.folder / "out" / "target"

    def prepare(self) -> None:
        """Write the source, and create the folder of the target."""
        self.source.write_bytes(self.data)
        self.target.parent.mkdir()

    def stored(self) -> StoredObject:
        """Return the object that is downloaded, as S3 stores it after an upload in parts."""
        checksum = b64encode(crc32(self.data).to_bytes(4, "big")).decode()
        return StoredObject(self.data, checksums={"x-amz-checksum-crc32": checksum}, etag='"1-2"')

    def settings(self, url: str, *, stalls: bool) -> dict[str, Any]:
        """Return the arguments of a client; *stalls* is whether a read timeout is expected."""
        return {
            "region": self.emulator.region,
            "credentials": self.emulator.credentials,
            "s3_endpoint_url": url,
            "ca_bundle": self.ca_bundle,
            "read_timeout": self.read_timeout if stalls else PATIENCE,
            "timeout": PATIENCE,
        }


class Transfer(NamedTuple):
    """A kind of transfer.

    Attributes:
        call: Returns what the client's method returns, or an awaitable of it.
        is_upload: Whether the object is written.
        resumes: Whether a later call continues after a failure.
    """

    call: Callable[[Bench, Any], Any]
    is_upload: bool = False
    resumes: bool = False


def _upload(bench: Bench, client: Any) -> Any:
    return client.upload(LOCATION, bench.source, part_size=bench.part_sizes[0], concurrency=2)


def _upload_stream(bench: Bench, client: Any) -> Any:
    pieces = (bench.data[start : start + 99_999] for start in range(0, len(bench.data), 99_999))
    return client.upload(LOCATION, pieces, part_size=bench.part_sizes[0], concurrency=2)


def _download(bench: Bench, client: Any) -> Any:
    return client.download(LOCATION, bench.target, part_size=bench.part_sizes[1], concurrency=2)


def _resume(bench: Bench, client: Any) -> Any:
    return client.download(
        LOCATION, bench.target, part_size=bench.part_sizes[1], concurrency=2, resume=True
    )


def _open(bench: Bench, client: Any) -> Any:
    context = client.open(LOCATION)
    if hasattr(context, "__aenter__"):
        return _open_async(bench, context)
    with context as body, bench.target.open("wb") as file:
        for piece in body:
            file.write(piece)
    return body


async def _open_async(bench: Bench, context: Any) -> Any:
    with bench.target.open("wb") as file:
        async with context as body:
            async for piece in body:
                file.write(piece)
    return body


TRANSFERS = {
    "upload": Transfer(_upload, is_upload=True),
    "upload of a stream": Transfer(_upload_stream, is_upload=True),
    "download": Transfer(_download),
    "download with resume": Transfer(_resume, resumes=True),
    "open": Transfer(_open),
}


def _threads(bench: Bench, settings: dict[str, Any], transfer: Transfer) -> Any:
    with SageMakerRuntimeClient(**settings) as client:
        return transfer.call(bench, client)


async def _task(bench: Bench, settings: dict[str, Any], transfer: Transfer) -> Any:
    async with AsyncSageMakerRuntimeClient(**settings) as client:
        return await transfer.call(bench, client)


KINDS: dict[str, Callable[[Bench, dict[str, Any], Transfer], Any]] = {
    "threads": _threads,
    "asyncio": lambda *arguments: asyncio.run(_task(*arguments)),
    "trio": lambda *arguments: trio.run(_task, *arguments),
}
SCHEMES = ("https", "http")
# Each combination of a transfer, a fault and a request is tried with one of these, in turn.
WAYS = [(kind, scheme) for scheme in SCHEMES for kind in KINDS]


def _descriptors() -> set[str]:
    """Return the open descriptors of this process, each with what it refers to."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own descriptor is closed meanwhile
            found.add(f"{descriptor.name} {descriptor.readlink()}")
    return found


def _attempt(
    bench: Bench, way: tuple[str, str], transfer: Transfer, *, stalls: bool = False
) -> Any:
    """Return the result of a transfer, or its error."""
    kind, scheme = way
    url = bench.proxy.https_url if scheme == "https" else bench.proxy.http_url
    try:
        return KINDS[kind](bench, bench.settings(url, stalls=stalls), transfer)
    except Exception as error:  # noqa: BLE001 (an untyped error is reported)
        return error
    finally:
        bench.proxy.settle()


def _begin(bench: Bench, transfer: Transfer, fault: Fault | None, number: int) -> None:
    for path in bench.target.parent.iterdir():
        path.unlink()
    objects = bench.emulator.objects
    objects.delete(LOCATION)
    for upload in objects.uploads.all():
        objects.uploads.remove(upload)
    if not transfer.is_upload:
        objects.write(*split_location(LOCATION), bench.stored())
    bench.proxy.plan(fault, number)


def warm_up(bench: Bench) -> None:
    """Use each kind of client once, so that what they load and open only once is there."""
    for way in WAYS:
        _begin(bench, TRANSFERS["download"], None, 0)
        _attempt(bench, way, TRANSFERS["download"])


def count_requests(bench: Bench, name: str) -> int:
    """Return how many requests a transfer needs if nothing fails."""
    transfer = TRANSFERS[name]
    _begin(bench, transfer, None, 0)
    result = _attempt(bench, WAYS[0], transfer)
    if isinstance(result, Exception):
        raise result
    return len(bench.proxy.requests)


def violations(
    bench: Bench, name: str, way: tuple[str, str], fault: Fault, number: int
) -> Iterator[str]:
    """Let the request *number* of a transfer fail, and yield what does not hold afterwards."""
    transfer = TRANSFERS[name]
    _begin(bench, transfer, fault, number)
    before = _descriptors()
    result = _attempt(bench, way, transfer, stalls=fault.__name__.startswith("stall"))
    for leaked in _descriptors() - before:
        yield f"open: {leaked}"
    yield from _check_result(bench, transfer, result)
    yield from _check_uploads(bench, fault)
    if transfer.resumes and isinstance(result, Exception):
        yield from _check_resumption(bench, way, transfer)


def _check_result(bench: Bench, transfer: Transfer, result: Any) -> Iterator[str]:
    left = {path.name for path in bench.target.parent.iterdir()}
    if isinstance(result, Exception):
        if not isinstance(result, RuntimeClientError):
            yield f"untyped error: {result!r}"
        elif str(pickle.loads(pickle.dumps(result))) != str(result):
            yield f"another error after pickling: {result!r}"
        allowed = KEPT - {"target"} if transfer.resumes else set()
        if transfer.call is not _open and not left <= allowed:
            yield f"files after {result!r}: {left}"
        return
    if transfer.is_upload:
        stored = bench.emulator.objects.get(LOCATION)
        if stored is None or stored.body not in {bench.data, OTHER}:
            yield "the stored object has other bytes"
        return
    if left != {"target"} or bench.target.read_bytes() not in {bench.data, OTHER}:
        yield f"the file has other bytes, or there are others: {left}"
    elif bench.target.read_bytes() == bench.data and result.verified != "CRC32":
        yield f"verified by {result.verified}"


def _check_uploads(bench: Bench, fault: Fault) -> Iterator[str]:
    """Check that no upload is left, except for one whose id the client has never received."""
    for upload in bench.emulator.objects.uploads.all():
        unknown = not upload.parts and fault.__name__ in UNANSWERED
        if not unknown:
            yield f"an upload with {len(upload.parts)} parts is left"


# After these faults at the request that creates an upload, the client cannot know its id.
UNANSWERED = {
    "cut_response",
    "lose_response",
    "stall_response",
    "truncate_response",
    "refuse_in_success",
}


def _check_resumption(bench: Bench, way: tuple[str, str], transfer: Transfer) -> Iterator[str]:
    """Check that a call without a fault continues."""
    bench.proxy.plan(None, 0)
    result = _attempt(bench, way, transfer)
    if isinstance(result, Exception):
        yield f"no resumption: {result!r}"
    else:
        yield from _check_result(bench, transfer, result)
