"""
Time and memory of every parser of a request or an answer, on inputs made to hurt it.

Eight times the input may take 32 times the time at most, where a quadratic parser takes 64.
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
from sigv4._explain import masked

KEY = Credentials("AKID", "secret")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCOPE = "AKID/20261122/us-east-1/s3/aws4_request"
DATE = ("x-amz-date", "20261122T120000Z")
CLAIM = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=00"


def checked(url="https://h.example/", headers=()):
    """Verify a request, and look at the refusal."""
    with suppress(SigV4Error):
        verify(
            SignableRequest("GET", url, headers),
            lambda _: KEY,
            at=AT,
            service="sagemaker" if "?" not in url else "s3",
            region="us-east-1",
        )


def in_header(text):
    """Verify a request with this Authorization header."""
    checked(headers=[("authorization", text), DATE, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")])


def in_query(text):
    """Verify a request with this in the query of a presigned URL."""
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE}&X-Amz-Date={DATE[1]}"
    rest = "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
    checked(f"https://h.example/?{query}{rest}{text}")


def on_path(text):
    """Verify a request for this path, which is normalised first."""
    claim = CLAIM.replace("/s3/", "/sagemaker/")
    checked("https://h.example/" + text, headers=[("authorization", claim), DATE])


def of_headers(text, count):
    """Verify a request of many headers."""
    names = ";".join(["host", *sorted(f"a{at}" for at in range(count)), "x-amz-date"])
    claim = CLAIM.replace("/s3/", "/sagemaker/").replace("host;x-amz-date", names)
    headers = [(f"a{at}", text) for at in range(count)]
    checked(headers=[("authorization", claim), DATE, *headers])


def for_regions(text):
    """Verify a request for this region set."""
    claim = CLAIM.replace("/us-east-1", "").replace("HMAC-SHA256", "ECDSA-P256-SHA256")
    names = "host;x-amz-content-sha256;x-amz-date;x-amz-region-set"
    headers = [("x-amz-region-set", text), DATE, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]
    checked(
        "https://h.example/?a",
        [("authorization", claim.replace("host;x-amz-date", names)), *headers],
    )


SHOULD_HAVE_BEEN = "ERROR The Canonical String for this request should have been"


def read(data):
    """Read a request."""
    with suppress(SigV4Error):
        parse_request(data)


def explained(data, ours="GET\n/\n\nhost:h\n\nhost\nhash"):
    """Explain an answer."""
    with suppress(SigV4Error):
        str(explain(data, ours))


def of_canonical(text):
    """Explain an answer with this canonical request, in XML and in JSON, and hide its secrets."""
    explained(f"<Error><CanonicalRequest>{escape(text)}</CanonicalRequest></Error>")
    told = f"The Canonical String for this request should have been\n'{text}'\n"
    explained(json.dumps({"message": told}), text[:-1])
    masked(text)


# Each takes a number and does what should take that much longer.
GROWING = {
    "header: commas": lambda n: in_header("AWS4-HMAC-SHA256 " + "," * n),
    "header: parts": lambda n: in_header(
        "AWS4-HMAC-SHA256 " + ",".join(f"{at}={at}" for at in range(n))
    ),
    "header: equals signs": lambda n: in_header("AWS4-HMAC-SHA256 Credential" + "=" * n),
    "header: blanks": lambda n: in_header(CLAIM + " " * n),
    "header: slashes": lambda n: in_header(CLAIM.replace("AKID", "/" * n)),
    "header: signed headers": lambda n: in_header(CLAIM.replace("host;", "host;" + "a;" * n)),
    "header: signature": lambda n: in_header(CLAIM + "0" * n),
    "headers": lambda n: of_headers("b", n),
    "blanks of headers": lambda n: of_headers(" \t" * n, 8),
    "query: ampersands": lambda n: in_query("&" * n),
    "query: pairs": lambda n: in_query("".join(f"&{at}" for at in range(n))),
    "query: escapes": lambda n: in_query("&a=" + "%41" * n),
    "query: parameters of AWS": lambda n: in_query("".join(f"&X-Amz-{at}=1" for at in range(n))),
    "query: expiry": lambda n: in_query("&X-Amz-Expires=" + "6" * n),
    "query: signature": lambda n: in_query("0" * n),
    "path: slashes": lambda n: on_path("/" * n),
    "path: dots": lambda n: on_path("a/../" * n),
    "path: more dots": lambda n: on_path("../" * n),
    "path: escapes": lambda n: on_path("%2f" * n),
    "raw: lines": lambda n: read(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * n),
    "raw: blanks": lambda n: read(b" " * n),
    "raw: returns": lambda n: read(b"\r" * n),
    "raw: returns in a header": lambda n: read(b"GET / HTTP/1.1\nA:" + b"\r" * n),
    "raw: ends of lines": lambda n: read(b"GET / HTTP/1.1\nHost:h" + b"\r\n" * n),
    "raw: digits": lambda n: read(b"GET / HTTP/1.1\nHost:h\nContent-Length:" + b"9" * n + b"\n\n"),
    "XML: depth": lambda n: explained(b"<a>" * n),
    "XML: elements": lambda n: explained(b"<a>" + b"<b>c</b>" * n),
    "XML: attributes": lambda n: explained(
        b"<a %s/>" % b" ".join(b"b%d=''" % at for at in range(n))
    ),
    "XML: a long token": lambda n: explained(b"<" + b"a" * n),
    "XML: escapes": lambda n: explained(b"<Message>" + b"&lt;" * n + b"</Message>"),
    "XML: a document type": lambda n: explained(b"<!DOCTYPE a [" + b"<!ENTITY b 'c'>" * n),
    "JSON: depth": lambda n: explained(b"[" * n),
    "JSON: escapes": lambda n: explained(b'{"message": "' + b"\\n" * n + b'"}'),
    "JSON: digits": lambda n: explained(b"1" * n),
    "JSON: names": lambda n: explained(json.dumps({str(at): "" for at in range(n)})),
    "log: elements": lambda n: explained("a " + "<Error>" * n),
    "log: elements that end": lambda n: explained("a " + "<Error></Error>" * n),
    "log: backslashes": lambda n: explained(SHOULD_HAVE_BEEN + "\\" * n),
    "log: escapes": lambda n: explained(SHOULD_HAVE_BEEN + "\\n'" * n),
    "log: lines": lambda n: explained(SHOULD_HAVE_BEEN + "'" + "\na" * n),
    "log: quotes": lambda n: explained(SHOULD_HAVE_BEEN + "'\n" * n),
    "log: codes": lambda n: explained("SignatureDoesNotMatch" * (n // 8)),
    "region set: wildcards": lambda n: for_regions("a*" * n),
    "region set: parts": lambda n: for_regions("us-*," * n),
    "canonical: headers": lambda n: of_canonical(
        "GET\n/\n\n" + "".join(f"a{at}:b\n" for at in range(n)) + "\nhost\nhash"
    ),
    "canonical: a repeated header": lambda n: of_canonical("GET\n/\n\n" + "a:b\n" * n + "\na\nb"),
    "canonical: query": lambda n: of_canonical("GET\n/\n" + "a=b&" * n + "\nhost:h\n\nhost\nhash"),
    "canonical: lines": lambda n: of_canonical("\n" * n),
    "canonical: path": lambda n: of_canonical("GET\n/" + "%20" * n + "\n\nhost:h\n\nhost\nhash"),
    "canonical: quotes": lambda n: of_canonical("'" * n),
}
growing = pytest.mark.parametrize("run", GROWING.values(), ids=GROWING.keys())
SMALL, TIMES = 2000, 8


def took(run, size):
    """Return the processor time of one run, the best of some."""

    def once():
        began = time.process_time()
        run(size)
        return time.process_time() - began

    return min(once() for _ in range(5))


@growing
def test_time(run):
    """Eight times the input takes nowhere near 64 times the time."""
    assert took(run, SMALL * TIMES) < took(run, SMALL) * TIMES * 4 + 0.001


@growing
def test_memory(run):
    """What is held is in proportion to the input."""
    tracemalloc.start()
    try:
        run(SMALL * TIMES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < SMALL * TIMES * 1500
