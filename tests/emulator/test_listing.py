"""Test the operations that list and delete several objects."""

from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from sagemaker_runtime_client.emulator import StoredObject
from sigv4 import checksum
from tests.emulator.wire import call

KEYS = ("a&<b", "d/1", "d/2", "e/é", "f")


@pytest.fixture
def s3(emulator, boto):
    """Return a client for a bucket that contains `KEYS`."""
    for key in KEYS:
        emulator.objects.put(f"s3://b/{key}", b"")
    return boto("s3", emulator)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages(s3, operation, size):
    """ListObjects and ListObjectsV2 list each key and common prefix once, for any page size."""
    pages = list(
        s3.get_paginator(operation).paginate(
            Bucket="b", Delimiter="/", PaginationConfig={"PageSize": size}
        )
    )
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    prefixes = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]
    assert (keys, prefixes) == (["a&<b", "f"], ["d/", "e/"])
    assert len(pages) == -(-4 // size)


def test_pages_without_delimiter(s3):
    """Without a delimiter, ListObjects returns no NextMarker, and the next page starts after the
    last key.
    """
    first = s3.list_objects(Bucket="b", MaxKeys=3)
    assert first["IsTruncated"]
    assert "NextMarker" not in first
    second = s3.list_objects(Bucket="b", MaxKeys=3, Marker=first["Contents"][-1]["Key"])
    found = [one["Key"] for page in (first, second) for one in page["Contents"]]
    assert found == list(KEYS)


def test_start_after_and_prefix(s3):
    """A ListObjectsV2 page contains only keys that start with the prefix and follow StartAfter."""
    page = s3.list_objects_v2(Bucket="b", Prefix="d/", StartAfter="d/1")
    assert [one["Key"] for one in page["Contents"]] == ["d/2"]
    assert (page["StartAfter"], page["KeyCount"], page["IsTruncated"]) == ("d/1", 1, False)


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(("encoding", "key"), [("", "e/é"), ("&encoding-type=url", "e/%C3%A9")])
def test_encoding(emulator, encoding, key):
    """Keys in a listing are percent-encoded only if the request specifies this."""
    page = ET.fromstring(call(emulator, "GET", f"/b?list-type=2&prefix=e{encoding}").body)
    assert page.findtext("{*}Contents/{*}Key") == key


def test_checksums_in_a_listing(emulator, s3):
    """A listing contains the algorithm and the type of an object's checksum."""
    emulator.objects.write("b", "f", StoredObject(b"", checksums={"x-amz-checksum-sha1": "x"}))
    found = s3.list_objects_v2(Bucket="b", Prefix="f")["Contents"][0]
    assert (found["ChecksumAlgorithm"], found["ChecksumType"]) == (["SHA1"], "FULL_OBJECT")


@pytest.mark.parametrize(
    "query",
    [
        "list-type=2&max-keys=many",
        "list-type=2&continuation-token=A",
        "list-type=2&continuation-token=%40%40%40",
        "encoding-type=base64",
    ],
)
def test_invalid_parameters(emulator, query):
    """A listing with an invalid parameter is rejected."""
    response = call(emulator, "GET", f"/b?{query}")
    assert (response.status, b"<Code>InvalidArgument</Code>" in response.body) == (400, True)


@pytest.mark.parametrize("quiet", [False, True])
def test_delete_objects(emulator, s3, quiet):
    """DeleteObjects removes objects, and lists existing and missing ones unless it is quiet."""
    names = ["a&<b", "d/1", "missing"]
    response = s3.delete_objects(
        Bucket="b", Delete={"Objects": [{"Key": name} for name in names], "Quiet": quiet}
    )
    assert [one["Key"] for one in response.get("Deleted", [])] == ([] if quiet else names)
    assert emulator.objects.list() == ["s3://b/d/2", "s3://b/e/é", "s3://b/f"]


def test_delete_objects_conditionally(s3):
    """If the ETag in a DeleteObjects request differs, the object is reported and not removed."""
    objects = [
        {"Key": "d/1", "ETag": "other"},
        {"Key": "d/2", "ETag": s3.head_object(Bucket="b", Key="d/2")["ETag"]},
    ]
    response = s3.delete_objects(Bucket="b", Delete={"Objects": objects})
    assert [one["Key"] for one in response["Deleted"]] == ["d/2"]
    assert [(one["Key"], one["Code"]) for one in response["Errors"]] == [
        ("d/1", "PreconditionFailed")
    ]


def test_too_many_keys(s3):
    """DeleteObjects rejects more than 1,000 keys."""
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket="b", Delete={"Objects": [{"Key": str(n)} for n in range(1001)]})


@pytest.mark.parametrize(
    "document",
    [
        "<Delete>",
        "<Other><Object><Key>k</Key></Object></Other>",
        "<Delete></Delete>",
        "<Delete><Object><Key></Key></Object></Delete>",
    ],
)
def test_malformed_document(emulator, document):
    """DeleteObjects rejects a malformed document."""
    headers = {"x-amz-checksum-crc32": checksum("CRC32", document.encode())}
    response = call(emulator, "POST", "/b?delete", headers, document.encode(), service="s3")
    assert (response.status, b"<Code>MalformedXML</Code>" in response.body) == (400, True)


@pytest.mark.parametrize(
    ("headers", "code"), [({}, b"InvalidRequest"), ({"content-md5": "A" * 22 + "=="}, b"BadDigest")]
)
def test_checksum_of_a_document(emulator, headers, code):
    """DeleteObjects rejects a document without a checksum, and one with a wrong checksum."""
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    response = call(emulator, "POST", "/b?delete", headers, document, service="s3")
    assert (response.status, code in response.body) == (400, True)
