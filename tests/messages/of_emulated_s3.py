"""Messages in the error responses of the emulated S3."""

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from sagemaker_runtime_client.emulator import Emulator
from sigv4 import Payload, checksum
from tests.emulator.wire import build_request, call, send, sign_request
from tests.messages.of_emulator import error, message

COVERED = ("runtime_client/sagemaker_runtime_client/emulator/_s3",)

KMS = {"x-amz-server-side-encryption": "aws:kms"}


def unsigned_error(target):
    """Return the message of the error response to an unsigned request."""
    with Emulator() as emulator:
        return message(send(emulator, build_request("GET", target, {"host": "h"})))


def object_error(headers, method="PUT"):
    """Return the message of the error response to a request for an existing object."""
    with Emulator() as emulator:
        emulator.objects.put("s3://bucket/key", b"body")
        return message(call(emulator, method, "/bucket/key", headers, b"body"))


def delete_error(document, headers):
    """Return the message of the error response to a DeleteObjects request."""
    with Emulator() as emulator:
        return message(call(emulator, "POST", "/b?delete", headers, document, service="s3"))


def without_length():
    """Return the message of the error response to an upload without a length."""
    with Emulator() as emulator:
        request = sign_request(emulator, "PUT", "/bucket/key")
        return message(send(emulator, request.replace(b"content-length: 0\r\n", b"")))


def event_stream_error():
    """Return the error message for a PutObject with the payload hash of event streams."""
    with Emulator() as emulator:
        length = {"x-amz-decoded-content-length": "0"}
        return message(call(emulator, "PUT", "/bucket/key", length, payload=Payload.EVENTS))


def upload_error(headers):
    """Return the message of the error response to a CreateMultipartUpload request."""
    with Emulator() as emulator:
        return message(call(emulator, "POST", "/b/k?uploads", headers, service="s3"))


def part_error(query="partNumber=1", headers=(), created=()):
    """Return the message of the error response to an UploadPart request."""
    with Emulator() as emulator:
        upload_id = create_upload(emulator, created)
        target = f"/b/k?{query}&uploadId={upload_id}"
        return message(call(emulator, "PUT", target, headers, b"body"))


def create_upload(emulator, headers=()):
    """Create an upload in parts, and return its ID."""
    response = call(emulator, "POST", "/b/k?uploads", headers, service="s3")
    return ET.fromstring(response.body).findtext("{*}UploadId")


def listing_error(query):
    """Return the message of the error response to a ListParts request."""
    with Emulator() as emulator:
        return message(call(emulator, "GET", f"/b/k?uploadId={create_upload(emulator)}&{query}"))


def completion_error(numbers, headers=(), etag=None, created=()):
    """Return the message of the error response to a CompleteMultipartUpload request.

    *etag* replaces the ETags of the parts.
    """
    with Emulator() as emulator:
        upload_id = create_upload(emulator, created)
        listed = ""
        for number in numbers:
            target = f"/b/k?partNumber={number}&uploadId={upload_id}"
            sent = {"x-amz-checksum-crc32": checksum("CRC32", b"body")} if created else {}
            found = call(emulator, "PUT", target, sent, b"body").headers["etag"]
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag or found}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        target = f"/b/k?uploadId={upload_id}"
        return message(call(emulator, "POST", target, headers, document, service="s3"))


def used_folder():
    """Open a folder that a running emulator uses."""
    with TemporaryDirectory() as folder:
        try:
            with Emulator(data=folder):
                Emulator(data=folder)
        except ValueError as error:
            return str(error).replace(folder, "FOLDER")


def invalid_folder():
    """Open a folder whose database file is not a database."""
    with TemporaryDirectory() as folder:
        Path(folder, "objects.sqlite3").write_bytes(b"text" * 1000)
        try:
            Emulator(data=folder)
        except ValueError as error:
            return str(error).replace(folder, "FOLDER")


def change_after_the_end():
    """Change an object after the emulator has stopped."""
    with TemporaryDirectory() as folder:
        with Emulator(data=folder) as emulator:
            pass
        emulator.objects.put("s3://b/k", b"")


def large_document():
    """Return the message of the error response to a document that is too large."""
    with Emulator() as emulator:
        body = bytes(9 * 1024 * 1024)
        return message(call(emulator, "POST", "/b?delete", (), body, service="s3"))


def redirect():
    """Return the error message for a request to a bucket in another region."""
    with Emulator() as emulator:
        emulator.faults.bucket_regions["bucket"] = "eu-west-1"
        return message(call(emulator, "GET", "/bucket/key"))


MESSAGES = [
    (lambda: unsigned_error("/bucket/%zz"), "Couldn't parse the specified URI."),
    (
        redirect,
        """
        The bucket you are attempting to access must be addressed using the specified endpoint.
        Please send all future requests to this endpoint.
        """,
    ),
    (
        event_stream_error,
        "x-amz-content-sha256 does not name an aws-chunked payload",
    ),
    (
        lambda: error("GET", "/b%20d/key"),
        "The specified bucket is not valid.",
    ),
    (lambda: error("PUT", "/bucket/" + "k" * 1025), "Your key is too long"),
    (
        lambda: error("GET", "/bucket/key", strict_buckets=True),
        "The specified bucket does not exist",
    ),
    (lambda: error("GET", "/bucket/key"), "The specified key does not exist."),
    (lambda: error("GET", "/bucket?acl"), "The emulator does not support this operation."),
    (
        lambda: error("GET", "/bucket?list-type=2&max-keys=many"),
        "max-keys must be a number.",
    ),
    (
        lambda: error("GET", "/bucket?list-type=2&continuation-token=A"),
        "The continuation token provided is incorrect",
    ),
    (
        lambda: error("GET", "/bucket?encoding-type=base64"),
        "Invalid Encoding Method specified in Request",
    ),
    (
        lambda: delete_error(b"", {}),
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    ),
    (
        lambda: delete_error(b"<Delete>", {"x-amz-checksum-crc32": checksum("CRC32", b"<Delete>")}),
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    (
        lambda: object_error({"x-amz-copy-source": "/bucket/other"}),
        "The emulator does not copy objects.",
    ),
    (
        lambda: object_error({"x-amz-expected-bucket-owner": "1"}),
        "The value of the expected bucket owner parameter must be an AWS account ID",
    ),
    (
        lambda: object_error({"if-none-match": "etag"}),
        "If-None-Match must be * for a write.",
    ),
    (
        lambda: object_error({"x-amz-meta-a": "b" * 2048}),
        "Your metadata headers exceed the maximum allowed metadata size",
    ),
    (
        lambda: object_error({"x-amz-storage-class": "COLD"}),
        "The storage class you specified is not valid",
    ),
    (
        lambda: object_error({"x-amz-tagging": "&".join(f"{n}=" for n in range(11))}),
        "Object tags cannot be greater than 10",
    ),
    (
        lambda: object_error({"x-amz-tagging": "a=1&a=2"}),
        "Cannot provide multiple Tags with the same key",
    ),
    (
        lambda: object_error({"x-amz-server-side-encryption": "rot13"}),
        "The Encryption request you specified is not valid. Supported value: AES256.",
    ),
    (
        lambda: object_error({"x-amz-server-side-encryption-aws-kms-key-id": "k"}),
        """
        Server Side Encryption with AWS KMS managed key requires HTTP header
        x-amz-server-side-encryption : aws:kms
        """,
    ),
    (
        lambda: object_error({**KMS, "x-amz-server-side-encryption-context": "e30"}),
        """
        The header 'x-amz-server-side-encryption-context' must be a Base64-encoded UTF-8 string
        holding JSON which represents a string-string map
        """,
    ),
    (
        lambda: error("PUT", "/bucket/key", {"content-length": str(5 * 1024**3 + 1)}),
        "Your proposed upload exceeds the maximum allowed size",
    ),
    (
        without_length,
        "You must provide the Content-Length HTTP header.",
    ),
    (
        lambda: object_error({"if-none-match": "*"}),
        "At least one of the pre-conditions you specified did not hold",
    ),
    (
        lambda: object_error({"range": "bytes=9-"}, "GET"),
        "The requested range is not satisfiable",
    ),
    (
        lambda: object_error({"content-md5": "*"}),
        "The Content-MD5 you specified was invalid.",
    ),
    (
        lambda: object_error({"content-md5": "A" * 22 + "=="}),
        "The Content-MD5 you specified did not match what we received.",
    ),
    (
        lambda: object_error({"x-amz-checksum-crc32": "", "x-amz-checksum-sha1": ""}),
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    ),
    (
        lambda: object_error({"x-amz-checksum-crc32": "*"}),
        "Value for x-amz-checksum-crc32 header is invalid.",
    ),
    (
        lambda: object_error(
            {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "SHA1"}
        ),
        "Value for x-amz-sdk-checksum-algorithm header is invalid.",
    ),
    (
        lambda: object_error({"x-amz-checksum-crc32": "AAAAAA=="}),
        "The CRC32 you specified did not match the calculated checksum.",
    ),
    (large_document, "Your proposed upload exceeds the maximum allowed size"),
    # The folder of an emulator.
    (
        used_folder,
        "the folder of data= is used by another emulator: FOLDER/objects.sqlite3",
    ),
    (
        invalid_folder,
        """
        the folder of data= has an invalid database: FOLDER/objects.sqlite3: file is not a database
        """,
    ),
    (
        change_after_the_end,
        "objects in a folder cannot be changed after the emulator stopped",
    ),
    # Uploads in parts.
    (
        lambda: error("DELETE", "/b/k?uploadId=1"),
        """
        The specified upload does not exist. The upload ID may be invalid, or the upload may have
        been aborted or completed.
        """,
    ),
    (
        lambda: upload_error({"x-amz-checksum-type": "COMPOSITE"}),
        """
        The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.
        """,
    ),
    (
        lambda: upload_error({"x-amz-checksum-algorithm": "CRC16"}),
        """
        Checksum algorithm provided is unsupported. Please try again with any of the valid types:
        [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]
        """,
    ),
    (
        lambda: upload_error({"x-amz-checksum-algorithm": "MD5", "x-amz-checksum-type": "HALF"}),
        "Value for x-amz-checksum-type header is invalid.",
    ),
    (
        lambda: upload_error(
            {"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"}
        ),
        "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.",
    ),
    (
        lambda: part_error("partNumber=0"),
        "Part number must be an integer between 1 and 10000, inclusive",
    ),
    (
        lambda: part_error(created={"x-amz-checksum-algorithm": "SHA1"}),
        """
        Checksum Type mismatch occurred, expected checksum Type: sha1, actual checksum Type: null
        """,
    ),
    (lambda: listing_error("part-number-marker=x"), "part-number-marker must be a number."),
    (lambda: listing_error("max-parts=x"), "max-parts must be a number."),
    (
        lambda: completion_error([1, 1]),
        """
        The list of parts was not in ascending order. The parts list must be specified in order by
        part number.
        """,
    ),
    (
        lambda: completion_error([1], etag="a"),
        """
        One or more of the specified parts could not be found. The part may not have been
        uploaded, or the specified entity tag may not match the part's entity tag.
        """,
    ),
    (
        lambda: completion_error([1], created={"x-amz-checksum-algorithm": "CRC32"}),
        """
        The upload was created using a crc32 checksum. The complete request must include the
        checksum for each part. It was missing for part 1 in the request.
        """,
    ),
    (
        lambda: completion_error([1, 2]),
        "Your proposed upload is smaller than the minimum allowed size",
    ),
    (
        lambda: completion_error([1], {"x-amz-mp-object-size": "x"}),
        "Value for x-amz-mp-object-size header is invalid.",
    ),
    (
        lambda: completion_error([1], {"x-amz-mp-object-size": "5"}),
        """
        The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4
        """,
    ),
    (
        lambda: completion_error([1], {"x-amz-checksum-type": "COMPOSITE"}),
        """
        The upload was created using the FULL_OBJECT checksum mode. The complete request must use
        the same checksum mode.
        """,
    ),
]
