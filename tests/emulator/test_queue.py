"""Test the queue: its order, concurrency and time limits, and the objects that it writes."""

from threading import Event, Semaphore, Thread

import pytest

from sagemaker_runtime_client.emulator import Emulator
from tests.emulator.wire import INPUT, INVOCATION, TIMEOUT, call

OUTPUT = "x-amzn-sagemaker-outputlocation"
FAILURE = "x-amzn-sagemaker-failurelocation"
OUTPUTS = "s3://sagemaker-emulator/async-endpoint-outputs"
FAILURES = "s3://sagemaker-emulator/async-endpoint-failures"


def invoke(emulator, body=b"in", **headers):
    """Send an invocation with an inline body, and return the headers of the 202 response."""
    named = {f"x-amzn-sagemaker-{name}": value for name, value in headers.items()}
    response = call(emulator, "POST", INVOCATION, named, body)
    assert response.status == 202
    return response.headers


def states(emulator):
    """Return the state of each invocation."""
    return [job.state for job in emulator.jobs]


def hang(request):
    """Block until the invocation is cancelled."""
    assert request.cancelled.wait(TIMEOUT)
    return b""


def test_names(emulator):
    """Each invocation has its own output location and failure location."""
    first, second = invoke(emulator), invoke(emulator)
    name = first[OUTPUT].removeprefix(f"{OUTPUTS}/").removesuffix(".out")
    assert first[FAILURE] == f"{FAILURES}/{name}-error.out"
    assert first[OUTPUT] != second[OUTPUT]
    assert emulator.jobs[0].invocation.request.inference_id != name


def test_paths_of_the_endpoint():
    """Outputs and failures are written below the configured paths."""
    with Emulator(output_path="s3://b/out/", failure_path="s3://c") as emulator:
        accepted = invoke(emulator, filename="x.json", s3outputpathextension="/a/b/")
    assert accepted[OUTPUT] == "s3://b/out/a/b/x.json"
    assert accepted[FAILURE].startswith("s3://c/")


def test_concurrency():
    """At most *concurrency* invocations run at the same time; the others run later, in order."""
    started, go_on = Semaphore(0), Semaphore(0)

    def model(_):
        started.release()
        assert go_on.acquire(timeout=TIMEOUT)
        return b""

    with Emulator(model, concurrency=2) as emulator:
        for _ in range(3):
            invoke(emulator)
        assert started.acquire(timeout=TIMEOUT)
        assert started.acquire(timeout=TIMEOUT)
        assert states(emulator) == ["running", "running", "queued"]
        go_on.release()
        assert started.acquire(timeout=TIMEOUT)
        assert sorted(states(emulator)) == ["completed", "running", "running"]
        assert emulator.jobs[2].state == "running"
        go_on.release(2)
        emulator.wait_idle()
    assert states(emulator) == ["completed"] * 3


def test_held_queue():
    """With a concurrency of 0, no invocation runs, as on an endpoint that is scaled to zero."""
    with Emulator(concurrency=0) as emulator:
        accepted = invoke(emulator)
        with pytest.raises(TimeoutError, match="still queued or running"):
            emulator.wait_idle(timeout=0)
        assert states(emulator) == ["queued"]
        emulator.set_concurrency(1)
        assert emulator.objects.wait_for(accepted[OUTPUT]).body == b"in"


@pytest.mark.parametrize(
    ("text", "left"), [(None, []), ("expired", [b"expired"])], ids=["nothing", "failure object"]
)
def test_expired_invocation(text, left):
    """An invocation that is queued for as long as its RequestTTLSeconds never reaches the model."""
    with Emulator(concurrency=0, expired_text=text) as emulator:
        accepted = invoke(emulator, requestttlseconds="60")
        longer = invoke(emulator, requestttlseconds="61")
        emulator.advance(60)
        emulator.set_concurrency(1)
        emulator.wait_idle()
        found = [emulator.objects.get(one).body for one in emulator.objects.list(FAILURES)]
    assert states(emulator) == ["expired", "completed"]
    assert found == left
    assert emulator.objects.get(accepted[OUTPUT]) is None
    assert emulator.objects.get(longer[OUTPUT]).body == b"in"


def test_default_limits():
    """By default, an invocation expires after six hours in the queue."""
    with Emulator(concurrency=0) as emulator:
        invoke(emulator)
        emulator.advance(21_590)
        assert states(emulator) == ["queued"]
        emulator.advance(10)
        emulator.advance(10)  # advancing an expired invocation has no effect
        emulator.wait_idle()
        assert states(emulator) == ["expired"]


def test_slow_model():
    """An invocation fails after InvocationTimeoutSeconds, and the next one can then run."""
    running = Event()

    def model(request):
        running.set()
        return hang(request) if request.body == b"slow" else b"done"

    with Emulator(model, concurrency=1) as emulator:
        slow = invoke(emulator, b"slow", invocationtimeoutseconds="3600")
        quick = invoke(emulator, b"quick")
        assert running.wait(TIMEOUT)
        assert states(emulator) == ["running", "queued"]
        emulator.advance(3600)
        failure = emulator.objects.wait_for(slow[FAILURE])
        assert emulator.objects.wait_for(quick[OUTPUT]).body == b"done"
        emulator.wait_idle()
    assert failure.body == b"The model did not respond within 3600 seconds."
    assert failure.content_type == "text/plain; charset=utf-8"
    assert states(emulator) == ["failed", "completed"]


def test_missing_input(emulator):
    """An invocation whose input is missing is accepted, but fails when it is processed."""
    accepted = call(emulator, "POST", INVOCATION, INPUT).headers
    failure = emulator.objects.wait_for(accepted[FAILURE])
    assert failure.body == b"Could not download the input s3://bucket/in: NoSuchKey"


def test_late_input():
    """If an input is written after the call, but before the invocation runs, the input is used."""
    with Emulator(concurrency=0) as emulator:
        accepted = call(emulator, "POST", INVOCATION, INPUT).headers
        emulator.objects.put("s3://bucket/in", b"late")
        emulator.set_concurrency(1)
        assert emulator.objects.wait_for(accepted[OUTPUT]).body == b"late"


@pytest.mark.parametrize("how", ["option", "switch"])
def test_no_failure_path(how):
    """Without a failure path, there is neither a failure location nor a failure object."""
    options = {"failure_path": None} if how == "option" else {}
    with Emulator(lambda _: 1 / 0, **options) as emulator:
        emulator.faults.no_failure_path = how == "switch"
        accepted = invoke(emulator)
        emulator.wait_idle()
        assert FAILURE not in accepted
        assert emulator.objects.list() == []
        assert states(emulator) == ["failed"]


def test_permit_that_is_granted_too_late():
    """If an invocation expires when the concurrency is raised, only the next invocation runs."""
    with Emulator(concurrency=0) as emulator:
        invoke(emulator, requestttlseconds="60")

        def at_once():
            emulator._queue.advance(60)
            emulator._queue.limit(1)

        emulator._server.call(at_once)
        emulator.wait_idle()
        assert states(emulator) == ["expired"]
        assert emulator.objects.wait_for(invoke(emulator)[OUTPUT]).body == b"in"


def test_many_callers():
    """Each of many concurrent callers gets its own output."""
    with Emulator(concurrency=3) as emulator:
        found = []

        def one(number):
            body = str(number).encode()
            location = invoke(emulator, body)[OUTPUT]
            found.append(emulator.objects.wait_for(location).body == body)

        threads = [Thread(target=one, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [True] * 20
