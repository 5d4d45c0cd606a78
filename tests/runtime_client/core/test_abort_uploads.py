"""Tests of abort_uploads, which removes uploads that were neither completed nor aborted."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    MultipartUpload,
    ParamValidationError,
    Response,
    TransportError,
)
from tests.runtime_client.s3.botocore_requests import Botocore, sent_parts
from tests.runtime_client.scripted_io import ACCESS_DENIED, START, ScriptedIO, core, run, s3_error

BOTOCORE = Botocore()
NO_CONTENT = Response(204, ())
GONE = s3_error(404, "NoSuchUpload", "The specified upload does not exist.")
DAY = timedelta(days=1)
OLD, NEW = START - timedelta(days=2), START - timedelta(hours=1)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def page(*uploads, more=""):
    """Return a page that lists uploads by key, ID and date; *more* refers to the next page."""
    entries = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{upload_id}</UploadId>"
        f"<Initiated>{date:%Y-%m-%dT%H:%M:%S.000Z}</Initiated></Upload>"
        for key, upload_id, date in uploads
    )
    body = (
        '<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<EncodingType>url</EncodingType>{more}{entries}</ListMultipartUploadsResult>"
    )
    return Response(200, {"x-amz-request-id": "R"}, body.encode())


def following(key, upload_id):
    """Return the XML elements of a page that refer to the next page."""
    return (
        f"<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>"
        f"<NextUploadIdMarker>{upload_id}</NextUploadIdMarker>"
    )


def abort(io, prefix="s3://bucket/in/", older_than=DAY, **arguments):
    """Call abort_uploads, and return its result."""
    return run(core(io).abort_uploads(prefix, older_than=older_than, **arguments))


def test_old_ones():
    """On all pages, the uploads that are older than the limit are aborted, and no others."""
    pages = [
        page(("in/a+b", "1", OLD), ("in/c", "2", NEW), more=following("in/c+%C3%A4", "2=")),
        page(("in/d", "3", OLD)),
    ]
    io = ScriptedIO([pages[0], NO_CONTENT, pages[1], NO_CONTENT])
    assert abort(io) == [
        MultipartUpload("s3://bucket/in/a b", "1", OLD),
        MultipartUpload("s3://bucket/in/d", "3", OLD),
    ]
    assert [sent_parts(sent) for sent in io.sent] == [
        BOTOCORE.request("list_multipart_uploads", Prefix="in/", EncodingType="url"),
        BOTOCORE.request("abort_multipart_upload", Key="in/a b", UploadId="1"),
        BOTOCORE.request(
            "list_multipart_uploads",
            Prefix="in/",
            EncodingType="url",
            KeyMarker="in/c ä",
            UploadIdMarker="2=",
        ),
        BOTOCORE.request("abort_multipart_upload", Key="in/d", UploadId="3"),
    ]
    for sent in io.sent:
        sent.verify("s3")


@settings(deadline=None)  # so that the test does not fail on a busy machine
@given(prefix=KEYS)
def test_request(prefix):
    """For any prefix, the request to list uploads equals the one that botocore sends."""
    io = ScriptedIO([page()])
    assert abort(io, f"s3://bucket/{prefix}") == []
    expected = BOTOCORE.request("list_multipart_uploads", Prefix=prefix, EncodingType="url")
    assert sent_parts(io.sent[0]) == expected


def test_gone():
    """An upload that no longer exists when it is to be aborted is not returned."""
    io = ScriptedIO([page(("in/a", "1", OLD), ("in/b", "2", OLD)), GONE, NO_CONTENT])
    assert [upload.upload_id for upload in abort(io)] == ["2"]


def test_the_clock_of_the_service():
    """If the local clock is wrong, the clock of S3 determines the age of an upload."""
    skewed = s3_error(
        403,
        "RequestTimeTooSkewed",
        headers=[("date", "Sun, 22 Nov 2026 12:00:00 GMT")],
    )
    io = ScriptedIO([skewed, page(("in/c", "2", NEW)), page(("in/c", "2", NEW))], clock_error=86400)
    client = core(io)
    run(client.abort_uploads("s3://bucket", older_than=timedelta(days=9)))
    assert run(client.abort_uploads("s3://bucket", older_than=DAY)) == []


def test_errors():
    """If S3 rejects a request, abort_uploads raises an error."""
    with pytest.raises(AccessDeniedError, match=r"^s3://bucket/in/a: Access Denied"):
        abort(ScriptedIO([page(("in/a", "1", OLD)), ACCESS_DENIED]))


GOOD = page(("in/a", "1", OLD)).body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<ListBucketResult/>",
        b'<!DOCTYPE a [<!ENTITY b "b">]>' + GOOD,
        GOOD.replace(b"<UploadId>1<", b"<UploadId><"),
        GOOD.replace(b"<Key>in/a<", b"<Key>%ff<"),
        page(more="<IsTruncated>true</IsTruncated>").body,
        page(more=following("a", "")).body,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_malformed(body):
    """If the response is not a valid page, an error is raised, and no upload is aborted."""
    io = ScriptedIO([Response(200, (), body)])
    with pytest.raises(TransportError, match="without a valid"):
        abort(io)
    assert len(io.sent) == 1


def test_a_missing_date():
    """An upload without a valid date is not aborted."""
    body = GOOD.replace(b"<Initiated>2026", b"<Initiated>")
    assert abort(ScriptedIO([Response(200, (), body)])) == []


def test_endless():
    """If a page refers to itself as the next page, an error is raised."""
    with pytest.raises(TransportError, match="marker of the next page"):
        abort(ScriptedIO([page(more=following("a", "1"))] * 2))


@pytest.mark.parametrize("older_than", [None, 86400, timedelta(seconds=-1)])
def test_invalid(older_than):
    """An age that is not a valid duration is rejected."""
    with pytest.raises(ParamValidationError) as caught:
        abort(ScriptedIO([]), older_than=older_than)
    assert caught.value.argument == "older_than"
