"""Put, get and head of one object, wherever its bucket is."""

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from zlib import crc32

import pytest
from botocore.handlers import _handle_200_error
from botocore.session import Session
from botocore.utils import percent_encode as their_percent_encode
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    ChecksumError,
    InternalFailureError,
    Invocation,
    ObjectNotFoundError,
    ParamValidationError,
    Response,
    S3Object,
    ServiceError,
    ThrottlingError,
    TransportError,
)
from sagemaker_runtime_client._s3_object import S3Location
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
    """The body is sent in one piece, its hash signed; the answer has all but the body."""
    io = ScriptedIO([STORED])
    stored = run(
        core(io).put_object(
            "s3://bucket/a key", b"body", content_type="text/csv", metadata={"Name": "v 1"}
        )
    )
    (sent,) = io.sent
    assert ("PUT", b"body") == (sent.request.method, sent.request.body)
    assert f"https://bucket.s3.{REGION}.amazonaws.com/a%20key" == sent.url
    assert "text/csv" == sent.header("content-type")
    assert "v 1" == sent.header("x-amz-meta-name")
    assert sha256(b"body").hexdigest() == sent.header("x-amz-content-sha256")
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
    assert expected == stored
    assert 1 == len({expected, stored})


def test_put_without_a_type():
    """No type is no header."""
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
def test_metadata_that_is_refused(metadata):
    """Metadata goes out as headers, so it must be fit to; nothing is sent."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError) as caught:
        run(core(io).put_object("s3://bucket/k", b"", metadata=metadata))
    assert "metadata" == caught.value.argument


def test_content_type_that_is_refused():
    """So must the type."""
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError):
        run(core(io).put_object("s3://bucket/k", b"", content_type="a\r\nb: c"))
    assert [] == io.sent


def test_get():
    """An object has its body, type, metadata and dates."""
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
    assert expected == found
    assert "body" not in repr(found)
    assert "GET" == io.sent[0].request.method
    io.sent[0].verify("s3")


def test_head():
    """A HEAD has all but the body, its size among it."""
    io = ScriptedIO([Response(200, FOUND.headers)])
    found = run(core(io).head_object("s3://bucket/key"))
    assert (4, b"", "text/csv") == (found.size, found.body, found.content_type)
    assert "HEAD" == io.sent[0].request.method


@pytest.mark.parametrize(("length", "size"), [("9" * 19, int("9" * 19)), ("9" * 20, 0)])
def test_longest_length(length, size):
    """A length has at most nineteen digits."""
    io = ScriptedIO([Response(200, {"content-length": length})])
    assert size == run(core(io).head_object("s3://bucket/key")).size


@pytest.mark.parametrize("length", ["", "-4", "four", "²", "9" * 5000, "4, 4"], ids=lambda t: t[:9])
def test_length_that_is_none(length):
    """What is no length is not taken for one."""
    io = ScriptedIO([Response(200, {"content-length": length}, b"body!")])
    assert 5 == run(core(io).get_object("s3://bucket/key")).size


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (NO_SUCH_KEY, ObjectNotFoundError, "NoSuchKey"),
        (s3_error(404, "NoSuchBucket"), ObjectNotFoundError, "NoSuchBucket"),
        (ACCESS_DENIED, AccessDeniedError, "AccessDenied"),
        (Response(403, ()), AccessDeniedError, "403"),
        (Response(404, ()), ObjectNotFoundError, "404"),
        (Response(400, ()), ServiceError, "400"),
        (s3_error(412, "PreconditionFailed"), ServiceError, "PreconditionFailed"),
    ],
)
def test_refusals(answer, kind, code):
    """S3's error names its code; a HEAD's, which has no body, its status."""
    with pytest.raises(ServiceError) as caught:
        run(core(ScriptedIO([answer])).get_object("s3://bucket/key"))
    assert (kind, code) == (type(caught.value), caught.value.code)


@pytest.mark.parametrize(
    "failure",
    [dropped(), s3_error(503, "SlowDown"), s3_error(500, "InternalError"),
     s3_error(400, "RequestTimeout"), Response(200, FOUND.headers, b"bo", complete=False),
     Response(408, ()), *[Response(status, FOUND.headers, b"late") for status in (202, 204, 207)]],
    ids=["dropped", "slow down", "internal", "timeout", "broken off", "408", "202", "204", "207"],
)  # fmt: skip
def test_tried_again(failure):
    """All three are idempotent, so that they are tried again in any case."""
    io = ScriptedIO([failure, FOUND])
    assert b"body" == run(core(io, retry_ambiguous=False).get_object("s3://bucket/key")).body


@pytest.mark.parametrize("method", ["get_object", "head_object"])
def test_no_object(method):
    """A success other than 200 and 206 may be the answer to another request: it is no object."""
    io = ScriptedIO([Response(204, {"etag": '"e"', "x-amz-request-id": "S3ID"})] * 3)
    with pytest.raises(
        TransportError, match="S3 answered 204, which comes with no object"
    ) as caught:
        run(getattr(core(io), method)("s3://bucket/key"))
    error = caught.value
    assert (3, 204, "S3ID") == (error.attempts, error.status_code, error.request_id)
    for status in (200, 206):
        found = run(
            getattr(core(ScriptedIO([Response(status, FOUND.headers)])), method)("s3://b/k")
        )
        assert '"e"' == found.etag


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
    """Where S3 says 200 and then sends an error, nothing was stored: it is a 500, tried again, then raised."""
    hidden = Response(200, {"x-amz-request-id": "S3ID"}, body.encode())
    parsed = {"status_code": 200, "body": body.encode()}
    theirs = Session().get_service_model("s3").operation_model("PutObject")
    _handle_200_error(theirs, parsed)
    assert 500 == parsed["status_code"]
    io = ScriptedIO([hidden, STORED])
    assert '"e"' == run(core(io).put_object("s3://bucket/key", b"body")).etag
    assert b"body" == io.sent[1].request.body
    with pytest.raises(ServiceError) as caught:
        run(core(ScriptedIO([hidden] * 3)).put_object("s3://bucket/key", b"body"))
    error = caught.value
    assert (kind, code, 500, 3) == (type(error), error.code, error.status_code, error.attempts)


def test_upload_that_was_an_error():
    """A job is not queued without its input."""
    hidden = Response(200, (), HIDDEN.format("InternalError").encode())
    io = ScriptedIO([hidden] * 3)
    with pytest.raises(InternalFailureError):
        run(core(io).submit("e", b"x", inline=False, input_prefix="s3://bucket/in/"))
    assert ["PUT"] * 3 == [sent.request.method for sent in io.sent]


def test_success_with_a_document():
    """Another document is none of that; nor is an object that looks like an error."""
    stored = Response(200, STORED.headers, b"<PutObjectResult/>")
    assert '"e"' == run(core(ScriptedIO([stored])).put_object("s3://bucket/key", b"")).etag
    looks_so = Response(200, FOUND.headers, HIDDEN.encode())
    assert HIDDEN.encode() == run(core(ScriptedIO([looks_so])).get_object("s3://bucket/key")).body


def test_broken_off_for_good():
    """Half an object is no object."""
    io = ScriptedIO([Response(200, FOUND.headers, b"bo", complete=False)] * 3)
    with pytest.raises(TransportError, match="broke off"):
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
    """Return an object with headers for these checksums."""
    stated = [(f"x-amz-checksum-{name}", value) for name, value in checksums.items()]
    return Response(200, (*FOUND.headers, *stated), b"body")


def test_checksum_of_a_put():
    """What is put goes out with its CRC32, signed, for S3 to check; in one piece, never in chunks."""
    io = ScriptedIO([STORED])
    run(core(io).put_object("s3://bucket/key", b"body"))
    (sent,) = io.sent
    assert CRC32 == sent.header("x-amz-checksum-crc32")
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
        {"crc32c": WRONG},
        {"crc64nvme": "AAAAAAAAAAA="},
        {"type": "FULL_OBJECT"},
    ],
    ids=repr,
)
def test_checksum_of_a_get(checksums):
    """S3 is asked for the checksum, which must be right; what nothing here can make is left alone."""
    io = ScriptedIO([found(**checksums)])
    assert b"body" == run(core(io).get_object("s3://bucket/key")).body
    assert "ENABLED" == io.sent[0].header("x-amz-checksum-mode")
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
    {"crc32c": WRONG, "crc32": WRONG},
]


@pytest.mark.parametrize("checksums", DAMAGED, ids=repr)
def test_damaged(checksums):
    """An object with another checksum is fetched again, and is an error when it stays so."""
    io = ScriptedIO([found(**checksums), found(crc32=CRC32)])
    assert b"body" == run(core(io).get_object("s3://bucket/key")).body
    io = ScriptedIO([found(**checksums)] * 3)
    with pytest.raises(
        ChecksumError, match=r"the object arrived damaged: its [A-Z0-9]+ is"
    ) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert (3, 200, True, False) == (
        caught.value.attempts,
        caught.value.status_code,
        caught.value.retryable,
        caught.value.may_have_been_taken,
    )


def test_head_has_no_checksum():
    """A HEAD has no body to check, so it asks for no checksum."""
    io = ScriptedIO([found(crc32=WRONG)])
    run(core(io).head_object("s3://bucket/key"))
    assert io.sent[0].header("x-amz-checksum-mode") is None


@pytest.mark.parametrize("how", ["argument", "variable", "profile"])
def test_no_checksums(how):
    """Where they are said to be needed only where required, nothing is sent, asked for or checked."""
    io = ScriptedIO([STORED, found(crc32=WRONG)])
    arguments = WHEN_REQUIRED if how == "argument" else {}
    if how == "variable":
        io.environ |= {f"AWS_{name.upper()}": value for name, value in WHEN_REQUIRED.items()}
    if how == "profile":
        lines = [f"{name} = {value}" for name, value in WHEN_REQUIRED.items()]
        io.files["/home/user/.aws/config"] = "\n".join(["[default]", *lines])
    client = core(io, **arguments)
    run(client.put_object("s3://bucket/key", b"body"))
    assert b"body" == run(client.get_object("s3://bucket/key")).body
    names = {name.lower() for sent in io.sent for name, _ in sent.request.headers}
    assert [] == [name for name in names if "checksum" in name]


# ---- locations

LOCATIONS = [
    ("s3://b-1/k", "b-1", "k"),
    ("s3://B_1.x/k", "B_1.x", "k"),
    ("s3://bucket/a/b//c", "bucket", "a/b//c"),
    ("s3://bucket//k", "bucket", "/k"),
    ("s3://bucket/k/", "bucket", "k/"),
    ("s3://bucket/../a/./b", "bucket", "../a/./b"),
    ("s3://bucket/a?b#c%20d e", "bucket", "a?b#c%20d e"),
    ("s3://bucket/s3://x/y", "bucket", "s3://x/y"),
    ("s3://bucket/https://b.s3.amazonaws.com/k", "bucket", "https://b.s3.amazonaws.com/k"),
    ("https://bucket.s3.eu-west-1.amazonaws.com/a/b%20c", "bucket", "a/b c"),
    ("https://bucket.s3.amazonaws.com/k", "bucket", "k"),
    ("https://dotted.bucket.s3.eu-west-1.amazonaws.com/k", "dotted.bucket", "k"),
    ("https://bucket.s3-eu-west-1.amazonaws.com/k", "bucket", "k"),
    ("https://bucket.s3.dualstack.eu-west-1.amazonaws.com/k", "bucket", "k"),
    ("https://bucket.s3-fips.us-east-1.amazonaws.com/k", "bucket", "k"),
    ("https://bucket.s3-fips.dualstack.us-east-1.amazonaws.com/k", "bucket", "k"),
    ("https://s3.eu-west-1.amazonaws.com/bucket/a/b%2Bc", "bucket", "a/b+c"),
    ("https://b.s3.eu-central-1.amazonaws.com/n+ginx.conf", "b", "n ginx.conf"),
    ("https://s3.eu-central-1.amazonaws.com/b/a+b/%C3%BC+%2B%25", "b", "a b/\u00fc +%"),
    ("s3://bucket/n+ginx%20.conf", "bucket", "n+ginx%20.conf"),
    ("https://s3.amazonaws.com/bucket/k", "bucket", "k"),
    ("https://s3.cn-north-1.amazonaws.com.cn/bucket/k", "bucket", "k"),
    ("https://bucket.s3.cn-north-1.amazonaws.com.cn/k", "bucket", "k"),
    ("https://bucket.s3.eusc-de-east-1.amazonaws.eu/k", "bucket", "k"),
    ("https://bucket.s3.us-iso-east-1.c2s.ic.gov/k", "bucket", "k"),
    ("https://bucket.s3.us-isob-east-1.sc2s.sgov.gov/k", "bucket", "k"),
    ("https://bucket.s3.eu-isoe-west-1.cloud.adc-e.uk/k", "bucket", "k"),
    ("https://bucket.s3.us-isof-south-1.csp.hci.ic.gov/k", "bucket", "k"),
]


@pytest.mark.parametrize(("text", "bucket", "key"), LOCATIONS)
def test_locations(text, bucket, key):
    """Both forms name a bucket and a key, the https form with the key encoded."""
    assert S3Location(bucket, key) == S3Location.parse(text)
    assert f"s3://{bucket}/{key}" == str(S3Location.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "key",
        "s3:/bucket/key",
        "S3://bucket/key",
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://buc ket/key",
        "s3://bucket@evil.example/key",
        "s3://evil.example:80/key",
        "s3://bücket/key",
        "s3://" + "b" * 256 + "/key",
        "s3://bucket/\ud800",
        "arn:aws:s3:::bucket/key",
        "http://bucket.s3.eu-west-1.amazonaws.com/key",
        "https://evil.example/bucket/key",
        "https://s3.evil.example/bucket/key",
        "https://bucket.s3.amazonaws.com.evil.example/key",
        "https://evil.example/.s3.amazonaws.com/key",
        "https://evil.example?.s3.amazonaws.com/key",
        "https://evil.example#.s3.amazonaws.com/key",
        "https://user@bucket.s3.amazonaws.com/key",
        "https://bucket.s3.amazonaws.com:8443/key",
        "https://bucket.s3.amazonaws.com/key?versionId=1",
        "https://bucket.notamazonaws.com/key",
        "https://buckets3.amazonaws.com/key",
        "https://bucket.s3.eu-west-1.amazonaws.com",
        "https://bucket.s3.eu-west-1.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/bucket",
        "https://s3.eu-west-1.amazonaws.com/bucket/",
        "https://s3.eu-west-1.amazonaws.com//key",
        "https://bucket.s3.amazonaws.com/%FF",
        "https://bucket.s3.amazonaws.com/%ED%A0%80",
        "https://bucket.s3.amazonaws.com/100%",
        "https://bucket.s3.amazonaws.com/%zz",
    ],
)
def test_what_is_no_location(text):
    """Anything else is refused, other hosts above all, before any traffic."""
    io = ScriptedIO([])
    for operation in (core(io).get_object, core(io).head_object):
        with pytest.raises(ParamValidationError) as caught:
            run(operation(text))
        assert "location" == caught.value.argument
    with pytest.raises(ParamValidationError):
        run(core(io).put_object(text, b""))


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_any_location(text):
    """Arbitrary text is a location or that error."""
    for whole in (text, f"s3://bucket/{text}", f"https://s3.amazonaws.com/{text}"):
        with suppress(ParamValidationError):
            assert S3Location.parse(whole) == S3Location.parse(str(S3Location.parse(whole)))


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_key(key):
    """A key goes out with every byte but the unreserved ones and `/` encoded, and dots as they are."""
    io = ScriptedIO([FOUND])
    assert f"s3://bucket/{key}" == run(core(io).get_object(f"s3://bucket/{key}")).location
    (sent,) = io.sent
    assert "/" + their_percent_encode(key, safe="/~") == sent.request.path
    sent.verify("s3")


@pytest.mark.parametrize("key", ["..", "a/../b", "./a", "a//b", "/a", "a/.", "?", "#", "%2F", " "])
@pytest.mark.parametrize(
    ("style", "before"), [("virtual", "/"), ("path", "/bucket/")], ids=["virtual", "path"]
)
def test_keys_stay_as_they_are(style, before, key):
    """Nothing is normalised, nor decoded: dot segments and doubled slashes are part of the key."""
    io = ScriptedIO([FOUND])
    run(core(io, s3_addressing_style=style).get_object(f"s3://bucket/{key}"))
    (sent,) = io.sent
    assert before + their_percent_encode(key, safe="/~") == sent.request.path
    sent.verify("s3")


# ---- a bucket in another region

ELSEWHERE = "eu-north-1"
NAMED = "<Error><Code>{}</Code><Region>eu-north-1</Region></Error>"
POINTERS = [
    pytest.param(Response(301, {"x-amz-bucket-region": ELSEWHERE}), id="301 with a header"),
    pytest.param(Response(307, {"x-amz-bucket-region": ELSEWHERE}), id="307"),
    pytest.param(Response(302, {"x-amz-bucket-region": ELSEWHERE}), id="302"),
    pytest.param(Response(301, (), NAMED.format("PermanentRedirect").encode()), id="301, in XML"),
    pytest.param(
        Response(400, (), NAMED.format("AuthorizationHeaderMalformed").encode()), id="400, in XML"
    ),
    pytest.param(
        Response(400, (), NAMED.format("IllegalLocationConstraintException").encode()),
        id="location constraint",
    ),
    pytest.param(Response(400, {"x-amz-bucket-region": ELSEWHERE}), id="bare 400 of a HEAD"),
]


@pytest.mark.parametrize("pointer", POINTERS)
def test_wrong_region(pointer):
    """An answer that names the right region is followed there once, and the region is kept."""
    io = ScriptedIO([pointer, FOUND, FOUND])
    client = core(io)
    assert b"body" == run(client.get_object("s3://bucket/key")).body
    assert b"body" == run(client.get_object("s3://bucket/other")).body
    assert [] == io.slept
    hosts = [f"https://bucket.s3.{region}.amazonaws.com" for region in (REGION, ELSEWHERE)]
    assert [*hosts, hosts[1]] == [sent.origin for sent in io.sent]
    io.sent[0].verify("s3")
    for sent in io.sent[1:]:
        sent.verify("s3", region=ELSEWHERE)


def test_wrong_region_is_kept_by_bucket():
    """Another bucket is looked for at home."""
    io = ScriptedIO([Response(301, {"x-amz-bucket-region": ELSEWHERE}), FOUND, FOUND])
    client = core(io)
    run(client.get_object("s3://bucket/key"))
    run(client.get_object("s3://bucket2/key"))
    io.sent[-1].verify("s3")


def test_wrong_region_of_ones_own_endpoint():
    """An endpoint of one's own stays, and the signature's region changes."""
    io = ScriptedIO([Response(301, {"x-amz-bucket-region": ELSEWHERE}), FOUND])
    run(core(io, s3_endpoint_url="http://localhost:9000").get_object("s3://bucket/key"))
    assert ["http://localhost:9000/bucket/key"] * 2 == [sent.url for sent in io.sent]
    io.sent[1].verify("s3", region=ELSEWHERE)


def test_wrong_region_twice():
    """A bucket that is nowhere is an error after two regions."""
    away = [Response(301, {"x-amz-bucket-region": region}) for region in (ELSEWHERE, "us-east-1")]
    io = ScriptedIO(away)
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert 301 == caught.value.status_code


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response(301, {"x-amz-bucket-region": REGION}), id="the same region"),
        pytest.param(Response(301, {"x-amz-bucket-region": "evil.example/"}), id="no label"),
        pytest.param(Response(301, {"x-amz-bucket-region": "a" * 64}), id="too long"),
        pytest.param(Response(301, {"x-amz-bucket-region": "-a-"}), id="no label either"),
        pytest.param(s3_error(400, "AuthorizationHeaderMalformed"), id="no region"),
        pytest.param(Response(400, ()), id="bare 400"),
        pytest.param(Response(403, {"x-amz-bucket-region": ELSEWHERE}), id="403"),
        pytest.param(
            s3_error(400, "InvalidArgument", headers=[("x-amz-bucket-region", ELSEWHERE)]),
            id="another 400",
        ),
        pytest.param(
            s3_error(404, "NoSuchKey", headers=[("x-amz-bucket-region", ELSEWHERE)]), id="404"
        ),
    ],
)
def test_not_another_region(answer):
    """Any other answer is final."""
    io = ScriptedIO([answer])
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert answer.status == caught.value.status_code


NAMELESS = [
    pytest.param("get_object", s3_error(301, "PermanentRedirect"), id="301"),
    pytest.param("get_object", Response(307, ()), id="307"),
    pytest.param("get_object", Response(301, {"location": "https://evil.example/"}), id="location"),
    pytest.param(
        "get_object", s3_error(400, "IllegalLocationConstraintException"), id="constraint"
    ),
    pytest.param("head_object", Response(301, ()), id="bare 301 to a HEAD"),
    pytest.param("head_object", Response(400, ()), id="bare 400 to a HEAD"),
]


@pytest.mark.parametrize("answer", [200, 301, 400, 403])
@pytest.mark.parametrize(("method", "redirect"), NAMELESS)
@pytest.mark.parametrize(("style", "path"), [("virtual", "/"), ("path", "/bucket")])
def test_redirect_without_a_region(method, redirect, answer, style, path):
    """The bucket is asked where it is, as botocore does; it says so in a refusal, too."""
    told = Response(answer, {"x-amz-bucket-region": ELSEWHERE})
    io = ScriptedIO([redirect, told, FOUND, FOUND])
    client = core(io, s3_addressing_style=style)
    assert 4 == run(getattr(client, method)("s3://bucket/key")).size
    assert ("HEAD", path) == (io.sent[1].request.method, io.sent[1].request.path)
    assert io.sent[0].origin == io.sent[1].origin != io.sent[2].origin
    io.sent[1].verify("s3")
    io.sent[2].verify("s3", region=ELSEWHERE)
    run(client.get_object("s3://bucket/other"))
    io.sent[3].verify("s3", region=ELSEWHERE)


@pytest.mark.parametrize("region", [None, REGION, "evil.example/"], ids=str)
def test_redirect_to_nowhere(region):
    """Where the bucket does not know of another region either, the redirect is the error."""
    told = Response(200, {} if region is None else {"x-amz-bucket-region": region})
    io = ScriptedIO([s3_error(301, "PermanentRedirect"), told])
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert "PermanentRedirect" == caught.value.code


def test_waiting_for_a_redirect_without_a_region():
    """A wait's deadline holds for that question, too."""
    io = ScriptedIO([s3_error(301, "PermanentRedirect"), Response(404, ()), FOUND])
    with pytest.raises(ServiceError):
        run(core(io).wait(Invocation("id", "s3://bucket/key"), timeout=5))
    assert 2 == len({sent.request.method for sent in io.sent})
    assert [1005.0, 1005.0] == [sent.deadline for sent in io.sent]


@pytest.mark.parametrize("location", [None, 5, b"s3://bucket/key"])
def test_location_that_is_no_text(location):
    """A location is a str; the error names the argument."""
    with pytest.raises(ParamValidationError, match="location must be a str"):
        run(core(ScriptedIO([])).get_object(location))
