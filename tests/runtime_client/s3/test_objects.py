"""Tests of S3 locations: their forms, and the encoding of keys."""

from contextlib import suppress

import pytest
from botocore.utils import percent_encode as their_percent_encode
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    ParamValidationError,
    Response,
)
from sagemaker_runtime_client._s3.objects import S3Location
from tests.runtime_client.scripted_io import (
    ScriptedIO,
    core,
    run,
)

FOUND = Response(200, {"content-length": "4"}, b"body")

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
    """An s3:// URL, or an https:// URL of S3 with a percent-encoded key, specifies a bucket and a
    key.
    """
    assert S3Location.parse(text) == S3Location(bucket, key)
    assert str(S3Location.parse(text)) == f"s3://{bucket}/{key}"


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
def test_invalid_location(text):
    """An invalid location, such as the URL of another host, is rejected before anything is sent."""
    io = ScriptedIO([])
    for operation in (core(io).get_object, core(io).head_object):
        with pytest.raises(ParamValidationError) as caught:
            run(operation(text))
        assert caught.value.argument == "location"
    with pytest.raises(ParamValidationError):
        run(core(io).put_object(text, b""))


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.text())
def test_any_location(text):
    """`S3Location.parse` either raises ParamValidationError, or returns a location whose canonical
    form is parsed to the same location.
    """
    for whole in (text, f"s3://bucket/{text}", f"https://s3.amazonaws.com/{text}"):
        with suppress(ParamValidationError):
            assert S3Location.parse(whole) == S3Location.parse(str(S3Location.parse(whole)))


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_key(key):
    """In the path of a request, all bytes of a key are percent-encoded except unreserved characters
    and slashes.
    """
    io = ScriptedIO([FOUND])
    assert run(core(io).get_object(f"s3://bucket/{key}")).location == f"s3://bucket/{key}"
    (sent,) = io.sent
    assert sent.request.path == "/" + their_percent_encode(key, safe="/~")
    sent.verify("s3")


@pytest.mark.parametrize("key", ["..", "a/../b", "./a", "a//b", "/a", "a/.", "?", "#", "%2F", " "])
@pytest.mark.parametrize(
    ("style", "before"), [("virtual", "/"), ("path", "/bucket/")], ids=["virtual", "path"]
)
def test_keys_are_not_normalized(style, before, key):
    """A key in an s3:// URL is neither normalized nor decoded, so dot segments, double slashes and
    percent signs remain part of the key.
    """
    io = ScriptedIO([FOUND])
    run(core(io, s3_addressing_style=style).get_object(f"s3://bucket/{key}"))
    (sent,) = io.sent
    assert sent.request.path == before + their_percent_encode(key, safe="/~")
    sent.verify("s3")


@pytest.mark.parametrize("location", [None, 5, b"s3://bucket/key"])
def test_location_that_is_not_a_str(location):
    """A location that is not a str raises an error that mentions the argument `location`."""
    with pytest.raises(ParamValidationError, match="location must be a str"):
        run(core(ScriptedIO([])).get_object(location))


ARN = "arn:aws:s3:eu-west-1:123456789012"
OTHER_STORAGE = {
    "directory bucket of S3 Express": [
        "s3://logs--euw1-az1--x-s3/key",
        "s3://point--euw1-az1--xa-s3/key",
        "https://logs--euw1-az1--x-s3.s3.eu-west-1.amazonaws.com/key",
        "arn:aws:s3express:eu-west-1:123456789012:bucket/logs--euw1-az1--x-s3",
    ],
    "S3 on Outposts": [
        "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/mine/object/key",
        "s3://mine-o01op1--op-s3/key",
    ],
    "Object Lambda": [
        "s3://arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/mine/key",
        "s3://mine-abc--ol-s3/key",
    ],
    "table bucket of S3 Tables": [
        "arn:aws:s3tables:eu-west-1:123456789012:bucket/tables",
        "s3://abc--table-s3/key",
    ],
    "multi-region access point": ["arn:aws:s3::123456789012:accesspoint/mine.mrap/object/key"],
    "use its alias": [
        f"s3://{ARN}:accesspoint/mine/key",
        f"{ARN}:accesspoint:mine",
        "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint/mine",
    ],
    "use s3://bucket/key instead": ["arn:aws:s3:::bucket/key", "s3://arn:aws-cn:s3:::bucket/key"],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in OTHER_STORAGE.items() for text in texts]
)
@pytest.mark.parametrize("parse", [S3Location.parse, S3Location.parse_prefix])
def test_other_storage(parse, kind, text):
    """A location in an unsupported kind of storage is rejected with an error that names this kind."""
    with pytest.raises(ParamValidationError, match=kind) as caught:
        parse(text, argument="input_location")
    assert str(caught.value).startswith("input_location is ")
    assert caught.value.argument == "input_location"


@pytest.mark.parametrize("text", ["arn:aws:lambda:x", "s3://arn:aws:sns:y/z"])
def test_other_arns(text):
    """An ARN of a service that is not S3 is rejected."""
    with pytest.raises(ParamValidationError, match="must"):
        S3Location.parse(text)


@pytest.mark.parametrize("bucket", ["my--bucket-s3", "point-abc-s3alias", "a--x-s3a", "x-s3"])
def test_names_that_look_like_others(bucket):
    """A bucket is accepted if its name only resembles those of unsupported storage."""
    assert S3Location.parse(f"s3://{bucket}/key") == S3Location(bucket, "key")


@pytest.mark.parametrize(
    ("text", "key"),
    [("s3://bucket", ""), ("s3://bucket/", ""), ("s3://bucket/a/", "a/"), ("s3://bucket/a", "a")],
)
def test_prefixes(text, key):
    """`parse_prefix` accepts a location with or without a key."""
    assert S3Location.parse_prefix(text) == S3Location("bucket", key)
