"""SigV4A: ECDSA signatures that are valid in several regions, made with a derived P-256 key.

The key is derived from the access key, and does not depend on the day, the region or the service.
A verifier needs only the public half of the key.  `cryptography` is imported when the first key is
derived or loaded.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
"Derive a signing key for SigV4a"
"""

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING

from ._algorithm import check_scope_part
from ._credentials import Credentials, VerifyingKey, get_derived_keys, import_ec
from ._errors import InvalidRequestError
from ._limits import LONGEST_REGION_SET, MOST_REGIONS
from ._value import Value

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey

NAME = "AWS4-ECDSA-P256-SHA256"

# The order of P-256: NIST SP 800-186, section 3.2.1.3.
_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
# [L] in NIST SP 800-108, section 4.1: the length of the key in bits.
_KEY_BITS = (256).to_bytes(4, "big")

# Matches a signature in the form that all signers use: DER in lowercase hexadecimal.
_is_signature = re.compile(r"(?:[0-9a-f]{2}){8,72}").fullmatch
_is_pattern = re.compile(r"[A-Za-z0-9\-*]+").fullmatch


@cache
def _ecdsa() -> "ECDSA":
    """Return ECDSA for prehashed messages, because hashlib hashes faster than `cryptography`."""
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256

    scheme: ECDSA = import_ec().ECDSA(Prehashed(SHA256()))
    return scheme


def signing_scalar(credentials: Credentials, order: int = _ORDER) -> int:
    """Derive the private key with the KDF in counter mode of NIST SP 800-108, section 4.1.

        fixed input = label || 0x00 || access key id || counter || length of the key in bits
        candidate   = HMAC-SHA256("AWS4A" + secret, 0x00000001 || fixed input)

    Candidates greater than *order* - 2, where *order* is the order of the curve, are rejected, and
    the counter is increased after each rejection.  The private key is the first accepted candidate
    plus one (FIPS 186-5, appendix A.2.2: rejection sampling).  On average, one candidate in 2 ** 32
    is rejected.
    """
    key = b"AWS4A" + credentials.secret_access_key.encode()
    label = NAME.encode() + b"\0" + credentials.access_key_id.encode()
    counter = 1
    while True:
        fixed_input = label + bytes([counter]) + _KEY_BITS
        candidate = int.from_bytes(digest(key, b"\0\0\0\x01" + fixed_input, "sha256"), "big")
        if candidate <= order - 2:
            return candidate + 1
        counter += 1


def _private_key(credentials: Credentials) -> "EllipticCurvePrivateKey":
    """Return the private key of *credentials*, which is derived once and then cached."""
    keys = get_derived_keys(credentials)
    if NAME not in keys:
        ec = import_ec()
        keys[NAME] = ec.derive_private_key(signing_scalar(credentials), ec.SECP256R1())
    key: EllipticCurvePrivateKey = keys[NAME]
    return key


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _join_regions(regions: str | Iterable[str]) -> str:
    """Return regions and patterns joined by commas; a single ``str`` may already contain several."""
    given = regions.split(",") if isinstance(regions, str) else regions
    try:
        parts = [part.strip() for part in given]
        fit = bool(parts) and all(map(_is_pattern, parts))
    except (AttributeError, TypeError):  # *regions* is not an iterable of str
        parts, fit = [], False
    if not fit:
        raise InvalidRequestError(
            "region_set must be region names or patterns, such as us-east-1, eu-* or *"
        )
    return ",".join(parts)


def covers(region_set: str, region: str) -> bool:
    """Return whether *region* matches a region or pattern in the comma-separated *region_set*.

    A region set that exceeds the limits of this package covers no region.

    >>> covers("us-*,eu-west-1", "us-east-2")
    True
    """
    if len(region_set) > LONGEST_REGION_SET or region_set.count(",") >= MOST_REGIONS:
        return False
    patterns = [part.strip(" ") for part in region_set.split(",")]
    return any(_is_pattern(part) and _matches(part, region) for part in patterns)


def _matches(pattern: str, region: str) -> bool:
    """Return whether *region* matches *pattern*, where ``*`` matches any number of characters."""
    start, *others = pattern.split("*")
    if not others:
        return region == pattern
    *inner, end = others
    at, stop = len(start), len(region) - len(end)
    if stop < at or not (region.startswith(start) and region.endswith(end)):
        return False
    for part in inner:  # the first match suffices: it leaves the longest rest for the next parts
        found = region.find(part, at, stop)
        if found < 0:
            return False
        at = found + len(part)
    return True


def low_s_signature(signature: str) -> str:
    """Return the equivalent signature with the smaller s.

    Both (r, s) and (r, n - s) are valid, where n is the order of the curve.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    r, s = decode_dss_signature(bytes.fromhex(signature))
    return encode_dss_signature(r, min(s, _ORDER - s)).hex()


class SigV4A(Value):
    """The algorithm ``AWS4-ECDSA-P256-SHA256`` for one service in a set of regions.

    Two signatures of the same request differ, because ECDSA uses a random number.

    Attributes:
        service: The signing name of the service, such as ``s3``.
        region_set: One or more regions or patterns, such as ``"us-east-1"``, ``"*"`` or ``["us-*",
            "eu-west-1"]``.  The attribute is always a ``str``: the regions and patterns, joined by
            commas, as they are sent.

    Raises:
        InvalidRequestError: *region_set* is empty or contains an invalid region or pattern, or
            *service* cannot be part of a credential scope.
        MissingDependencyError: `cryptography` cannot be imported.  The error is raised when a key
            is first needed, not by the constructor.
    """

    __slots__ = __match_args__ = ("service", "region_set")

    service: str
    region_set: str

    name = NAME
    # Most DER signatures have 70 to 72 bytes.  In chunks, they are padded to 144 characters, the
    # length of 72 bytes in hexadecimal, so that the length of a body is known in advance
    # (aws-c-auth, aws_signing.h: AWS_SIGV4A_SIGNATURE_PADDING_BYTE).
    signature_length = 144

    def __init__(self, service: str, region_set: str | Iterable[str]) -> None:
        check_scope_part("service", service)
        self.service = service
        self.region_set = _join_regions(region_set)

    def scope(self, timestamp: str) -> str:
        """Return the credential scope: day, service and ``aws4_request``."""
        return f"{timestamp[:8]}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return a signature of *text*, the string to sign, as DER in hexadecimal."""
        return _private_key(credentials).sign(_digest(text), _ecdsa()).hex()

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """Return whether *signature* is a valid signature of *text* by the key in *credentials*.

        The signature must be DER in lowercase hexadecimal, which is the form that all signers use.
        Both (r, s) and (r, n - s) are valid, where n is the order of the curve: AWS's signers
        produce each of the two forms half of the time.
        """
        if not _is_signature(signature):
            return False
        if isinstance(credentials, VerifyingKey):
            key = credentials.public_key
        else:
            key = _private_key(credentials).public_key()
        from cryptography.exceptions import InvalidSignature

        try:
            key.verify(bytes.fromhex(signature), _digest(text), _ecdsa())
        except (ValueError, InvalidSignature):
            return False
        return True

    @staticmethod
    def public_key(credentials: Credentials) -> VerifyingKey:
        """Return the public key that verifies signatures made with *credentials*."""
        return VerifyingKey(_private_key(credentials).public_key(), credentials.session_token)
