"""Test `allowed_locations` and hostile handles: the requests that are sent, and the errors."""

import copy
import logging
import pickle
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import pytest

from sagemaker_runtime_client import (
    Invocation,
    LocationNotAllowedError,
    ParamValidationError,
    Response,
    RuntimeClientError,
    WaitTimeoutError,
)
from tests.runtime_client.clients import often, settings
from tests.runtime_client.scripted_io import (
    NO_SUCH_KEY,
    START,
    ScriptedIO,
    accepted,
    core,
    run,
)

ALLOWED = ["s3://ours/out/", "s3://whole"]
GOOD = "s3://ours/out/1"
SECRET = b"canary-secret-of-another-object"

# Object locations that are outside `ALLOWED`.
OUTSIDE = [
    "s3://theirs/out/1",
    "s3://ours/secret",
    "s3://ours/out",
    "s3://ours/outer/1",
    "s3://ours//out/1",
    "s3://ours/./out/1",
    "s3://ours/Out/1",
    "s3://ours/%6fut/1",
    "s3://ours/out%2F1",
    "s3://OURS/out/1",
    "s3://ours.evil/out/1",
    "s3://ours-out/1",
    "s3://wholesale/1",
    "s3://who/le",
    "s3://ours/secret?s3://ours/out/",
    "https://theirs.s3.eu-west-1.amazonaws.com/out/1",
    "https://ours.s3.amazonaws.com/secret",
    "https://s3.amazonaws.com/theirs/out/1",
    "https://s3.amazonaws.com/ours/%2e/out/1",
    "https://evil.s3.ours.s3.amazonaws.com/out/1",
    "s3://ours/secret\n" + "x" * 900,
]
# Strings that are not the location of an S3 object.
INVALID = [
    "",
    "s3://",
    "s3://ours",
    "s3://ours/",
    " s3://ours/out/1",
    "S3://ours/out/1",
    "s3:ours/out/1",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "https://evil.example/ours/out/1",
    "https://ours.s3.amazonaws.com@evil.example/out/1",
    "https://evil.example/#.s3.amazonaws.com/ours/out/1",
    "https://evil.example?.s3.amazonaws.com/ours/out/1",
    "https://ours.s3.evil.example/out/1",
    "https://ours.s3.amazonaws.com.evil.example/out/1",
    "https://ours.s3.amazonaws.com:444/out/1",
    "https://ours.s3.amazonaws.com/out/1?X-Amz-Signature=0",
    "s3://ours@evil.example/out/1",
    "s3://ours:443/out/1",
    "s3://evil.example\\@ours/out/1",
    "s3://ours\r\nHost: evil.example/out/1",
    "s3://ours/out/\ud800",
    "s3://ours/out/" + "x" * 2000,
]
# Maps locations in `ALLOWED` to the bucket and the key that must be requested.
INSIDE = {
    GOOD: ("ours", "out/1"),
    "s3://ours/out/../secret": ("ours", "out/../secret"),
    "s3://ours/out/../../theirs/1": ("ours", "out/../../theirs/1"),
    "s3://ours/out/%2e%2e/secret": ("ours", "out/%2e%2e/secret"),
    "s3://ours/out//@evil.example": ("ours", "out//@evil.example"),
    "s3://ours/out/\r\nHost: evil.example": ("ours", "out/\r\nHost: evil.example"),
    "s3://ours/out/?#": ("ours", "out/?#"),
    "https://s3.amazonaws.com/ours/out%2F..%2Fsecret": ("ours", "out/../secret"),
    "https://whole.s3.eu-west-1.amazonaws.com/a+b": ("whole", "a b"),
    "s3://whole/secret": ("whole", "secret"),
}
# Pairs of a handle's field and a hostile value that `Invocation.from_json` accepts for the field.
HOSTILE = {
    "inference_id": [None, "", "x\nERROR forged", "\x1b[2J", "y" * 100_000, "\ud800"],
    "output_location": [None, *OUTSIDE, *INVALID, *INSIDE],
    "failure_location": [None, *OUTSIDE, *INVALID, *INSIDE],
    "request_id": [None, "x\nERROR forged"],
    "endpoint_name": [None, "https://evil.example/", "../../x", "x\r\nHost: evil.example"],
    "date": [None, "1901-01-01T00:00:00+00:00", "8999-12-31T23:59:59-23:59", "2026-11-22"],
    "attempts": [0, -1, 10**100],
    "possibly_duplicated": [True, False],
    "unique_output_name": [True, False],
    "first_attempt_date": [None, "1901-01-01T00:00:00+00:00", "8999-12-31T23:59:59+00:00"],
    "inference_router_name": [None, "https://evil.example/"],
    "routing_target": [None, "https://evil.example/"],
}
FIELDS = [(field, value) for field, values in HOSTILE.items() for value in values]
# The ways in which a program can receive a handle.
ORIGINS = {
    "JSON": lambda handle: Invocation.from_json(handle.to_json()),
    "pickle": lambda handle: pickle.loads(pickle.dumps(handle)),
    "copy": copy.deepcopy,
    "replace": lambda handle: Invocation().replace(**handle._asdict()),
}
SETTINGS = {
    "virtual": {},
    "path": {"s3_addressing_style": "path"},
    "dual-stack": {"use_dualstack_endpoint": True},
    "endpoint": {"s3_endpoint_url": "https://s3.internal.amazonaws.com"},
    "owner": {"expected_bucket_owner": "123456789012"},
}
READS = {
    "get_object": lambda client, location: client.get_object(location),
    "head_object": lambda client, location: client.head_object(location),
    "wait": lambda client, location: client.wait(
        Invocation(inference_id="id", output_location=location), timeout=0
    ),
    "wait for the failure": lambda client, location: client.wait(
        Invocation(inference_id="id", output_location=GOOD, failure_location=location), timeout=0
    ),
}
each_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


def requested(sent):
    """Return the bucket and the key in a request, after checking that its host belongs to S3."""
    host = urlsplit(sent.origin).hostname
    assert sent.origin.startswith("https://")
    assert host.endswith(".amazonaws.com")
    service, bucket = host.partition(".")[0], ""
    if service not in {"s3", "s3-fips"}:
        bucket, service = host.partition(".s3.")[0], "s3"
        assert ".s3." in host
    path = sent.request.path
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    if bucket:
        return bucket, unquote(path[1:])
    bucket, _, key = path[1:].partition("/")
    return unquote(bucket), unquote(key)


def is_allowed(bucket, key):
    """Return whether `ALLOWED` contains the object with this bucket and key."""
    return bucket == "whole" or (bucket == "ours" and key.startswith("out/"))


def secret_unless_allowed(_io, sent):
    """Return a response: 404 for an allowed object, and a secret for any other object."""
    is_good = is_allowed(*requested(sent))
    return NO_SUCH_KEY if is_good else Response(200, {"last-modified": "x"}, SECRET)


class TestReads:
    @each_read
    @pytest.mark.parametrize("location", OUTSIDE)
    def test_outside(self, read, location):
        """If a location is not allowed, no operation sends a request, and the error names the
        argument.
        """
        io = ScriptedIO([])
        with pytest.raises(LocationNotAllowedError) as caught:
            run(read(core(io, allowed_locations=ALLOWED), location))
        assert io.sent == []
        assert caught.value.argument.rpartition(".")[2].endswith("location")
        assert len(str(caught.value)) < 1300
        assert str(caught.value).isprintable()

    @each_read
    @pytest.mark.parametrize("location", INVALID)
    def test_invalid(self, read, location):
        """If a string is not a location, nothing is sent, with or without `allowed_locations`."""
        for arguments in ({}, {"allowed_locations": ALLOWED}):
            io = ScriptedIO([NO_SUCH_KEY])
            with pytest.raises(RuntimeClientError) as caught:
                run(read(core(io, **arguments), location))
            if location or not isinstance(caught.value, WaitTimeoutError):
                assert isinstance(caught.value, ParamValidationError)
                assert io.sent == []

    @pytest.mark.parametrize("location", INSIDE)
    @pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
    def test_inside(self, options, location):
        """For an allowed location, exactly its bucket and key are requested."""
        for read in (READS["get_object"], READS["head_object"], READS["wait"]):
            io = ScriptedIO([Response(200, (), b"body")])
            found = run(read(core(io, allowed_locations=ALLOWED, **options), location))
            assert [requested(sent) for sent in io.sent] == [INSIDE[location]]
            assert found.location == "s3://{}/{}".format(*INSIDE[location])

    def test_handle(self):
        """If `wait` rejects a location, the error contains the handle, and can be pickled."""
        handle = Invocation(inference_id="id", output_location="s3://theirs/1")
        with pytest.raises(LocationNotAllowedError) as caught:
            run(core(ScriptedIO(), allowed_locations=tuple(ALLOWED)).wait(handle, timeout=60))
        twin = pickle.loads(pickle.dumps(caught.value))
        assert (twin.invocation, twin.inference_id) == (handle, "id")
        assert twin.argument == "invocation.output_location"

    def test_uploads(self):
        """An upload to a location outside `allowed_locations` is sent."""
        io = ScriptedIO([Response(200, ())])
        run(core(io, allowed_locations=ALLOWED).put_object("s3://theirs/1", b"x"))
        assert len(io.sent) == 1

    def test_with_options(self):
        """`with_options` changes `allowed_locations` only for the new client, unless the value is
        None.
        """
        io = ScriptedIO(lambda *_: Response(200, (), b""))
        client = core(io, allowed_locations=ALLOWED)
        other = client.with_options(allowed_locations=["s3://theirs"])
        for each in (client.with_options(allowed_locations=None, timeout=5), client):
            run(each.get_object(GOOD))
            with pytest.raises(LocationNotAllowedError):
                run(each.get_object("s3://theirs/1"))
        run(other.get_object("s3://theirs/1"))
        with pytest.raises(LocationNotAllowedError):
            run(other.get_object(GOOD))
        assert len(io.sent) == 3


class TestInfer:
    @pytest.mark.parametrize("header", ["outputlocation", "failurelocation"])
    def test_response(self, header):
        """If the service returns a location that is not allowed, `infer` raises an error with the
        handle of the queued job, and requests nothing from S3.
        """
        locations = {"outputlocation": GOOD, "failurelocation": "s3://whole/1"}
        locations[header] = "s3://theirs/1"
        headers = {f"x-amzn-sagemaker-{name}": value for name, value in locations.items()}
        io = ScriptedIO([Response(202, headers, b'{"InferenceId":"id"}')])
        seen = []
        with pytest.raises(LocationNotAllowedError) as caught:
            run(
                core(io, allowed_locations=ALLOWED).infer(
                    "e", b"x", timeout=60, on_invocation=seen.append
                )
            )
        assert [sent.request.method for sent in io.sent] == ["POST"]
        assert [caught.value.invocation] == seen

    def test_allowed(self):
        """If the location that the service returns is allowed, `infer` returns the output."""
        io = ScriptedIO([accepted(), Response(200, (), b"output")])
        output = run(core(io, allowed_locations=["s3://bucket"]).infer("e", b"x", timeout=60))
        assert output.body == b"output"


class TestHostileHandles:
    @pytest.mark.parametrize(
        ("origin", "options"),
        [
            *[pytest.param(origin, {}, id=name) for name, origin in ORIGINS.items()],
            *[pytest.param(ORIGINS["JSON"], SETTINGS[name], id=name) for name in SETTINGS],
        ],
    )
    def test_allowed_locations(self, origin, options, caplog):
        """For any hostile value in a handle, only allowed locations are requested, and log lines
        and messages contain no line break.
        """
        caplog.set_level(logging.DEBUG)
        for field, value in FIELDS:
            io = ScriptedIO(secret_unless_allowed)
            error = hostile_wait(io, origin, field, value, allowed_locations=ALLOWED, **options)
            found = [requested(sent) for sent in io.sent]
            assert [pair for pair in found if not is_allowed(*pair)] == []
            assert_quiet(error, caplog)

    @pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
    def test_no_allowed_locations(self, options, caplog):
        """Without `allowed_locations`, a hostile value in a handle can cause only requests to S3."""
        caplog.set_level(logging.DEBUG)
        for field, value in FIELDS:
            io = ScriptedIO(lambda *_: NO_SUCH_KEY)
            error = hostile_wait(io, ORIGINS["JSON"], field, value, **options)
            assert all(requested(sent) for sent in io.sent)
            assert_quiet(error, caplog)


def hostile_wait(io, origin, field, value, **options):
    """Wait for a handle with a hostile value in one field, and return the error."""
    fields = {
        "inference_id": "id",
        "output_location": GOOD,
        "failure_location": "s3://whole/f",
        "date": START,
        field: value,
    }
    if field in {"date", "first_attempt_date"} and value is not None:
        fields[field] = datetime.fromisoformat(value).astimezone(UTC)
        if not 1900 < fields[field].year < 9000:
            fields[field] = None
    handle = origin(Invocation(**fields))
    with pytest.raises(RuntimeClientError) as caught:
        run(core(io, **options).wait(handle, timeout=1))
    return caught.value


def assert_quiet(error, caplog):
    """Assert that the error and the log lines have no line break, are not long, and show no secret."""
    lines = [str(error), *(record.getMessage() for record in caplog.records)]
    assert [line for line in lines if not line.isprintable() or len(line) > 4000] == []
    assert SECRET.decode() not in "".join(lines)
    caplog.clear()


class TestClients:
    @pytest.mark.parametrize("location", INSIDE)
    def test_paths_that_arrive(self, driver, emulator, location):
        """For each kind of HTTP client, S3 receives the unchanged key of the handle, even if the
        key contains ``..``.
        """
        bucket, key = INSIDE[location]
        client = driver.client(**settings(emulator, allowed_locations=ALLOWED))
        with pytest.raises(WaitTimeoutError):
            client.wait(Invocation(output_location=location), timeout=0)
        paths = {unquote(request.target.partition("?")[0]) for request in emulator.requests}
        assert paths == {f"/{bucket}/{key}"}

    def test_infer(self, plain_driver, emulator):
        """`infer` returns an output from an allowed location; else its error contains the handle."""
        client = plain_driver.client(**settings(emulator))
        allowed = client.with_options(allowed_locations=["s3://sagemaker-emulator"])
        assert plain_driver.call(allowed.infer, "e", b"x", timeout=60, schedule=often).body == b"X"
        refusing = client.with_options(allowed_locations=["s3://sagemaker-emulator/other/"])
        before = len(emulator.requests)
        with pytest.raises(LocationNotAllowedError) as caught:
            plain_driver.call(refusing.infer, "e", b"x", timeout=60, schedule=often)
        assert [request.method for request in emulator.requests[before:]] == ["POST"]
        assert client.wait(caught.value.invocation, timeout=60, schedule=often).body == b"X"
