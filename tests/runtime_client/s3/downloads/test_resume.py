"""Test continuing an earlier download, also if its state was forged."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from sagemaker_runtime_client import AccessDeniedError, TargetError
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.targets.locks import try_lock
from sagemaker_runtime_client._io.targets.path_target import ResumableTarget
from sagemaker_runtime_client._s3.downloads.ranges import Version
from sagemaker_runtime_client._s3.downloads.resume import State, decode, encode, gaps, merged
from sagemaker_runtime_client._s3.objects import S3Location
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.s3.downloads import faults
from tests.runtime_client.s3.downloads.object_server import (
    PART,
    ObjectServer,
    content,
    crc32,
    names,
    sha256,
)

LOCATION = "s3://bucket/key"
BODY = content(20 * PART + 5)
KEPT = [".out.part", ".out.part.json"]


def begin(driver, folder, number=12, body=BODY, checksum=crc32):
    """Run a download that fails at one request, and return the ranges that it has stored."""
    with (
        ObjectServer(body, checksum, {number: faults.deny}) as server,
        pytest.raises(AccessDeniedError),
    ):
        download(driver, server, folder)
    assert names(folder) == KEPT
    return json.loads((folder / KEPT[1]).read_bytes())["ranges"]


def download(driver, server, folder, **options):
    """Download the object with ``resume=True``."""
    client = driver.client(**pointed_at(server))
    arguments = {"part_size": PART, "concurrency": 2, "resume": True, **options}
    return client.download(LOCATION, folder / "out", **arguments)


def total(ranges):
    """Return the number of bytes in *ranges*."""
    return sum(end - start for start, end in ranges)


def requested(server):
    """Return how many bytes of the object have been requested."""
    pairs = [wanted[6:].split("-") for wanted in server.ranges]
    return sum(min(int(last), len(BODY) - 1) - int(first) + 1 for first, last in pairs)


@pytest.mark.parametrize(
    ("checksum", "algorithm"),
    [(crc32, "CRC32"), (sha256, "SHA256"), (lambda _: {}, None)],
    ids=["CRC32", "SHA256", "none"],
)
def test_continued(plain_driver, checksum, algorithm, tmp_path):
    """A continued download requests only the missing ranges, and verifies the whole object."""
    stored = begin(plain_driver, tmp_path, checksum=checksum)
    seen = []
    with ObjectServer(BODY, checksum) as server:
        found = download(
            plain_driver, server, tmp_path, on_progress=lambda done, _: seen.append(done)
        )
    assert (tmp_path / "out").read_bytes() == BODY
    assert (found.verified, names(tmp_path)) == (algorithm, ["out"])
    assert total(stored) > 5 * PART
    assert requested(server) == len(BODY) - total(stored)
    assert (seen[0], seen[-1]) == (total(stored), len(BODY))


def test_other_part_size(plain_driver, tmp_path):
    """A download can be continued with another part size."""
    begin(plain_driver, tmp_path)
    with ObjectServer(BODY) as server:
        found = download(plain_driver, server, tmp_path, part_size=3 * PART, concurrency=1)
    assert (tmp_path / "out").read_bytes() == BODY
    assert found.verified == "CRC32"


def test_replaced(plain_driver, tmp_path):
    """If the entity tag of the object has changed, the download starts from the beginning."""
    begin(plain_driver, tmp_path)
    other = bytes(reversed(BODY))
    with ObjectServer(other) as server:
        found = download(plain_driver, server, tmp_path)
    assert (tmp_path / "out").read_bytes() == other
    assert (found.verified, requested(server)) == ("CRC32", len(BODY))


def test_complete(plain_driver, tmp_path):
    """If all ranges are stored, no range is requested, and the file is verified and moved."""
    begin(plain_driver, tmp_path)
    (tmp_path / KEPT[0]).write_bytes(BODY)
    state = json.loads((tmp_path / KEPT[1]).read_bytes())
    (tmp_path / KEPT[1]).write_text(json.dumps({**state, "ranges": [[0, len(BODY)]]}))
    with ObjectServer(BODY) as server:
        found = download(plain_driver, server, tmp_path)
    assert (tmp_path / "out").read_bytes() == BODY
    assert (found.verified, server.ranges) == ("CRC32", [])


def test_damaged(plain_driver, tmp_path):
    """If the stored bytes do not match the checksum, the download starts from the beginning."""
    begin(plain_driver, tmp_path)
    with (tmp_path / KEPT[0]).open("r+b") as file:
        file.write(b"forged")
    with ObjectServer(BODY) as server:
        found = download(plain_driver, server, tmp_path)
    assert (tmp_path / "out").read_bytes() == BODY
    assert (found.verified, names(tmp_path)) == ("CRC32", ["out"])
    assert requested(server) > len(BODY)


def test_truncated(plain_driver, tmp_path):
    """If the stored data are shorter than the state says, the download starts from the beginning."""
    begin(plain_driver, tmp_path)
    (tmp_path / KEPT[0]).write_bytes(b"")
    with ObjectServer(BODY) as server:
        download(plain_driver, server, tmp_path)
    assert (tmp_path / "out").read_bytes() == BODY
    assert requested(server) == len(BODY)


ETAG = '"x"'
VALID = {"location": LOCATION, "etag": ETAG, "size": 9, "ranges": [[0, 2], [4, 9]]}
HOSTILE = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff",
    "deep": b"[" * 100_000,
    "a list": [],
    "another location": {**VALID, "location": "s3://bucket/other"},
    "no entity tag": {**VALID, "etag": None},
    "an empty entity tag": {**VALID, "etag": ""},
    "a long entity tag": {**VALID, "etag": "x" * 2000},
    "a header in the entity tag": {**VALID, "etag": '"x"\r\nx: y'},
    "another alphabet": {**VALID, "etag": "ä"},
    "a size as text": {**VALID, "size": "9"},
    "a size as bool": {**VALID, "size": True},
    "ranges as a mapping": {**VALID, "ranges": {}},
    "too many ranges": {**VALID, "ranges": [[2 * at, 2 * at + 1] for at in range(20_001)]},
    "not pairs": {**VALID, "ranges": [[0, 2, 3]]},
    "not numbers": {**VALID, "ranges": [[0, "2"]]},
    "negative": {**VALID, "ranges": [[-3, 2]]},
    "empty range": {**VALID, "ranges": [[2, 2]]},
    "unsorted": {**VALID, "ranges": [[4, 9], [0, 2]]},
    "overlapping": {**VALID, "ranges": [[0, 5], [4, 9]]},
    "beyond the object": {**VALID, "ranges": [[0, 10]]},
    "huge number": b'{"size": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("state", HOSTILE.values(), ids=HOSTILE)
def test_hostile_state(state):
    """`decode` returns None for an invalid state."""
    data = state if isinstance(state, bytes) else json.dumps(state).encode()
    assert decode(data, S3Location("bucket", "key"), 9) is None


def test_valid_state():
    """`decode` returns the same state that `encode` was called with."""
    location, state = S3Location("bucket", "key"), State(Version(ETAG, 9), ((0, 2), (4, 9)))
    assert decode(json.dumps(VALID).encode(), location, 9) == state
    assert decode(encode(location, state), location, 9) == state
    assert decode(encode(location, state), location, 8) is None


def test_ranges():
    """`merged` joins adjacent ranges, and `gaps` returns the ranges between them."""
    assert merged([(4, 6), (0, 2), (2, 3), (8, 9)]) == ((0, 3), (4, 6), (8, 9))
    assert list(gaps(((0, 3), (4, 6), (8, 9)), 9)) == [(3, 4), (6, 8)]
    assert list(gaps((), 9)) == [(0, 9)]
    assert list(gaps((), 0)) == []


def make_state(folder, kind):
    """Create a link, a pipe, a folder or a large file at the path of the state."""
    path = folder / KEPT[1]
    if kind == "link":
        (folder / "secret").write_bytes(b"{}")
        path.symlink_to(folder / "secret")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "large":
        path.write_bytes(b" " * ((1 << 20) + 1))
    else:
        path.mkdir()


@pytest.mark.parametrize("kind", ["link", "pipe", "large", "folder"])
def test_state_that_is_no_file(plain_driver, kind, tmp_path):
    """A state in a link or a folder raises TargetError; a pipe or a large file is ignored."""
    make_state(tmp_path, kind)
    with ObjectServer(BODY) as server:
        if kind in {"link", "folder"}:
            with pytest.raises(TargetError):
                download(plain_driver, server, tmp_path)
        else:
            download(plain_driver, server, tmp_path)
            assert (tmp_path / "out").read_bytes() == BODY


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_data_that_are_no_file(plain_driver, kind, tmp_path):
    """If the stored data are a link, a pipe or a folder, an error is raised before any request."""
    path = tmp_path / KEPT[0]
    if kind == "link":
        (tmp_path / "secret").write_bytes(b"secret")
        path.symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with ObjectServer(BODY) as server, pytest.raises(TargetError):
        download(plain_driver, server, tmp_path)
    assert server.requests == []
    assert kind != "link" or (tmp_path / "secret").read_bytes() == b"secret"


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def test_second_process(plain_driver, tmp_path):
    """While another process has locked the data, a download raises an error and changes nothing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / KEPT[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"locked\n"
    with ObjectServer(BODY) as server:
        with pytest.raises(TargetError, match="another download to this path is in progress"):
            download(plain_driver, server, tmp_path)
        assert (server.requests, names(tmp_path)) == ([], KEPT[:1])
        process.communicate()
        download(plain_driver, server, tmp_path)
    assert names(tmp_path) == ["out"]


def test_same_process(plain_driver, tmp_path):
    """During a download, the same process cannot lock its data a second time."""
    refused = []
    with ObjectServer(BODY) as server:

        def on_progress(_done, _total):
            descriptor = os.open(tmp_path / KEPT[0], os.O_RDWR)
            refused.append(not try_lock(descriptor))
            os.close(descriptor)

        download(plain_driver, server, tmp_path, on_progress=on_progress)
    assert set(refused) == {True}


def test_completed_meanwhile(tmp_path):
    """If another process renames the data after they were opened and before they are locked,
    locking fails.
    """
    target = ResumableTarget(sync_backend(), str(tmp_path / "out"), "target out")
    descriptor = os.open(tmp_path / KEPT[0], os.O_RDWR | os.O_CREAT)
    (tmp_path / KEPT[0]).rename(tmp_path / "out")
    (tmp_path / KEPT[0]).touch()
    with pytest.raises(TargetError, match="in progress"):
        target._lock(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("is_free", [True, False])
def test_windows(monkeypatch, tmp_path, is_free):
    """On a system without fcntl, msvcrt locks a byte far beyond the end of the file."""
    locked = []

    def locking(descriptor, mode, size):
        locked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, size))
        if not is_free:
            raise PermissionError

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    with (tmp_path / "file").open("w") as file:
        assert try_lock(file.fileno()) == is_free
    assert locked == [(1 << 43, 2, 1)]


def test_error_before_the_lock(tmp_path):
    """If the data have not been opened, `save_state_now` stores nothing."""
    target = ResumableTarget(sync_backend(), str(tmp_path / "out"), "target out")
    target.save_state_now(b"{}")
    assert names(tmp_path) == []
