"""Measure the time and memory that parsers need for inputs that are designed to slow them down.

If an input is eight times as long, parsing may take at most 32 times as long, plus a millisecond.
A quadratic parser would take 64 times as long.
"""

import json
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from sigv4 import Credentials, SignableRequest, SigV4Error, explain, verify
from sigv4._cli.raw_request import parse_request
from sigv4._explain import mask_secrets

KEY = Credentials("AKID", "secret")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCOPE = "AKID/20261122/us-east-1/s3/aws4_request"
DATE = ("x-amz-date", "20261122T120000Z")
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=00"


def verify_request(url="https://h.example/", headers=()):
    """Verify a request, and ignore any SigV4Error."""
    with suppress(SigV4Error):
        verify(
            SignableRequest("GET", url, headers),
            lambda _: KEY,
            at=AT,
            service="sagemaker" if "?" not in url else "s3",
            region="us-east-1",
        )


def verify_authorization(text):
    """Verify a request with *text* as its Authorization header."""
    verify_request(
        headers=[("authorization", text), DATE, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]
    )


def verify_query(text):
    """Verify a presigned URL with *text* at the end of its query."""
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE}&X-Amz-Date={DATE[1]}"
    rest = "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
    verify_request(f"https://h.example/?{query}{rest}{text}")


def verify_path(text):
    """Verify a request for the path *text*, which `verify` normalizes first."""
    authorization = AUTHORIZATION.replace("/s3/", "/sagemaker/")
    verify_request("https://h.example/" + text, headers=[("authorization", authorization), DATE])


def verify_headers(text, count):
    """Verify a request with *count* signed headers, each with the value *text*."""
    names = ";".join(["host", *sorted(f"a{at}" for at in range(count)), "x-amz-date"])
    authorization = AUTHORIZATION.replace("/s3/", "/sagemaker/").replace("host;x-amz-date", names)
    headers = [(f"a{at}", text) for at in range(count)]
    verify_request(headers=[("authorization", authorization), DATE, *headers])


def verify_region_set(text):
    """Verify a SigV4A request with *text* as its region set."""
    authorization = AUTHORIZATION.replace("/us-east-1", "").replace(
        "HMAC-SHA256", "ECDSA-P256-SHA256"
    )
    names = "host;x-amz-content-sha256;x-amz-date;x-amz-region-set"
    headers = [("x-amz-region-set", text), DATE, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]
    verify_request(
        "https://h.example/?a",
        [("authorization", authorization.replace("host;x-amz-date", names)), *headers],
    )


SHOULD_HAVE_BEEN = "ERROR The Canonical String for this request should have been"


def parse(data):
    """Parse a raw request, and ignore any SigV4Error."""
    with suppress(SigV4Error):
        parse_request(data)


def explain_response(data, ours="GET\n/\n\nhost:h\n\nhost\nhash"):
    """Compare a response with the canonical request *ours*, and ignore any SigV4Error."""
    with suppress(SigV4Error):
        str(explain(data, ours))


def explain_canonical(text):
    """Explain XML and JSON responses with the canonical request *text*; mask the secrets in *text*."""
    explain_response(f"<Error><CanonicalRequest>{escape(text)}</CanonicalRequest></Error>")
    message = f"The Canonical String for this request should have been\n'{text}'\n"
    explain_response(json.dumps({"message": message}), text[:-1])
    mask_secrets(text)


# Each function builds an input whose size is proportional to *n*, and calls a parser with it.
GROWING = {
    "header: commas": lambda n: verify_authorization("AWS4-HMAC-SHA256 " + "," * n),
    "header: parts": lambda n: verify_authorization(
        "AWS4-HMAC-SHA256 " + ",".join(f"{at}={at}" for at in range(n))
    ),
    "header: equals signs": lambda n: verify_authorization("AWS4-HMAC-SHA256 Credential" + "=" * n),
    "header: blanks": lambda n: verify_authorization(AUTHORIZATION + " " * n),
    "header: slashes": lambda n: verify_authorization(AUTHORIZATION.replace("AKID", "/" * n)),
    "header: signed headers": lambda n: verify_authorization(
        AUTHORIZATION.replace("host;", "host;" + "a;" * n)
    ),
    "header: signature": lambda n: verify_authorization(AUTHORIZATION + "0" * n),
    "headers": lambda n: verify_headers("b", n),
    "blanks of headers": lambda n: verify_headers(" \t" * n, 8),
    "query: ampersands": lambda n: verify_query("&" * n),
    "query: pairs": lambda n: verify_query("".join(f"&{at}" for at in range(n))),
    "query: escapes": lambda n: verify_query("&a=" + "%41" * n),
    "query: parameters of AWS": lambda n: verify_query(
        "".join(f"&X-Amz-{at}=1" for at in range(n))
    ),
    "query: expiry": lambda n: verify_query("&X-Amz-Expires=" + "6" * n),
    "query: signature": lambda n: verify_query("0" * n),
    "path: slashes": lambda n: verify_path("/" * n),
    "path: dots": lambda n: verify_path("a/../" * n),
    "path: more dots": lambda n: verify_path("../" * n),
    "path: escapes": lambda n: verify_path("%2f" * n),
    "raw: lines": lambda n: parse(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * n),
    "raw: blanks": lambda n: parse(b" " * n),
    "raw: returns": lambda n: parse(b"\r" * n),
    "raw: returns in a header": lambda n: parse(b"GET / HTTP/1.1\nA:" + b"\r" * n),
    "raw: ends of lines": lambda n: parse(b"GET / HTTP/1.1\nHost:h" + b"\r\n" * n),
    "raw: digits": lambda n: parse(b"GET / HTTP/1.1\nHost:h\nContent-Length:" + b"9" * n + b"\n\n"),
    "XML: depth": lambda n: explain_response(b"<a>" * n),
    "XML: elements": lambda n: explain_response(b"<a>" + b"<b>c</b>" * n),
    "XML: attributes": lambda n: explain_response(
        b"<a %s/>" % b" ".join(b"b%d=''" % at for at in range(n))
    ),
    "XML: a long token": lambda n: explain_response(b"<" + b"a" * n),
    "XML: escapes": lambda n: explain_response(b"<Message>" + b"&lt;" * n + b"</Message>"),
    "XML: a document type": lambda n: explain_response(b"<!DOCTYPE a [" + b"<!ENTITY b 'c'>" * n),
    "JSON: depth": lambda n: explain_response(b"[" * n),
    "JSON: escapes": lambda n: explain_response(b'{"message": "' + b"\\n" * n + b'"}'),
    "JSON: digits": lambda n: explain_response(b"1" * n),
    "JSON: names": lambda n: explain_response(json.dumps({str(at): "" for at in range(n)})),
    "log: elements": lambda n: explain_response("a " + "<Error>" * n),
    "log: elements that end": lambda n: explain_response("a " + "<Error></Error>" * n),
    "log: backslashes": lambda n: explain_response(SHOULD_HAVE_BEEN + "\\" * n),
    "log: escapes": lambda n: explain_response(SHOULD_HAVE_BEEN + "\\n'" * n),
    "log: lines": lambda n: explain_response(SHOULD_HAVE_BEEN + "'" + "\na" * n),
    "log: quotes": lambda n: explain_response(SHOULD_HAVE_BEEN + "'\n" * n),
    "log: codes": lambda n: explain_response("SignatureDoesNotMatch" * (n // 8)),
    "region set: wildcards": lambda n: verify_region_set("a*" * n),
    "region set: parts": lambda n: verify_region_set("us-*," * n),
    "canonical: headers": lambda n: explain_canonical(
        "GET\n/\n\n" + "".join(f"a{at}:b\n" for at in range(n)) + "\nhost\nhash"
    ),
    "canonical: a repeated header": lambda n: explain_canonical(
        "GET\n/\n\n" + "a:b\n" * n + "\na\nb"
    ),
    "canonical: query": lambda n: explain_canonical(
        "GET\n/\n" + "a=b&" * n + "\nhost:h\n\nhost\nhash"
    ),
    "canonical: lines": lambda n: explain_canonical("\n" * n),
    "canonical: path": lambda n: explain_canonical(
        "GET\n/" + "%20" * n + "\n\nhost:h\n\nhost\nhash"
    ),
    "canonical: quotes": lambda n: explain_canonical("'" * n),
}
growing = pytest.mark.parametrize("run", GROWING.values(), ids=GROWING.keys())
SMALL, TIMES = 2000, 8


def shortest_time(run, size):
    """Call *run* with *size* five times, and return the shortest processor time of a call."""

    def once():
        start = time.process_time()
        run(size)
        return time.process_time() - start

    return min(once() for _ in range(5))


@growing
def test_time(run):
    """For an input that is 8 times as long, the time is less than 32 times as long plus 1 ms."""
    assert shortest_time(run, SMALL * TIMES) < shortest_time(run, SMALL) * TIMES * 4 + 0.001


@growing
def test_memory(run):
    """Building and parsing an input for a given *n* takes less than 1500 * *n* bytes of memory."""
    tracemalloc.start()
    try:
        run(SMALL * TIMES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < SMALL * TIMES * 1500
