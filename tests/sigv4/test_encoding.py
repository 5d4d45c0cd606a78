"""Percent-encoding, dot segments and blanks."""

from urllib.parse import quote

import pytest

from sigv4 import percent_encode, percent_encode_path
from sigv4._encoding import canonical_part, canonical_value, remove_dot_segments

EVERY_BYTE = bytes(range(256))


def test_percent_encode_every_byte():
    """Each byte but the unreserved ones is encoded in upper case."""
    assert percent_encode(EVERY_BYTE) == quote(EVERY_BYTE, safe="")


def test_percent_encode_path_every_byte():
    """In a path the slash stays."""
    assert percent_encode_path(EVERY_BYTE) == quote(EVERY_BYTE, safe="/")


@pytest.mark.parametrize("encode", [percent_encode, percent_encode_path])
@pytest.mark.parametrize("text", ["", "plain-._~", "a b", "bücher 本", "100%", "a%20b", "a\n"])
def test_percent_encode_text(encode, text):
    """Text is encoded as UTF-8, and what is encoded already once more."""
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
    """Every spelling of a query's part has one canonical form."""
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
    """Dot segments and empty ones go; a closing slash stays where something is before it."""
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
    """A header's value is trimmed, and blanks in it become one."""
    assert canonical_value(value) == trimmed
