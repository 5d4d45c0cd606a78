"""Tests of errors and interrupts during a submission.

The exception must identify the job that may be queued.
"""

import asyncio
import pickle
from datetime import timedelta
from threading import Event

import pytest
import trio

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    Invocation,
    ParamValidationError,
    RequestValidationError,
    RuntimeClientError,
    SageMakerRuntimeClient,
    TransportError,
    WaitTimeoutError,
)
from tests.runtime_client.loopback import Loopback
from tests.runtime_client.scripted_io import (
    START,
    FakeS3,
    Response,
    ScriptedIO,
    accepted,
    core,
    dropped,
    run,
)
from tests.runtime_client.test_cycles import settings

ID = "00000000-0000-4000-8000-00000000000"
REJECTED = Response(400, (), b'{"__type":"ValidationError"}')
OUT = "s3://bucket/out/1.out"


def invoke(client):
    """Queue a job with invoke_endpoint_async."""
    return client.invoke_endpoint_async("e", body=b"x")


def submit(client):
    """Upload a payload to S3, and queue a job."""
    return client.submit("e", b"x", inline=False, input_prefix="s3://bucket/in")


def infer(client):
    """Queue a job and wait for its output."""
    return client.infer("e", b"x", timeout=5)


calls = pytest.mark.parametrize("call", [invoke, submit, infer])


def raising(error):
    """Return a function for `ScriptedIO` that accepts an upload, but raises *error* for the request
    that queues the job.
    """

    def answer(_io, sent):
        if sent.request.method == "PUT":
            return Response(200, (), b"")
        raise error

    return answer


def caught(call, answers, kind=RuntimeClientError, **arguments):
    """Return the exception that a call raises if the service sends the given scripted responses."""
    with pytest.raises(kind) as caught:
        run(call(core(ScriptedIO(answers), **arguments)))
    return caught.value


@calls
def test_an_ambiguous_failure_names_the_job(call):
    """If an error leaves open whether a job is queued, it has the job's inference ID and a note.

    The inference ID is kept if the error is pickled.
    """
    error = caught(call, raising(dropped()), TransportError, max_attempts=1)
    assert error.inference_id.startswith(ID)
    assert error.possibly_accepted
    assert error.invocation is None
    assert pickle.loads(pickle.dumps(error)).inference_id == error.inference_id
    assert error.__notes__ == [
        f"the job may have been queued, under inference id {error.inference_id}"
    ]


@calls
@pytest.mark.parametrize("kind", [KeyboardInterrupt, asyncio.CancelledError, MemoryError])
def test_an_interrupt_after_the_request_was_sent_names_the_job(call, kind):
    """If a call is interrupted after the job request was sent, the exception has the job's
    inference ID and a note.
    """
    error = caught(call, raising(kind()), kind)
    assert error.inference_id.startswith(ID)
    assert error.__notes__ == [
        f"the job may have been queued, under inference id {error.inference_id}"
    ]


def test_an_interrupt_between_two_attempts():
    """If a call is interrupted during the pause after an attempt that the service may have
    accepted, the exception has the job's inference ID.
    """
    io = ScriptedIO([dropped()])

    async def interrupted(_seconds):
        raise KeyboardInterrupt

    io.sleep = interrupted
    with pytest.raises(KeyboardInterrupt) as caught:
        run(invoke(core(io)))
    assert caught.value.inference_id == f"{ID}1"


@pytest.mark.parametrize("first", [REJECTED, dropped(accepted=False)])
def test_a_job_that_was_not_accepted_is_not_named(first):
    """If the job cannot have been queued, neither an error nor an interrupt has an inference ID."""
    error = caught(invoke, [first], max_attempts=1)
    assert error.inference_id is None
    assert not hasattr(error, "__notes__")
    io = ScriptedIO([Response(503, (), b"{}")])

    async def interrupted(_seconds):
        raise KeyboardInterrupt

    io.sleep = interrupted
    with pytest.raises(KeyboardInterrupt) as interrupt:
        run(invoke(core(io)))
    assert not hasattr(interrupt.value, "inference_id")


def test_an_interrupt_before_anything_is_sent():
    """If a call is interrupted before anything was sent, the exception has no note about a job."""

    def keys():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run(core(ScriptedIO([]), keys).invoke_endpoint_async("e", body=b"x"))
    assert not hasattr(caught.value, "__notes__")


def test_rejections_name_no_job():
    """If the client or the service rejects a submission, the error has no inference ID."""
    assert caught(lambda c: c.submit("e", b""), [], ParamValidationError).inference_id is None
    assert caught(invoke, [REJECTED], RequestValidationError).inference_id is None


def test_an_error_of_a_wait_names_the_job():
    """A timeout error or an interrupt that ends a wait has the job's handle and inference ID.

    The interrupt also has a note with the handle.
    """
    s3 = FakeS3()
    job = Invocation("theirs", OUT)
    error = caught(lambda c: c.wait(job, timeout=1), s3, WaitTimeoutError)
    assert (error.inference_id, error.invocation) == ("theirs", job)

    def interrupted(_elapsed):
        raise KeyboardInterrupt

    error = caught(lambda c: c.wait(job, timeout=1, schedule=interrupted), s3, KeyboardInterrupt)
    assert (error.inference_id, error.invocation) == ("theirs", job)
    assert error.__notes__ == [
        f"the job is queued; to wait for it again, use the handle {job.to_json()}"
    ]


def test_infer_adds_one_note():
    """If the wait in `infer` is interrupted, the exception has exactly one note and contains the
    job's handle.
    """

    def interrupted(_elapsed):
        raise KeyboardInterrupt

    io = ScriptedIO(
        lambda io, sent: accepted() if sent.request.method == "POST" else FakeS3()(io, sent)
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        run(core(io).infer("e", b"x", timeout=5, schedule=interrupted))
    assert len(caught.value.__notes__) == 1
    assert caught.value.invocation.output_location == OUT


@pytest.fixture
def mute(bare_environment):  # noqa: ARG001
    """Yield a server that receives requests but does not respond, and an event that is set when a
    request arrives.
    """
    came, goes = Event(), Event()

    def answer(*_):
        came.set()
        goes.wait(10)
        return b""

    with Loopback(answer) as server:
        yield server, came
        goes.set()


def test_a_task_of_asyncio_that_is_cancelled(mute):
    """If an asyncio task is cancelled while it waits for the response to its job request, the
    CancelledError has the job's inference ID and a note.
    """
    server, came = mute

    async def main():
        async with AsyncSageMakerRuntimeClient(**settings(server)) as client:
            task = asyncio.create_task(client.submit("e", b"x", inference_id="mine"))
            await asyncio.to_thread(came.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    error = asyncio.run(main())
    assert error.inference_id == "mine"
    assert error.__notes__ == ["the job may have been queued, under inference id mine"]


def test_a_task_of_trio_that_is_cancelled(mute):
    """If a Trio task is cancelled while it waits for the response to its job request, the exception
    has a note with the job's inference ID.
    """
    server, came = mute
    seen = []

    async def main():
        async with AsyncSageMakerRuntimeClient(**settings(server)) as client:

            async def work():
                try:
                    await client.submit("e", b"x", inference_id="mine")
                except trio.Cancelled as error:
                    seen.extend(error.__notes__)
                    raise

            async with trio.open_nursery() as nursery:
                nursery.start_soon(work)
                await trio.to_thread.run_sync(came.wait)
                nursery.cancel_scope.cancel()

    trio.run(main)
    assert seen == ["the job may have been queued, under inference id mine"]


def test_a_thread_that_is_interrupted(mute):
    """If a signal handler raises KeyboardInterrupt in a thread that waits for the response to its
    job request, the exception has the job's inference ID.
    """
    import signal

    server, came = mute

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, lambda *_: interrupt() if came.is_set() else None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        with (
            SageMakerRuntimeClient(**settings(server)) as client,
            pytest.raises(KeyboardInterrupt) as caught,
        ):
            client.submit("e", b"x", inference_id="mine")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught.value.inference_id == "mine"


def tried_twice(between):
    """Return the handle of a job with a user-supplied output name.

    The service may have accepted the job's first attempt, which was sent *between* seconds before
    the response to the second attempt.
    """
    date = (START + timedelta(seconds=between)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    io = ScriptedIO([dropped(), accepted(date=date)], latency=between / 2)
    invocation = run(core(io, retry_mode="standard").submit("e", b"x", filename="same.out"))
    assert invocation.possibly_duplicated
    return invocation


@pytest.mark.parametrize("read_back", [False, True])
@pytest.mark.parametrize(("written", "counts"), [(2, True), (60, True), (-60, False)])
def test_an_output_of_the_first_attempt(written, counts, read_back):
    """If the user supplied the output name, and the service may have accepted an attempt before the
    successful one, a wait returns an output that was written after the first attempt, but no
    older object.
    """
    invocation = tried_twice(40)
    if read_back:
        invocation = Invocation.from_json(invocation.to_json())
    assert START - timedelta(seconds=2) <= invocation.first_attempt_date <= START
    io = ScriptedIO(FakeS3().put(OUT, written=written))
    if counts:
        assert run(core(io).wait(invocation, timeout=1)).body == b"output"
    else:
        with pytest.raises(WaitTimeoutError, match="older than the job"):
            run(core(io).wait(invocation, timeout=1))


def test_a_job_that_was_sent_once():
    """If the service certainly did not accept the earlier attempt, the handle contains no date of a
    first attempt.
    """
    io = ScriptedIO([dropped(accepted=False), accepted(date="Sun, 22 Nov 2026 12:00:00 GMT")])
    invocation = run(core(io).submit("e", b"x", filename="same.out"))
    assert invocation.first_attempt_date is None
    assert not invocation.possibly_duplicated
    assert invocation.attempts == 2


def test_handles_of_version_0_1_0():
    """A handle that was written by version 0.1.0, which did not store the date of a first attempt,
    can be read.
    """
    text = (
        '{"inference_id": "i", "output_location": "s3://b/o", "failure_location": null, '
        '"request_id": "r", "endpoint_name": "e", "date": "2026-11-22T12:00:00+00:00", '
        '"attempts": 2, "possibly_duplicated": true, "unique_output_name": false}'
    )
    invocation = Invocation.from_json(text)
    assert (invocation.date, invocation.first_attempt_date) == (START, None)
