"""Credentials that are kept while they last: when they are fetched anew, by whom, and what failing does."""

import logging
import os
import threading
import warnings
from copy import copy
from datetime import timedelta

import anyio
import pytest

from sagemaker_runtime_client import (
    CredentialProviderError,
    CredentialsError,
    NoCredentialsError,
    RuntimeClientError,
)
from sagemaker_runtime_client._io.message import TransportOptions
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client._io.system import AsyncIO, BlockingIO
from sagemaker_runtime_client._io.system import _ThreadLock as ThreadLock
from sagemaker_runtime_client._io.transport import AsyncTransport, BlockingTransport
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials import ChainCredentials, Context
from sagemaker_runtime_client.credentials import _refresh as refresh
from sagemaker_runtime_client.credentials._chain import PROVIDERS, ResolvedCredentials
from sigv4 import Credentials
from tests.runtime_client.scripted_io import START, ScriptedIO


class Fetches:
    """A source that counts, and hands out keys numbered from 1 that live for some seconds."""

    name = "process"

    def __init__(self, io, lifetime=3600.0, source="process"):
        self.io = io
        self.lifetime = lifetime
        self.source = PROVIDERS[source]
        self.count = 0
        self.trouble = None

    async def load(self):
        self.count += 1
        if self.trouble is not None:
            raise self.trouble
        return key(self.count, self.io.now(), self.lifetime)


def key(number, now, lifetime):
    """Return a whole key, each part of which has its number."""
    ends = None if lifetime is None else now + timedelta(seconds=lifetime)
    return Credentials(f"AKID{number}", f"canary-secret-{number}", f"canary-token-{number}", ends)


@pytest.fixture
def make(monkeypatch):
    """Return a function that makes credentials over a source in place of the chain."""

    def make(io, source):
        async def context():
            return Context(io, Config(), Profiles())

        async def search(_context):
            credentials = await source.load()
            return ResolvedCredentials(credentials, source.source, source)

        # The search itself has its own tests; here it is one source, whichever is asked.
        monkeypatch.setattr(refresh, "search", search)
        return ChainCredentials(io, context)

    return make


def at(io, seconds):
    """Move the clock to *seconds* since the start."""
    io.elapsed = float(seconds)


@pytest.mark.parametrize(
    ("source", "lifetime", "due", "overdue"),
    [
        ("process", 6 * 3600, 900, 600),
        ("process", 3600, 900, 450),
        ("process", 900, 225, 112.5),
        ("process", 60, 15, 7.5),
        ("login", 900, 300, 112.5),
        ("login", 300, 150, 37.5),
    ],
)
def test_windows(make, source, lifetime, due, overdue):
    """A refresh is tried so many seconds before the end, and insisted on so many."""
    io = ScriptedIO()
    fetches = Fetches(io, lifetime, source)
    credentials = make(io, fetches)
    credentials.get()
    fetches.trouble = CredentialProviderError("down", provider="process")
    at(io, lifetime - due - 1)
    assert ("AKID1", 1) == (credentials.get().access_key_id, fetches.count)
    at(io, lifetime - due)
    assert ("AKID1", 2) == (credentials.get().access_key_id, fetches.count)
    at(io, lifetime - overdue - 0.5)
    assert "AKID1" == credentials.get().access_key_id
    at(io, lifetime - overdue)
    with pytest.raises(CredentialProviderError, match="down"):
        credentials.get()


def test_short_keys_are_fetched_once():
    """A key for 900 seconds that is used 1,000 times before it is due is fetched once."""
    written = b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "SessionToken": "t",'
    written += b' "Expiration": "2026-11-22T12:15:00Z"}'
    io = ScriptedIO(processes={"vault": Finished(0, written, b"")})
    profiles = Profiles({"default": {"credential_process": "vault"}})

    async def context():
        return Context(io, Config(), profiles)

    credentials = ChainCredentials(io, context)
    for number in range(1000):
        at(io, number * 0.6)
        assert "AKID" == credentials.get().access_key_id
    assert [["vault"]] == io.ran


def test_endless_keys_are_fetched_once(make):
    """A key without an end is not fetched again."""
    io = ScriptedIO()
    fetches = Fetches(io, None)
    credentials = make(io, fetches)
    credentials.get()
    at(io, 1e8)
    assert ("AKID1", 1) == (credentials.get().access_key_id, fetches.count)


def test_failures_while_there_is_time(make, caplog):
    """For ten minutes of failures what there is serves, with one attempt a minute, each logged."""
    io = ScriptedIO()
    fetches = Fetches(io, 24 * 3600)
    credentials = make(io, fetches)
    credentials.get()
    fetches.trouble = CredentialProviderError("the vault is shut", provider="process")
    begin = 24 * 3600 - 900
    with caplog.at_level(logging.WARNING, "sagemaker_runtime_client"):
        for second in range(299):
            at(io, begin + second)
            assert "AKID1" == credentials.get().access_key_id
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert 5 == len(warnings) == fetches.count - 1
    assert "the vault is shut; what there is serves until" in caplog.text
    assert "canary" not in caplog.text
    fetches.trouble = None
    at(io, begin + 299)
    assert "AKID1" == credentials.get().access_key_id
    at(io, begin + 300)
    assert "AKID7" == credentials.get().access_key_id


def test_failures_without_time(make):
    """For ten minutes of failures at the end each call fails, and the next success serves."""
    io = ScriptedIO()
    fetches = Fetches(io, 3600)
    credentials = make(io, fetches)
    credentials.get()
    fetches.trouble = OSError("secret1 is in here")
    for minute in range(10):
        at(io, 3600 + 60 * minute)
        with pytest.raises(CredentialProviderError) as caught:
            credentials.get()
        assert "the source of credentials failed: OSError" == str(caught.value)
        assert "process" == caught.value.provider
    fetches.trouble = None
    assert "AKID12" == credentials.get().access_key_id


def test_first_failure_of_a_source(make):
    """What a source raises that is none of our errors becomes one, at the first search as well."""
    io = ScriptedIO()
    fetches = Fetches(io)
    fetches.trouble = KeyError("secret")
    with pytest.raises(CredentialProviderError, match=r"^the source of credentials failed: KeyErr"):
        make(io, fetches).get()


def test_a_source_that_dries_up(make):
    """A source that has nothing any more is broken, and no other is asked in its place."""
    io = ScriptedIO()
    fetches = Fetches(io, 60)
    credentials = make(io, fetches)
    credentials.get()

    async def nothing():
        return None

    fetches.load = nothing
    at(io, 60)
    with pytest.raises(CredentialProviderError, match="process had credentials before"):
        credentials.get()


def test_rubbish(make):
    """Credentials that have ended when they arrive are refused."""
    io = ScriptedIO()
    with pytest.raises(CredentialProviderError, match=r"process returned credentials that ended"):
        make(io, Fetches(io, -1)).get()


@pytest.mark.parametrize(("random", "pause"), [(0.0, 120), (0.5, 360)])
def test_static_stability(make, caplog, random, pause):
    """An instance's keys outlast their end while its service is down, which is asked now and then."""
    io = ScriptedIO(random=random)
    fetches = Fetches(io, 6 * 3600, "instance-metadata")
    credentials = make(io, fetches)
    credentials.get()
    fetches.trouble = CredentialProviderError("no answer", provider="instance-metadata")
    at(io, 6 * 3600 + 5)
    for _ in range(3):
        kept = credentials.get()
        assert ("AKID1", 2) == (kept.access_key_id, fetches.count)
        assert not kept.expired(io.now())
    assert "no answer; its credentials are kept for now" in caplog.text
    at(io, 6 * 3600 + 5 + pause - 1)
    assert ("AKID1", 2) == (credentials.get().access_key_id, fetches.count)
    at(io, 6 * 3600 + 5 + pause)
    assert ("AKID1", 3) == (credentials.get().access_key_id, fetches.count)
    fetches.trouble = None
    at(io, 7 * 3600)
    assert "AKID4" == credentials.get().access_key_id


def test_variables_are_looked_at_anew():
    """Keys in variables are not kept; where they go, the search begins again."""
    environ = {"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "canary-secret"}
    io = ScriptedIO(environ=environ)
    profiles = Profiles(
        {"default": {"aws_access_key_id": "AKID3", "aws_secret_access_key": "canary-secret"}}
    )

    async def context():
        return Context(io, Config(), profiles)

    credentials = ChainCredentials(io, context)
    first = credentials.get()
    assert "AKID1" == first.access_key_id
    assert first is credentials.get()  # with the day's key, which takes as long as a signature
    environ["AWS_ACCESS_KEY_ID"] = "AKID2"
    second = credentials.get()
    assert "AKID2" == second.access_key_id
    assert second is credentials.get()
    del environ["AWS_ACCESS_KEY_ID"]
    assert "AKID3" == credentials.get().access_key_id


def test_nothing_after_a_fork(make):
    """A child fetches its own, even if its parent's lock was taken when it was born."""
    io = ScriptedIO()
    fetches = Fetches(io)
    credentials = make(io, fetches)
    credentials.get()
    assert credentials._lock.acquire_nowait()
    io.life = 2
    assert "AKID2" == credentials.get().access_key_id
    assert "AKID2" == credentials.get().access_key_id


def test_somebody_was_faster(make):
    """Who gets to refresh when another one has just done so takes what that one got."""

    class Late:
        """A lock that is free once another one has refreshed."""

        def __init__(self, lock):
            self.lock = lock

        def acquire_nowait(self):
            credentials._lock = self.lock
            credentials.get()
            return self.lock.acquire_nowait()

        def release(self):
            self.lock.release()

    io = ScriptedIO()
    fetches = Fetches(io)
    credentials = make(io, fetches)
    credentials.get()
    credentials._lock = Late(credentials._lock)
    at(io, 3600 - 900)
    assert ("AKID2", 2) == (credentials.get().access_key_id, fetches.count)


class Clock:
    """A clock that only moves when told, for the real outside world."""

    elapsed = 0.0

    def now(self):
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return self.elapsed


class Threads(Clock, BlockingIO):
    """The outside world for threads, with such a clock."""

    def __init__(self):
        super().__init__(BlockingTransport(TransportOptions))
        self.queued = threading.Semaphore(0)

    def lock(self):
        return Queue(self.queued)


class Queue(ThreadLock):
    """A lock that counts who has come to wait for it."""

    def __init__(self, queued):
        super().__init__()
        self.queued = queued

    async def acquire(self):
        self.queued.release()
        await super().acquire()


class Tasks(Clock, AsyncIO):
    """The outside world for tasks, with such a clock."""

    def __init__(self):
        super().__init__(AsyncTransport(TransportOptions))


class Gate(Fetches):
    """A source that waits until it is told to go on."""

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
        if self.trouble is not None:
            raise copy(self.trouble)
        return key(number, self.io.now(), self.lifetime)


def in_threads(count, function, release):
    """Run *function* in so many threads at once, let them go on, and return what came."""
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
    assert count == len(outcomes)
    return outcomes


def parts(credentials):
    """Return the numbers in a key's parts."""
    return {
        credentials.access_key_id.removeprefix("AKID"),
        credentials.secret_access_key.removeprefix("canary-secret-"),
        credentials.session_token.removeprefix("canary-token-"),
    }


@pytest.mark.parametrize("elapsed", [0, 3600], ids=["first", "at the end"])
def test_threads_share_a_fetch(make, elapsed):
    """200 threads that need a key cause one fetch, and all get the whole of the same key."""
    io = Threads()
    gate = Gate(io, threading.Event())
    credentials = make(io, gate)
    if elapsed:
        credentials.get()
    before, gate.open, io.elapsed = gate.count, False, elapsed
    outcomes = in_threads(200, credentials.get, gate.event.set)
    assert before + 1 == gate.count
    assert [{str(gate.count)}] * 200 == [parts(outcome) for outcome in outcomes]


def test_threads_share_a_failure(make):
    """Those that wait for a fetch that fails share its failure, each with a copy of his own."""
    io = Threads()
    gate = Gate(io, threading.Event())
    gate.open, gate.trouble = False, CredentialProviderError("down", provider="process")
    credentials = make(io, gate)

    def release():
        assert all(io.queued.acquire(timeout=30) for _ in range(200))
        gate.event.set()

    outcomes = in_threads(200, credentials.get, release)
    assert {"down"} == {str(outcome) for outcome in outcomes}
    assert len({id(outcome) for outcome in outcomes}) == 200
    assert 1 == gate.count


def test_a_refresh_that_hangs(make):
    """While one thread hangs in a refresh that is merely due, the others go on with what there is."""
    io = Threads()
    gate = Gate(io, threading.Event())
    credentials = make(io, gate)
    credentials.get()
    gate.open, io.elapsed = False, 3600 - 900
    hanging = threading.Thread(target=credentials.get)
    hanging.start()
    while gate.count == 1:
        pass
    assert ["AKID1"] * 100 == [credentials.get().access_key_id for _ in range(100)]
    gate.event.set()
    hanging.join(30)
    assert ("AKID2", 2) == (credentials.get().access_key_id, gate.count)


@pytest.mark.parametrize("elapsed", [0, 3600], ids=["first", "at the end"])
@pytest.mark.anyio
async def test_tasks_share_a_fetch(make, elapsed):
    """200 tasks that need a key cause one fetch, which does not block the loop."""
    io = Tasks()
    gate = Gate(io, anyio.Event())
    credentials = make(io, gate)
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
        assert [] == outcomes
        gate.event.set()
    assert before + 1 == gate.count
    assert [{str(gate.count)}] * 200 == [parts(outcome) for outcome in outcomes]


@pytest.mark.anyio
async def test_a_task_that_is_cancelled(make):
    """A fetch that is cancelled leaves the lock to the next, who fetches himself."""
    io = Tasks()
    gate = Gate(io, anyio.Event())
    gate.open = False
    credentials = make(io, gate)
    async with anyio.create_task_group() as group:
        group.start_soon(credentials.aget)
        while gate.count == 0:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    gate.open = True
    assert "AKID2" == (await credentials.aget()).access_key_id


@pytest.mark.anyio
async def test_tasks_go_on_while_one_refreshes(make):
    """While one task refreshes, the others go on with what there is."""
    io = Tasks()
    gate = Gate(io, anyio.Event())
    credentials = make(io, gate)
    await credentials.aget()
    gate.open, io.elapsed = False, 3600 - 900
    async with anyio.create_task_group() as group:
        group.start_soon(credentials.aget)
        while gate.count == 1:
            await anyio.lowlevel.checkpoint()
        assert "AKID1" == (await credentials.aget()).access_key_id
        gate.event.set()
    assert "AKID2" == (await credentials.aget()).access_key_id


def test_two_event_loops(make):
    """Credentials that were fetched in one event loop serve in the next."""
    io = Tasks()
    credentials = make(io, Fetches(io))
    assert "AKID1" == anyio.run(credentials.aget).access_key_id
    io.elapsed = 3600
    assert "AKID2" == anyio.run(credentials.aget).access_key_id


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_real_fork(make):
    """A child that is forked while another thread is fetching, and has the lock, fetches for itself."""
    io = Threads()
    gate = Gate(io, threading.Event())
    credentials = make(io, gate)
    credentials.get()
    gate.open, io.elapsed = False, 3600
    fetching = threading.Thread(target=credentials.get)
    fetching.start()
    while gate.count == 1:
        pass
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of the threads
        child = os.fork()
    if child == 0:
        gate.open = True
        os._exit(0 if credentials.get().access_key_id == "AKID3" else 1)
    assert 0 == os.waitpid(child, 0)[1]
    gate.event.set()
    fetching.join(30)
    assert "AKID2" == credentials.get().access_key_id


def test_errors_are_ours():
    """Nothing found is an error that lists what was tried."""
    io = ScriptedIO(environ={"AWS_EC2_METADATA_DISABLED": "true"})

    async def context():
        return await Context.load(io, {})

    with pytest.raises(NoCredentialsError) as caught:
        ChainCredentials(io, context).get()
    assert tuple(PROVIDERS) == caught.value.tried
    assert isinstance(caught.value, CredentialsError)
    for source in PROVIDERS.values():
        assert source.absent.format(profile="default") in str(caught.value)
