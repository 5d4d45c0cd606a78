"""Test uploads from every kind of source to the emulator, with blocking and async clients."""

import asyncio
import errno
import gzip
import io
import os
from datetime import timedelta
from pathlib import Path

import pytest

from sagemaker_runtime_client import ParamValidationError, SourceError
from sagemaker_runtime_client._inference.arguments import as_bytes
from sagemaker_runtime_client._io.files import FileStream
from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.sources.body import FileSource, MemorySource
from sagemaker_runtime_client._io.sources.opened import FileSections
from sagemaker_runtime_client._s3.uploads.progress import TransferProgress
from tests.runtime_client.clients import settings

MIB = 1 << 20
CONTENT = os.urandom(MIB) * 17 + b"end"  # three parts
LOCATION = "s3://bucket/key"


class Trickle(io.RawIOBase):
    """A file that cannot seek, and that returns fewer bytes than requested."""

    def __init__(self, content):
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self._content.read(min(len(buffer), 70_001))
        buffer[: len(piece)] = piece
        return len(piece)


def pieces(content, size=3_000_001):
    """Return an iterator over pieces of *content*, one of which is empty."""
    yield b""
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Pieces:
    """An async iterable that is not a generator."""

    def __init__(self, content):
        self._pieces = pieces(content)

    def __aiter__(self):
        return self

    async def __anext__(self):
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


class AsyncFile:
    """A file whose `read` must be awaited, as with anyio and aiofiles."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    async def read(self, size):
        return self._file.read(size)


@pytest.fixture
def path(tmp_path):
    """The path of a file with the content `CONTENT`."""
    path = tmp_path / "source.bin"
    path.write_bytes(CONTENT)
    return path


def _opened(path, mode="rb", position=0, **options):
    """Open a file, set its position, and leave it to the caller to close it."""
    file = path.open(mode, **options)
    file.seek(position)
    return file


# Maps each kind of source to a function that makes such a source from the path of a file.
SOURCES = {
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "path": lambda path: path,
    "open file": _opened,
    "unbuffered file": lambda path: _opened(path, buffering=0),
    "file for updates": lambda path: _opened(path, "r+b"),
    "BytesIO": lambda path: io.BytesIO(path.read_bytes()),
    "stream": lambda path: Trickle(path.read_bytes()),
    "buffered stream": lambda path: io.BufferedReader(Trickle(path.read_bytes())),
    "generator": lambda path: pieces(path.read_bytes()),
    "list": lambda path: [*pieces(path.read_bytes())],
}


@pytest.mark.parametrize("size", [0, 5, 2 * MIB, len(CONTENT)], ids=str)
@pytest.mark.parametrize("kind", SOURCES)
def test_sources(plain_driver, emulator, path, kind, size):
    """Each kind of source is uploaded completely, in one request or in parts."""
    path.write_bytes(CONTENT[:size])
    client = plain_driver.client(**settings(emulator))
    source = SOURCES[kind](path)
    stored = client.upload(LOCATION, source, content_type="text/csv", metadata={"a": "b"})
    getattr(source, "close", bool)()
    found = client.get_object(LOCATION)
    assert found.body == CONTENT[:size]
    assert (found.content_type, dict(found.metadata)) == ("text/csv", {"a": "b"})
    assert (stored.etag, stored.size, stored.content_type) == (found.etag, size, "text/csv")
    assert ("-" in stored.etag) == (size == len(CONTENT))


@pytest.mark.parametrize("make", [Pieces, AsyncFile], ids=["iterable", "file"])
def test_async_sources(plain_driver, emulator, make):
    """An async client accepts async iterables and async files; a blocking client rejects them."""
    client = plain_driver.client(**settings(emulator))
    if plain_driver.kind.is_async:
        client.upload(LOCATION, make(CONTENT))
        assert client.get_object(LOCATION).body == CONTENT
    else:
        with pytest.raises(ParamValidationError, match="source must not be async") as raised:
            client.upload(LOCATION, make(CONTENT))
        assert raised.value.argument == "source"
        assert emulator.requests == ()


@pytest.mark.parametrize("kind", ["open file", "unbuffered file", "BytesIO", "buffered stream"])
def test_position(plain_driver, emulator, path, kind):
    """A file is uploaded from its current position, and stays open."""
    client = plain_driver.client(**settings(emulator))
    with SOURCES[kind](path) as file:
        file.read(7)
        client.upload(LOCATION, file)
        assert not file.closed
    assert client.get_object(LOCATION).body == CONTENT[7:]


def test_unwritten_data(plain_driver, emulator, path):
    """Data that are still in the write buffer of an open file are uploaded, too."""
    client = plain_driver.client(**settings(emulator))
    with path.open("r+b") as file:
        file.seek(0, io.SEEK_END)
        file.write(b"more")
        file.seek(5)
        client.upload(LOCATION, file)
    assert client.get_object(LOCATION).body == CONTENT[5:] + b"more"


def test_compressed_file(plain_driver, emulator, tmp_path):
    """From an open compressed file, the decompressed data are uploaded."""
    client = plain_driver.client(**settings(emulator))
    path = tmp_path / "source.gz"
    path.write_bytes(gzip.compress(CONTENT, 1))
    with gzip.open(path) as file:
        client.upload(LOCATION, file)
    assert client.get_object(LOCATION).body == CONTENT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_named_pipe(emulator, plain_driver, tmp_path):
    """If the path is that of a named pipe, the pipe is uploaded as a stream."""
    from threading import Thread

    path = tmp_path / "pipe"
    os.mkfifo(path)
    client = plain_driver.client(**settings(emulator))
    writer = Thread(target=path.write_bytes, args=(CONTENT,))
    writer.start()
    client.upload(LOCATION, path)
    writer.join()
    assert client.get_object(LOCATION).body == CONTENT


def _closed(path):
    with path.open("rb") as file:
        return file


# Functions that make invalid sources, each with the expected error message.
INVALID = [
    (str, "source must be bytes, a path, an open binary file, or an iterator of bytes, not str"),
    (lambda _path: 5, "source must be bytes, a path, .*, not int"),
    (lambda _path: {"a": 1}, "source must be bytes, a path, .*, not dict"),
    (lambda path: path.parent, "source cannot be opened: Is a directory"),
    (lambda path: path / "x", "source cannot be opened: Not a directory"),
    (lambda _path: io.StringIO("text"), "source must be a file in binary mode"),
    (_closed, "source is a closed file"),
    (lambda _path: memoryview(b"abcd")[::2], "source must be a memoryview of adjacent bytes"),
]


@pytest.mark.parametrize(("make", "message"), INVALID, ids=[message for _, message in INVALID])
def test_invalid_sources(plain_driver, emulator, path, make, message):
    """An invalid source is rejected before anything is sent."""
    client = plain_driver.client(**settings(emulator))
    with pytest.raises(ParamValidationError, match=message) as raised:
        client.upload(LOCATION, make(path))
    assert raised.value.argument == "source"
    assert emulator.requests == ()


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"part_size": 5 * MIB - 1}, "part_size"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 65}, "concurrency"),
        ({"on_progress": 5}, "on_progress"),
        ({"on_progress": AsyncFile(b"").read}, "on_progress"),
        ({"if_none_match": "x"}, "if_none_match"),
        ({"content_type": "\n"}, "content_type"),
        ({"storage_class": ""}, "storage_class"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_invalid_arguments(plain_driver, emulator, arguments, argument):
    """An invalid argument is rejected before anything is sent."""
    client = plain_driver.client(**settings(emulator))
    with pytest.raises(ParamValidationError) as raised:
        client.upload(LOCATION, b"", **arguments)
    assert raised.value.argument == argument
    assert emulator.requests == ()


@pytest.mark.parametrize("item", ["text", None, 5], ids=str)
def test_items_of_another_type(plain_driver, emulator, item):
    """If a stream returns an item that is not bytes, the upload is aborted, and an error is raised."""
    client = plain_driver.client(**settings(emulator))
    name = type(item).__name__
    message = f"the source of the upload returned {name} instead of bytes"
    with pytest.raises(SourceError, match=message):
        client.upload(LOCATION, iter([CONTENT, item]))
    assert client.abort_uploads("s3://bucket", older_than=timedelta()) == []


class SomeError(Exception):
    """An error that a source raises."""


def _failing(error):
    yield CONTENT
    raise error


def test_error_of_an_iterator(plain_driver, emulator):
    """If an iterator raises an error, the upload is aborted, and the same error is raised."""
    client = plain_driver.client(**settings(emulator))
    with pytest.raises(SomeError):
        client.upload(LOCATION, _failing(SomeError()))
    assert client.abort_uploads("s3://bucket", older_than=timedelta()) == []


def test_error_of_a_file(plain_driver, emulator):
    """If reading a file fails, a SourceError with the reason is raised."""

    class Broken(Trickle):
        def readinto(self, buffer):
            raise OSError(5, "Input/output error")

    client = plain_driver.client(**settings(emulator))
    with pytest.raises(SourceError, match="source cannot be read: Input/output error"):
        client.upload(LOCATION, Broken(b""))


def _shrink(path):
    os.truncate(path, 12 * MIB)


def _grow(path):
    with path.open("ab") as file:
        file.write(b"more")


def _touch(path):
    os.utime(path, ns=(0, 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_shrink, "source.bin became shorter while it was uploaded: .* bytes were expected"),
        (_grow, "source.bin changed while it was uploaded: it had .* bytes, and now has"),
        (_touch, "source.bin changed while it was uploaded"),
    ],
    ids=["shrinks", "grows", "is replaced"],
)
def test_file_that_changes(plain_driver, emulator, path, change, message):
    """If a file changes while it is uploaded, the upload is aborted, and an error is raised."""
    client = plain_driver.client(**settings(emulator))
    changed = []

    def on_progress(*_):
        if not changed:
            changed.append(change(path))

    with pytest.raises(SourceError, match=message):
        client.upload(LOCATION, path, concurrency=1, on_progress=on_progress)
    assert client.abort_uploads("s3://bucket", older_than=timedelta()) == []


def test_path_of_another_type(emulator, plain_driver, path):
    """An object whose `__fspath__` returns bytes is accepted as a path."""

    class Entry:
        def __fspath__(self):
            return os.fsencode(path)

    client = plain_driver.client(**settings(emulator))
    assert client.upload(LOCATION, Entry()).size == len(CONTENT)
    assert isinstance(path, Path)


class BrokenFile(io.BytesIO):
    """A file that can be opened, and whose descriptor then fails in every operation."""

    name = "broken.bin"

    def fileno(self):
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("is_async", [False, True])
def test_region_of_a_broken_file(is_async):
    """If a file cannot be read, reading its region or checking its state raises SourceError."""
    backend = AsyncioBackend() if is_async else sync_backend()
    run_to_end = asyncio.run if is_async else run
    broken = BrokenFile(b"1234")
    region = FileSource(FileStream(backend, broken), "broken.bin", 0, 4)

    async def read():
        return await anext(region.chunks())

    with pytest.raises(SourceError, match=r"broken\.bin"):
        run_to_end(read())


def test_state_of_a_closed_file(path):
    """If the state of a file cannot be read, the check after an upload raises SourceError."""
    with path.open("rb") as file:
        source = FileSections(sync_backend(), file, str(path), 0, owned=False)
    with pytest.raises(SourceError, match=r"source\.bin"):
        run(source.check())


def test_metered_pieces_can_be_iterated():
    """The pieces of a metered body are an async iterator, which counts what was read."""
    noted = []
    progress = TransferProgress(lambda *_: None, None)
    progress.noted = lambda: noted.append(True)
    body = progress.start(1)(MemorySource(memoryview(b"12")))

    async def read():
        return [bytes(piece) async for piece in body.chunks()]

    assert run(read()) == [b"12"]
    assert noted


def test_value_that_is_not_bytes():
    """Only a bytes-like value is converted to bytes."""
    assert as_bytes(bytearray(b"1"), "body") == b"1"
    with pytest.raises(ParamValidationError, match="body must be bytes"):
        as_bytes("text", "body")
