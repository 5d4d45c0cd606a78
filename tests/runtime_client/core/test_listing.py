"""Tests of list_objects: its requests, its pages and its errors."""

from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    LocationNotAllowedError,
    ParamValidationError,
    Response,
    S3Object,
    TransportError,
)
from tests.runtime_client.s3.botocore_requests import Botocore, sent_parts
from tests.runtime_client.scripted_io import ACCESS_DENIED, ScriptedIO, core, dropped, run

BOTOCORE = Botocore()
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def page(*keys, token=None, encoding="url"):
    """Return a response with a page of objects; if *token* is passed, another page follows."""
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-22T12:00:00.000Z</LastModified>"
        f"<ETag>&quot;e&quot;</ETag><Size>{index}</Size></Contents>"
        for index, key in enumerate(keys)
    )
    more = "<IsTruncated>false</IsTruncated>"
    if token is not None:
        more = (
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        )
    kind = f"<EncodingType>{encoding}</EncodingType>" if encoding else ""
    body = (
        f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{kind}{more}{entries}'
    )
    return Response(200, {"x-amz-request-id": "R"}, (body + "</ListBucketResult>").encode())


def listing(io, prefix="s3://bucket/in/", settings=None, **arguments):
    """List the objects below a prefix with a blocking iterator."""
    return core(io, **(settings or {})).list_objects(prefix, **arguments).blocking()


def locations(objects):
    """Return the location of each listed object."""
    return [found.location for found in objects]


def test_an_object():
    """A listed object has a location, a size, an entity tag and a date, but no body or metadata."""
    (found,) = listing(ScriptedIO([page("in/a%2Bb+c%0A%C3%A4")]))
    assert found == S3Object(
        location="s3://bucket/in/a+b c\nä",
        body=b"",
        size=0,
        content_type=None,
        metadata={},
        etag='"e"',
        last_modified=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


def test_not_encoded():
    """If the response does not state that keys are URL-encoded, the keys are not decoded."""
    assert locations(listing(ScriptedIO([page("in/a%2Bb+c", encoding="")]))) == [
        "s3://bucket/in/a%2Bb+c"
    ]


def test_pages():
    """A page is requested only when the iterator reaches it, with the token of the page before it."""
    io = ScriptedIO([page("in/1", "in/2", token="t/1="), page(token="t2"), page("in/3")])
    objects = listing(io, page_size=2)
    assert io.sent == []
    assert locations(islice(objects, 2)) == ["s3://bucket/in/1", "s3://bucket/in/2"]
    assert len(io.sent) == 1
    assert locations(objects) == ["s3://bucket/in/3"]
    assert list(objects) == []
    expected = {"Prefix": "in/", "MaxKeys": 2}
    assert [sent_parts(sent) for sent in io.sent] == [
        BOTOCORE.request("list_objects_v2", **expected, **token)
        for token in ({}, {"ContinuationToken": "t/1="}, {"ContinuationToken": "t2"})
    ]
    io.sent[1].verify("s3")


@settings(deadline=None)  # the test must not fail on a busy machine
@given(prefix=KEYS, start_after=KEYS, page_size=st.integers(min_value=1, max_value=1000))
def test_requests(prefix, start_after, page_size):
    """For any prefix and first key, list_objects sends the request that botocore sends."""
    io = ScriptedIO([page()])
    assert (
        list(listing(io, f"s3://bucket/{prefix}", start_after=start_after, page_size=page_size))
        == []
    )
    start = {"StartAfter": start_after} if start_after else {}
    expected = BOTOCORE.request("list_objects_v2", Prefix=prefix, MaxKeys=page_size, **start)
    assert sent_parts(io.sent[0]) == expected
    io.sent[0].verify("s3")


@pytest.mark.parametrize("prefix", ["s3://bucket", "s3://bucket/"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_a_whole_bucket(prefix, style):
    """Without a prefix, all objects of the bucket are listed, in both addressing styles."""
    io = ScriptedIO([page("a")])
    assert locations(listing(io, prefix, {"s3_addressing_style": style})) == ["s3://bucket/a"]
    expected = Botocore(s3={"addressing_style": style}).request(
        "list_objects_v2", Prefix="", MaxKeys=1000
    )
    assert sent_parts(io.sent[0]) == expected


@pytest.mark.parametrize("start_after", ["in/1", "s3://bucket/in/1"])
def test_start_after(start_after):
    """*start_after* may be a key or a location, and is sent only with the first page's request."""
    io = ScriptedIO([page("in/2", token="t"), page("in/3")])
    assert len(list(listing(io, start_after=start_after))) == 2
    queries = [dict(sent_parts(sent)[3]) for sent in io.sent]
    assert [query.get("start-after") for query in queries] == ["in/1", None]


def test_max_objects():
    """With max_objects, at most this many objects are returned, and the last page is smaller."""
    io = ScriptedIO([page("in/1", "in/2", token="t"), page("in/3", "in/4", token="u")])
    assert len(list(listing(io, page_size=2, max_objects=3))) == 3
    assert [dict(sent_parts(sent)[3])["max-keys"] for sent in io.sent] == ["2", "1"]
    assert list(listing(ScriptedIO([]), max_objects=0)) == []


def test_errors():
    """If the request for a page fails, the iterator requests the same page again when it continues."""
    io = ScriptedIO([page("in/1", token="t"), ACCESS_DENIED, page("in/2")])
    objects = listing(io)
    assert next(objects).location == "s3://bucket/in/1"
    with pytest.raises(AccessDeniedError, match=r"^s3://bucket/: Access Denied"):
        next(objects)
    assert locations(objects) == ["s3://bucket/in/2"]


def test_timeout():
    """The timeout applies separately to each page, including all attempts to request the page."""
    io = ScriptedIO([page("in/1", token="t"), dropped(), page("in/2")], latency=1.0)
    assert len(list(listing(io, timeout=10))) == 2
    deadlines = [sent.deadline - 1000.0 for sent in io.sent]
    assert (deadlines[0], deadlines[1] == deadlines[2], deadlines[1]) == (10.0, True, 11.0)


def test_a_region():
    """If the bucket is in another region, the same query is repeated in that region."""
    elsewhere = Response(301, {"x-amz-bucket-region": "eu-north-1"})
    io = ScriptedIO([elsewhere, page("in/1")])
    assert len(list(listing(io))) == 1
    assert io.sent[1].origin == "https://bucket.s3.eu-north-1.amazonaws.com"
    assert io.sent[0].request.path == io.sent[1].request.path
    assert "prefix=in%2F" in io.sent[1].request.path


def test_allowed_locations():
    """A listing may be outside `allowed_locations`, but the listed objects cannot be read."""
    io = ScriptedIO([page("in/1")])
    client = core(io, allowed_locations=["s3://bucket/out/"])
    (found,) = client.list_objects("s3://bucket/in/").blocking()
    with pytest.raises(LocationNotAllowedError):
        run(client.get_object(found.location))


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]>'
GOOD = page("in/1").body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<Error><Code>InternalError</Code></Error>",
        BOMB + GOOD,
        GOOD[:-1],
        GOOD.replace(b"<Key>in/1</Key>", b""),
        GOOD.replace(b"in/1", b"%ff"),
        GOOD.replace(b"<Size>0</Size>", b"<Size>-1</Size>"),
        GOOD.replace(b"false", b"true"),
        GOOD.replace(b"</Contents>", b"</Contents>" + b"<Contents/>" * 50_000),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_malformed(body):
    """If a response is not a valid page, an error is raised, and XML entities are not expanded."""
    with pytest.raises(TransportError, match="without a valid") as caught:
        list(listing(ScriptedIO([Response(200, {"x-amz-request-id": "R"}, body)])))
    assert caught.value.request_id == "R"


def test_endless():
    """If a page has the token with which it was requested, the iterator raises an error."""
    objects = listing(ScriptedIO([page("in/1", token="t"), page("in/1", token="t")]))
    assert next(objects).size == 0
    with pytest.raises(TransportError, match="without a valid marker of the next page"):
        next(objects)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-11-22T12:00:00", "0001-01-01T00:00:00Z"])
def test_dates(date):
    """If the date of a listed object is invalid, the object's last_modified is None."""
    body = GOOD.replace(b"2026-11-22T12:00:00.000Z", date.encode())
    (found,) = listing(ScriptedIO([Response(200, (), body)]))
    assert found.last_modified is None


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("prefix", {"prefix": None}),
        ("prefix", {"prefix": "bucket/in/"}),
        ("prefix", {"prefix": "s3://"}),
        ("prefix", {"prefix": "s3:///in/"}),
        ("prefix", {"prefix": "s3://bucket/" + "a" * 1025}),
        ("page_size", {"page_size": 0}),
        ("page_size", {"page_size": 1001}),
        ("page_size", {"page_size": 10.0}),
        ("page_size", {"page_size": True}),
        ("max_objects", {"max_objects": -1}),
        ("max_objects", {"max_objects": "1"}),
        ("start_after", {"start_after": 1}),
        ("start_after", {"start_after": "s3://other/key"}),
        ("start_after", {"start_after": "\ud800"}),
        ("timeout", {"timeout": 0}),
    ],
)
def test_invalid(argument, arguments):
    """list_objects rejects an invalid argument when it is called, not when the iterator is used."""
    with pytest.raises(ParamValidationError) as caught:
        core(ScriptedIO([])).list_objects(**{"prefix": "s3://bucket/", **arguments})
    assert caught.value.argument == argument
