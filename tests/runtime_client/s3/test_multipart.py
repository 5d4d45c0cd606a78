"""Tests of the requests for multipart uploads and of the responses to them."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import Response, TransportError
from sagemaker_runtime_client._aws.error_response import is_s3_error, xml_error
from sagemaker_runtime_client._errors import InternalFailureError
from sagemaker_runtime_client._s3 import multipart
from sagemaker_runtime_client._s3.multipart import (
    CompletedUpload,
    CreatedUpload,
    PartsPage,
    UploadedPart,
)
from tests.runtime_client.s3.botocore_requests import Botocore, parts

BOTOCORE = Botocore(request_checksum_calculation="when_required")
# Strings that a header or a query can contain.
IDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)
NUMBERS = st.integers(min_value=1, max_value=10_000)
CRCS = st.none() | st.just("y/Q5Jg==")
PARTS = st.lists(
    st.builds(UploadedPart, NUMBERS, IDS.filter(str.strip), st.none(), CRCS), min_size=1, max_size=4
)


untimed = settings(deadline=None)  # so that the tests do not fail on a busy machine


def ours(request):
    """Return the fields of a request for the object ``bucket/key`` that are compared with botocore."""
    url = f"https://bucket.s3.eu-west-1.amazonaws.com/key?{request.query}"
    return parts(request.method, url, request.headers, request.body)


@pytest.mark.parametrize("checksum", [True, False])
def test_create(checksum):
    """The request to create an upload requests a CRC32 of the whole object, if this is enabled."""
    request = multipart.create_upload((("content-type", "text/csv"),), checksum=checksum)
    algorithm = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"} if checksum else {}
    expected = BOTOCORE.request(
        "create_multipart_upload", Key="key", ContentType="text/csv", **algorithm
    )
    assert ours(request) == expected


@untimed
@given(upload_id=IDS, number=NUMBERS, crc32=CRCS)
def test_upload_part(upload_id, number, crc32):
    """The request to upload a part equals the one that botocore sends."""
    checksum = {} if crc32 is None else {"ChecksumCRC32": crc32}
    expected = BOTOCORE.request(
        "upload_part", Key="key", UploadId=upload_id, PartNumber=number, Body=b"", **checksum
    )
    assert ours(multipart.upload_part(upload_id, number, crc32)) == expected


@untimed
@given(upload_id=IDS, uploaded=PARTS, size=st.integers(min_value=0, max_value=1 << 42), crc32=CRCS)
def test_complete(upload_id, uploaded, size, crc32):
    """The request to complete an upload equals the one that botocore sends."""
    request = multipart.complete_upload(
        upload_id, uploaded, size=size, crc32=crc32, headers=(("if-none-match", "*"),)
    )
    listed = [
        {"PartNumber": part.number, "ETag": part.etag}
        | ({} if part.crc32 is None else {"ChecksumCRC32": part.crc32})
        for part in uploaded
    ]
    checksum = {} if crc32 is None else {"ChecksumCRC32": crc32, "ChecksumType": "FULL_OBJECT"}
    expected = BOTOCORE.request(
        "complete_multipart_upload",
        Key="key",
        UploadId=upload_id,
        MultipartUpload={"Parts": listed},
        MpuObjectSize=size,
        IfNoneMatch="*",
        **checksum,
    )
    assert ours(request) == expected


@untimed
@given(upload_id=IDS, marker=st.none() | NUMBERS)
def test_abort_and_list(upload_id, marker):
    """The requests to abort an upload and to list its parts equal those that botocore sends."""
    known = {"Key": "key", "UploadId": upload_id}
    expected = BOTOCORE.request("abort_multipart_upload", **known)
    assert ours(multipart.abort_upload(upload_id)) == expected
    start = {} if marker is None else {"PartNumberMarker": marker}
    expected = BOTOCORE.request("list_parts", **known, **start)
    text = None if marker is None else str(marker)
    assert ours(multipart.list_parts(upload_id, text)) == expected


def test_combined_crc32():
    """The CRC32 of an object is computed from the CRC32s of its parts."""
    data = [b"1234", b"", b"56789"]
    assert multipart.combined_crc32([(zlib.crc32(one), len(one)) for one in data]) == "y/Q5Jg=="


def response(body, **headers):
    """Return a successful response with the given body and headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(200, {"x-amz-request-id": "R", **names}, body.encode())


CREATED = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COMPLETED = (
    "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag>{}</CompleteMultipartUploadResult>"
)
LISTED = """<?xml version="1.0"?>
<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <IsTruncated>true</IsTruncated>
  <NextPartNumberMarker>2</NextPartNumberMarker>
  <Part><PartNumber>1</PartNumber><ETag>"a"</ETag><Size>5</Size>
    <ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>
  <Part><PartNumber>2</PartNumber><ETag>"b"</ETag></Part>
</ListPartsResult>"""


def test_created():
    """The ID of a created upload and, if the store states it, its checksum type are parsed."""
    found = multipart.parse_created(response(CREATED, x_amz_checksum_type="FULL_OBJECT"))
    assert found == CreatedUpload("u", "FULL_OBJECT")
    assert multipart.parse_created(response(CREATED)) == CreatedUpload("u", None)


def test_part():
    """The entity tag of an uploaded part and, if the store states it, its checksum are parsed."""
    found = multipart.parse_part(7, 5, response("", etag='"e"', x_amz_checksum_crc32="y/Q5Jg=="))
    assert found == UploadedPart(7, '"e"', 5, "y/Q5Jg==")
    assert multipart.parse_part(7, 5, response("", etag='"e"')) == UploadedPart(7, '"e"', 5, None)


def test_completed():
    """The entity tag of a completed object and, if the store states it, its checksum are parsed."""
    assert multipart.parse_completed(response(COMPLETED.format(""))) == CompletedUpload(
        '"e-2"', None
    )
    checksum = "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32>"
    assert multipart.parse_completed(response("  \n" + COMPLETED.format(checksum))).crc32 == (
        "y/Q5Jg=="
    )


def test_listed():
    """The numbers, tags, sizes and checksums of listed parts and the next page's start are parsed."""
    parts_ = [UploadedPart(1, '"a"', 5, "y/Q5Jg=="), UploadedPart(2, '"b"', None, None)]
    assert multipart.parse_parts(response(LISTED)) == PartsPage(parts_, "2")
    last = LISTED.replace("true", "false")
    assert multipart.parse_parts(response(last)) == PartsPage(parts_, None)


def test_error_with_status_200():
    """An error response with the status 200, which S3 may send after a delay, is recognized."""
    failed = response("\n <Error><Code>InternalError</Code><Message>try again</Message></Error>")
    assert is_s3_error(failed)
    error = xml_error(failed)
    assert (type(error), error.message, error.retryable) == (
        InternalFailureError,
        "try again",
        True,
    )


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]>'
MALFORMED = ["", "{}", "<html/>", "<a", CREATED[:-5]]


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        *[(multipart.parse_created, body) for body in (*MALFORMED, BOMB + CREATED)],
        (multipart.parse_created, CREATED.replace(">u<", "><")),
        *[
            (multipart.parse_completed, body)
            for body in (*MALFORMED, CREATED, BOMB + COMPLETED.format(""))
        ],
        (multipart.parse_completed, COMPLETED.format("").replace("ETag", "Tag")),
        *[(multipart.parse_parts, body) for body in (*MALFORMED, CREATED, BOMB + LISTED[21:])],
        (multipart.parse_parts, LISTED.replace("<PartNumber>1<", "<PartNumber>-1<")),
        (multipart.parse_parts, LISTED.replace("<PartNumber>1<", "<PartNumber>0<")),
        (multipart.parse_parts, LISTED.replace('"b"', "")),
        (
            multipart.parse_parts,
            LISTED.replace("<NextPartNumberMarker>2<", "<NextPartNumberMarker><"),
        ),
        (lambda found: multipart.parse_part(1, 5, found), ""),
    ],
)
def test_malformed(parse, body):
    """A successful response that lacks a required field, or that uses XML entities, raises an
    error.
    """
    with pytest.raises(TransportError, match="without a valid") as caught:
        parse(response(body))
    assert (caught.value.status_code, caught.value.request_id) == (200, "R")
