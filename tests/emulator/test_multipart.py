"""Test uploads in parts."""

from base64 import b64decode
from hashlib import md5
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from sagemaker_runtime_client.emulator import EarlySuccess, Emulator, Faults
from sigv4 import checksum
from tests.emulator.test_bodies import begin_part, read_response
from tests.emulator.wire import call

MIB = 1024 * 1024
FIRST, LAST = bytes(range(256)) * (5 * MIB // 256), b"the last part"
WHOLE = FIRST + LAST
OBJECT = {"Bucket": "b", "Key": "k"}
KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def s3(emulator, boto):
    """Return a boto3 client for the emulator."""
    return boto("s3", emulator)


def create(s3, **options):
    """Create an upload, and return the arguments that identify it."""
    return {**OBJECT, "UploadId": s3.create_multipart_upload(**OBJECT, **options)["UploadId"]}


def upload(s3, named, number, body, **options):
    """Upload a part, and return its entry in the list of parts."""
    response = s3.upload_part(**named, PartNumber=number, Body=body, **options)
    checksums = {name: value for name, value in response.items() if name.startswith("Checksum")}
    return {"PartNumber": number, "ETag": response["ETag"], **checksums}


def complete(s3, named, parts, **options):
    """Complete an upload, and return the response."""
    return s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, **options)


def two_parts(s3, **options):
    """Upload two parts, and return the arguments that identify the upload, and the parts."""
    named = create(s3, **options)
    algorithm = {"ChecksumAlgorithm": options.get("ChecksumAlgorithm", "CRC32")}
    return named, [
        upload(s3, named, number, body, **algorithm) for number, body in ((1, FIRST), (3, LAST))
    ]


def code(caught):
    """Return the error code of a caught ClientError."""
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_composite_checksum(emulator, s3, algorithm):
    """A composite checksum is the checksum of the parts' checksums, and has their number."""
    named, parts = two_parts(s3, ChecksumAlgorithm=algorithm, ContentType="text/plain")
    done = complete(s3, named, parts, MpuObjectSize=len(WHOLE))
    digests = b"".join(b64decode(part[f"Checksum{algorithm}"]) for part in parts)
    expected = f"{checksum(algorithm, digests)}-2"
    head = s3.head_object(**OBJECT, ChecksumMode="ENABLED")
    for response in (done, head):
        found = (response[f"Checksum{algorithm}"], response["ChecksumType"])
        assert found == (expected, "COMPOSITE")
    digests = b"".join(md5(body).digest() for body in (FIRST, LAST))
    assert head["ETag"] == done["ETag"] == f'"{md5(digests).hexdigest()}-2"'
    assert (head["ContentLength"], head["ContentType"]) == (len(WHOLE), "text/plain")
    assert emulator.objects.get("s3://b/k").body == WHOLE
    assert emulator.objects.list_uploads() == []


def test_full_object_checksum(s3):
    """A checksum of the type FULL_OBJECT is that of the whole content."""
    named, parts = two_parts(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    expected = checksum("CRC32", WHOLE)
    parts = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
    done = complete(s3, named, parts, ChecksumCRC32=expected, ChecksumType="FULL_OBJECT")
    got = s3.get_object(**OBJECT)
    assert got["Body"].read() == WHOLE
    for response in (done, got):
        assert (response["ChecksumCRC32"], response["ChecksumType"]) == (expected, "FULL_OBJECT")
    part = s3.get_object(**OBJECT, Range="bytes=5242879-5242880")
    assert part["Body"].read() == WHOLE[5242879:5242881]
    assert "ChecksumCRC32" not in part


def test_part_without_checksum(emulator, s3):
    """With the type FULL_OBJECT, the checksums of the parts are optional."""
    named = create(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    target = f"/b/k?partNumber=1&uploadId={named['UploadId']}"
    etag = call(emulator, "PUT", target, (), LAST).headers["etag"]
    assert s3.list_parts(**named)["Parts"][0]["ChecksumCRC32"] == checksum("CRC32", LAST)
    done = complete(s3, named, [{"PartNumber": 1, "ETag": etag}])
    assert done["ChecksumCRC32"] == checksum("CRC32", LAST)


def test_unavailable_checksum(emulator, s3):
    """A checksum that the emulator cannot compute is stored as it arrives."""
    upload_headers = {"x-amz-checksum-algorithm": "crc64nvme"}
    made = call(emulator, "POST", "/b/k?uploads", upload_headers, service="s3")
    assert made.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    upload_id = ET.fromstring(made.body).findtext("{*}UploadId")
    headers = {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="}
    target = f"/b/k?partNumber=1&uploadId={upload_id}"
    etag = call(emulator, "PUT", target, headers, LAST).headers["etag"]
    part = {"PartNumber": 1, "ETag": etag, "ChecksumCRC64NVME": "AAAAAAAAAAA="}
    named = {**OBJECT, "UploadId": upload_id}
    done = complete(s3, named, [part], ChecksumCRC64NVME="AQAAAAAAAAA=")
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == ("AQAAAAAAAAA=", "FULL_OBJECT")


def test_without_checksum(emulator, s3):
    """An upload without a checksum algorithm has no checksum."""
    made = call(emulator, "POST", "/b/k?uploads", service="s3")
    upload_id = ET.fromstring(made.body).findtext("{*}UploadId")
    target = f"/b/k?partNumber=1&uploadId={upload_id}"
    etag = call(emulator, "PUT", target, (), LAST).headers["etag"]
    done = complete(s3, {**OBJECT, "UploadId": upload_id}, [{"PartNumber": 1, "ETag": etag}])
    assert "ChecksumType" not in done
    assert "ChecksumType" not in s3.head_object(**OBJECT, ChecksumMode="ENABLED")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x-amz-checksum-type": "COMPOSITE"}, b"can only be used with"),
        ({"x-amz-checksum-algorithm": "CRC16"}, b"Checksum algorithm provided is unsupported"),
        ({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF"}, b"is invalid"),
        ({"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"}, b"sha1"),
        ({"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"}, b"crc64"),
    ],
)
def test_invalid_checksum_kinds(emulator, headers, message):
    """An upload with an unknown or impossible kind of checksum is rejected."""
    response = call(emulator, "POST", "/b/k?uploads", headers, service="s3")
    assert (response.status, message in response.body) == (400, True)


def test_replaced_part(emulator, s3):
    """A part that is uploaded again replaces the previous one."""
    named = create(s3)
    first, second = (upload(s3, named, 1, body) for body in (b"first", b"second"))
    with pytest.raises(ClientError) as caught:
        complete(s3, named, [first])
    assert code(caught) == "InvalidPart"
    complete(s3, named, [second])
    assert emulator.objects.get("s3://b/k").body == b"second"


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (lambda parts: parts[::-1], {}, "InvalidPartOrder"),
        (lambda parts: [parts[0], parts[0]], {}, "InvalidPartOrder"),
        (lambda parts: [{**parts[0], "PartNumber": 2}], {}, "InvalidPart"),
        (lambda parts: [{**parts[0], "ETag": '"a"'}], {}, "InvalidPart"),
        (lambda parts: [{**parts[0], "ChecksumCRC32": "AAAAAA=="}], {}, "InvalidPart"),
        (lambda parts: [{"PartNumber": 1, "ETag": parts[0]["ETag"]}], {}, "InvalidRequest"),
        (lambda _: [], {}, "MalformedXML"),
        (lambda _: [{"ETag": '"a"'}], {}, "MalformedXML"),
        (lambda parts: parts, {"MpuObjectSize": 1}, "InvalidRequest"),
        (lambda parts: parts, {"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
        (lambda parts: parts, {"ChecksumSHA1": "AAAA"}, "InvalidRequest"),
        (lambda parts: parts, {"ChecksumType": "FULL_OBJECT"}, "InvalidRequest"),
        (lambda parts: parts, {"IfMatch": '"a"'}, "NoSuchKey"),
    ],
)
def test_rejected_completion(emulator, s3, change, options, expected):
    """A wrong completion is rejected, and the upload can still be completed."""
    named, parts = two_parts(s3, ChecksumAlgorithm="CRC32")
    with pytest.raises(ClientError) as caught:
        complete(s3, named, change(parts), **options)
    assert code(caught) == expected
    assert emulator.objects.list() == []
    complete(s3, named, parts)
    assert emulator.objects.list() == ["s3://b/k"]


def test_size_that_is_not_a_number(emulator, s3):
    """A completion whose size is not a number is rejected."""
    named, parts = two_parts(s3)
    etag = parts[0]["ETag"]
    document = (
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
        f"<ETag>{etag}</ETag><ChecksumCRC32>{parts[0]['ChecksumCRC32']}</ChecksumCRC32>"
        "</Part></CompleteMultipartUpload>"
    )
    headers = {"x-amz-mp-object-size": "large"}
    target = f"/b/k?uploadId={named['UploadId']}"
    response = call(emulator, "POST", target, headers, document.encode(), service="s3")
    assert (response.status, b"x-amz-mp-object-size" in response.body) == (400, True)


def test_small_part(s3):
    """Each part except the last must have at least 5 MiB."""
    named = create(s3)
    parts = [upload(s3, named, number, b"small") for number in (1, 2)]
    with pytest.raises(ClientError) as caught:
        complete(s3, named, parts)
    assert code(caught) == "EntityTooSmall"
    complete(s3, named, parts[:1])


def test_overwrite_conditionally(s3):
    """With If-None-Match, an upload is not completed if the object exists."""
    s3.put_object(**OBJECT, Body=b"")
    named, parts = two_parts(s3)
    with pytest.raises(ClientError) as caught:
        complete(s3, named, parts, IfNoneMatch="*")
    assert code(caught) == "PreconditionFailed"
    complete(s3, named, parts, IfMatch=s3.head_object(**OBJECT)["ETag"])


@pytest.mark.parametrize("end", ["complete", "abort"])
def test_missing_upload(s3, end):
    """After an upload was completed or aborted, it does not exist any longer."""
    named, parts = two_parts(s3)
    if end == "complete":
        complete(s3, named, parts)
    else:
        s3.abort_multipart_upload(**named)
    for ask in (
        lambda: complete(s3, named, parts),
        lambda: upload(s3, named, 1, b""),
        lambda: s3.abort_multipart_upload(**named),
        lambda: s3.list_parts(**named),
        lambda: s3.list_parts(Bucket="b", Key="other", UploadId=named["UploadId"]),
    ):
        with pytest.raises(ClientError) as caught:
            ask()
        assert code(caught) == "NoSuchUpload"


@pytest.mark.parametrize("number", ["0", "10001", "x", "", "1000000001"])
def test_invalid_part_number(emulator, s3, number):
    """A part's number must be from 1 to 10,000."""
    named = create(s3)
    target = f"/b/k?partNumber={number}&uploadId={named['UploadId']}"
    response = call(emulator, "PUT", target, (), b"body")
    assert (response.status, b"<Code>InvalidArgument</Code>" in response.body) == (400, True)


@pytest.mark.parametrize(
    ("algorithm", "headers"),
    [
        ("SHA1", {"x-amz-checksum-crc32": checksum("CRC32", b"body")}),
        ("CRC32", {}),
    ],
)
def test_checksum_of_another_algorithm(emulator, algorithm, headers):
    """A part must have a checksum of the upload's algorithm."""
    created = {"x-amz-checksum-algorithm": algorithm}
    made = call(emulator, "POST", "/b/k?uploads", created, service="s3")
    upload_id = ET.fromstring(made.body).findtext("{*}UploadId")
    target = f"/b/k?partNumber=1&uploadId={upload_id}"
    response = call(emulator, "PUT", target, headers, b"body")
    assert (response.status, b"Checksum Type mismatch" in response.body) == (400, True)


def test_copied_part(emulator, s3):
    """A part cannot be copied from another object."""
    named = create(s3)
    target = f"/b/k?partNumber=1&uploadId={named['UploadId']}"
    assert call(emulator, "PUT", target, {"x-amz-copy-source": "/b/k"}).status == 501


def test_encryption(emulator, s3):
    """An upload that is encrypted with KMS says so, and its ETag is not derived from the MD5."""
    created = s3.create_multipart_upload(**OBJECT, **KMS)
    named = {**OBJECT, "UploadId": created["UploadId"]}
    part = upload(s3, named, 1, LAST)
    done = complete(s3, named, [part])
    assert created["ServerSideEncryption"] == done["ServerSideEncryption"] == "aws:kms"
    digest = md5(md5(LAST).digest()).hexdigest()
    assert part["ETag"] != f'"{md5(LAST).hexdigest()}"'
    assert done["ETag"] != f'"{digest}-1"'
    assert done["ETag"].endswith('-1"')
    assert emulator.objects.get("s3://b/k").headers["x-amz-server-side-encryption"] == "aws:kms"


def test_required_encryption(boto):
    """With `require_kms`, an upload in parts must request encryption with KMS."""
    with Emulator(require_kms=True) as emulator:
        s3 = boto("s3", emulator)
        with pytest.raises(ClientError, match="AccessDenied"):
            create(s3)
        named = create(s3, **KMS)
        complete(s3, named, [upload(s3, named, 1, LAST)])


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_list_parts(s3, size):
    """The parts of an upload are listed in pages, in order."""
    named = create(s3, StorageClass="GLACIER", ChecksumAlgorithm="SHA1")
    parts = [
        upload(s3, named, number, b"%d" % number, ChecksumAlgorithm="SHA1") for number in (3, 1, 2)
    ]
    pages = list(
        s3.get_paginator("list_parts").paginate(**named, PaginationConfig={"PageSize": size})
    )
    listed = [part for page in pages for part in page["Parts"]]
    names = ("PartNumber", "ETag", "ChecksumSHA1")
    assert [{name: part[name] for name in names} for part in listed] == sorted(
        [{name: part[name] for name in names} for part in parts], key=lambda one: one["PartNumber"]
    )
    assert [part["Size"] for part in listed] == [1, 1, 1]
    assert len(pages) == -(-3 // size)
    assert (pages[0]["StorageClass"], pages[0]["ChecksumType"]) == ("GLACIER", "COMPOSITE")


def test_list_no_parts(emulator, s3):
    """An upload may have no parts; an invalid marker is rejected."""
    named = create(s3)
    assert "Parts" not in s3.list_parts(**named)
    target = f"/b/k?uploadId={named['UploadId']}&part-number-marker=x"
    assert call(emulator, "GET", target).status == 400


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_list_uploads(emulator, s3, size):
    """The uploads of a bucket are listed in pages, in the order of their keys and creation."""
    keys = ["c/2", "a", "c/1", "b", "a"]
    for key in keys:
        s3.create_multipart_upload(Bucket="b", Key=key, ChecksumAlgorithm="CRC32")
    s3.create_multipart_upload(Bucket="other", Key="z")
    paginator = s3.get_paginator("list_multipart_uploads")
    pages = list(paginator.paginate(Bucket="b", PaginationConfig={"PageSize": size}))
    uploads = [one for page in pages for one in page["Uploads"]]
    assert [one["Key"] for one in uploads] == sorted(keys)
    assert uploads[0]["UploadId"] < uploads[1]["UploadId"]
    assert {one["ChecksumAlgorithm"] for one in uploads} == {"CRC32"}
    pages = list(paginator.paginate(Bucket="b", Delimiter="/", PaginationConfig={"PageSize": size}))
    assert [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])] == ["c/"]
    assert [one["Key"] for page in pages for one in page.get("Uploads", [])] == ["a", "a", "b"]
    assert emulator.objects.list_uploads("s3://b/c/") == ["s3://b/c/1", "s3://b/c/2"]


def test_list_uploads_with_prefix(s3):
    """Uploads can be listed by the beginning of their keys."""
    for key in ("a", "b/1"):
        s3.create_multipart_upload(Bucket="b", Key=key)
    page = s3.list_multipart_uploads(Bucket="b", Prefix="b/", EncodingType="url")
    assert [one["Key"] for one in page["Uploads"]] == ["b/1"]


def test_upload_that_ends_while_a_part_arrives(emulator, s3):
    """A part is rejected if its upload is aborted while the part arrives."""
    named = create(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    with begin_part(emulator, named["UploadId"]) as connection:
        s3.abort_multipart_upload(**named)
        connection.sendall(b"body")
        assert read_response(connection) == (404, False)


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_early_success(emulator, s3, seconds):
    """With `EarlySuccess`, white space is sent before the result."""
    named, parts = two_parts(s3)
    emulator.faults.once(EarlySuccess(seconds), on="CompleteMultipartUpload")
    assert complete(s3, named, parts)["ETag"] == s3.head_object(**OBJECT)["ETag"]


def test_error_after_success(emulator, s3):
    """With `ERROR_AFTER_200`, an error follows the status 200, and the upload is not completed."""
    named, parts = two_parts(s3)
    emulator.faults.once(Faults.ERROR_AFTER_200, on="CompleteMultipartUpload")
    with pytest.raises(ClientError) as caught:
        complete(s3, named, parts)
    assert code(caught) == "InternalError"
    last = emulator.requests[-1]
    assert (last.status, last.outcome) == (200, "InternalError")
    assert emulator.objects.list_uploads() == ["s3://b/k"]
    complete(s3, named, parts)


def test_rejection_after_success(emulator, s3):
    """With `EarlySuccess`, a rejection also follows the status 200."""
    named, parts = two_parts(s3)
    emulator.faults.once(EarlySuccess(), on="CompleteMultipartUpload")
    with pytest.raises(ClientError) as caught:
        complete(s3, named, parts[::-1])
    assert code(caught) == "InvalidPartOrder"
    assert emulator.requests[-1].status == 200


def test_early_success_without_document(emulator):
    """`EarlySuccess` changes nothing if the response contains no document."""
    emulator.faults.once(EarlySuccess())
    assert call(emulator, "PUT", "/b/k", (), b"body").status == 200


def test_reset_after_completion(emulator, s3):
    """With `RESET_AFTER_TAKEN`, the upload is completed, but there is no response."""
    named, parts = two_parts(s3)
    emulator.faults.once(Faults.RESET_AFTER_TAKEN, on="CompleteMultipartUpload")
    with pytest.raises(Exception, match="Connection was closed"):
        complete(s3, named, parts)
    assert emulator.objects.get("s3://b/k").body == WHOLE


def test_no_list_bucket(emulator, s3):
    """Without s3:ListBucket, listing uploads is denied."""
    emulator.faults.no_list_bucket = True
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_multipart_uploads(Bucket="b")
