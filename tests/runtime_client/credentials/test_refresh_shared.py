"""Tests of threads and tasks that share cached credentials: only one of them refreshes the
credentials.
"""

import os
import threading
import warnings
from copy import copy
from datetime import timedelta

import anyio
import pytest

from sagemaker_runtime_client import CredentialProviderError, RuntimeClientError
from sagemaker_runtime_client._io.on_threads import ThreadLock, sync_backend
from sagemaker_runtime_client._io.run import async_backend
from sagemaker_runtime_client._io.system import System
from tests.runtime_client.credentials.counting import CountingProvider, key
from tests.runtime_client.scripted_io import START


class Clock:
    """A clock that moves only when a test sets it, for a real `System`."""

    elapsed = 0.0

    def now(self):
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return self.elapsed


class ThreadSystem(Clock, System):
    """A `System` for threads with a manual clock."""

    def __init__(self):
        super().__init__(sync_backend)
        self.queued = threading.Semaphore(0)

    def lock(self):
        return CountingLock(self.queued)


class CountingLock(ThreadLock):
    """A lock that counts the threads that have tried to acquire it."""

    def __init__(self, queued):
        super().__init__()
        self.queued = queued

    async def acquire(self):
        self.queued.release()
        await super().acquire()


class TaskSystem(Clock, System):
    """A `System` for tasks with a manual clock."""

    def __init__(self):
        super().__init__(async_backend)


class GatedProvider(CountingProvider):
    """A provider whose `load` waits for an event while `open` is False."""

    def __init__(self, io, event, **options):
        super().__init__(io, **options)
        self.event = event
        self.open = True

    async def load(self):
        self.count += 1
        number = self.count
        if not self.open:
            waiting = self.event.wait()
            if not isinstance(waiting, bool):
                await waiting
        if self.error is not None:
            raise copy(self.error)
        return key(number, self.io.now(), self.lifetime)


def in_threads(count, function, release):
    """Call *function* in *count* threads, call *release*, and return the results and errors."""
    outcomes, started = [], threading.Barrier(count + 1)

    def work():
        started.wait()
        try:
            outcomes.append(function())
        except RuntimeClientError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    started.wait()
    release()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == count
    return outcomes


def parts(credentials):
    """Return the set of numbers that the parts of the credentials contain."""
    return {
        credentials.access_key_id.removeprefix("AKID"),
        credentials.secret_access_key.removeprefix("canary-secret-"),
        credentials.session_token.removeprefix("canary-token-"),
    }


@pytest.mark.parametrize("elapsed", [0, 3600], ids=["first", "at the end"])
def test_threads_share_a_fetch(make_chain, elapsed):
    """200 threads that need credentials cause only one load, and all get the same credentials."""
    io = ThreadSystem()
    gate = GatedProvider(io, threading.Event())
    credentials = make_chain(io, gate)
    if elapsed:
        credentials.get()
    before, gate.open, io.elapsed = gate.count, False, elapsed
    outcomes = in_threads(200, credentials.get, gate.event.set)
    assert gate.count == before + 1
    assert [parts(outcome) for outcome in outcomes] == [{str(gate.count)}] * 200


def test_threads_share_a_failure(make_chain):
    """If a load fails, each thread that waits for it raises its own copy of the error."""
    io = ThreadSystem()
    gate = GatedProvider(io, threading.Event())
    gate.open, gate.error = False, CredentialProviderError("down", provider="process")
    credentials = make_chain(io, gate)

    def release():
        assert all(io.queued.acquire(timeout=30) for _ in range(200))
        gate.event.set()

    outcomes = in_threads(200, credentials.get, release)
    assert {str(outcome) for outcome in outcomes} == {"down"}
    assert len({id(outcome) for outcome in outcomes}) == 200
    assert gate.count == 1


def test_a_refresh_that_hangs(make_chain):
    """While one thread hangs in an advisory refresh, the others use the current credentials."""
    io = ThreadSystem()
    gate = GatedProvider(io, threading.Event())
    credentials = make_chain(io, gate)
    credentials.get()
    gate.open, io.elapsed = False, 3600 - 900
    hanging = threading.Thread(target=credentials.get)
    hanging.start()
    while gate.count == 1:
        pass
    assert [credentials.get().access_key_id for _ in range(100)] == ["AKID1"] * 100
    gate.event.set()
    hanging.join(30)
    assert (credentials.get().access_key_id, gate.count) == ("AKID2", 2)


@pytest.mark.parametrize("elapsed", [0, 3600], ids=["first", "at the end"])
@pytest.mark.anyio
async def test_tasks_share_a_fetch(make_chain, elapsed):
    """200 tasks that need credentials cause only one load, which does not block the event loop."""
    io = TaskSystem()
    gate = GatedProvider(io, anyio.Event())
    credentials = make_chain(io, gate)
    if elapsed:
        await credentials.aget()
    before, gate.open, io.elapsed = gate.count, False, elapsed
    outcomes = []

    async def work():
        outcomes.append(await credentials.aget())

    async with anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(work)
        while gate.count == before:
            await anyio.lowlevel.checkpoint()
        assert outcomes == []
        gate.event.set()
    assert gate.count == before + 1
    assert [parts(outcome) for outcome in outcomes] == [{str(gate.count)}] * 200


@pytest.mark.anyio
async def test_a_task_that_is_cancelled(make_chain):
    """If a task is cancelled during a load, it releases the lock, and the next caller loads again."""
    io = TaskSystem()
    gate = GatedProvider(io, anyio.Event())
    gate.open = False
    credentials = make_chain(io, gate)
    async with anyio.create_task_group() as group:
        group.start_soon(credentials.aget)
        while gate.count == 0:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    gate.open = True
    assert (await credentials.aget()).access_key_id == "AKID2"


@pytest.mark.anyio
async def test_tasks_go_on_while_one_refreshes(make_chain):
    """While one task refreshes the credentials, the other tasks use the current ones."""
    io = TaskSystem()
    gate = GatedProvider(io, anyio.Event())
    credentials = make_chain(io, gate)
    await credentials.aget()
    gate.open, io.elapsed = False, 3600 - 900
    async with anyio.create_task_group() as group:
        group.start_soon(credentials.aget)
        while gate.count == 1:
            await anyio.lowlevel.checkpoint()
        assert (await credentials.aget()).access_key_id == "AKID1"
        gate.event.set()
    assert (await credentials.aget()).access_key_id == "AKID2"


def test_two_event_loops(make_chain):
    """Credentials that were loaded in one event loop are used and refreshed in the next."""
    io = TaskSystem()
    credentials = make_chain(io, CountingProvider(io))
    assert anyio.run(credentials.aget).access_key_id == "AKID1"
    io.elapsed = 3600
    assert anyio.run(credentials.aget).access_key_id == "AKID2"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_real_fork(make_chain):
    """If a process is forked while another thread holds the lock, the child loads its own
    credentials.
    """
    io = ThreadSystem()
    gate = GatedProvider(io, threading.Event())
    credentials = make_chain(io, gate)
    credentials.get()
    gate.open, io.elapsed = False, 3600
    fetching = threading.Thread(target=credentials.get)
    fetching.start()
    while gate.count == 1:
        pass
    # Python warns of a fork while other threads are running.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        child = os.fork()
    if child == 0:
        gate.open = True
        os._exit(0 if credentials.get().access_key_id == "AKID3" else 1)
    assert os.waitpid(child, 0)[1] == 0
    gate.event.set()
    fetching.join(30)
    assert credentials.get().access_key_id == "AKID2"
