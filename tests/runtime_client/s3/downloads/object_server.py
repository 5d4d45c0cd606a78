"""A server that stores objects, responds to requests for ranges, and produces scripted faults."""

import hashlib
import re
import zlib
from base64 import b64encode
from itertools import count

from tests.runtime_client.loopback import Loopback

PART = 64 << 10


def crc32(body):
    """Return the header with the CRC32 of *body*."""
    return {"x-amz-checksum-crc32": b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()}


def sha256(body):
    """Return the header with the SHA-256 of *body*."""
    return {"x-amz-checksum-sha256": b64encode(hashlib.sha256(body).digest()).decode()}


def content(size):
    """Return *size* bytes in which no two mebibytes are equal."""
    words = (number.to_bytes(4, "big") * 16 for number in count())
    return b"".join(next(words) for _ in range(-(-size // 64)))[:size]


class ObjectServer(Loopback):
    """A server on 127.0.0.1 with one object at each path.

    Args:
        body: The content of the object.
        checksum: A function that returns the headers with the checksum of the content.
        faults: Functions, keyed by the number of the request, from 0.  Each receives the response
            and the connection, to which it writes something else; the connection is then closed.
        replaced_at: The number of the request before which the object is replaced; None for never.
    """

    def __init__(self, body, checksum=crc32, faults=None, replaced_at=None, tls=None):
        self.body, self.checksum = body, checksum
        self.faults, self.replaced_at = faults or {}, replaced_at
        self._numbers = count()
        super().__init__(self._serve, tls)

    @property
    def ranges(self):
        """The ranges that were requested, in the order in which the requests arrived."""
        return [request.header("range") for request in self.requests if request.method == "GET"]

    def _serve(self, request, connection):
        number = next(self._numbers)
        if number == self.replaced_at:
            self.body = bytes(reversed(self.body))
        data = self.respond(request)
        fault = self.faults.get(number)
        if fault is None:
            return data
        fault(data, connection)
        return b""

    @property
    def etag(self):
        return f'"{hashlib.md5(self.body).hexdigest()}"'

    def respond(self, request):
        """Return the response that S3 would send to *request*."""
        if request.header("if-match") not in {None, self.etag}:
            return head(412, 0)
        size, wanted = len(self.body), request.header("range")
        headers = {"ETag": self.etag, "Last-Modified": "Sun, 29 Nov 2026 10:00:00 GMT"}
        headers |= {"Content-Type": "text/x", "x-amz-meta-a": "b"}
        checksum = self.checksum(self.body) if request.header("x-amz-checksum-mode") else {}
        if request.method == "HEAD":
            return head(200, size, headers | checksum)
        if wanted is None:
            return head(200, size, headers | checksum) + self.body
        start, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
        part = self.body[start : last + 1]
        if not part:
            return head(416, 0)
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{size}"
        return head(206, len(part), headers) + part


def head(status, length, headers=()):
    """Return the head of a response."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def names(folder):
    """Return the sorted names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())
