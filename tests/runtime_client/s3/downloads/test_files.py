"""Test the files of a download: when they appear, what they contain, and that none remains."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sagemaker_runtime_client import RuntimeClientError, SageMakerRuntimeClient, TargetError
from tests.runtime_client.clients import LOOPS, pointed_at
from tests.runtime_client.s3.downloads.object_server import (
    PART,
    ObjectServer,
    content,
    names,
)

LOCATION = "s3://bucket/key"
BODY = content(4 * PART)


@pytest.fixture
def folder(tmp_path):
    """A folder whose permissions are restored after the test."""
    path = tmp_path / "folder"
    path.mkdir()
    yield path
    path.chmod(0o700)


def refused(driver, target, **options):
    """Check that a download to *target* raises an error before any request, and return the error."""
    with ObjectServer(BODY) as server:
        client = driver.client(**pointed_at(server))
        with pytest.raises(TargetError) as caught:
            client.download(LOCATION, target, **options)
    assert server.requests == []
    return caught.value


@pytest.mark.parametrize("resume", [False, True])
class TestImpossiblePaths:
    def test_missing_folder(self, plain_driver, resume, folder):
        """If the folder of the target is missing, TargetError is raised before any request is sent."""
        error = refused(plain_driver, folder / "a" / "b", resume=resume)
        assert (error.errno, "No such file" in str(error)) == (errno.ENOENT, True)
        assert str(folder / "a" / "b") in str(error)

    def test_folder(self, plain_driver, resume, folder):
        """A target that is a folder is rejected."""
        assert "is a folder, not a file" in str(refused(plain_driver, folder, resume=resume))

    def test_device(self, plain_driver, resume):
        """A target that is the path of a device is rejected."""
        assert "not a regular file" in str(refused(plain_driver, "/dev/null", resume=resume))
        assert Path("/dev/null").is_char_device()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_unwritable_folder(self, plain_driver, resume, folder):
        """If the folder of the target is not writable, an error is raised before any request is
        sent.
        """
        folder.chmod(0o500)
        error = refused(plain_driver, folder / "out", resume=resume)
        assert error.errno == errno.EACCES

    def test_read_only_file_system(self, plain_driver, resume):
        """If no file can be created on the file system, an error is raised before any request is
        sent.
        """
        refused(plain_driver, "/proc/out", resume=resume)


def test_permissions(plain_driver, folder):
    """The new file has the permissions that the umask allows, not those of the replaced file."""
    (folder / "out").write_bytes(b"old")
    (folder / "out").chmod(0o600)
    before = os.umask(0o027)
    try:
        with ObjectServer(BODY) as server:
            plain_driver.client(**pointed_at(server)).download(LOCATION, folder / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640


def test_link(plain_driver, folder):
    """If the target is a symbolic link, the link is replaced, and the linked file is unchanged."""
    (folder / "other").write_bytes(b"other")
    (folder / "out").symlink_to(folder / "other")
    with ObjectServer(BODY) as server:
        plain_driver.client(**pointed_at(server)).download(LOCATION, folder / "out")
    assert (folder / "other").read_bytes() == b"other"
    assert not (folder / "out").is_symlink()


@pytest.mark.parametrize("resume", [False, True])
def test_long_name(plain_driver, resume, folder):
    """A target whose name has 255 bytes is written."""
    name = "ä" * 127 + "n"
    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        client.download(LOCATION, folder / name, resume=resume)
    assert names(folder) == [name]


def test_relative_path(plain_driver, folder, monkeypatch):
    """A relative path, also as a path object with bytes, refers to the working directory."""
    monkeypatch.chdir(folder)
    with ObjectServer(BODY) as server:
        plain_driver.client(**pointed_at(server)).download(LOCATION, "out")
    assert names(folder) == ["out"]


def test_folder_appears(plain_driver, folder):
    """If a folder appears at the target during the download, an error is raised, and no file
    remains.
    """

    def on_progress(done, _total):
        if done == len(BODY):
            (folder / "out").mkdir()

    with ObjectServer(BODY) as server:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(TargetError, match="Is a directory"):
            client.download(LOCATION, folder / "out", on_progress=on_progress)
    assert names(folder) == ["out"]


def test_full_disk(plain_driver):
    """If the disk is full, a TargetError with this reason is raised."""
    with ObjectServer(BODY) as server, Path("/dev/full").open("wb", buffering=0) as file:
        client = plain_driver.client(**pointed_at(server))
        with pytest.raises(TargetError, match="target: the disk is full") as caught:
            client.download(LOCATION, file, part_size=PART)
    assert caught.value.errno == errno.ENOSPC


LIMITED = """
import resource, signal, sys
from sagemaker_runtime_client import SageMakerRuntimeClient, TargetError
from tests.runtime_client.clients import pointed_at
class Server: url = sys.argv[1]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
with SageMakerRuntimeClient(**pointed_at(Server)) as client:
    try:
        client.download("s3://bucket/key", sys.argv[2], part_size=65536)
    except TargetError as error:
        print(error.errno)
"""


def run_program(program, *arguments):
    """Start a Python program in a new process."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_file_limit(folder):
    """If the file exceeds the size limit of the process, TargetError is raised, and no file
    remains.
    """
    with ObjectServer(BODY) as server:
        output, errors = run_program(LIMITED, server.url, folder / "out").communicate(timeout=60)
    assert (output.strip(), errors) == (str(errno.EFBIG), "")
    assert names(folder) == []


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_cancelled(loop, resume, number, folder):
    """If a task is cancelled at any request, no file remains, unless the download is resumable."""
    import anyio

    from sagemaker_runtime_client import AsyncSageMakerRuntimeClient

    stalled = threading.Event()

    def stall(response, connection):
        connection.sendall(response[: len(response) // 2])
        stalled.set()
        connection.recv(1)

    async def main():
        async def download():
            await client.download(
                LOCATION, folder / "out", part_size=PART, concurrency=1, resume=resume
            )

        async with (
            AsyncSageMakerRuntimeClient(**pointed_at(server)) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(download)
            await anyio.to_thread.run_sync(stalled.wait)
            group.cancel_scope.cancel()

    with ObjectServer(BODY, faults={number: stall}) as server:
        anyio.run(main, **loop)
    has_part = resume and number > 1
    assert names(folder) == ([".out.part", ".out.part.json"] if has_part else [])


INTERRUPTED = """
import sys
from sagemaker_runtime_client import SageMakerRuntimeClient
from tests.runtime_client.clients import pointed_at
class Server: url = sys.argv[1]
with SageMakerRuntimeClient(**pointed_at(Server)) as client:
    try:
        client.download("s3://bucket/key", sys.argv[2], part_size=65536, concurrency=2)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("number", range(5))
def test_interrupted(number, folder):
    """If Ctrl-C arrives during any request, no file remains."""
    stalled = threading.Event()

    def stall(response, connection):
        connection.sendall(response[: len(response) // 2])
        stalled.set()
        connection.recv(1)

    with ObjectServer(BODY, faults={number: stall}) as server:
        process = run_program(INTERRUPTED, server.url, folder / "out")
        assert stalled.wait(60)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (output.strip(), errors) == ("interrupted", "")
    assert names(folder) == []


def count_lines(server, path, interrupt_at):
    """Download, and return the number of traced lines; raise KeyboardInterrupt at one of them."""
    lines = 0

    def trace(frame, event, _argument):
        nonlocal lines
        if "sagemaker_runtime_client/_" not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines += 1
            if lines == interrupt_at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    with SageMakerRuntimeClient(**pointed_at(server)) as client:
        client.get_object(LOCATION)
        sys.settrace(trace)
        try:
            client.download(LOCATION, path)
        except (KeyboardInterrupt, RuntimeClientError):
            pass
        finally:
            sys.settrace(None)
    return lines


# An interrupt may occur before a newly opened file or socket is assigned to a variable.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_anywhere(folder):
    """After Ctrl-C at any of the tested lines, there is either no file or the complete one."""
    tracer = sys.gettrace()
    try:
        with ObjectServer(b"body") as server:
            total = count_lines(server, folder / "out", -1)
            (folder / "out").unlink()
            for number in range(1, total, 11):
                count_lines(server, folder / "out", number)
                assert names(folder) in ([], ["out"])
                if names(folder):
                    assert (folder / "out").read_bytes() == b"body"
                    (folder / "out").unlink()
    finally:
        sys.settrace(tracer)
