"""Test `SignableRequest`: valid values, and the parts of a URL."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigv4 import InvalidRequestError, Payload, SignableRequest


@pytest.mark.parametrize(
    ("url", "host", "path", "query"),
    [
        ("https://h.example", "h.example", "/", ""),
        ("https://h.example/a", "h.example", "/a", ""),
        ("https://h.example?a=1", "h.example", "/", "a=1"),
        ("https://h.example/a?", "h.example", "/a", ""),
        ("https://h.example/a?b?c=d", "h.example", "/a", "b?c=d"),
        ("https://H.Example:443/", "h.example", "/", ""),
        ("http://h.example:443/", "h.example:443", "/", ""),
        ("https://h.example:/", "h.example", "/", ""),
        ("HTTP://h.example:80/", "h.example", "/", ""),
        ("wss://h.example:443/", "h.example", "/", ""),
        ("https://user:p@ss@h.example:8443/", "h.example:8443", "/", ""),
        ("http://[2001:DB8::1]:80//a", "[2001:db8::1]", "//a", ""),
        ("other://h.example:80/", "h.example:80", "/", ""),
    ],
)
def test_parts_of_a_url(url, host, path, query):
    """The host is normalized, an empty path becomes ``/``, and the rest of the URL is unchanged."""
    request = SignableRequest("GET", url)
    assert (request.host, request.path, request.query) == (host, path, query)
    assert request.headers == (("host", host),)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a",
        "//h.example/a",
        "https://",
        "https:///a",
        "1http://h.example/",
        "https://h.example/a b",
        "https://h.example/a\n",
        "https://h.example/\x7f",
        "https://h.example/é",
        "https://bücher.example/",
        "https://h.example/a#b",
    ],
)
def test_refused_url(url):
    """A URL is rejected if it is not absolute, is not percent-encoded ASCII, or has a fragment."""
    with pytest.raises(
        InvalidRequestError, match="url must be an absolute URL in percent-encoded ASCII"
    ):
        SignableRequest("GET", url)


URL = r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]+)([^?]*)(?:\?(.*))?"  # RFC 3986, without the fragment
_pieces = st.sampled_from(["http", "h+1", "://", ":", "/", "//", "a.b", "?", "=", "-", "%41"])


@given(st.lists(_pieces, max_size=8).map("".join))
def test_urls_are_read_as_by_a_pattern(url):
    """URLs are split as by the pattern in RFC 3986; a string that does not match it is rejected."""
    match = re.fullmatch(URL, url)
    try:
        request = SignableRequest("GET", url)
    except InvalidRequestError:
        assert match is None
    else:
        assert (request.path, request.query) == (match[3] or "/", match[4] or "")


@pytest.mark.parametrize("tail", ["%", "a%2", "?a=%zz", "?100%"])
def test_stray_percent(tail):
    """A percent sign that begins no escape is rejected, because its signature would be ambiguous."""
    with pytest.raises(InvalidRequestError, match="each % must be followed by two hexadecimal"):
        SignableRequest("GET", f"https://h.example/{tail}")


@pytest.mark.parametrize("method", ["", "GET ", "G\nET", "É", "GET/"])
def test_refused_method(method):
    """An invalid HTTP method is rejected."""
    with pytest.raises(InvalidRequestError, match="method must be an HTTP method"):
        SignableRequest(method, "https://h.example/")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "é"])
def test_refused_header_name(name):
    """The error for an invalid header name contains the header's position but not its name."""
    with pytest.raises(
        InvalidRequestError, match="the name of header 2 is not a valid header name"
    ):
        SignableRequest("GET", "https://h.example/", {"a": "value", name: "value"})


def test_a_value_in_a_header_name():
    """The error for an invalid header name does not quote it, because it can contain a value."""
    with pytest.raises(InvalidRequestError) as caught:
        SignableRequest("GET", "https://h.example/", {"x-amz-security-token\r to-ken": "value"})
    assert "to-ken" not in str(caught.value)


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\x1f", "\x7f", "\ud800"])
def test_refused_header_value(character):
    """The error for a header value that cannot be sent contains the name but not the value."""
    with pytest.raises(InvalidRequestError) as caught:
        SignableRequest("GET", "https://h.example/", {"X-Secret": f"hush{character}hush"})
    assert "header x-secret: control characters" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a\tb", "é", "本", "\xa0"])
def test_header_values(value):
    """Tabs and non-ASCII characters are allowed in a header value."""
    assert SignableRequest("GET", "https://h.example/", {"A": value}).header("a") == value


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "h.example", "A": "1"},
        {b"Host": b"h.example", b"A": b"1"},
        [("Host", "h.example"), ("A", "1")],
        (pair for pair in [(b"Host", b"h.example"), (b"A", b"1")]),
    ],
    ids=["mapping", "mapping of bytes", "pairs", "iterator"],
)
def test_kinds_of_headers(headers):
    """Headers can be a mapping or pairs, of str or bytes, and their order is kept."""
    request = SignableRequest("GET", "https://other.example/", headers)
    assert request.headers == (("host", "h.example"), ("a", "1"))
    assert request.host == "h.example"


def test_header():
    """`header` returns the first value of a header without surrounding whitespace, or None."""
    request = SignableRequest("GET", "https://h.example/", [("A", " \t1 "), ("A", "2")])
    assert request.header("a") == "1"
    assert request.header("b") is None


def test_repr_holds_no_secret():
    """The repr of a request omits user info, query, headers and tokens, which may be secret."""
    request = SignableRequest("GET", "https://u:p@h.example/a?hush=1", {"A": "hush"})
    assert repr(request) == "SignableRequest(GET h.example/a)"
    request = SignableRequest("GET", "https://h.example/a&X-Amz-Security-Token=canary")
    assert repr(request) == "SignableRequest(GET h.example/a&X-Amz-Security-Token=...)"


def test_default_payload():
    """By default, a request has an empty body."""
    assert SignableRequest("GET", "https://h.example/").payload == Payload.EMPTY
