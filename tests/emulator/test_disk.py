"""Test that an emulator can store its objects in a folder and then needs little memory."""

import gc
import io
import os
import socket
import sqlite3
import tracemalloc
from http.client import HTTPResponse

import pytest

from sagemaker_runtime_client.emulator import BrokenBody, Emulator, Faults
from sigv4 import Credentials, Payload
from tests.emulator.wire import TIMEOUT, address, call, receive_until_reset, sign_request

MIB = 1024 * 1024
LARGE = 256 * MIB
KEYS = Credentials("AKIDEXAMPLE", "secret")
PIECE = bytes(MIB)


@pytest.fixture
def data(tmp_path):
    """The path of a folder for objects, which does not exist yet."""
    return tmp_path / "new" / "data"


def files(data):
    """Return the number of files that contain objects or parts."""
    gc.collect()
    return len(list((data / "contents").iterdir()))


def test_later_emulator(data, boto):
    """A later emulator with the same folder finds the buckets and the objects with their options."""
    body = os.urandom(6 * MIB)
    options = {
        "Metadata": {"a": "b"},
        "Tagging": "a=1",
        "CacheControl": "no-cache",
        "ContentType": "text/csv",
        "ChecksumAlgorithm": "SHA256",
    }
    with Emulator(data=data, strict_buckets=True, credentials=KEYS) as emulator:
        s3 = boto("s3", emulator)
        for bucket in ("empty", "b"):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket="b", Key="k é", Body=body, **options)
        emulator.objects.put("s3://other/k", b"body")
        before = emulator.objects.get("s3://b/k é")
    with Emulator(data=str(data), strict_buckets=True, credentials=KEYS) as emulator:
        assert emulator.objects.get("s3://b/k é") == before
        assert emulator.objects.list() == ["s3://b/k é", "s3://other/k"]
        assert emulator.objects.get("s3://other/k").body == b"body"
        assert call(emulator, "HEAD", "/empty").status == 200
        assert call(emulator, "HEAD", "/unknown").status == 404
        head = boto("s3", emulator).head_object(Bucket="b", Key="k é", ChecksumMode="ENABLED")
    assert (head["ChecksumSHA256"], head["TagCount"]) == (
        before.checksums["x-amz-checksum-sha256"],
        1,
    )


def test_parts(data, boto):
    """Files of parts that an upload does not use, or of an aborted upload, are deleted."""
    with Emulator(data=data) as emulator:
        s3 = boto("s3", emulator)
        named = {"Bucket": "b", "Key": "k"}
        named["UploadId"] = s3.create_multipart_upload(**named)["UploadId"]
        parts = [
            {
                "PartNumber": number,
                "ETag": s3.upload_part(**named, PartNumber=number, Body=body)["ETag"],
            }
            for number, body in ((1, b"old"), (1, bytes(5 * MIB)), (2, b"last"), (3, b"unused"))
        ]
        assert files(data) == 3
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts[1:3]})
        assert files(data) == 2
        aborted = s3.create_multipart_upload(Bucket="b", Key="k")["UploadId"]
        named["UploadId"] = aborted
        s3.upload_part(**named, PartNumber=1, Body=b"aborted")
        s3.abort_multipart_upload(**named)
        assert files(data) == 2
        s3.create_multipart_upload(Bucket="b", Key="k")
    with Emulator(data=data) as emulator:
        assert emulator.objects.get("s3://b/k").body == bytes(5 * MIB) + b"last"
        assert emulator.objects.list_uploads() == []


def test_replaced_objects(data):
    """If an object is replaced or deleted, its file is deleted once nothing refers to it."""
    with Emulator(data=data) as emulator:
        for body in (b"1", b"22", b"333"):
            call(emulator, "PUT", "/b/k", (), body)
        assert files(data) == 1
        old = emulator.objects.get("s3://b/k")
        emulator.objects.write("b", "copy", old)
        assert files(data) == 2
        call(emulator, "DELETE", "/b/k")
        assert old.body == b"333"  # can be read as long as *old* refers to it
        del old
        assert files(data) == 1
        assert emulator.objects.get("s3://b/copy").body == b"333"


def test_failed_upload(data):
    """A rejected or interrupted upload leaves no file behind."""
    with Emulator(data=data) as emulator:
        wrong = {"x-amz-checksum-crc32": "AAAAAA=="}
        assert call(emulator, "PUT", "/b/k", wrong, b"body").status == 400
        emulator.faults.once(Faults.RESET_WHILE_READ)
        receive_until_reset(emulator, sign_request(emulator, "PUT", "/b/k", (), b"body"))
        head = sign_request(emulator, "PUT", "/b/k", {"content-length": "9"})
        with socket.create_connection(address(emulator), TIMEOUT) as connection:
            connection.sendall(head + b"bo")
        assert call(emulator, "GET", "/b/k").status == 404
    assert files(data) == 0


def test_leftover_files(data):
    """When an emulator is created, it deletes files that belong to no object."""
    with Emulator(data=data) as emulator:
        emulator.objects.put("s3://b/k", b"body")
    (data / "contents" / "leftover").write_bytes(b"")
    with Emulator(data=data) as emulator:
        assert files(data) == 1
        assert emulator.objects.get("s3://b/k").body == b"body"


def test_ranges_of_a_file(data):
    """For an object in a file, ranges and the fault `BrokenBody` work."""
    with Emulator(data=data) as emulator:
        body = os.urandom(MIB)
        emulator.objects.put("s3://b/k", body)
        part = call(emulator, "GET", "/b/k", {"range": "bytes=300000-"})
        assert (part.status, part.body) == (206, body[300_000:])
        emulator.faults.once(BrokenBody("flipped", 5))
        assert call(emulator, "GET", "/b/k").body[6:] == body[6:]


def test_empty_object(data):
    """An empty object can be stored in a folder and read."""
    with Emulator(data=data) as emulator:
        call(emulator, "PUT", "/b/k")
        assert call(emulator, "GET", "/b/k").body == b""


def test_two_emulators(data):
    """If an emulator uses a folder, creating a second emulator with this folder raises an error."""
    with (
        Emulator(data=data),
        pytest.raises(ValueError, match="the folder of data= is used by another emulator"),
    ):
        Emulator(data=data)


def test_foreign_database(data):
    """A folder whose database file is invalid is rejected."""
    data.mkdir(parents=True)
    (data / "objects.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(ValueError, match="the folder of data= has an invalid database"):
        Emulator(data=data)


def test_no_folder(tmp_path):
    """A path to a file instead of a folder is rejected."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Emulator(data=tmp_path / "file")


def test_after_the_end(data):
    """After an emulator has stopped, its objects can be read, but changing them raises an error."""
    with Emulator(data=data) as emulator:
        emulator.objects.put("s3://b/k", b"body")
    assert emulator.objects.get("s3://b/k").body == b"body"
    with pytest.raises(RuntimeError, match="cannot be changed after the emulator stopped"):
        emulator.objects.delete("s3://b/k")


def test_unused_emulator(data):
    """If an emulator is never entered, it releases its folder when it is garbage-collected."""
    Emulator(data=data)
    gc.collect()
    with sqlite3.connect(data / "objects.sqlite3", timeout=0) as database:
        assert database.execute("SELECT * FROM objects").fetchall() == []
    database.close()


def send_large(emulator, target, size, headers=()):
    """Upload an object of zeros piece by piece, and return the status of the response."""
    named = {"content-length": str(size), **dict(headers)}
    head = sign_request(emulator, "PUT", target, named, payload=Payload.UNSIGNED)
    with socket.create_connection(address(emulator), 60) as connection:
        connection.sendall(head)
        for _ in range(size // MIB):
            connection.sendall(PIECE)
        with HTTPResponse(connection, method="PUT") as response:
            response.begin()
            return response.status


def receive_large(emulator, target):
    """Download an object piece by piece, and return how many of its bytes are zero."""
    buffer = bytearray(MIB)
    with socket.create_connection(address(emulator), 60) as connection:
        connection.sendall(sign_request(emulator, "GET", target))
        with HTTPResponse(connection) as response:
            response.begin()
            zeros = 0
            while size := response.readinto(buffer):
                zeros += buffer.count(0, 0, size)
            return zeros


@pytest.mark.parametrize(
    ("on_disk", "size", "most"), [(True, LARGE, 8 * MIB), (False, 64 * MIB, 72 * MIB)]
)
def test_memory(data, on_disk, size, most):
    """The memory for a large object is small with a folder, and is about one copy without a folder."""
    with Emulator(data=data if on_disk else None) as emulator:
        tracemalloc.start()
        try:
            assert send_large(emulator, "/b/k", size) == 200
            assert receive_large(emulator, "/b/k") == size
            assert tracemalloc.get_traced_memory()[1] < most
        finally:
            tracemalloc.stop()
            emulator.objects.delete(
                "s3://b/k"
            )  # otherwise, the object is searched for secrets at the end of the test


def test_memory_of_parts(data, boto):
    """The memory for an object that is uploaded in parts to a folder is small."""
    size = 64 * MIB
    with Emulator(data=data) as emulator:
        s3 = boto("s3", emulator)
        named = {"Bucket": "b", "Key": "k"}
        kind = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        named["UploadId"] = s3.create_multipart_upload(**named, **kind)["UploadId"]
        tracemalloc.start()
        try:
            for number in range(1, 9):
                target = f"/b/k?partNumber={number}&uploadId={named['UploadId']}"
                assert send_large(emulator, target, size // 8) == 200
            parts = [
                {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                for part in s3.list_parts(**named)["Parts"]
            ]
            s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
            assert receive_large(emulator, "/b/k") == size
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()
            emulator.objects.delete(
                "s3://b/k"
            )  # otherwise, the object is searched for secrets at the end of the test


def test_transfer_manager(data, boto):
    """boto3's transfer manager can upload and download an object in a folder."""
    body = os.urandom(20 * MIB)
    with Emulator(data=data) as emulator:
        s3 = boto("s3", emulator)
        s3.upload_fileobj(io.BytesIO(body), "b", "k")
        target = io.BytesIO()
        s3.download_fileobj("b", "k", target)
    assert target.getvalue() == body
