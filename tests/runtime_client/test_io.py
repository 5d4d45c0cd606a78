"""The outside world, in both colours: files, programs, locks."""

import os
import stat
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx
import pytest

from sagemaker_runtime_client._generation import generation
from sagemaker_runtime_client._http import Request, TransportOptions
from sagemaker_runtime_client._io import AsyncIO, BlockingIO
from sagemaker_runtime_client._step import run
from sagemaker_runtime_client._transport import AsyncTransport, BlockingTransport

NOBODY = 65534


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["blocking", "asyncio", "trio"])
def world(request):
    """Return an outside world, and what runs a coroutine function of its in the right way."""
    if request.param is None:
        return BlockingIO(BlockingTransport(TransportOptions)), lambda call, *args: run(call(*args))
    io = AsyncIO(AsyncTransport(TransportOptions))
    return io, lambda call, *args: anyio.run(call, *args, backend=request.param)


def test_files(world, tmp_path):
    """A file is written as a whole, for its owner alone, in a folder that is made; and read."""
    io, call = world
    path = tmp_path / "new" / "folder" / "file"
    call(io.write_file, str(path), b"one")
    call(io.write_file, str(path), b"two")
    assert b"two" == call(io.read_file, str(path))
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(path.parent.iterdir())


def test_no_file(world, tmp_path):
    """A file that is not there is None, as is one below what is no folder."""
    io, call = world
    (tmp_path / "file").touch()
    assert call(io.read_file, str(tmp_path / "none")) is None
    assert call(io.read_file, str(tmp_path / "file" / "none")) is None


@pytest.fixture
def somewhere():
    """A folder that any user may enter, unlike pytest's, while the process has no privileges."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        user = os.geteuid()
        yield folder, lambda: os.seteuid(user or NOBODY)
        os.seteuid(user)


def test_permissions(world, somewhere):
    """A file that may not be read is an error; in a folder that may not be entered there is none."""
    io, call = world
    folder, drop_privileges = somewhere
    home = folder / "home"
    home.mkdir()
    (home / "file").write_text("text")
    assert b"text" == call(io.read_file, str(home / "file"))
    (home / "file").chmod(0)
    drop_privileges()
    with pytest.raises(PermissionError):
        call(io.read_file, str(home / "file"))
    os.seteuid(os.getuid())
    home.chmod(0)
    drop_privileges()
    assert call(io.read_file, str(home / "file")) is None


def test_a_file_that_cannot_be_replaced(world, tmp_path):
    """A write that fails leaves nothing behind."""
    io, call = world
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        call(io.write_file, str(tmp_path / "folder"), b"text")
    assert [tmp_path / "folder"] == list(tmp_path.iterdir())


def test_programs(world):
    """A program gets no input and no shell; its status and both its outputs come back."""
    io, call = world
    program = "import sys; print(repr(sys.stdin.read()), sys.argv[1:]); sys.exit('why')"
    done = call(io.run_process, [sys.executable, "-c", program, "$HOME;"])
    assert (1, b"'' ['$HOME;']\n", b"why\n") == (done.status, done.stdout, done.stderr)
    assert "why" not in repr(done)


def test_locks(world):
    """A lock is taken by one at a time."""
    io, call = world

    async def use():
        lock = io.lock()
        await lock.acquire()
        taken = lock.acquire_nowait()
        lock.release()
        free = lock.acquire_nowait()
        lock.release()
        return taken, free

    async def refused():
        lock, outcomes = io.lock(), []
        await lock.acquire()

        async def other():
            outcomes.append(lock.acquire_nowait())

        async with anyio.create_task_group() as group:
            group.start_soon(other)
        return outcomes

    if isinstance(io, BlockingIO):
        assert (False, True) == call(use)
    else:
        assert [False] == call(refused)


def test_a_lock_in_two_loops():
    """What one event loop has taken does not hold up another one."""
    lock = AsyncIO(AsyncTransport(TransportOptions)).lock()

    async def take():
        await lock.acquire()
        return True

    assert anyio.run(take)
    assert anyio.run(take)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_time_limit_of_somebody_else(backend):
    """A TimeoutError from a client that was brought in is not taken for the end of our time."""

    async def hook(_request):
        raise TimeoutError("of the hook")

    async def main():
        async with httpx.AsyncClient(event_hooks={"request": [hook]}, trust_env=False) as client:
            io = AsyncIO(AsyncTransport(TransportOptions, client))
            await io.send("http://127.0.0.1:1", lambda: Request("GET", "/"), io.monotonic() + 60)

    with pytest.raises(TimeoutError, match="of the hook"):
        anyio.run(main, backend=backend)


def test_surroundings(world, monkeypatch):
    """The user's folder and the generation are the system's."""
    io, _ = world
    monkeypatch.setenv("HOME", "/home/somebody")
    assert ("/home/somebody", generation()) == (io.home(), io.generation())
