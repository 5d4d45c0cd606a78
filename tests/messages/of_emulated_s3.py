"""Messages in the error responses of the emulated S3."""

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
]
