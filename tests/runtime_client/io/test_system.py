"""Test `System` for threads and tasks: files, processes, locks and clocks."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io.generation import generation
from sagemaker_runtime_client._io.message import Request
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.processes import _Program
from sagemaker_runtime_client._io.run import async_backend, run
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._io.transport import Transport

UNPRIVILEGED = 65534


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["blocking", "asyncio", "trio"])
def system(request):
    """A `System`, and a function that runs its coroutine functions on the right backend."""
    if request.param is None:
        return System(sync_backend), lambda call, *args: run(call(*args))
    io = System(async_backend)
    return io, lambda call, *args: anyio.run(call, *args, backend=request.param)


def test_files(system, tmp_path):
    """A file is written atomically, missing folders are created, only the owner can read the file,
    and `read_file` returns its content.
    """
    io, call = system
    path = tmp_path / "new" / "folder" / "file"
    call(io.write_file, str(path), b"one")
    call(io.write_file, str(path), b"two")
    assert call(io.read_file, str(path), 9) == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_no_file(system, tmp_path):
    """Reading a file returns None if the file does not exist or its parent is a file."""
    io, call = system
    (tmp_path / "file").touch()
    assert call(io.read_file, str(tmp_path / "none"), 9) is None
    assert call(io.read_file, str(tmp_path / "file" / "none"), 9) is None


@pytest.fixture
def somewhere():
    """A folder that every user may enter (unlike pytest's folders), and a function that drops
    privileges.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        user = os.geteuid()
        yield folder, lambda: os.seteuid(user or UNPRIVILEGED)
        os.seteuid(user)


def test_permissions(system, somewhere):
    """Reading a file without permission raises a PermissionError.

    If the folder may not be entered, the file counts as missing.
    """
    io, call = system
    folder, drop_privileges = somewhere
    home = folder / "home"
    home.mkdir()
    (home / "file").write_text("text")
    assert call(io.read_file, str(home / "file"), 9) == b"text"
    (home / "file").chmod(0)
    drop_privileges()
    with pytest.raises(PermissionError):
        call(io.read_file, str(home / "file"), 9)
    os.seteuid(os.getuid())
    home.chmod(0)
    drop_privileges()
    assert call(io.read_file, str(home / "file"), 9) is None


def test_a_file_that_cannot_be_replaced(system, tmp_path):
    """If a file cannot be written, no temporary file is left behind."""
    io, call = system
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        call(io.write_file, str(tmp_path / "folder"), b"text")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_processes(system):
    """A process runs without a shell and without input, and its status, stdout and stderr are
    returned.
    """
    io, call = system
    program = "import sys; print(repr(sys.stdin.read()), sys.argv[1:]); sys.exit('why')"
    done = call(io.run_process, [sys.executable, "-c", program, "$HOME;"], 99)
    assert (done.status, done.stdout, done.stderr) == (1, b"'' ['$HOME;']\n", b"why\n")
    assert "why" not in repr(done)


def test_files_are_bounded(system, tmp_path):
    """If a file is larger than the limit, reading it raises an error, even if the file is endless."""
    io, call = system
    path = tmp_path / "file"
    path.write_bytes(b"12345678")
    assert call(io.read_file, str(path), 8) == b"12345678"
    for endless in (path, Path("/dev/zero")):
        with pytest.raises(OSError, match="more than 7 bytes"):
            call(io.read_file, str(endless), 7)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    "command", ["yes >&{0}", "sleep 600 & yes >&{0}", "trap '' PIPE; while :; do echo >&{0}; done"]
)
def test_endless_output(system, stream, command):
    """If a process writes too much, it is killed and an error is raised, even if a child process
    keeps the pipe open or the process ignores SIGPIPE.
    """
    io, call = system
    command = command.format({"stdout": 1, "stderr": 2}[stream])
    with pytest.raises(OSError, match="more than 65,536 bytes"):
        call(io.run_process, ["sh", "-c", f"echo $$ >$0; exec 3>&-; {command}", os.devnull], 65_536)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_process_ends_with_its_task(backend, tmp_path):
    """If a task that runs a process is cancelled, the process is killed."""
    io = System(async_backend)
    path = tmp_path / "open"
    os.mkfifo(path)

    async def start():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(io.run_process, ["sh", "-c", f"exec sleep 60 >{path}"], 99)
            # Opening the pipe for reading returns only after the process has opened it for writing.
            file = await anyio.to_thread.run_sync(path.open, "rb")
            tasks.cancel_scope.cancel()
        return file

    with anyio.run(start, backend=backend) as file:
        assert file.read() == b""


def test_a_process_that_is_killed_before_its_start():
    """If `kill` is called before `run` has started the process, the process is never started."""
    program = _Program()
    program.kill()
    assert program.run(["/no/such/program"], 99).status == -signal.SIGKILL


def test_an_interrupt_kills_the_process(tmp_path):
    """If Ctrl-C interrupts the wait for a process, the wait ends, and the process is killed."""
    program = (
        "import signal, sys\nfrom sagemaker_runtime_client._io.run import run\n"
        "from sagemaker_runtime_client._io.system import System\n"
        "from sagemaker_runtime_client._io.on_threads import sync_backend\n"
        "command = ['sh', '-c', 'echo $$ >$0; read x <$1', *sys.argv[1:]]\n"
        "try:\n    run(System(sync_backend).run_process(command, 99))\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    out, block = tmp_path / "out", tmp_path / "block"
    for path in (out, block):
        os.mkfifo(path)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(out), str(block)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    number = int(out.read_text())
    while len(list(Path(f"/proc/{process.pid}/task").iterdir())) < 3:  # until the wait has begun
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0] == b"interrupted\n"
    assert not Path(f"/proc/{number}").exists()


def test_locks(system):
    """While a lock is held, `acquire_nowait` returns False."""
    io, call = system

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

    if io.backend is sync_backend:
        assert call(use) == (False, True)
    else:
        assert call(refused) == [False]


def test_a_lock_in_two_loops():
    """If a lock is still held in an event loop that has ended, it can be acquired in another event
    loop.
    """
    lock = System(async_backend).lock()

    async def take():
        await lock.acquire()
        return True

    assert anyio.run(take)
    assert anyio.run(take)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_timeout_of_a_user_supplied_client(backend):
    """If a hook of a user-supplied client raises a TimeoutError, this error is raised unchanged and
    is not mistaken for the request's time limit.
    """

    async def hook(_request):
        raise TimeoutError("of the hook")

    async def main():
        async with httpx.AsyncClient(event_hooks={"request": [hook]}, trust_env=False) as client:
            transport, ends = Transport(async_backend, client), System.monotonic() + 60
            await transport.send("http://127.0.0.1:1", lambda: Request("GET", "/"), ends)

    with pytest.raises(TimeoutError, match="of the hook"):
        anyio.run(main, backend=backend)


def test_home_and_generation(system, monkeypatch):
    """`home` returns the home directory from the environment, and `generation` returns the
    generation of the process.
    """
    io, _ = system
    monkeypatch.setenv("HOME", "/home/user")
    assert (io.home(), io.generation()) == ("/home/user", generation())


def test_time_and_random_numbers():
    """`System` provides a timezone-aware time, a monotonic clock, random numbers in [0, 1), UUIDs
    and the environment.
    """
    io = System(async_backend)
    assert io.now().tzinfo is not None
    assert io.monotonic() <= io.monotonic()
    numbers = {io.random() for _ in range(100)}
    assert len(numbers) == 100
    assert all(0 <= number < 1 for number in numbers)
    assert io.uuid() != io.uuid()
    assert io.environ is os.environ
