"""Tests of the operations with scripted responses: what they send, in which order, and what they
return.
"""

import logging
from datetime import UTC, datetime

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    ConfigError,
    InferenceFailedError,
    Invocation,
    NoOutputLocationError,
    ParamValidationError,
    Response,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)
from sagemaker_runtime_client._io.run import run as step
from sigv4 import as_provider
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    REGION,
    FakeS3,
    ScriptedIO,
    accepted,
    core,
    dropped,
    make_core,
    run,
    s3_error,
)

SMALL, EDGE, LARGE = b"1,2,3", b"x" * 128_000, b"x" * 128_001
ID = "00000000-0000-4000-8000-00000000000"
ID_HEADER = "X-Amzn-SageMaker-Inference-Id"
LOCATION_HEADER = "X-Amzn-SageMaker-InputLocation"
OUT = "s3://bucket/out/1.out"


class Cloud:
    """A fake SageMaker and S3 that `ScriptedIO` calls for each request; the output appears 3 s
    after its job.
    """

    def __init__(self, reply=None):
        self.s3 = FakeS3()
        self._reply = reply or accepted(date="Sun, 22 Nov 2026 12:00:00 GMT")

    def __call__(self, io, sent):
        if ".s3." not in sent.origin:
            self.s3.put(OUT, b"answer", at=io.elapsed + 3)
            return self._reply
        return Response(200, {"etag": '"e"'}) if sent.request.method == "PUT" else self.s3(io, sent)


class Suspends:
    """An awaitable that only an event loop can complete."""

    def __await__(self):
        yield


def scripted_services(**options):
    """Return scripted I/O with a fake SageMaker and S3."""
    return ScriptedIO(Cloud(**options))


def methods(io):
    """Return the service and the HTTP method of each request that was sent."""
    services = ["s3" if ".s3." in sent.origin else "sagemaker" for sent in io.sent]
    return [(service, sent.request.method) for service, sent in zip(services, io.sent, strict=True)]


# ---- invoke_endpoint_async


def test_invoke():
    """invoke_endpoint_async sends each argument under its name in the API, and returns the response
    as an invocation.
    """
    io = ScriptedIO([accepted(date="Sun, 22 Nov 2026 12:00:00 GMT")])
    invocation = run(
        core(io).invoke_endpoint_async(
            "endpoint",
            body=b"body",
            content_type="text/csv",
            accept="application/json",
            custom_attributes="a=b",
            inference_id="mine",
            s3_output_path_extension="a/b",
            filename="f.csv",
            request_ttl_seconds=60,
            invocation_timeout_seconds=3600,
        )
    )
    (sent,) = io.sent
    assert (
        sent.url
        == f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/endpoint/async-invocations"
    )
    assert (sent.request.method, sent.request.body) == ("POST", b"body")
    expected = {
        "X-Amzn-SageMaker-Content-Type": "text/csv",
        "X-Amzn-SageMaker-Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "a=b",
        "X-Amzn-SageMaker-Inference-Id": "mine",
        "X-Amzn-SageMaker-S3OutputPathExtension": "a/b",
        "X-Amzn-SageMaker-Filename": "f.csv",
        "X-Amzn-SageMaker-RequestTTLSeconds": "60",
        "X-Amzn-SageMaker-InvocationTimeoutSeconds": "3600",
    }
    assert {name: value for name, value in sent.request.headers if name in expected} == expected
    assert {name.lower() for name in expected} <= set(sent.verify().signed_headers)
    assert invocation == Invocation(
        inference_id="theirs",
        output_location=OUT,
        failure_location="s3://bucket/err/1-error.out",
        request_id="R1",
        endpoint_name="endpoint",
        date=datetime(2026, 11, 22, 12, tzinfo=UTC),
        attempts=1,
        possibly_duplicated=False,
    )


def test_inference_id():
    """If no inference ID is passed, the client sends the same new UUID with all attempts of a call,
    unless generate_inference_id is false.
    """
    io = ScriptedIO([Response(503, ()), accepted(b""), accepted(b"")])
    client = core(io)
    invocation = run(client.invoke_endpoint_async("e", input_location="s3://b/k"))
    assert [sent.header(ID_HEADER) for sent in io.sent] == [f"{ID}1"] * 2
    assert (invocation.inference_id, invocation.attempts) == (f"{ID}1", 2)
    invocation = run(
        client.invoke_endpoint_async("e", input_location="s3://b/k", generate_inference_id=False)
    )
    assert io.sent[-1].header(ID_HEADER) is None
    assert invocation.inference_id is None


@pytest.mark.parametrize(
    ("named", "unique_output_name"),
    [
        ({}, True),
        ({"generate_inference_id": False}, True),
        ({"inference_id": "mine"}, False),
        ({"filename": "f.csv"}, False),
    ],
    ids=str,
)
def test_unique_output_name(named, unique_output_name):
    """An invocation's output name is marked as unique if neither a filename nor an inference ID was
    passed.
    """
    client = core(ScriptedIO([accepted(), accepted()]))
    assert (
        run(client.invoke_endpoint_async("e", body=b"x", **named)).unique_output_name
        is unique_output_name
    )
    assert run(client.submit("e", b"x", **named)).unique_output_name is unique_output_name


def test_possibly_duplicated():
    """If the service may have accepted an earlier attempt, the job is marked as possibly
    duplicated.
    """
    io = ScriptedIO([dropped(), accepted()])
    assert run(core(io).invoke_endpoint_async("e", body=b"x")).possibly_duplicated


@pytest.mark.parametrize("accepted_once", [True, False])
def test_note(accepted_once):
    """If an error leaves open whether a job is queued, a note contains the job's inference ID.

    If the job cannot be queued, there is no note.
    """
    io = ScriptedIO([dropped(accepted=accepted_once)])
    with pytest.raises(TransportError) as caught:
        run(core(io, max_attempts=1).invoke_endpoint_async("e", body=b"x"))
    notes = [f"the job may have been queued, under inference id {ID}1"] if accepted_once else []
    assert getattr(caught.value, "__notes__", []) == notes


def test_custom_attributes_are_in_no_log(caplog):
    """No log line contains the custom attributes or the payload."""
    caplog.set_level(logging.DEBUG)
    io = ScriptedIO([accepted()])
    run(core(io).invoke_endpoint_async("e", body=b"payload", custom_attributes="canary"))
    assert caplog.text
    assert "canary" not in caplog.text
    assert "payload" not in caplog.text


# ---- infer


@pytest.mark.parametrize(
    "payload", [SMALL, EDGE, bytearray(SMALL), memoryview(SMALL)], ids=lambda p: str(len(p))
)
def test_inline(payload):
    """`infer` sends a payload of 1 to 128,000 bytes in the request, even if input_prefix is set."""
    io = scripted_services()
    output = run(core(io).infer("e", payload, timeout=60, input_prefix="s3://bucket/in/"))
    assert output.body == b"answer"
    assert methods(io)[0] == ("sagemaker", "POST")
    assert set(methods(io)[1:]) == {("s3", "GET")}
    assert io.sent[0].request.body == bytes(payload)
    assert io.sent[0].header(LOCATION_HEADER) is None


@pytest.mark.parametrize(
    ("payload", "inline"),
    [(LARGE, None), (SMALL, False), (b"", None)],
    ids=["large", "told so", "empty"],
)
@pytest.mark.parametrize("prefix", ["s3://bucket/in/", "s3://bucket/in", "s3://bucket"])
def test_through_s3(prefix, payload, inline):
    """`infer` uploads a payload that is empty or larger than 128,000 bytes, or any payload with
    inline=False, and then sends the location of the upload.
    """
    io = scripted_services()
    output = run(
        core(io).infer(
            "e", payload, timeout=60, input_prefix=prefix, inline=inline, content_type="text/csv"
        )
    )
    assert output.body == b"answer"
    assert methods(io)[:2] == [("s3", "PUT"), ("sagemaker", "POST")]
    assert set(methods(io)[2:]) == {("s3", "GET")}
    put, post = io.sent[:2]
    location = post.header(LOCATION_HEADER)
    assert location == f"{prefix.rstrip('/')}/{ID}1"
    assert put.url == "https://bucket.s3.eu-west-1.amazonaws.com" + location.removeprefix(
        "s3://bucket"
    )
    assert (put.request.body, post.request.body) == (payload, b"")
    assert "text/csv" == put.header("content-type") == post.header("X-Amzn-SageMaker-Content-Type")


INVALID = [
    ({"payload": LARGE}, "input_prefix"),
    ({"payload": SMALL, "inline": False}, "input_prefix"),
    ({"payload": LARGE, "inline": True}, "inline"),
    ({"payload": LARGE, "inline": True, "input_prefix": "s3://b/"}, "inline"),
    ({"payload": "\ud800"}, "payload"),
    ({"payload": None}, "payload"),
    ({"payload": [1]}, "payload"),
    ({"payload": LARGE, "input_prefix": "bucket/in"}, "input_prefix"),
    ({"payload": LARGE, "input_prefix": "s3://"}, "input_prefix"),
    ({"payload": LARGE, "input_prefix": "https://evil.example/in"}, "input_prefix"),
    ({"payload": LARGE, "input_prefix": "s3://b/" + "k" * 1000}, "input_prefix"),
    ({"payload": LARGE, "input_prefix": "s3://b/a\nb/"}, "input_location"),
    ({"endpoint_name": ""}, "endpoint_name"),
    ({"inference_id": ""}, "inference_id"),
    ({"content_type": "a\nb"}, "content_type"),
    ({"custom_attributes": "ä"}, "custom_attributes"),
    ({"filename": "a.b.c"}, "filename"),
    ({"s3_output_path_extension": "s3://x"}, "s3_output_path_extension"),
    ({"request_ttl_seconds": 59}, "request_ttl_seconds"),
    ({"invocation_timeout_seconds": True}, "invocation_timeout_seconds"),
    ({"timeout": -1}, "timeout"),
    ({"timeout": float("nan")}, "timeout"),
    ({"on_invocation": []}, "on_invocation"),
]


@pytest.mark.parametrize(("arguments", "argument"), INVALID, ids=lambda value: str(value)[-60:])
@pytest.mark.parametrize("payload", [SMALL, LARGE], ids=["small", "large"])
def test_invalid_arguments(payload, arguments, argument):
    """`infer` rejects an invalid argument before the upload and before the job is queued."""
    io = ScriptedIO([])
    given = {"endpoint_name": "e", "payload": payload, "timeout": 60, **arguments}
    if "payload" not in arguments:
        given["input_prefix"] = "s3://b/in/"
    with pytest.raises(ParamValidationError) as caught:
        run(core(io).infer(**given))
    assert (caught.value.argument, io.sent) == (argument, [])


@pytest.mark.parametrize("name", ["ContentType", "input_location"])
def test_unknown_arguments(name):
    """An unknown argument of `submit` or `infer` raises a TypeError before anything is sent."""
    io = scripted_services()
    for call in (
        core(io).submit("e", b"x", **{name: "a"}),
        core(io).infer("e", b"x", timeout=1, **{name: "a"}),
    ):
        with pytest.raises(TypeError, match=f"do not accept {name}"):
            run(call)
    assert io.sent == []


def test_on_invocation():
    """`infer` calls on_invocation after the job is queued and before the first poll."""
    io = scripted_services()
    seen = []
    output = run(
        core(io).infer(
            "e", SMALL, timeout=60, on_invocation=lambda given: seen.append((given, len(io.sent)))
        )
    )
    assert seen == [(output.invocation, 1)]
    assert output.invocation.endpoint_name == "e"


def test_on_invocation_that_is_async():
    """`infer` awaits an async on_invocation before the first poll."""
    io = scripted_services()
    seen = []

    async def keep(given):
        seen.append((given, len(io.sent)))

    output = run(core(io).infer("e", SMALL, timeout=60, on_invocation=keep))
    assert seen == [(output.invocation, 1)]


def test_on_invocation_that_raises():
    """If on_invocation raises an exception, `infer` adds a note that contains the handle, and
    raises the exception again.
    """

    def full(_invocation):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as caught:
        run(core(scripted_services()).infer("e", SMALL, timeout=60, on_invocation=full))
    assert '"inference_id": "theirs"' in caught.value.__notes__[0]


def test_on_invocation_that_suspends():
    """If on_invocation suspends although there is no event loop, a RuntimeError is raised with a
    note that contains the handle.
    """

    async def keep(_invocation):
        await Suspends()

    with pytest.raises(RuntimeError, match="suspended") as caught:
        run(core(scripted_services()).infer("e", SMALL, timeout=60, on_invocation=keep))
    assert '"inference_id": "theirs"' in caught.value.__notes__[0]


def test_arguments_of_the_wait():
    """The wait in `infer` uses the schedule and the grace period that were passed to `infer`."""
    asked = []
    io = scripted_services()
    run(core(io).infer("e", SMALL, timeout=60, schedule=lambda t: asked.append(t) or 2))
    assert asked == [0, 2]
    denied = ScriptedIO([accepted(), *[s3_error(403, "AccessDenied")] * 2])
    with pytest.raises(AccessDeniedError) as caught:
        run(core(denied).infer("e", SMALL, timeout=60, access_denied_grace=0))
    assert caught.value.invocation.inference_id == "theirs"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (accepted(b""), WaitTimeoutError),
        (Response(202, ()), NoOutputLocationError),
        (accepted(b"", **{"x-amzn-sagemaker-outputlocation": "nonsense"}), ParamValidationError),
    ],
    ids=["nothing comes", "no location", "no place"],
)
def test_errors_after_the_job_was_queued(reply, kind):
    """Every error that `infer` raises after the job was queued has the job's handle."""
    cloud = Cloud(reply=reply)
    cloud.s3.respond(s3_error(503, "SlowDown"))
    with pytest.raises(kind) as caught:
        run(core(ScriptedIO(cloud)).infer("e", SMALL, timeout=5, inference_id="mine"))
    assert caught.value.invocation.inference_id == "mine"


def test_failure():
    """If the inference fails, `infer` raises an error that contains the reason."""
    cloud = Cloud()
    cloud.s3.put("s3://bucket/err/1-error.out", b"boom", at=1)
    with pytest.raises(InferenceFailedError, match="boom"):
        run(core(ScriptedIO(cloud)).infer("e", SMALL, timeout=60))


def test_upload_that_fails():
    """If the upload fails, `infer` queues no job."""
    io = ScriptedIO([s3_error(503, "SlowDown")] * 3)
    with pytest.raises(ThrottlingError) as caught:
        run(core(io).infer("e", LARGE, timeout=60, input_prefix="s3://bucket/in/"))
    assert caught.value.invocation is None
    assert set(methods(io)) == {("s3", "PUT")}


def test_job_that_is_rejected():
    """If the service rejects the job request, `infer` raises the error without waiting."""
    io = ScriptedIO([Response(503, ())] * 3)
    with pytest.raises(ServiceUnavailableError) as caught:
        run(core(io).infer("e", SMALL, timeout=60))
    assert caught.value.invocation is None


def test_submit():
    """`submit` uploads a large payload and queues the job."""
    io = scripted_services()
    invocation = run(core(io).submit("e", LARGE, input_prefix="s3://bucket/in/", filename="f"))
    assert methods(io) == [("s3", "PUT"), ("sagemaker", "POST")]
    assert io.sent[1].header("X-Amzn-SageMaker-Filename") == "f"
    assert (invocation.output_location, invocation.endpoint_name) == (OUT, "e")


# ---- settings


def test_settings_are_read_at_the_first_call():
    """A client's settings are read at its first call, not when it is created."""
    environ = {}
    io = ScriptedIO([accepted()], environ)
    client = make_core(io, {}, as_provider(CREDENTIALS))
    environ["AWS_REGION"] = REGION
    run(client.invoke_endpoint_async("e", body=b"x"))
    io.sent[0].verify()


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ({"region": None}, {}),
        ({"max_attempts": 0}, {}),
        ({}, {"AWS_MAX_ATTEMPTS": "x"}),
        ({"region": "no region"}, {}),
    ],
    ids=str,
)
def test_contradictory_settings(arguments, environ):
    """Missing or invalid settings are rejected before anything is sent."""
    io = ScriptedIO([], environ)
    with pytest.raises(ConfigError):
        run(core(io, **arguments).invoke_endpoint_async("e", body=b"x"))
    assert io.sent == []


@pytest.mark.parametrize(
    "settings", [{"endpoint_url": "nonsense"}, {"s3_endpoint_url": "nonsense"}]
)
def test_settings_are_checked_before_an_upload(settings):
    """An invalid endpoint URL of either service is rejected before the upload."""
    io = ScriptedIO([])
    with pytest.raises(ConfigError):
        run(core(io, **settings).submit("e", LARGE, input_prefix="s3://bucket/in/"))
    assert io.sent == []


def test_arguments_come_before_settings():
    """If an argument is invalid and the region is missing, the error is about the argument."""
    with pytest.raises(ParamValidationError):
        run(core(ScriptedIO([]), region=None).invoke_endpoint_async("", body=b"x"))


def test_custom_endpoints():
    """SageMaker and S3 can each have a custom endpoint URL."""
    io = ScriptedIO([accepted(), Response(200, ())])
    client = core(io, endpoint_url="http://localhost:1/base/", s3_endpoint_url="http://localhost:2")
    run(client.invoke_endpoint_async("e", body=b"x"))
    run(client.get_object("s3://bucket/k"))
    urls = ["http://localhost:1/base/endpoints/e/async-invocations", "http://localhost:2/bucket/k"]
    assert [sent.url for sent in io.sent] == urls
    io.sent[0].verify()
    io.sent[1].verify("s3")


def test_close():
    """Closing a client closes its transport if the client has opened one."""
    io = ScriptedIO([accepted()])
    client = core(io)
    run(client.close())
    assert not io.closed
    run(client.invoke_endpoint_async("e", body=b"x"))
    assert io.closed  # a transport that is opened after closing is closed when the call ends
    io.closed = False
    run(client.close())
    assert io.closed


@pytest.mark.parametrize("stubborn", [False, True])
def test_coroutine_that_suspends(stubborn):
    """If a coroutine suspends although there is no event loop, a RuntimeError is raised."""

    async def suspends():
        try:
            await Suspends()
        except RuntimeError:
            if not stubborn:
                raise
        await Suspends()

    with pytest.raises(RuntimeError, match="suspended"):
        step(suspends())
