"""Test how the emulator receives and sends the bodies of objects."""

import json
import socket
from base64 import b64encode
from http.client import HTTPResponse

import pytest

from sagemaker_runtime_client.emulator import BrokenBody, Emulator, Faults, SlowBody
from sigv4 import AwsChunked, Payload, SigV4
from tests.emulator.wire import (
    INVOCATION,
    TIMEOUT,
    address,
    call,
    receive_until_reset,
    sign_request,
)

MIB = 1024 * 1024
LARGE = bytes(range(256)) * (MIB // 256) + b"tail"
EXPECT = {"expect": "100-continue", "content-length": "4"}


def begin(emulator, headers=EXPECT, **options):
    """Send the head of a PutObject request, and return the connection."""
    head = sign_request(
        emulator, "PUT", "/bucket/key", headers, payload=Payload.of(b"body"), **options
    )
    connection = socket.create_connection(address(emulator), TIMEOUT)
    connection.sendall(head)
    return connection


def begin_part(emulator, upload_id):
    """Send the head of an UploadPart request, read 100 Continue, and return the connection."""
    target = f"/b/k?partNumber=1&uploadId={upload_id}"
    head = sign_request(emulator, "PUT", target, EXPECT, payload=Payload.of(b"body"))
    connection = socket.create_connection(address(emulator), TIMEOUT)
    connection.sendall(head)
    assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
    return connection


def read_response(connection):
    """Read a response, and return its status and whether the server closes the connection."""
    with HTTPResponse(connection, method="PUT") as parser:
        parser.begin()
        parser.read()
        return parser.status, parser.will_close


def test_continue(emulator):
    """After a valid head, the server sends 100 Continue, and then reads the body."""
    with begin(emulator) as connection:
        assert connection.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert read_response(connection) == (200, False)
    assert emulator.objects.get("s3://bucket/key").body == b"body"


@pytest.mark.parametrize(
    ("headers", "options", "status"),
    [
        ({}, {"region": "eu-west-1"}, 400),
        ({"if-match": '"a"'}, {}, 404),
        ({"x-amz-storage-class": "COLD"}, {}, 400),
        ({"x-amz-checksum-crc32": "*"}, {}, 400),
        ({"content-length": str(6 * 1024**3)}, {}, 400),
    ],
    ids=["signature", "condition", "option", "checksum", "length"],
)
def test_error_instead_of_continue(emulator, headers, options, status):
    """A request whose head is invalid is rejected before its body, and the connection is closed."""
    with begin(emulator, {**EXPECT, **headers}, **options) as connection:
        assert read_response(connection) == (status, True)


def test_fault_instead_of_continue(emulator):
    """If an error is injected, it is sent in place of 100 Continue."""
    emulator.faults.once(Faults.EXPECTATION_FAILED, on="PutObject")
    with begin(emulator) as connection:
        assert read_response(connection) == (417, True)


def test_no_continue(emulator):
    """With `NO_CONTINUE`, the server sends no 100 Continue, but reads the body when it arrives."""
    emulator.faults.once(Faults.NO_CONTINUE, on="PutObject")
    with begin(emulator) as connection:
        connection.sendall(b"body")
        assert read_response(connection) == (200, False)


def test_error_after_a_body_that_was_sent_at_once(emulator):
    """If a rejected request includes its body, the body is read, and the connection stays usable."""
    request = sign_request(emulator, "PUT", "/bucket/key", {"if-match": '"a"'}, LARGE)
    with socket.create_connection(address(emulator), TIMEOUT) as connection:
        for _ in range(2):
            connection.sendall(request)
            assert read_response(connection) == (404, False)


def test_client_leaves(emulator):
    """If the client disconnects before the end of the body, nothing is stored."""
    with begin(emulator, {"content-length": "4"}) as connection:
        connection.sendall(b"bo")
    assert call(emulator, "GET", "/bucket/key").status == 404
    assert [one.operation for one in emulator.requests] == ["GetObject"]


def test_reset_while_read(emulator):
    """With `RESET_WHILE_READ`, the connection is reset while the body arrives, and nothing is
    stored.
    """
    emulator.faults.once(Faults.RESET_WHILE_READ, on="PutObject")
    head = sign_request(emulator, "PUT", "/bucket/key", {"content-length": str(len(LARGE))})
    assert receive_until_reset(emulator, head + LARGE[:1000]) == b""
    assert emulator.objects.list() == []
    assert emulator.requests[0].outcome == "reset while_read"


@pytest.mark.parametrize(
    ("requested", "first", "stop"),
    [("", 0, len(LARGE)), ("bytes=1-", 1, len(LARGE)), ("bytes=300000-900000", 300_000, 900_001)],
)
def test_large_bodies(emulator, requested, first, stop):
    """A large object, or a range of it, is returned unchanged."""
    assert call(emulator, "PUT", "/bucket/key", (), LARGE).status == 200
    response = call(emulator, "GET", "/bucket/key", {"range": requested} if requested else {})
    assert response.body == LARGE[first:stop]
    assert response.headers["content-length"] == str(stop - first)
    assert call(emulator, "HEAD", "/bucket/key").headers["content-length"] == str(len(LARGE))


@pytest.mark.parametrize(("after", "position"), [(0, 0), (500_000, 500_000), (MIB * 2, MIB + 3)])
def test_flipped_bit(emulator, after, position):
    """With `BrokenBody("flipped")`, exactly one bit of the response body is inverted."""
    emulator.objects.put("s3://bucket/key", LARGE)
    emulator.faults.once(BrokenBody("flipped", after), on="GetObject")
    damaged = call(emulator, "GET", "/bucket/key").body
    found = [n for n, (one, two) in enumerate(zip(damaged, LARGE, strict=True)) if one != two]
    assert found == [position]
    assert damaged[position] ^ LARGE[position] == 1
    assert call(emulator, "GET", "/bucket/key").body == LARGE


def test_reset_within_a_body(emulator):
    """With `BrokenBody("reset")`, the connection is reset after the specified number of body bytes."""
    emulator.objects.put("s3://bucket/key", LARGE)
    emulator.faults.once(BrokenBody("reset", 10), on="GetObject")
    request = sign_request(emulator, "GET", "/bucket/key")
    assert receive_until_reset(emulator, request).endswith(b"\r\n\r\n" + LARGE[:10])


def test_slow_body(emulator):
    """With `SlowBody`, the response body is sent in small pieces, but is complete."""
    emulator.objects.put("s3://bucket/key", b"0123456789")
    emulator.faults.once(SlowBody(0.001, size=3), on="GetObject")
    assert call(emulator, "GET", "/bucket/key").body == b"0123456789"


def test_empty_body(emulator):
    """If the response body is empty, `FLIPPED_BIT` has no effect."""
    emulator.objects.put("s3://bucket/key", b"")
    emulator.faults.once(Faults.FLIPPED_BIT, on="GetObject")
    response = call(emulator, "GET", "/bucket/key")
    assert (response.status, response.body) == (200, b"")


def test_overrides(emulator):
    """The parameters response-* of a GetObject request replace headers of the response."""
    emulator.objects.put("s3://bucket/key", b"body")
    query = "response-cache-control=no-store&response-content-type=text%2Fcsv"
    headers = call(emulator, "GET", f"/bucket/key?{query}").headers
    assert (headers["cache-control"], headers["content-type"]) == ("no-store", "text/csv")


def test_conditions_are_checked_again(emulator):
    """If two uploads with If-None-Match overlap, the one that ends first is stored."""
    headers = {**EXPECT, "if-none-match": "*"}
    with begin(emulator, headers) as first, begin(emulator, headers) as second:
        for connection in (first, second):
            assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        statuses = []
        for connection in (second, first):
            connection.sendall(b"body")
            statuses.append(read_response(connection)[0])
    assert statuses == [200, 412]


def test_options(emulator, boto):
    """The options of an upload are stored, and returned when the object is read or listed."""
    s3 = boto("s3", emulator)
    context = b64encode(json.dumps({"a": "b"}).encode()).decode()
    put = s3.put_object(
        Bucket="b",
        Key="k",
        Body=b"",
        CacheControl="no-cache",
        ContentEncoding="gzip",
        StorageClass="STANDARD_IA",
        Tagging="a=1&b=",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="my-key",
        SSEKMSEncryptionContext=context,
        BucketKeyEnabled=True,
    )
    got = s3.get_object(Bucket="b", Key="k")
    names = ("CacheControl", "ContentEncoding", "StorageClass", "TagCount")
    assert [got[name] for name in names] == ["no-cache", "gzip", "STANDARD_IA", 2]
    for response in (put, got):
        assert response["ServerSideEncryption"] == "aws:kms"
        assert (response["SSEKMSKeyId"], response["BucketKeyEnabled"]) == ("my-key", True)
    assert put["SSEKMSEncryptionContext"] == context
    assert emulator.objects.get("s3://b/k").tags == {"a": "1", "b": ""}
    assert (
        got["ETag"] != '"d41d8cd98f00b204e9800998ecf8427e"'
    )  # with KMS, the ETag is not the MD5 of the content
    assert s3.list_objects_v2(Bucket="b")["Contents"][0]["StorageClass"] == "STANDARD_IA"


def test_default_options(emulator, boto):
    """The default storage class is not returned, and an upload with KMS gets a default key."""
    s3 = boto("s3", emulator)
    s3.put_object(Bucket="b", Key="k", StorageClass="STANDARD", ServerSideEncryption="aws:kms")
    head = s3.head_object(Bucket="b", Key="k")
    assert "StorageClass" not in head
    assert head["SSEKMSKeyId"] == "arn:aws:kms:us-east-1:000000000000:alias/aws/s3"


def test_required_encryption(boto):
    """With `require_kms`, an upload that does not request encryption with KMS is denied."""
    with Emulator(require_kms=True) as emulator:
        s3 = boto("s3", emulator)
        for options in ({}, {"ServerSideEncryption": "AES256"}):
            with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
                s3.put_object(Bucket="b", Key="k", **options)
        s3.put_object(Bucket="b", Key="k", ServerSideEncryption="aws:kms:dsse")
    assert emulator.objects.list() == ["s3://b/k"]


@pytest.mark.parametrize(
    ("algorithm", "position", "code"),
    [
        (SigV4("s3", "us-east-1"), 100_000, b"SignatureDoesNotMatch"),
        (SigV4("s3", "us-east-1"), -20, b"SignatureDoesNotMatch"),
        (None, 100_000, b"BadDigest"),
        (None, 0, b"IncompleteBody"),
    ],
    ids=["signed chunk", "signed trailer", "unsigned chunk", "size"],
)
def test_damaged_chunks(emulator, algorithm, position, code):
    """An aws-chunked body with one inverted bit is rejected and not stored."""
    form = AwsChunked(algorithm, len(LARGE), checksum="CRC32")

    def damaged(seed):
        body = bytearray(b"".join(form.encode(LARGE, seed if algorithm else None)))
        body[position] ^= 1
        return bytes(body)

    response = call(
        emulator, "PUT", "/bucket/key", form.headers, payload=form.payload, encode=damaged
    )
    assert (response.status // 100, b"<Code>" + code in response.body) == (4, True)
    assert emulator.objects.list() == []


def test_reset_while_an_invocation_is_read(emulator):
    """With `RESET_WHILE_READ`, the connection is reset while an invocation arrives, and no job is
    queued.
    """
    emulator.faults.once(Faults.RESET_WHILE_READ, on="InvokeEndpointAsync")
    assert (
        receive_until_reset(emulator, sign_request(emulator, "POST", INVOCATION, (), b"x")) == b""
    )
    assert emulator.jobs == ()
