"""Tests of delete_object and delete_objects."""

import pickle
from base64 import b64encode
from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    InternalFailureError,
    ObjectNotFoundError,
    ParamValidationError,
    Response,
    ServiceError,
    ThrottlingError,
    TransportError,
)
from tests.runtime_client.s3.botocore_requests import Botocore, sent_parts
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    CREDENTIALS,
    ScriptedIO,
    core,
    dropped,
    run,
    s3_error,
)

BOTOCORE = Botocore()
NO_CONTENT = Response(204, ())
# Keys that an XML document can contain.
KEYS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\t\r\n"),
    min_size=1,
    max_size=20,
)


def result(*errors):
    """Return a response to DeleteObjects; each error consists of a key, a code and a message."""
    entries = "".join(
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>{message}</Message></Error>"
        for key, code, message in errors
    )
    body = f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{entries}</DeleteResult>'
    return Response(200, {"x-amz-request-id": "R"}, body.encode())


def delete(io, *locations, **arguments):
    """Delete objects, and return the errors of those that were not deleted."""
    return run(core(io).delete_objects(locations, **arguments))


def test_one():
    """delete_object sends the request that botocore sends, and retries it if the connection breaks."""
    io = ScriptedIO([dropped(), NO_CONTENT])
    assert run(core(io).delete_object("s3://bucket/a b")) is None
    assert sent_parts(io.sent[1]) == BOTOCORE.request("delete_object", Key="a b")
    io.sent[1].verify("s3")


def test_one_fails():
    """If S3 denies a deletion, delete_object raises the error."""
    with pytest.raises(AccessDeniedError, match=r"^s3://bucket/key: Access Denied"):
        run(core(ScriptedIO([ACCESS_DENIED])).delete_object("s3://bucket/key"))


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.lists(KEYS, min_size=1, max_size=5, unique=True))
def test_request(keys):
    """delete_objects sends the request that botocore sends, and a Content-MD5 header in addition."""
    io = ScriptedIO([result()])
    assert delete(io, *(f"s3://bucket/{key}" for key in keys)) == {}
    method, host, path, query, headers, body = sent_parts(io.sent[0])
    digest = ("content-md5", b64encode(md5(body).digest()).decode())
    assert digest in headers
    headers.remove(digest)
    listed = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    expected = BOTOCORE.request("delete_objects", Delete=listed)
    assert (method, host, path, query, headers, body) == expected
    io.sent[0].verify("s3")


def test_checksum_is_required():
    """delete_objects sends a checksum even with ``when_required``, because S3 requires one."""
    io = ScriptedIO([result()])
    client = core(io, request_checksum_calculation="when_required")
    run(client.delete_objects(["s3://bucket/a"]))
    assert io.sent[0].header("x-amz-checksum-crc32") is not None


def test_batches():
    """Each request deletes at most 1,000 objects from one bucket, and each object is listed only
    once.
    """
    io = ScriptedIO([result()] * 4)
    many = [f"s3://bucket/{number}" for number in range(2001)]
    assert delete(io, "s3://other/1", *many, "s3://bucket/7", "s3://other/1") == {}
    counts = [(sent.origin.split(".")[0], sent.request.body.count(b"<Object>")) for sent in io.sent]
    assert sorted(counts) == [
        ("https://bucket", 1),
        ("https://bucket", 1000),
        ("https://bucket", 1000),
        ("https://other", 1),
    ]


def test_nothing():
    """If no location is passed, delete_objects sends nothing."""
    assert delete(ScriptedIO([])) == {}


def test_keys_that_xml_cannot_contain():
    """Each key that XML cannot contain is deleted in a separate DELETE request."""
    io = ScriptedIO([NO_CONTENT, s3_error(403, "AccessDenied", "no"), result()])
    failures = delete(io, "s3://bucket/a\0", "s3://bucket/\ufffe", "s3://bucket/b")
    assert [(sent.request.method, sent.request.path) for sent in io.sent] == [
        ("DELETE", "/a%00"),
        ("DELETE", "/%EF%BF%BE"),
        ("POST", "/?delete"),
    ]
    assert {key: type(error) for key, error in failures.items()} == {
        "s3://bucket/\ufffe": AccessDeniedError
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", AccessDeniedError),
        ("InternalError", InternalFailureError),
        ("SlowDown", ThrottlingError),
        ("NoSuchKey", ObjectNotFoundError),
        ("SomethingNew", ServiceError),
    ],
)
def test_failures(code, kind):
    """delete_objects returns a typed error for each object that S3 did not delete."""
    io = ScriptedIO([result(("b &amp; c", code, "because"))])
    failures = delete(io, "s3://bucket/a", "s3://bucket/b & c")
    error = failures.pop("s3://bucket/b & c")
    assert failures == {}
    assert (type(error), error.code, error.message, error.request_id) == (
        kind,
        code,
        "s3://bucket/b & c: because",
        "R",
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_failures_have_no_secrets():
    """If S3 repeats a secret in an error message, the returned error does not contain the secret."""
    message = f"{CREDENTIALS.session_token} {CREDENTIALS.secret_access_key}"
    (error,) = delete(
        ScriptedIO([result(("a", "AccessDenied", message))]), "s3://bucket/a"
    ).values()
    assert error.message == "s3://bucket/a: ... ..."


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html/>", TransportError),
        (b"<DeleteResult><Error><Code>a</Code></Error></DeleteResult>", TransportError),
        (b"<Error><Code>MalformedXML</Code></Error>", InternalFailureError),
    ],
)
def test_malformed(body, error):
    """If the response to DeleteObjects is an error or is malformed, delete_objects raises an error."""
    with pytest.raises(error):
        delete(ScriptedIO([Response(200, (), body)] * 3), "s3://bucket/a")


@pytest.mark.parametrize(
    "locations", ["s3://bucket/a", b"s3://bucket/a", ["s3://bucket/a", "s3://bucket"], [None]]
)
def test_invalid(locations):
    """If any location is invalid, an error is raised, and nothing is deleted."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError) as caught:
        run(core(io).delete_objects(locations))
    assert caught.value.argument == "locations"
