"""Tests of `expected_bucket_owner`."""

import pytest

from sagemaker_runtime_client import AccessDeniedError, Response
from tests.runtime_client.clients import settings
from tests.runtime_client.scripted_io import (
    ScriptedIO,
    accepted,
    core,
    run,
    s3_error,
)

OWNER, OTHER = "000000000000", "111111111111"
HEADER = "x-amz-expected-bucket-owner"
LOCATION = "s3://bucket/key"
CALLS = {
    "put_object": lambda client: client.put_object(LOCATION, b"x"),
    "get_object": lambda client: client.get_object(LOCATION),
    "head_object": lambda client: client.head_object(LOCATION),
    "infer": lambda client: client.infer("e", b"x", timeout=60),
}
OBJECT = Response(200, (), b"")
MOVED = Response(301, ())


def owners(io):
    """Return the owner header of each request to S3, after checking that the header is signed."""
    sent = [sent for sent in io.sent if ".s3." in sent.origin]
    for one in sent:
        signed = one.verify("s3", one.origin.split(".")[2]).signed_headers
        assert (HEADER in signed) == (one.header(HEADER) is not None)
    return [one.header(HEADER) for one in sent]


@pytest.mark.parametrize("name", CALLS)
def test_header(name):
    """Each request to S3 contains the expected owner in a signed header; other services do not get
    it.
    """
    answers = [accepted(), OBJECT] if name == "infer" else [OBJECT]
    io = ScriptedIO(answers)
    run(CALLS[name](core(io, expected_bucket_owner=OWNER)))
    assert owners(io) == [OWNER]
    assert [sent.header(HEADER) for sent in io.sent if ".s3." not in sent.origin] == [None] * (
        len(io.sent) - 1
    )


def test_another_region():
    """Requests that find a bucket in another region also contain the expected owner."""
    region = {"x-amz-bucket-region": "eu-north-1"}
    io = ScriptedIO([MOVED, Response(200, region), OBJECT])
    run(core(io, expected_bucket_owner=OWNER).get_object(LOCATION))
    assert [sent.request.method for sent in io.sent] == ["GET", "HEAD", "GET"]
    assert owners(io) == [OWNER] * 3


def test_with_options():
    """If `with_options` sets expected_bucket_owner, the option does not apply to the original
    client.
    """
    io = ScriptedIO([OBJECT] * 2)
    client = core(io)
    run(client.with_options(expected_bucket_owner=OTHER).get_object(LOCATION))
    run(client.get_object(LOCATION))
    assert owners(io) == [OTHER, None]


def test_timeout_of_a_wait():
    """If S3 denies every poll, the error of `infer` mentions expected_bucket_owner."""
    denied = s3_error(403, "AccessDenied")
    io = ScriptedIO(lambda _io, sent: denied if ".s3." in sent.origin else accepted())
    with pytest.raises(Exception, match="the bucket must belong to expected_bucket_owner"):
        run(CALLS["infer"](core(io, expected_bucket_owner=OWNER)))


@pytest.mark.parametrize("name", ["put_object", "get_object", "head_object"])
def test_emulator(plain_driver, emulator, name):
    """A call succeeds if the expected owner owns the bucket, and raises AccessDeniedError
    otherwise.
    """
    emulator.objects.put(LOCATION, b"x")
    client = plain_driver.client(**settings(emulator, expected_bucket_owner=OWNER))
    call = CALLS[name]
    assert call(client).size == 1
    other = plain_driver.client(**settings(emulator, expected_bucket_owner=OTHER))
    with pytest.raises(AccessDeniedError):
        call(other)
