"""Tests of put_object, get_object and head_object."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from zlib import crc32

import pytest
from botocore.handlers import _handle_200_error
from botocore.session import Session

from sagemaker_runtime_client import (
    AccessDeniedError,
    ChecksumError,
    InternalFailureError,
    ObjectNotFoundError,
    ParamValidationError,
    PreconditionFailedError,
    Response,
    S3Object,
    ServiceError,
    ThrottlingError,
    TransportError,
)
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    NO_SUCH_KEY,
    REGION,
    ScriptedIO,
    core,
    dropped,
    run,
    s3_error,
)

STORED = Response(200, {"etag": '"e"', "x-amz-request-id": "S3ID"})
FOUND = Response(
    200,
    {
        "Content-Type": "text/csv",
        "Content-Length": "4",
        "ETag": '"e"',
        "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT",
        "x-amz-meta-One": "1",
        "X-AMZ-META-two": "zwei",
        "x-amz-other": "0",
    },
    b"body",
)


def test_put():
    """put_object sends the body in one piece with a signed SHA-256 hash, and returns a description
    of the object.
    """
    io = ScriptedIO([STORED])
    stored = run(
        core(io).put_object(
            "s3://bucket/a key", b"body", content_type="text/csv", metadata={"Name": "v 1"}
        )
    )
    (sent,) = io.sent
    assert (sent.request.method, sent.request.body) == ("PUT", b"body")
    assert sent.url == f"https://bucket.s3.{REGION}.amazonaws.com/a%20key"
    assert sent.header("content-type") == "text/csv"
    assert sent.header("x-amz-meta-name") == "v 1"
    assert sent.header("x-amz-content-sha256") == sha256(b"body").hexdigest()
    signed = sent.verify("s3").signed_headers
    assert {"content-type", "host", "x-amz-content-sha256", "x-amz-meta-name"} <= set(signed)
    expected = S3Object(
        location="s3://bucket/a key",
        body=b"",
        size=4,
        content_type="text/csv",
        metadata={},
        etag='"e"',
        last_modified=None,
    )
    assert stored == expected
    assert len({expected, stored}) == 1


def test_put_without_a_type():
    """If no content type is passed, put_object sends no content-type header."""
    io = ScriptedIO([STORED])
    assert run(core(io).put_object("s3://bucket/k", b"")).content_type is None
    assert io.sent[0].header("content-type") is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "v"},
        {"a b": "v"},
        {"a:": "v"},
        {"ä": "v"},
        {1: "v"},
        [("a", "b")],
        {"a": "ä"},
        {"a": "v\n"},
        {"a\r\nx-amz-acl": "public-read"},
        {"a": "v\r\nx-amz-acl: public-read"},
    ],
    ids=repr,
)
def test_invalid_metadata(metadata):
    """Metadata that cannot be sent in headers is rejected before anything is sent."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError) as caught:
        run(core(io).put_object("s3://bucket/k", b"", metadata=metadata))
    assert caught.value.argument == "metadata"


def test_invalid_content_type():
    """A content type that cannot be sent in a header is rejected before anything is sent."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError):
        run(core(io).put_object("s3://bucket/k", b"", content_type="a\r\nb: c"))
    assert io.sent == []


def test_get():
    """get_object returns the body, size, content type, metadata, entity tag and modification date
    of an object.
    """
    io = ScriptedIO([FOUND])
    expected = S3Object(
        location="s3://bucket/key",
        body=b"body",
        size=4,
        content_type="text/csv",
        metadata={"one": "1", "two": "zwei"},
        etag='"e"',
        last_modified=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    found = run(core(io).get_object("s3://bucket/key"))
    assert found == expected
    assert "body" not in repr(found)
    assert io.sent[0].request.method == "GET"
    io.sent[0].verify("s3")


def test_head():
    """head_object returns the description of an object, including its size, but not its body."""
    io = ScriptedIO([Response(200, FOUND.headers)])
    found = run(core(io).head_object("s3://bucket/key"))
    assert (found.size, found.body, found.content_type) == (4, b"", "text/csv")
    assert io.sent[0].request.method == "HEAD"


@pytest.mark.parametrize(("length", "size"), [("9" * 19, int("9" * 19)), ("9" * 20, 0)])
def test_longest_length(length, size):
    """A content-length of at most nineteen digits is the size of the object.

    A longer content-length is ignored, so the size of an object without a body is 0.
    """
    io = ScriptedIO([Response(200, {"content-length": length})])
    assert run(core(io).head_object("s3://bucket/key")).size == size


@pytest.mark.parametrize("length", ["", "-4", "four", "²", "9" * 5000, "4, 4"], ids=lambda t: t[:9])
def test_invalid_length(length):
    """If the content-length is invalid, the size that get_object returns is the length of the body."""
    io = ScriptedIO([Response(200, {"content-length": length}, b"body!")])
    assert run(core(io).get_object("s3://bucket/key")).size == 5


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (NO_SUCH_KEY, ObjectNotFoundError, "NoSuchKey"),
        (s3_error(404, "NoSuchBucket"), ObjectNotFoundError, "NoSuchBucket"),
        (ACCESS_DENIED, AccessDeniedError, "AccessDenied"),
        (Response(403, ()), AccessDeniedError, "403"),
        (Response(404, ()), ObjectNotFoundError, "404"),
        (Response(400, ()), ServiceError, "400"),
        (s3_error(412, "PreconditionFailed"), PreconditionFailedError, "PreconditionFailed"),
    ],
)
def test_errors(answer, kind, code):
    """The code of an S3 error is read from the body.

    If there is no body, as for a HEAD request, the code is the status.
    """
    with pytest.raises(ServiceError) as caught:
        run(core(ScriptedIO([answer])).get_object("s3://bucket/key"))
    assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize(
    "failure",
    [dropped(), s3_error(503, "SlowDown"), s3_error(500, "InternalError"),
     s3_error(400, "RequestTimeout"), Response(200, FOUND.headers, b"bo", complete=False),
     Response(408, ()), *[Response(status, FOUND.headers, b"late") for status in (202, 204, 207)]],
    ids=["dropped", "slow down", "internal", "timeout", "broken off", "408", "202", "204", "207"],
)  # fmt: skip
def test_retried(failure):
    """get_object is idempotent, so it is retried even with retry_ambiguous=False after a transient
    failure, an incomplete response, or a success status other than 200 and 206.
    """
    io = ScriptedIO([failure, FOUND])
    assert run(core(io, retry_ambiguous=False).get_object("s3://bucket/key")).body == b"body"


@pytest.mark.parametrize("method", ["get_object", "head_object"])
def test_no_object(method):
    """If a success status is neither 200 nor 206, get_object and head_object raise an error after
    the last attempt, because the response contains no object.
    """
    io = ScriptedIO([Response(204, {"etag": '"e"', "x-amz-request-id": "S3ID"})] * 3)
    with pytest.raises(
        TransportError, match="S3 responded with status 204, which carries no object"
    ) as caught:
        run(getattr(core(io), method)("s3://bucket/key"))
    error = caught.value
    assert (error.attempts, error.status_code, error.request_id) == (3, 204, "S3ID")
    for status in (200, 206):
        found = run(
            getattr(core(ScriptedIO([Response(status, FOUND.headers)])), method)("s3://b/k")
        )
        assert found.etag == '"e"'


HIDDEN = "<Error><Code>{}</Code><Message>We encountered an internal error.</Message></Error>"
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (HIDDEN.format("InternalError"), InternalFailureError, "InternalError"),
        (DECLARED + HIDDEN.format("InternalError"), InternalFailureError, "InternalError"),
        (
            " \r\n " + DECLARED + HIDDEN.format("InternalError"),
            InternalFailureError,
            "InternalError",
        ),
        ("\n" + HIDDEN.format("InternalError"), InternalFailureError, "InternalError"),
        (HIDDEN.format("SlowDown"), ThrottlingError, "SlowDown"),
        ("<Error/>", InternalFailureError, "500"),
        (HIDDEN.format("InternalError")[:40], InternalFailureError, "500"),
        (" ", InternalFailureError, "500"),
    ],
    ids=["plain", "declared", "blanks", "a line end", "slow down", "empty", "half", "a blank"],
)
def test_error_in_a_success(body, kind, code):
    """If S3 responds to put_object with status 200 and a body that is an error document, a part of
    one or only white space, the response is treated as a 500, as in botocore. The call is
    retried, and if all attempts fail, it raises an error.
    """
    hidden = Response(200, {"x-amz-request-id": "S3ID"}, body.encode())
    parsed = {"status_code": 200, "body": body.encode()}
    operation_model = Session().get_service_model("s3").operation_model("PutObject")
    _handle_200_error(operation_model, parsed)
    assert parsed["status_code"] == 500
    io = ScriptedIO([hidden, STORED])
    assert run(core(io).put_object("s3://bucket/key", b"body")).etag == '"e"'
    assert io.sent[1].request.body == b"body"
    with pytest.raises(ServiceError) as caught:
        run(core(ScriptedIO([hidden] * 3)).put_object("s3://bucket/key", b"body"))
    error = caught.value
    assert (type(error), error.code, error.status_code, error.attempts) == (kind, code, 500, 3)


def test_upload_that_was_an_error():
    """If S3 responds to each attempt of an upload with a 200 and an error document, the job is not
    queued.
    """
    hidden = Response(200, (), HIDDEN.format("InternalError").encode())
    io = ScriptedIO([hidden] * 3)
    with pytest.raises(InternalFailureError):
        run(core(io).submit("e", b"x", inline=False, input_prefix="s3://bucket/in/"))
    assert [sent.request.method for sent in io.sent] == ["PUT"] * 3


def test_success_with_a_document():
    """put_object accepts a 200 response with a document that is not an error document. get_object
    returns an object even if the object looks like an error document.
    """
    stored = Response(200, STORED.headers, b"<PutObjectResult/>")
    assert run(core(ScriptedIO([stored])).put_object("s3://bucket/key", b"")).etag == '"e"'
    looks_so = Response(200, FOUND.headers, HIDDEN.encode())
    assert run(core(ScriptedIO([looks_so])).get_object("s3://bucket/key")).body == HIDDEN.encode()


def test_incomplete_in_every_attempt():
    """If an object arrives incomplete in every attempt, get_object raises an error."""
    io = ScriptedIO([Response(200, FOUND.headers, b"bo", complete=False)] * 3)
    with pytest.raises(TransportError, match="ended before it was complete"):
        run(core(io).get_object("s3://bucket/key"))


# ---- checksums

CRC32 = b64encode(crc32(b"body").to_bytes(4, "big")).decode()
SHA256 = b64encode(sha256(b"body").digest()).decode()
WRONG = "AAAAAA=="
WHEN_REQUIRED = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def found(**checksums):
    """Return a response that contains an object, and the given checksums in its headers."""
    stated = [(f"x-amz-checksum-{name}", value) for name, value in checksums.items()]
    return Response(200, (*FOUND.headers, *stated), b"body")


def test_checksum_of_a_put():
    """put_object sends the CRC32 of the body in a signed header, and the body is not chunked."""
    io = ScriptedIO([STORED])
    run(core(io).put_object("s3://bucket/key", b"body"))
    (sent,) = io.sent
    assert sent.header("x-amz-checksum-crc32") == CRC32
    assert "x-amz-checksum-crc32" in sent.verify("s3").signed_headers
    assert None is sent.header("content-encoding") is sent.header("x-amz-trailer")


@pytest.mark.parametrize(
    "checksums",
    [
        {},
        {"crc32": CRC32},
        {"sha256": SHA256},
        {"sha256": SHA256, "crc32": CRC32},
        {"crc32": "AAAAAA==-3"},
        {"crc32": "AAAAAA==-3", "sha256": SHA256},
        {"xxhash64": "AAAAAAAAAAA="},
        {"type": "FULL_OBJECT"},
    ],
    ids=repr,
)
def test_checksum_of_a_get(checksums):
    """get_object requests the object's checksums and verifies those of supported algorithms.

    A checksum of a multipart object's parts or with an unsupported algorithm is ignored.
    """
    io = ScriptedIO([found(**checksums)])
    assert run(core(io).get_object("s3://bucket/key")).body == b"body"
    assert io.sent[0].header("x-amz-checksum-mode") == "ENABLED"
    assert "x-amz-checksum-mode" in io.sent[0].verify("s3").signed_headers


DAMAGED = [
    {"crc32": WRONG},
    {"crc32": "no checksum"},
    {"sha1": "A" * 27 + "="},
    {"sha256": SHA256[::-1]},
    {"sha512": "AAAA"},
    {"md5": "A" * 22 + "=="},
    {"crc32": WRONG, "sha256": SHA256},
    {"crc32": "AAAAAA==-3", "sha256": WRONG},
    {"crc32c": WRONG},
    {"crc64nvme": "AAAAAAAAAAA="},
]


@pytest.mark.parametrize("checksums", DAMAGED, ids=repr)
def test_damaged(checksums):
    """If an object does not match one of its checksums, get_object is retried, and raises a
    ChecksumError after the last attempt.
    """
    io = ScriptedIO([found(**checksums), found(crc32=CRC32)])
    assert run(core(io).get_object("s3://bucket/key")).body == b"body"
    io = ScriptedIO([found(**checksums)] * 3)
    with pytest.raises(ChecksumError, match=r"damaged in transit: its [A-Z0-9]+ differs") as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert (
        caught.value.attempts,
        caught.value.status_code,
        caught.value.retryable,
        caught.value.possibly_accepted,
    ) == (3, 200, True, False)


def test_head_has_no_checksum():
    """head_object does not request a checksum, because it receives no body."""
    io = ScriptedIO([found(crc32=WRONG)])
    run(core(io).head_object("s3://bucket/key"))
    assert io.sent[0].header("x-amz-checksum-mode") is None


@pytest.mark.parametrize("how", ["argument", "variable", "profile"])
def test_no_checksums(how):
    """If both checksum settings are when_required, put_object sends no checksum, and get_object
    neither requests nor verifies one.
    """
    io = ScriptedIO([STORED, found(crc32=WRONG)])
    arguments = WHEN_REQUIRED if how == "argument" else {}
    if how == "variable":
        io.environ |= {f"AWS_{name.upper()}": value for name, value in WHEN_REQUIRED.items()}
    if how == "profile":
        lines = [f"{name} = {value}" for name, value in WHEN_REQUIRED.items()]
        io.files["/home/user/.aws/config"] = "\n".join(["[default]", *lines])
    client = core(io, **arguments)
    run(client.put_object("s3://bucket/key", b"body"))
    assert run(client.get_object("s3://bucket/key")).body == b"body"
    names = {name.lower() for sent in io.sent for name, _ in sent.request.headers}
    assert [name for name in names if "checksum" in name] == []
