"""Test payload hashes and markers."""

from hashlib import sha256

import pytest

from sigv4 import Payload


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_of(kind):
    """The payload hash of any bytes-like object is its SHA-256."""
    assert Payload.of(kind(b"body")).hash == sha256(b"body").hexdigest()


def test_of_nothing():
    """The payload hash of an empty body is the SHA-256 hash of the empty string."""
    assert Payload.of(b"") is Payload.EMPTY
    assert Payload.EMPTY.hash == sha256(b"").hexdigest()


def test_hashed():
    """`Payload.hashed` returns a payload with the given hash."""
    assert Payload.hashed(sha256(b"body").hexdigest()) == Payload.of(b"body")


@pytest.mark.parametrize("digest", ["", "a" * 63, "A" * 64, "g" * 64, "UNSIGNED-PAYLOAD"])
def test_refused_hash(digest):
    """`Payload.hashed` rejects a string that is not a SHA-256 hash in lowercase hexadecimal."""
    with pytest.raises(ValueError, match="64 lowercase hexadecimal digits"):
        Payload.hashed(digest)


@pytest.mark.parametrize("marker", ["", "é", "a\nb"])
def test_refused_marker(marker):
    """A payload marker that cannot be a line of a canonical request is rejected."""
    with pytest.raises(ValueError, match="hash must be a hexadecimal SHA-256 digest"):
        Payload(marker)


def test_unsigned():
    """`Payload.UNSIGNED` is the marker that S3 defines for an unsigned body."""
    assert Payload("UNSIGNED-PAYLOAD") == Payload.UNSIGNED
