import http.client
import struct
from collections.abc import Callable, Iterator
from functools import cache

from hand_signed import signer

from models.reading import ENDPOINT, read

PATH = f"/endpoints/{ENDPOINT}/invocations"
HEADERS = {"Content-Type": "application/octet-stream"}


def connect(url: str) -> Callable[[str, str], object]:
    """Return a function that makes a call; all its calls use one connection.

    The payloads are cut out of the events without checking anything.
    """
    scheme, _, host = url.partition("://")
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(host)

    @cache
    def signing(path: str, body: bytes) -> Callable[[], dict[str, str]]:
        return signer(host, path=path, headers=HEADERS, body=body)

    def call(operation: str, text: str) -> object:
        body = text.encode()
        path = PATH + ("-response-stream" if operation == "stream" else "")
        connection.request("POST", path, body, signing(path, body)())
        response = connection.getresponse()
        return len(response.read()) if operation == "invoke" else read(payloads(response), body)

    return call


def payloads(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the payloads of the events."""
    buffer = b""
    while piece := response.read1(65536):
        buffer += piece
        start = 0
        while len(buffer) >= start + 8:
            total, headers = struct.unpack_from(">II", buffer, start)
            if len(buffer) < start + total:
                break
            yield buffer[start + 12 + headers : start + total - 4]
            start += total
        buffer = buffer[start:]
