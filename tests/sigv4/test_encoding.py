"""Test percent-encoding, and the normalization of paths, queries and header values."""

from urllib.parse import quote

import pytest

from sigv4 import percent_encode, percent_encode_path
from sigv4._encoding import canonical_part, canonical_value, remove_dot_segments

EVERY_BYTE = bytes(range(256))


def test_percent_encode_every_byte():
    """`percent_encode` encodes each byte in uppercase hexadecimal, except unreserved characters."""
    assert percent_encode(EVERY_BYTE) == quote(EVERY_BYTE, safe="")


def test_percent_encode_path_every_byte():
    """`percent_encode_path` encodes the same bytes as `percent_encode`, except the slash."""
    assert percent_encode_path(EVERY_BYTE) == quote(EVERY_BYTE, safe="/")


@pytest.mark.parametrize("encode", [percent_encode, percent_encode_path])
@pytest.mark.parametrize("text", ["", "plain-._~", "a b", "bücher 本", "100%", "a%20b", "a\n"])
def test_percent_encode_text(encode, text):
    """A ``str`` is encoded as UTF-8, and the percent signs of existing escapes are encoded, too."""
    assert encode(text) == quote(text, safe="")


@pytest.mark.parametrize(
    ("spelled", "canonical"),
    [
        ("", ""),
        ("plain", "plain"),
        ("*", "%2A"),
        ("%2a", "%2A"),
        ("%41", "A"),
        ("+", "%2B"),
        ("%", "%25"),
        ("%zz", "%25zz"),
        ("%FF", "%FF"),
        ("a=b", "a%3Db"),
    ],
)
def test_canonical_part(spelled, canonical):
    """`canonical_part` returns the same form for all encodings of a name or value in a query."""
    assert canonical_part(spelled) == canonical


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//", "/"),
        ("//a///b//", "/a/b/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/a/.", "/a"),
        ("/a/./", "/a/"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/../..", "/"),
        ("/a/b/../c", "/a/c"),
        ("/.a/..b", "/.a/..b"),
    ],
)
def test_remove_dot_segments(path, normal):
    """`remove_dot_segments` removes dot segments and empty segments, and keeps a trailing slash."""
    assert remove_dot_segments(path) == normal


@pytest.mark.parametrize(
    ("value", "trimmed"),
    [
        ("", ""),
        ("  ", ""),
        ("\t", ""),
        (" a ", "a"),
        ("a  b", "a b"),
        ("a\tb", "a b"),
        ("a b", "a b"),
    ],
)
def test_canonical_value(value, trimmed):
    """`canonical_value` trims a header value, and turns each run of spaces and tabs into one space."""
    assert canonical_value(value) == trimmed
