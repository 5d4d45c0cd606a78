"""Test downloads to every kind of target, with every kind of client."""

import io
import os
import pickle
import zlib

import pytest

from sagemaker_runtime_client import (
    LocationNotAllowedError,
    ParamValidationError,
    ResponseTooLargeError,
    TargetError,
)
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._io.targets.file_object_target import file_target
from sagemaker_runtime_client._io.targets.path_target import PathTarget
from sagemaker_runtime_client._s3.checksums import new_hasher
from sagemaker_runtime_client._s3.downloads.reading import split
from sagemaker_runtime_client._s3.downloads.verification import read_stored
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.s3.downloads.object_server import (
    PART,
    ObjectServer,
    content,
    crc32,
    names,
    sha256,
)

LOCATION = "s3://bucket/key"
BODY = content(5 * PART + 1000)
SIZES = {"empty": 0, "one byte": 1, "one part": PART, "two parts": PART + 1, "six parts": len(BODY)}


def composite(body):
    """Return the header with a composite checksum, which is computed from the parts' checksums."""
    return {"x-amz-checksum-crc32": f"{crc32(body)['x-amz-checksum-crc32']}-2"}


def nothing(_body):
    """Return no headers."""
    return {}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_path(driver, size, tmp_path):
    """An object of any size is downloaded to a path in parts and verified; no other file remains."""
    body = BODY[:size]
    with ObjectServer(body) as server:
        client = driver.client(**pointed_at(server))
        found = client.download(LOCATION, tmp_path / "out", part_size=PART)
    assert (tmp_path / "out").read_bytes() == body
    assert names(tmp_path) == ["out"]
    assert (found.size, found.verified, found.body) == (size, "CRC32", b"")
    assert (found.location, found.etag) == (LOCATION, server.etag)
    assert (found.content_type, found.metadata) == ("text/x", {"a": "b"})
    assert sorted(server.ranges) == sorted(
        f"bytes={start}-{start + PART - 1 if start == 0 else min(start + PART, size) - 1}"
        for start in range(0, max(size, 1), PART)
    )


def test_one_request(plain_driver, tmp_path):
    """If a store ignores the range, and sends the whole object and its checksum, one request
    suffices.
    """
    server = ObjectServer(BODY)
    server.respond = lambda request: ObjectServer.respond(
        server, request._replace(headers=[("x-amz-checksum-mode", "ENABLED")])
    )
    with server:
        client = plain_driver.client(**pointed_at(server))
        found = client.download(LOCATION, str(tmp_path / "out"), part_size=PART)
    assert (tmp_path / "out").read_bytes() == BODY
    assert (found.verified, len(server.requests)) == ("CRC32", 1)


def open_file(path, mode):
    """Open a file that already has some content."""
    path.write_bytes(b"old")
    return path.open(mode)


class Pipe(io.RawIOBase):
    """A file that cannot seek, and whose `write` accepts only a few bytes per call."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data[:30_000]
        return len(data[:30_000])


@pytest.mark.parametrize("checksum", [crc32, sha256])
@pytest.mark.parametrize(
    "mode", ["r+b", "wb", "w+b", "ab"], ids=["update", "write", "both", "append"]
)
def test_open_file(plain_driver, mode, checksum, tmp_path):
    """An open file is written from its position, stays open, and is then at the end of the data."""
    with ObjectServer(BODY, checksum) as server, open_file(tmp_path / "out", mode) as file:
        client = plain_driver.client(**pointed_at(server))
        file.seek(0, os.SEEK_END)
        found = client.download(LOCATION, file, part_size=PART)
        file.write(b"end")
    kept = b"" if mode.startswith("w") else b"old"
    assert (tmp_path / "out").read_bytes() == kept + BODY + b"end"
    assert found.verified == checksum.__name__.upper()


@pytest.mark.parametrize("size", [0, PART, len(BODY)])
@pytest.mark.parametrize("checksum", [crc32, sha256])
def test_pipe(plain_driver, checksum, size):
    """A file that cannot seek receives the bytes in order, and the object is verified."""
    pipe = Pipe()
    with ObjectServer(BODY[:size], checksum) as server:
        client = plain_driver.client(**pointed_at(server))
        found = client.download(LOCATION, pipe, part_size=PART)
    assert pipe.written == BODY[:size]
    assert found.verified == checksum.__name__.upper()


@pytest.mark.parametrize("target", [bytearray(), bytearray(b"old"), bytearray(2 * len(BODY))])
def test_bytearray(plain_driver, target):
    """A bytearray is resized to the size of the object, and can be resized after the download."""
    target = bytearray(target)
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        assert client.download(LOCATION, target, part_size=PART).verified == "CRC32"
    target += b"end"
    assert target == BODY + b"end"


def test_memoryview(plain_driver):
    """The object is written to the beginning of a memoryview."""
    memory = bytearray(len(BODY) + 3)
    with ObjectServer(BODY, sha256) as server:
        client = plain_driver.client(**pointed_at(server))
        found = client.download(LOCATION, memoryview(memory), part_size=PART)
        with pytest.raises(TargetError, match="pass more memory"):
            client.download(LOCATION, memoryview(memory)[: len(BODY) - 1])
    assert (memory, found.verified) == (BODY + bytes(3), "SHA256")


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(
    ("checksum", "algorithm"),
    [(crc32, "CRC32"), (sha256, "SHA256"), (composite, None), (nothing, None)],
    ids=["CRC32", "SHA256", "composite", "nothing"],
)
def test_verified(plain_driver, checksum, algorithm, concurrency, tmp_path, caplog):
    """The result states the algorithm that verified the object; if it is None, a log line says so."""
    caplog.set_level("INFO", "sagemaker_runtime_client")
    with ObjectServer(BODY, checksum) as server:
        client = plain_driver.client(**pointed_at(server))
        found = client.download(LOCATION, tmp_path / "out", part_size=PART, concurrency=concurrency)
    assert found.verified == algorithm
    assert ("not verified" in caplog.text) == (algorithm is None)
    assert (tmp_path / "out").read_bytes() == BODY


def test_write_only_file(plain_driver, tmp_path):
    """If a write-only file is the target, and the checksum is a SHA-256, the object is verified."""
    with ObjectServer(BODY, sha256) as server, (tmp_path / "out").open("wb") as file:
        client = plain_driver.client(**pointed_at(server))
        assert client.download(LOCATION, file, part_size=PART).verified == "SHA256"
    assert (tmp_path / "out").read_bytes() == BODY


def test_switched_off(plain_driver, tmp_path):
    """With response_checksum_validation="when_required", no checksum is requested or verified."""
    with ObjectServer(BODY) as server:
        client = plain_driver.client(
            **pointed_at(server, response_checksum_validation="when_required")
        )
        found = client.download(LOCATION, tmp_path / "out", part_size=PART)
    assert found.verified is None
    assert {request.header("x-amz-checksum-mode") for request in server.requests} == {None}
    assert {request.method for request in server.requests} == {"GET"}


def test_requests(plain_driver, tmp_path):
    """Every request is signed and has the expected owner; all but the first have ``If-Match``."""
    with ObjectServer(BODY) as server:
        settings = pointed_at(server, expected_bucket_owner="000000000000")
        client = plain_driver.client(**settings)
        client.download(LOCATION, tmp_path / "out", part_size=PART)
    for request in server.requests:
        request.verify(settings["credentials"], "s3", settings["region"])
    owners = {request.header("x-amz-expected-bucket-owner") for request in server.requests}
    assert owners == {"000000000000"}
    first, *others = [request.header("if-match") for request in server.requests]
    assert (first, set(others)) == (None, {server.etag})


def test_progress(plain_driver, tmp_path):
    """The reported progress increases to the size of the object."""
    seen = []
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        client.download(
            LOCATION,
            tmp_path / "out",
            part_size=PART,
            on_progress=lambda done, total: seen.append((done, total)),
        )
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, len(BODY)), (len(BODY), len(BODY)))


def test_failing_progress(plain_driver, tmp_path):
    """If on_progress raises an error, the download ends with it, and no file remains."""

    def on_progress(done, _total):
        if done > 2 * PART:
            raise ZeroDivisionError

    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(ZeroDivisionError):
            client.download(LOCATION, tmp_path / "out", part_size=PART, on_progress=on_progress)
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [len(BODY), 10])
def test_max_size(plain_driver, size, tmp_path):
    """If an object is larger than max_size, an error is raised after the first response."""
    with ObjectServer(BODY[:size]) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(ResponseTooLargeError) as caught:
            client.download(LOCATION, tmp_path / "out", part_size=PART, max_size=size - 1)
        assert client.download(LOCATION, tmp_path / "out", max_size=size).size == size
    assert (caught.value.limit, names(tmp_path)) == (size - 1, ["out"])


def test_allowed_locations(plain_driver, tmp_path):
    """If a location is not allowed, nothing is requested or written."""
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server, allowed_locations=["s3://bucket/a/"]))
        with pytest.raises(LocationNotAllowedError):
            client.download(LOCATION, tmp_path / "out")
    assert (server.requests, names(tmp_path)) == ([], [])


async def _async(_done, _total):
    pass


@pytest.mark.parametrize(
    ("target", "options", "argument"),
    [
        (None, {}, "target"),
        ("a\0b", {}, "target"),
        (b"bytes", {}, "target"),
        (memoryview(b"read-only"), {}, "target"),
        (memoryview(bytearray(9))[::2], {}, "target"),
        (io.StringIO(), {}, "target"),
        (io.BufferedReader(io.BytesIO()), {}, "target"),
        (bytearray(), {"resume": True}, "target"),
        (bytearray(), {"part_size": PART - 1}, "part_size"),
        (bytearray(), {"part_size": (5 << 30) + 1}, "part_size"),
        (bytearray(), {"concurrency": 0}, "concurrency"),
        (bytearray(), {"concurrency": True}, "concurrency"),
        (bytearray(), {"max_size": -1}, "max_size"),
        (bytearray(), {"on_progress": 1}, "on_progress"),
        (bytearray(), {"on_progress": _async}, "on_progress"),
        (bytearray(), {"timeout": -1}, "timeout"),
    ],
)
def test_arguments(plain_driver, target, options, argument):
    """An invalid argument is rejected before anything is sent."""
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(ParamValidationError) as caught:
            client.download(LOCATION, target, **options)
    assert (caught.value.argument, server.requests) == (argument, [])


def test_closed_file(plain_driver, tmp_path):
    """A closed file is rejected before anything is sent."""
    with (tmp_path / "out").open("wb") as file:
        pass
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(ParamValidationError, match="must be open, not closed"):
            client.download(LOCATION, file)
    assert server.requests == []


def test_pickling(tmp_path):
    """A download result and a TargetError can be pickled."""
    from sagemaker_runtime_client import Download, SageMakerRuntimeClient

    with ObjectServer(BODY) as server, SageMakerRuntimeClient(**pointed_at(server)) as client:
        found = client.download(LOCATION, tmp_path / "out")
    assert pickle.loads(pickle.dumps(found)) == found
    assert isinstance(found, Download)
    error = pickle.loads(pickle.dumps(TargetError("message", errno=28)))
    assert (str(error), error.errno) == ("message", 28)


def test_content():
    """The parts of the test object differ from each other, so that misplaced parts are detected."""
    parts = {zlib.crc32(BODY[start : start + PART]) for start in range(0, len(BODY), PART)}
    assert len(parts) == 6


def test_truncated_meanwhile(tmp_path):
    """If another program has truncated the data, `read_stored` hashes only those that are left."""

    async def main():
        target = PathTarget(sync_backend(), str(tmp_path / "out"), "target out")
        target.open()
        hasher = new_hasher("CRC32")
        await target.write(0, memoryview(b"abc"))
        await read_stored(System(sync_backend), target, hasher, 0, 10)
        target.abandon()
        return hasher.value

    assert run(main()) == zlib.crc32(b"abc")


def test_many_parts():
    """If an object would have more than 10,000 parts, larger parts of whole mebibytes are used."""
    mebibyte = 1 << 20
    parts = split((), PART, 20_000 * mebibyte, PART)
    assert parts[:2] == [(0, PART), (PART, PART + 2 * mebibyte)]
    assert parts[-1][1] == 20_000 * mebibyte
    assert len(parts) == 10_001


def test_pipe_is_not_read():
    """Data that were written to a file that cannot seek cannot be read again."""
    target = file_target(sync_backend(), Pipe(), "target")
    assert (target.is_readable, run(target.read(0, 1))) == (False, b"")
