"""A scripted store for uploads, which `ScriptedIO` calls for each request."""

import re
from base64 import b64encode
from copy import copy
from hashlib import md5
from threading import Lock
from zlib import crc32

from sagemaker_runtime_client import Response
from sigv4 import ChunkDecoder, Payload
from tests.runtime_client.scripted_io import ScriptedIO, core, run, s3_error

MIB = 1 << 20
PART = 5 * MIB
CONTENT = bytes(range(256)) * (4 * 1024 * 12) + b"end"  # 12 MiB, which are three parts of 5 MiB
LOCATION = "s3://bucket/key"
NO_SUCH_UPLOAD = s3_error(404, "NoSuchUpload")
EXISTS = s3_error(412, "PreconditionFailed")
INTERNAL = s3_error(500, "InternalError")
UNKNOWN = s3_error(501, "NotImplemented")
# An error response that S3 may send with the status 200.
LATE = Response(200, {}, b"<Error><Code>InternalError</Code><Message/></Error>")


def crc(content):
    """Return the CRC32 of *content* in base64."""
    return b64encode(crc32(content).to_bytes(4, "big")).decode()


def decoded(sent):
    """Verify the checksum in the trailer of a request body, and return the decoded body."""
    if sent.header("x-amz-trailer") is None:
        stated = sent.header("x-amz-checksum-crc32")
        assert stated in {None, crc(sent.request.body)}
        return sent.request.body
    assert sent.header("x-amz-trailer") == "x-amz-checksum-crc32"
    decoder = ChunkDecoder(
        Payload(sent.header("x-amz-content-sha256")),
        int(sent.header("x-amz-decoded-content-length")),
        trailers=["x-amz-checksum-crc32"],
    )
    content = decoder.feed(sent.request.body)
    return content + decoder.finish()


class Store:
    """A store that carries out requests, and then sends its own or a scripted response.

    Args:
        faults: The scripted responses, keyed by the kind of request: ``create``, ``part``,
            ``complete``, ``abort``, ``put`` or ``head``.  Each value is a list for the first
            requests of this kind. An item is None for the store's own response, or a response or an
            error to use instead.  A request for which an error is scripted is carried out only if
            the error states that the request was possibly accepted.
        checksum_type: The checksum type that the store states when it creates an upload.
    """

    def __init__(self, faults=None, checksum_type="FULL_OBJECT"):
        self._faults = {kind: list(answers) for kind, answers in (faults or {}).items()}
        self._checksum_type = checksum_type
        self._guard = Lock()
        self.kinds = []
        self.uploads = {}
        self.object = None
        self.etag = None
        self.states_checksums = checksum_type is not None

    def __call__(self, _io, sent):
        kind = self._kind(sent)
        with self._guard:
            self.kinds.append(kind)
            script = self._faults.get(kind)
            fault = copy(script.pop(0)) if script else None  # a raised error is changed
            if isinstance(fault, Response) or (fault and not fault.possibly_accepted):
                return fault
            answer = getattr(self, "_" + kind)(sent)
            return answer if fault is None else fault

    def _kind(self, sent):
        method, path = sent.request.method, sent.request.path
        if method == "POST":
            return "create" if path.endswith("?uploads") else "complete"
        if method == "PUT":
            return "part" if "partNumber" in path else "put"
        return {"DELETE": "abort", "HEAD": "head"}[method]

    def _create(self, _sent):
        name = f"u{len(self.kinds)}"
        self.uploads[name] = {}
        text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
        stated = {"x-amz-checksum-type": self._checksum_type} if self._checksum_type else {}
        return Response(200, stated, text.encode())

    def _parts(self, sent):
        return self.uploads.get(re.search("uploadId=([^&]+)", sent.request.path)[1])

    def _part(self, sent):
        parts = self._parts(sent)
        if parts is None:
            return NO_SUCH_UPLOAD
        content = decoded(sent)
        parts[int(re.search("partNumber=([0-9]+)", sent.request.path)[1])] = content
        return Response(200, {"etag": f'"{md5(content).hexdigest()}"'})

    def _complete(self, sent):
        parts = self._parts(sent)
        if parts is None:
            return NO_SUCH_UPLOAD
        if sent.header("if-none-match") and self.object is not None:
            return EXISTS
        content = b"".join(parts[number] for number in sorted(parts))
        named = re.findall(b"<PartNumber>([0-9]+)</PartNumber>", sent.request.body)
        assert [int(number) for number in named] == sorted(parts)
        assert sent.header("x-amz-mp-object-size") == str(len(content))
        assert sent.header("x-amz-checksum-crc32") in {None, crc(content)}
        self.uploads = {name: other for name, other in self.uploads.items() if other is not parts}
        digests = b"".join(md5(parts[number]).digest() for number in sorted(parts))
        self.object, self.etag = content, f'"{md5(digests).hexdigest()}-{len(parts)}"'
        text = f"<CompleteMultipartUploadResult><ETag>{self.etag}</ETag></CompleteMultipartUploadResult>"
        return Response(200, {}, text.encode())

    def _abort(self, sent):
        name = re.search("uploadId=([^&]+)", sent.request.path)[1]
        return NO_SUCH_UPLOAD if self.uploads.pop(name, None) is None else Response(204, {})

    def _put(self, sent):
        if sent.header("if-none-match") and self.object is not None:
            return EXISTS
        self.object = decoded(sent)
        self.etag = f'"{md5(self.object).hexdigest()}"'
        return Response(200, {"etag": self.etag})

    def _head(self, _sent):
        if self.object is None:
            return Response(404, {})
        headers = {"content-length": str(len(self.object)), "etag": self.etag}
        if self.states_checksums:
            headers["x-amz-checksum-crc32"] = crc(self.object)
        return Response(200, headers)


def upload(store, source=CONTENT, *, settings=None, **arguments):
    """Upload *source* to *store*, and return the description of the object and all requests."""
    io = ScriptedIO(store, random=0.0)
    options = {"part_size": PART, **arguments}
    return run(core(io, **(settings or {})).upload(LOCATION, source, **options)), io.sent
