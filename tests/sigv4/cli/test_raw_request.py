"""Test how raw requests are parsed, and which raw requests are rejected."""

import pytest

from sigv4 import InvalidRequestError, Payload
from sigv4._cli.raw_request import parse_request
from sigv4._limits import LONGEST_HEAD

HEAD = b"PUT /a%20b?c HTTP/1.1\r\nHost: host.example\r\nX-Amz-A:  b \r\n"


def facts(request):
    """Return the method, the URL, the headers and the payload hash of a parsed request."""
    return (request.method, request.url, request.headers, request.payload.hash)


READ = {
    "no body": (HEAD + b"\r\n", b""),
    "no end of the head": (HEAD.rstrip(), b""),
    "bare line feeds": (HEAD.replace(b"\r", b"") + b"\nbody", b"body"),
    "body": (HEAD + b"\r\nbody\r\n\r\n", b"body\r\n\r\n"),
    "length": (HEAD + b"\r\nbody", b"body"),
}


@pytest.mark.parametrize(("data", "body"), READ.values(), ids=READ.keys())
def test_read(data, body):
    """`parse_request` returns the target as sent, the trimmed headers and the body's hash."""
    expected = (
        "PUT",
        "https://host.example/a%20b?c",
        (("host", "host.example"), ("x-amz-a", "b")),
        Payload.of(body).hash,
    )
    assert facts(parse_request(data)) == expected


@pytest.mark.parametrize("rest", [b"body", b"body\n"], ids=["exact", "more than it says"])
def test_content_length(rest):
    """If a body is longer than its Content-Length, for example by a line end, the rest is ignored."""
    request = parse_request(HEAD + b"Content-Length: 4\r\n\r\n" + rest)
    assert request.payload.hash == Payload.of(b"body").hash


def test_scheme():
    """The URL of a parsed request has the scheme that the caller passes."""
    assert parse_request(HEAD, scheme="http").url == "http://host.example/a%20b?c"


def test_absolute_target():
    """The request target can be a complete URL, as in a request to a proxy."""
    request = parse_request(b"GET http://a.example/b HTTP/1.1\nHost: a.example")
    assert request.url == "http://a.example/b"


REFUSED = {
    "nothing": b"",
    "no version": b"GET /\r\nHost: h\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "target beyond ASCII": "GET /ü HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "host beyond ASCII": "GET / HTTP/1.1\r\nHost: hü\r\n\r\n".encode(),
    "folded header": b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
    "folded header with a colon": b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c:d\r\n\r\n",
    "header without a colon": b"GET / HTTP/1.1\r\nHost h\r\n\r\n",
    "header of no name": b"GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n",
    "transfer chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "short body": HEAD + b"Content-Length: 5\r\n\r\nbody",
    "two lengths": HEAD + b"Content-Length: 4\r\nContent-Length: 3\r\n\r\nbody",
    "invalid length": HEAD + b"Content-Length: -1\r\n\r\nbody",
    "long length": HEAD + b"Content-Length: " + b"9" * 10_000 + b"\r\n\r\nbody",
    "long head": HEAD + b"A: b\r\n" * (LONGEST_HEAD // 6),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data):
    """`parse_request` rejects invalid and ambiguous raw requests."""
    with pytest.raises(InvalidRequestError):
        parse_request(data)
