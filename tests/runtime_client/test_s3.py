"""Put, get and head of one object, wherever its bucket is."""

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from zlib import crc32

import pytest
from botocore.utils import percent_encode as their_percent_encode
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    ChecksumError,
    ObjectNotFoundError,
    ParamValidationError,
    Response,
    S3Object,
    ServiceError,
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
        (Response(404, ()), ServiceError, "404"),
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
     s3_error(400, "RequestTimeout"), Response(200, FOUND.headers, b"bo", complete=False)],
    ids=["dropped", "slow down", "internal", "timeout", "broken off"],
)  # fmt: skip
def test_tried_again(failure):
    """All three are idempotent, so that they are tried again in any case."""
    io = ScriptedIO([failure, FOUND])
    assert b"body" == run(core(io, retry_ambiguous=False).get_object("s3://bucket/key")).body


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
        pytest.param(Response(301, ()), id="no region"),
        pytest.param(Response(301, {"x-amz-bucket-region": REGION}), id="the same region"),
        pytest.param(Response(301, {"x-amz-bucket-region": "evil.example/"}), id="no label"),
        pytest.param(Response(301, {"x-amz-bucket-region": "a" * 64}), id="too long"),
        pytest.param(Response(301, {"x-amz-bucket-region": "-a-"}), id="no label either"),
        pytest.param(Response(301, {"location": "https://evil.example/"}), id="a location"),
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


@pytest.mark.parametrize("location", [None, 5, b"s3://bucket/key"])
def test_location_that_is_no_text(location):
    """A location is a str; the error names the argument."""
    with pytest.raises(ParamValidationError, match="location must be a str"):
        run(core(ScriptedIO([])).get_object(location))
