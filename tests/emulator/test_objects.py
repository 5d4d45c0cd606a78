"""Test the operations on S3 objects, and the emulator's object store."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import md5, sha1, sha256, sha512
from threading import Thread
from zlib import crc32

import botocore.session
import pytest

from sagemaker_runtime_client.emulator import ObjectStore
from sagemaker_runtime_client.emulator._s3_operations import SELECTORS
from sigv4 import Payload, SignableRequest, Signer, SigV4, sign_all_headers
from tests.emulator.wire import TIMEOUT, call, send

EARLIER = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("requested", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=3-1", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=0-" + "9" * 5000, 200, b"0123456789", None),
    ],
)
def test_ranges(emulator, requested, status, body, content_range):
    """A single range is applied, or rejected if the object contains none of its bytes.

    Other Range headers are ignored.
    """
    emulator.objects.put("s3://bucket/key", b"0123456789")
    response = call(emulator, "GET", "/bucket/key", {"range": requested})
    assert (response.status, response.headers.get("content-range")) == (status, content_range)
    assert response.body == body or b"<Code>InvalidRange</Code>" in response.body


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"if-none-match": '"{etag}"'}, 304),
        ({"if-none-match": '"other", "{etag}"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": 'W/"{etag}"'}, 304),
        ({"if-match": '"{etag}"'}, 200),
        ({"if-match": "{etag}"}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"{etag}"', "if-unmodified-since": EARLIER}, 200),
        ({"if-match": '"other"'}, 412),
        ({"if-match": 'W/"{etag}"'}, 412),
        ({"if-unmodified-since": "{modified}"}, 200),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-unmodified-since": "yesterday"}, 200),
        ({"if-none-match": '"other"'}, 200),
        ({"if-none-match": '"other"', "if-modified-since": "{modified}"}, 200),
        ({"if-modified-since": "{modified}"}, 304),
        ({"if-modified-since": EARLIER}, 200),
        ({"if-modified-since": "Thu, 01 Jan 2026 00:00:00 -0000"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Thu, 01 Jan 20260000000000 00:00:00 GMT"}, 200),
    ],
)
def test_conditions(emulator, condition, status):
    """The conditions of a request are evaluated, and invalid dates in them are ignored."""
    emulator.objects.put("s3://bucket/key", b"0123456789")
    first = call(emulator, "GET", "/bucket/key")
    facts = {
        "etag": first.headers["etag"].strip('"'),
        "modified": first.headers["last-modified"],
    }
    response = call(
        emulator, "GET", "/bucket/key", {n: v.format(**facts) for n, v in condition.items()}
    )
    assert response.status == status
    if status == 412:
        assert b"<Code>PreconditionFailed</Code>" in response.body
        return
    assert response.body == (first.body if status == 200 else b"")
    assert response.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("owner", "status", "code"),
    [
        ("000000000000", 200, b""),
        ("111111111111", 403, b"<Code>AccessDenied</Code>"),
        ("0", 400, b"<Code>InvalidBucketOwnerAWSAccountID</Code>"),
        ("", 400, b"<Code>InvalidBucketOwnerAWSAccountID</Code>"),
    ],
)
def test_expected_owner(emulator, owner, status, code):
    """A request that expects another owner of the bucket is rejected."""
    emulator.objects.put("s3://bucket/key", b"0123456789")
    response = call(emulator, "GET", "/bucket/key", {"x-amz-expected-bucket-owner": owner})
    assert response.status == status
    assert code in response.body


def test_description(emulator):
    """GET and HEAD return the headers of the upload.

    The checksum is returned only if x-amz-checksum-mode is set.
    """
    upload_headers = {
        "content-type": "text/plain",
        "cache-control": "no-cache",
        "x-amz-meta-a": "1",
        "x-amz-checksum-crc32c": "AAAAAA==",
        "content-md5": b64encode(md5(b"body").digest()).decode(),
    }
    assert call(emulator, "PUT", "/bucket/key", upload_headers, b"body").status == 200
    head = call(emulator, "HEAD", "/bucket/key")
    assert (head.body, head.headers["content-length"]) == (b"", "4")
    for name in ("content-type", "cache-control", "x-amz-meta-a"):
        assert head.headers[name] == upload_headers[name]
    assert head.headers["etag"] == f'"{md5(b"body").hexdigest()}"'
    assert "x-amz-checksum-crc32c" not in head.headers
    checked = call(emulator, "GET", "/bucket/key", {"x-amz-checksum-mode": "enabled"})
    assert checked.headers["x-amz-checksum-crc32c"] == "AAAAAA=="
    assert checked.headers["x-amz-checksum-type"] == "FULL_OBJECT"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-checksum-crc32", b64encode(crc32(b"body").to_bytes(4, "big"))),
        ("x-amz-checksum-sha1", b64encode(sha1(b"body").digest())),
        ("x-amz-checksum-sha256", b64encode(sha256(b"body").digest())),
        ("x-amz-checksum-sha512", b64encode(sha512(b"body").digest())),
        ("x-amz-checksum-md5", b64encode(md5(b"body").digest())),
    ],
)
def test_checksums(emulator, header, value):
    """A correct checksum is confirmed and stored; it is returned if x-amz-checksum-mode is set."""
    upload_headers = {
        header: value.decode(),
        "x-amz-sdk-checksum-algorithm": header.rpartition("-")[2],
    }
    put = call(emulator, "PUT", "/bucket/key", upload_headers, b"body")
    assert (put.status, put.headers[header]) == (200, value.decode())
    for method in ("GET", "HEAD"):
        got = call(emulator, method, "/bucket/key", {"x-amz-checksum-mode": "ENABLED"})
        assert (got.headers[header], got.headers["x-amz-checksum-type"]) == (
            value.decode(),
            "FULL_OBJECT",
        )
        assert header not in call(emulator, method, "/bucket/key").headers


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-md5": "A" * 22 + "=="}, 400, b"BadDigest"),
        ({"content-md5": "AAAA"}, 400, b"InvalidDigest"),
        ({"content-md5": "***"}, 400, b"InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, 400, b"BadDigest"),
        ({"x-amz-checksum-sha1": "A" * 27 + "="}, 400, b"BadDigest"),
        ({"x-amz-checksum-sha1": "***"}, 400, b"InvalidRequest"),
        ({"x-amz-checksum-crc32c": "AAAA"}, 400, b"InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA=="}, 400,
         b"Expecting a single x-amz-checksum- header"),
        ({"x-amz-checksum-crc32c": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "SHA1"}, 400,
         b"InvalidRequest"),
        ({"x-amz-copy-source": "/b/k"}, 501, b"NotImplemented"),
    ],
    ids=["md5", "short md5", "malformed md5", "crc32", "sha1", "not base64", "short crc32c",
         "two", "other algorithm", "copy"],
)  # fmt: skip
def test_rejected_put(emulator, headers, status, code):
    """A PutObject with a wrong checksum or an unsupported feature is rejected."""
    response = call(emulator, "PUT", "/bucket/key", headers, b"body")
    assert response.status == status
    assert code in response.body
    assert emulator.objects.list() == []


def test_conditional_put(emulator):
    """A PutObject with If-None-Match ``*`` does not overwrite an existing object."""
    if_new = {"if-none-match": "*"}
    assert call(emulator, "PUT", "/bucket/key", if_new, b"first").status == 200
    response = call(emulator, "PUT", "/bucket/key", if_new, b"second")
    assert response.status == 412
    assert b"<Code>PreconditionFailed</Code>" in response.body
    assert emulator.objects.get("s3://bucket/key").body == b"first"


def test_conditional_writes(emulator):
    """A PutObject or DeleteObject whose If-Match does not match the object changes nothing."""
    other, this = {"if-match": '"other"'}, {"if-match": "*"}
    assert call(emulator, "PUT", "/bucket/key", this, b"first").status == 404
    assert call(emulator, "DELETE", "/bucket/key", other).status == 204
    call(emulator, "PUT", "/bucket/key", (), b"first")
    assert call(emulator, "PUT", "/bucket/key", other, b"second").status == 412
    assert call(emulator, "PUT", "/bucket/key", {"if-none-match": '"a"'}, b"second").status == 501
    assert call(emulator, "DELETE", "/bucket/key", other).status == 412
    assert emulator.objects.get("s3://bucket/key").body == b"first"
    assert call(emulator, "PUT", "/bucket/key", this, b"second").status == 200
    assert emulator.objects.get("s3://bucket/key").body == b"second"
    assert call(emulator, "DELETE", "/bucket/key", this).status == 204
    assert emulator.objects.list() == []


def test_repeated_headers(emulator):
    """The values of a repeated header are joined by commas, as in the canonical request."""
    signer = Signer(SigV4("s3", emulator.region), signed_headers=sign_all_headers)
    host = emulator.url.removeprefix("http://")
    pairs = [("host", host), ("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")]
    request = SignableRequest("PUT", f"{emulator.url}/bucket/key", pairs, Payload.of(b""))
    added = signer.sign(request, emulator.credentials, at=datetime.now(UTC)).headers
    lines = [f"{name}: {value}\r\n" for name, value in [*pairs, *added.items()]]
    head = f"PUT /bucket/key HTTP/1.1\r\n{''.join(lines)}content-length: 0\r\n\r\n"
    assert send(emulator, head.encode()).status == 200
    assert emulator.objects.get("s3://bucket/key").metadata == {"a": "1,2"}


def test_secrets_are_not_recorded(emulator):
    """The recorded requests contain ``***`` in place of secret headers and parameters."""
    secrets = {
        "x-amz-s3session-token": "canary",
        "x-amz-server-side-encryption-customer-key": "canary",
    }
    call(emulator, "GET", "/bucket/key?X-Amz-S3session-Token=canary", secrets)
    assert "canary" not in repr(emulator.requests)
    assert emulator.requests[0].header("x-amz-s3session-token") == "***"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("PUT", "/bucket/key?acl", 501),
        ("PUT", "/bucket/key?partNumber=1&uploadId=u", 404),
        ("PUT", "/bucket/key?uploads", 501),
        ("GET", "/bucket/key?versionId=1", 501),
        ("GET", "/bucket", 200),
        ("GET", "/bucket?list-type=3", 501),
        ("GET", "/bucket?list-type=2&versions", 501),
        ("PUT", "/bucket?versioning", 501),
        ("DELETE", "/bucket", 501),
        ("GET", "/", 501),
        ("GET", "/b%20d/key", 400),
        ("PUT", "/bucket/" + "k" * 1024, 200),
        ("PUT", "/bucket/" + "k" * 1023 + "%C3%A9", 400),
        ("DELETE", "/bucket/key", 204),
        ("GET", "/bucket?list-type=2&max-keys=0", 200),
        ("GET", "/bucket?list-type=2&x-id=ListObjectsV2", 200),
        ("PUT", "/bucket/key?x-id=PutObject&X-Amz-Meta=1&utm_source=mail", 200),
        ("DELETE", "/bucket/key?acls", 204),
        ("GET", "/bucket?list-type=2&cache=no", 200),
        ("PUT", "/bucket?cache=no", 200),
        ("HEAD", "/bucket?cache", 200),
    ],
)
def test_operations_and_parameters(emulator, method, target, status):
    """Unsupported operations are rejected; parameters unknown to S3 are ignored."""
    assert call(emulator, method, target).status == status


def test_unsupported_parameters_are_those_of_s3():
    """The emulator rejects each parameter that selects an operation in botocore's model of S3."""
    model = botocore.session.get_session().get_service_model("s3")
    uris = [model.operation_model(name).http["requestUri"] for name in model.operation_names]
    queries = [uri.partition("?")[2] for uri in uris]
    named = {pair.partition("=")[0] for query in queries for pair in query.split("&")}
    assert named - {""} <= SELECTORS


def test_virtual_host(emulator):
    """The Host header may specify the bucket."""
    port = emulator.url.rpartition(":")[2]
    host = f"bucket.localhost:{port}"
    assert call(emulator, "PUT", "/a/b", (), b"body", host=host).status == 200
    assert emulator.objects.get("s3://bucket/a/b").body == b"body"


def test_store_is_shared_between_threads():
    """`wait_for` returns an object written by another thread, or raises TimeoutError."""
    store = ObjectStore()
    with pytest.raises(TimeoutError, match="no object was written to s3://b/k within 0 s"):
        store.wait_for("s3://b/k", timeout=0)
    found = []
    thread = Thread(target=lambda: found.append(store.wait_for("s3://b/k", TIMEOUT)))
    thread.start()
    stored = store.put("s3://b/k", b"body", metadata={"a": "1"})
    thread.join(TIMEOUT)
    assert [one.body for one in found] == [b"body"]
    assert stored.metadata == {"a": "1"}
    store.delete("s3://b/k")
    assert store.get("s3://b/k") is None


def test_invalid_location():
    """An object location that does not have the form ``s3://bucket/key`` is rejected."""
    with pytest.raises(ValueError, match="a location must have the form s3://bucket/key"):
        ObjectStore().get("bucket/key")
