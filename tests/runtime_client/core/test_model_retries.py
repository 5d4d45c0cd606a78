"""Tests of synchronous model calls: which failures are retried, and the time limits."""

import pytest

from sagemaker_runtime_client import (
    ModelNotReadyError,
    RequestValidationError,
    Response,
)
from tests.runtime_client.core.model_calls import CALLS, NOT_READY, OK, each_call, error, failure
from tests.runtime_client.scripted_io import ScriptedIO, core, dropped, hang, run

NULL_MESSAGE = Response(400, {}, b'{"message":null}')
# After each of these failures, the model has certainly not run.
HARMLESS = {
    "408": error(408),
    "429": error(429),
    "not ready": NOT_READY,
    "503": error(503),
    "throttled": error(400, "ThrottlingException"),
    "null message": NULL_MESSAGE,
    "not sent": dropped(accepted=False),
}
# After each of these failures, the model may have run.
AMBIGUOUS = {
    "424": error(424, "ModelError"),
    "500": error(500, "InternalFailure"),
    "502": error(502),
    "504": error(504),
    "530": error(530, "InternalDependencyException"),
    "lost response": dropped(),
    "read timeout": hang,
    "truncated body": Response(200, {}, b"out", complete=False),
}


@each_call
@pytest.mark.parametrize("response", HARMLESS.values(), ids=HARMLESS)
def test_retry(call, response):
    """The request is repeated if the model has certainly not run."""
    io = ScriptedIO([response, response, OK])
    assert run(call(core(io))).body == b"output"
    found = failure(ScriptedIO([response] * 3), call)
    assert (found.attempts, found.possibly_accepted) == (3, False)


@each_call
@pytest.mark.parametrize("response", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_no_retry(call, response):
    """The request is not repeated if the model may have run, even with ``retry_ambiguous=True``."""
    for settings in ({}, {"retry_ambiguous": True}):
        found = failure(ScriptedIO([response]), call, **settings)
        assert (found.attempts, found.possibly_accepted) == (1, True)


@each_call
@pytest.mark.parametrize("response", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_retry_model(call, response):
    """With ``retry_model=True``, the request is repeated even if the model may have run.

    A later error states that the request may have been accepted.
    """
    io = ScriptedIO([response, response, OK])
    client = core(io, retry_ambiguous=False)
    assert run(call(client, retry_model=True)).body == b"output"
    refused = error(400, "ValidationError")
    found = failure(ScriptedIO([response, refused]), call, {"retry_model": True})
    assert type(found) is RequestValidationError
    assert (found.attempts, found.possibly_accepted) == (2, True)


def test_other_errors_are_not_retried():
    """An error that the caller caused is not retried, even with ``retry_model=True``."""
    io = ScriptedIO([error(400, "ValidationError")])
    found = failure(io, arguments={"retry_model": True})
    assert (type(found), found.attempts) == (RequestValidationError, 1)


@each_call
def test_not_ready(call):
    """If the model is not ready, the request is retried after the same pauses as for throttling.

    After the last attempt, the call raises a ModelNotReadyError.
    """
    io = ScriptedIO([NOT_READY] * 3)
    found = failure(io, call)
    assert type(found) is ModelNotReadyError
    assert (found.status_code, found.attempts, found.possibly_accepted) == (429, 3, False)
    assert io.slept == [0.5, 1.0]


@each_call
def test_wait_until_ready(call):
    """With ``wait_until_ready=`` the client repeats the request until the model is ready."""
    io = ScriptedIO(lambda io, _sent: NOT_READY if io.elapsed < 100 else OK)
    output = run(call(core(io), wait_until_ready=200))
    assert output.body == b"output"
    assert 100 <= io.elapsed < 120
    waits = [pause for pause in io.slept if pause != 0.5]
    assert max(waits) == 15.0


def test_wait_until_ready_that_is_too_short():
    """If the model is not ready within the seconds of ``wait_until_ready=``, the call raises its
    last error.
    """
    io = ScriptedIO(lambda *_: NOT_READY)
    found = failure(io, arguments={"wait_until_ready": 30}, max_attempts=1)
    assert type(found) is ModelNotReadyError
    assert io.slept == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert found.attempts == 1


def test_wait_until_ready_and_timeout():
    """The call's timeout also limits the wait for the model to become ready."""
    io = ScriptedIO(lambda *_: NOT_READY)
    found = failure(io, arguments={"wait_until_ready": 30, "timeout": 5}, max_attempts=1)
    assert type(found) is ModelNotReadyError
    assert io.slept == [1.0, 2.0]


@pytest.mark.parametrize(("retry_model", "requests"), [(False, 1), (True, 2)])
@pytest.mark.parametrize("status", [424, 500])
def test_wait_until_ready_after_the_model_may_have_run(status, retry_model, requests):
    """Even if the error code is that of a model that is not ready, the request is not repeated
    after a status that means that the model may have run, unless ``retry_model=True`` is passed.
    """
    io = ScriptedIO([error(status, "ModelNotReadyException")] * 2)
    arguments = {"wait_until_ready": 1.5, "retry_model": retry_model}
    found = failure(io, arguments=arguments, max_attempts=1)
    assert (type(found), len(io.sent)) == (ModelNotReadyError, requests)


def test_wait_until_ready_ends_with_another_error():
    """While the client waits for the model to become ready, any other error ends the call."""
    io = ScriptedIO([NOT_READY, error(400, "ValidationError")])
    found = failure(io, arguments={"wait_until_ready": 30}, max_attempts=1)
    assert (type(found), len(io.sent)) == (RequestValidationError, 2)


def test_ambiguity_is_remembered_while_waiting():
    """If the model may have run before the wait for it to become ready, an error after the wait
    reports this.
    """
    io = ScriptedIO([dropped(), NOT_READY, error(400, "ValidationError")])
    arguments = {"wait_until_ready": 30, "retry_model": True}
    assert failure(io, arguments=arguments, max_attempts=2).possibly_accepted


# ---- time limits


@pytest.mark.parametrize(("call", "seconds"), [(CALLS["endpoint"], 70.0), (CALLS["router"], 170.0)])
def test_read_timeout(call, seconds):
    """The read timeout is the one that AWS recommends for the operation, unless the client has its
    own.
    """
    io = ScriptedIO([OK, OK])
    run(call(core(io)))
    run(call(core(io, read_timeout=5)))
    assert [sent.read_timeout for sent in io.sent] == [seconds, 5.0]


@each_call
def test_timeout(call):
    """``timeout=`` limits the total time of a call, including all attempts and pauses."""
    io = ScriptedIO(lambda *_: error(429), latency=1.0, random=1.0)
    found = failure(io, call, {"timeout": 8}, max_attempts=50)
    assert (found.attempts, {sent.deadline for sent in io.sent}) == (3, {1008})
    io = ScriptedIO([OK], latency=1.0)
    run(call(core(io, timeout=30)))
    assert io.sent[0].deadline == 1030
