"""Test that the concurrency backends for threads, asyncio and trio are complete and behave alike."""

import asyncio
import inspect
import os
from functools import partial
from threading import Event
from time import monotonic

import pytest

from sagemaker_runtime_client._io import concurrency
from sagemaker_runtime_client._io.cancellation import StillRunningError
from sagemaker_runtime_client._io.files import FileStream
from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import run
from tests.runtime_client.io.test_streams import serving
from tests.runtime_client.networks import NETWORKS

each_backend = pytest.mark.parametrize(("kind", "drive"), NETWORKS.values(), ids=NETWORKS)


class TaskError(Exception):
    """An error that a task, or the body of its group, raises."""


class Sleeper:
    """A task that sleeps until it is cancelled, and counts how often it has ended."""

    def __init__(self, backend):
        self._backend, self._ends = backend, []

    @property
    def ended(self):
        """How often the task has ended."""
        return len(self._ends)

    async def __call__(self):
        """Sleep for a minute."""
        try:
            await self._backend.sleep(60)
        finally:
            self._ends.append(None)


def members(kind):
    """Return a dict that maps each `Backend` method to its parameter names in *kind*."""
    found = {}
    for name in dir(concurrency.Backend):
        if name[0] != "_":
            parameters = inspect.signature(getattr(kind, name)).parameters
            found[name] = [one for one in parameters if one != "self"]
    return found


@pytest.mark.parametrize("kind", [kind for kind, _ in NETWORKS.values()], ids=NETWORKS)
def test_backends(kind):
    """Each backend has all methods of `Backend`, and for all but five of them, the parameter names
    are compared and are the same.
    """
    protocol, backend = members(concurrency.Backend), members(kind)
    for name in ("event", "loop", "sleep", "lock"):  # these may be classes or library functions
        del protocol[name], backend[name]
    protocol["task_lock"] = backend["task_lock"] = ["limit"]
    assert backend == protocol
    assert isinstance(kind.is_blocking, bool)


@each_backend
def test_group(kind, drive):
    """Leaving a task group waits for all tasks in it, including those that its tasks have started."""
    backend, done = kind(), []

    async def work(number):
        if number == 1:
            group.start(work, 3)
        await backend.sleep(0.01)
        done.append(number)

    async def main():
        nonlocal group
        async with backend.task_group() as group:
            for number in range(3):
                group.start(work, number)
        return sorted(done)

    group = None
    assert drive(main) == [0, 1, 2, 3]


@each_backend
def test_group_cancelled(kind, drive):
    """If a group is cancelled, each of its tasks ends where it is waiting, and no error is raised."""
    backend = kind()
    work = Sleeper(backend)

    async def main():
        async with backend.task_group() as group:
            group.start(work)
            group.start(work)
            await backend.sleep(0.02)
            group.cancel()
            await backend.sleep(0)

    drive(main)
    assert work.ended == 2


@each_backend
@pytest.mark.parametrize("is_within", [True, False], ids=["in a task", "in the body"])
def test_group_with_an_error(kind, drive, is_within):
    """If a task or its group's body raises an error, all tasks end, and the error is raised."""
    backend = kind()
    work = Sleeper(backend)

    async def fail():
        raise TaskError

    async def main():
        async with backend.task_group() as group:
            group.start(work)
            await backend.sleep(0.02)
            if not is_within:
                raise TaskError
            group.start(fail)

    with pytest.raises(TaskError):
        drive(main)
    assert work.ended == 1


@each_backend
def test_group_with_an_error_while_its_body_waits(kind, drive):
    """If a task fails while its group's body waits, the error is raised, not the cancellation."""
    backend = kind()

    async def fail():
        await backend.sleep(0.02)
        raise TaskError

    async def main():
        async with backend.task_group() as group:
            group.start(fail)
            await backend.sleep(0.2)

    with pytest.raises(TaskError):
        drive(main)


@each_backend
def test_two_errors(kind, drive):
    """If several tasks of a group fail, one of their errors is raised, not an exception group."""
    backend = kind()

    async def fail(error):
        raise error

    async def main():
        async with backend.task_group() as group:
            for error in (TaskError(), TaskError()):
                group.start(fail, error)

    with pytest.raises(TaskError):
        drive(main)


@each_backend
def test_started_after_the_end(kind, drive):
    """A task that is added to a cancelled group ends where it first waits, or does not run at all."""
    backend = kind()
    work = Sleeper(backend)

    async def main():
        async with backend.task_group() as group:
            group.cancel()
            group.start(work)

    drive(main)
    assert work.ended <= 1  # a task may be cancelled before it starts


@each_backend
def test_behind_a_cancelled_group(kind, drive):
    """If a group is cancelled while its task waits for an inner group, the task does not continue."""
    backend, went_on = kind(), []

    async def inner():
        await backend.sleep(60)

    async def outer():
        async with backend.task_group() as group:
            group.start(inner)
        went_on.append(1)

    async def main():
        async with backend.task_group() as group:
            group.start(outer)
            await backend.sleep(0.05)
            group.cancel()

    drive(main)
    assert went_on == []


def test_a_group_that_is_opened_too_late():
    """If a thread's group is cancelled, a group that the thread opens later is cancelled, too."""
    backend, is_cancelled, went_on = sync_backend(), Event(), []

    async def outer():
        is_cancelled.wait(10)
        async with backend.task_group() as group:
            group.start(Sleeper(backend))
        went_on.append(1)

    async def main():
        async with backend.task_group() as group:
            group.start(outer)
            group.cancel()
            is_cancelled.set()

    run(main())
    assert went_on == []


def test_a_group_forgets_what_ended():
    """With threads, a group keeps no references to inner groups that have ended."""
    backend, counts = sync_backend(), []

    async def part():
        pass

    async def outer(group):
        for _ in range(3):
            async with backend.task_group() as parts:
                parts.start(part)
            counts.append(len(group._scope._within))

    async def main():
        async with backend.task_group() as group:
            group.start(outer, group)

    run(main())
    assert counts == [0, 0, 0]


def test_a_cancelled_thread_waits_for_no_event():
    """If a group is cancelled while its thread waits for an event, the thread ends."""
    backend, waited = sync_backend(), []

    async def work():
        waited.append(1)
        await backend.event().wait(60)

    async def main():
        async with backend.task_group() as group:
            group.start(work)
            while not waited:
                await backend.sleep(0.001)
            group.cancel()

    run(main())


def test_start_in_a_group_that_ends():
    """On asyncio, starting a task in a group that is ending leaves no coroutine unawaited."""

    async def fail():
        raise TaskError

    async def late(group):
        try:
            await asyncio.sleep(60)
        finally:
            group.start(fail)

    async def main():
        async with AsyncioBackend().task_group() as group:
            group.start(late, group)
            group.start(fail)

    with pytest.raises(TaskError):
        asyncio.run(main())


@each_backend
def test_group_in_a_group(kind, drive):
    """If a group is cancelled, the groups that its tasks have opened are cancelled, too."""
    backend = kind()
    inner = Sleeper(backend)

    async def outer():
        async with backend.task_group() as group:
            group.start(inner)

    async def main():
        async with backend.task_group() as group:
            group.start(outer)
            await backend.sleep(0.05)
            group.cancel()

    drive(main)
    assert inner.ended == 1


@each_backend
@pytest.mark.parametrize("does", ["read", "read_into", "write"])
def test_group_at_a_connection(kind, drive, does):
    """If a group is cancelled, a task that reads or writes on a connection ends immediately."""
    backend, begun = kind(), []

    async def work(stream):
        begun.append(monotonic())
        if does == "write":
            await stream.write(bytes(1 << 26), 60)
        elif does == "read":
            await stream.read(9, 60)
        else:
            await stream.read_into(memoryview(bytearray(9)), 60)

    async def main(port):
        stream = await backend.connect("127.0.0.1", port)
        try:
            async with backend.task_group() as group:
                group.start(work, stream)
                await backend.sleep(0.05)
                group.cancel()
        finally:
            stream.close()

    is_over = Event()
    with serving(lambda _: is_over.wait(30)) as port:
        drive(partial(main, port))
        is_over.set()
    assert begun


def test_cancelled_before_its_start():
    """With threads, a function that is started in a cancelled group does not run."""
    done = []

    async def work():
        done.append(1)  # pragma: no cover (it is not reached)

    async def main():
        async with sync_backend().task_group() as group:
            group.cancel()
            group.start(work)

    run(main())
    assert done == []


def test_an_interrupted_wait_ends_the_group(monkeypatch):
    """If Ctrl-C interrupts a group's wait for its threads, they end, and the interrupt is raised."""
    backend = sync_backend()
    work = Sleeper(backend)

    async def main():
        async with backend.task_group() as group:
            group.start(work)
            (thread,) = group._threads
            join, interrupts = thread.join, [KeyboardInterrupt]

            def interrupted():
                if interrupts:
                    raise interrupts.pop()
                join()

            monkeypatch.setattr(thread, "join", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run(main())
    assert work.ended == 1


@each_backend
def test_time(kind, drive):
    """On event loops, `move_on_after` ends its block, and `finish_by` raises StillRunningError
    while its function continues. With threads, the block and the function run to their end.
    """
    backend, ended = kind(), []

    async def work():
        await backend.sleep(0.05)
        ended.append(1)
        return "done"

    async def main():
        assert await backend.finish_by(60, work) == "done"
        if backend.is_blocking:
            async with backend.move_on_after(0.01):
                return await backend.finish_by(0, work) == "done"
        async with backend.move_on_after(0.01):
            await backend.sleep(60)
        with pytest.raises(StillRunningError):
            await backend.finish_by(0.01, work)
        await backend.sleep(0.2)
        return True

    assert drive(main)
    assert ended == [1, 1]


@each_backend
def test_locks(kind, drive):
    """A lock has at most one holder. On event loops, a task lock with limit 2 has at most two
    holders; with threads, it can have any number.
    """
    backend = kind()

    async def main():
        lock = backend.lock()
        await lock.acquire()
        held = lock.acquire_nowait()
        lock.release()
        free = lock.acquire_nowait()
        pair = backend.task_lock(2)
        acquired = [pair.acquire_nowait() for _ in range(3)]
        for _ in range(2):
            pair.release()
        await pair.acquire()
        pair.release()
        return held, free, acquired

    assert drive(main) == (False, True, [True, True, kind().is_blocking])


@each_backend
def test_file(kind, drive, tmp_path):
    """Several tasks can write parts of one file concurrently, and any part can be read."""
    backend, path = kind(), tmp_path / "file"

    async def main():
        file = await FileStream.open(backend, path, "w+b")
        async with backend.task_group() as group:
            for number in (3, 1, 0, 2):
                group.start(file.write_at, number * 4, b"%d..." % number)
        await file.sync()
        size, middle = await file.size(), await file.read_at(4, 8)
        end = await file.read_at(12, 99)
        await file.close()
        return size, middle, end

    assert drive(main) == (16, b"1...2...", b"3...")
    assert path.read_bytes() == b"0...1...2...3..."


@each_backend
def test_full_disk(kind, drive):
    """Writing to a full disk raises an OSError in the task that writes."""
    backend = kind()

    async def main():
        file = await FileStream.open(backend, "/dev/full", "r+b")
        try:
            await file.write_at(0, b"x")
        finally:
            await file.close()

    with pytest.raises(OSError, match=os.strerror(28)):
        drive(main)


def test_a_file_that_is_closed_in_the_meantime(tmp_path):
    """If a write is cancelled and its file is closed, the write does not go to another file that
    gets the same descriptor number.
    """
    path, other, go_on = tmp_path / "file", tmp_path / "other", Event()

    def slow_write(descriptor):
        go_on.wait(10)
        os.pwrite(descriptor, b"of a file", 0)

    async def main():
        file = await FileStream.open(AsyncioBackend(), path, "w+b")
        number = file._file.fileno()
        task = asyncio.create_task(file._do(slow_write))
        await asyncio.sleep(0.05)
        task.cancel()
        await file.close()
        descriptor = os.open(other, os.O_CREAT | os.O_RDWR)
        assert descriptor == number
        go_on.set()
        await asyncio.get_running_loop().shutdown_default_executor()
        os.close(descriptor)

    asyncio.run(main())
    assert (path.read_bytes(), other.read_bytes()) == (b"of a file", b"")
