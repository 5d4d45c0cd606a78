"""SigV4: HMAC signatures, with a key that is derived for one day, region and service."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING

from ._algorithm import check_scope_part
from ._credentials import Credentials, VerifyingKey, get_derived_keys
from ._value import Value

if TYPE_CHECKING:
    from _hashlib import HASH

# The inner and the outer hash of HMAC (RFC 2104), each after the key has been hashed.  Copying the
# two hashes takes half as long as copying an `hmac.HMAC`.
_Mac = tuple["HASH", "HASH"]

# Maximum number of signing keys (one per region and service) that are cached in one credentials
# object.  A limit is needed because a server may read the region from the request, so that a client
# could add any number of keys.
_MOST_KEYS = 64

_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def _keyed(key: bytes) -> _Mac:
    """Return the state of HMAC-SHA256 with *key*, which must not be longer than 64 bytes (a block)."""
    block = key.ljust(64, b"\0")
    return sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))


class SigV4(Value):
    """The algorithm ``AWS4-HMAC-SHA256`` for one service in one region.

    Attributes:
        service: The signing name of the service, such as ``sagemaker`` or ``s3``.
        region: The region, such as ``eu-west-1``.

    Raises:
        InvalidRequestError: *service* or *region* cannot be part of a credential scope; the message
            states which one.
    """

    __slots__ = __match_args__ = ("service", "region")

    service: str
    region: str

    name = "AWS4-HMAC-SHA256"
    region_set = None  # not sent, because the scope contains the region
    signature_length = 64

    def __init__(self, service: str, region: str) -> None:
        check_scope_part("service", service)
        check_scope_part("region", region)
        self.service = service
        self.region = region

    def scope(self, timestamp: str) -> str:
        """Return the credential scope: day, region, service and ``aws4_request``."""
        return f"{timestamp[:8]}/{self.region}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return the signature of *text*, the string to sign, in hexadecimal."""
        keyed_inner, keyed_outer = self._signing_key(credentials, timestamp[:8])
        inner, outer = keyed_inner.copy(), keyed_outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """Compare *signature* with the signature of *text* in constant time; return the result."""
        if not isinstance(credentials, Credentials):
            return False  # a public key cannot verify an HMAC signature
        expected = self.sign_string(text, credentials, timestamp)
        return compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))

    def _signing_key(self, credentials: Credentials, day: str) -> _Mac:
        """Return the HMAC state of the signing key for *day*.

        For each region and service, only one day's key is cached.

        The key is HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request").
        """
        keys, scope = get_derived_keys(credentials), (self.region, self.service)
        kept: tuple[str, _Mac] | None = keys.get(scope)
        if kept is not None and kept[0] == day:
            return kept[1]
        key = b"AWS4" + credentials.secret_access_key.encode()
        for part in (day, *scope, "aws4_request"):
            key = digest(key, part.encode(), "sha256")
        mac = _keyed(key)
        if len(keys) >= _MOST_KEYS:
            keys.clear()
        keys[scope] = (day, mac)
        return mac
