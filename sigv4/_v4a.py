"""
SigV4A: a P-256 key derived from the secret, good for a set of regions, and a signature by ECDSA.

The key depends on the access key alone, not on day, region or service; and whoever checks a
signature needs only its public half.  `cryptography` is imported when the first key is made.

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
# [L] of SP 800-108, section 4.1: the length of the key in bits.
_KEY_BITS = (256).to_bytes(4, "big")

# DER in hexadecimal, as every signer writes it.
_is_signature = re.compile(r"(?:[0-9a-f]{2}){8,72}").fullmatch
_is_pattern = re.compile(r"[A-Za-z0-9\-*]+").fullmatch


@cache
def _ecdsa() -> "ECDSA":
    """Return the signature scheme: ECDSA over SHA-256, which hashlib takes in less time."""
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256

    scheme: ECDSA = import_ec().ECDSA(Prehashed(SHA256()))
    return scheme


def signing_scalar(credentials: Credentials, order: int = _ORDER) -> int:
    """
    Return the private key, by the KDF in counter mode of NIST SP 800-108, section 4.1.

        fixed input = label || 0x00 || access key id || counter || length of the key in bits
        candidate   = HMAC-SHA256("AWS4A" + secret, 0x00000001 || fixed input)

    The first candidate that is no greater than the curve's *order* less two, plus one, is the
    key (FIPS 186-5, appendix A.2.2: rejection sampling).  One in 2 ** 32 is rejected.
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
    """Return the key pair of *credentials*, derived once."""
    keys = get_derived_keys(credentials)
    if NAME not in keys:
        ec = import_ec()
        keys[NAME] = ec.derive_private_key(signing_scalar(credentials), ec.SECP256R1())
    key: EllipticCurvePrivateKey = keys[NAME]
    return key


def _digest(text: str) -> bytes:
    """Return what ECDSA signs of a string to sign."""
    return sha256(text.encode()).digest()


def _join_regions(regions: str | Iterable[str]) -> str:
    """Return regions and wildcards joined by commas; a ``str`` is one or is joined already."""
    given = regions.split(",") if isinstance(regions, str) else regions
    try:
        parts = [part.strip() for part in given]
        fit = bool(parts) and all(map(_is_pattern, parts))
    except (AttributeError, TypeError):  # it is not of texts
        parts, fit = [], False
    if not fit:
        raise InvalidRequestError(
            "region_set must be region names or patterns, such as us-east-1, eu-* or *"
        )
    return ",".join(parts)


def covers(region_set: str, region: str) -> bool:
    """
    Tell whether *region* is one that the comma-joined *region_set* stands for.

    >>> covers("us-*,eu-west-1", "us-east-2")
    True
    """
    if len(region_set) > LONGEST_REGION_SET or region_set.count(",") >= MOST_REGIONS:
        return False
    patterns = [part.strip(" ") for part in region_set.split(",")]
    return any(_is_pattern(part) and _matches(part, region) for part in patterns)


def _matches(pattern: str, region: str) -> bool:
    """Tell whether *region* is *pattern*, in which each ``*`` stands for any text."""
    start, *others = pattern.split("*")
    if not others:
        return region == pattern
    *inner, end = others
    at, stop = len(start), len(region) - len(end)
    if stop < at or not (region.startswith(start) and region.endswith(end)):
        return False
    for part in inner:  # the first place is as good as any: what follows has more room
        found = region.find(part, at, stop)
        if found < 0:
            return False
        at = found + len(part)
    return True


def low_s_signature(signature: str) -> str:
    """Return of (r, s) and (r, n - s), which are right for the same text, the one with the smaller s."""
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    r, s = decode_dss_signature(bytes.fromhex(signature))
    return encode_dss_signature(r, min(s, _ORDER - s)).hex()


class SigV4A(Value):
    """
    The algorithm ``AWS4-ECDSA-P256-SHA256``, for one service in a set of regions.

    Its signatures differ each time: ECDSA takes a random number.

    Attributes:
        service: The signing name, such as ``s3``.
        region_set: Regions and wildcards: ``"us-east-1"``, ``"*"``, ``["us-*", "eu-west-1"]``.
            Held joined by commas, as it is sent.

    Raises:
        InvalidRequestError: *region_set* is empty, or holds what cannot be part of a region's name;
            or *service* cannot stand in a credential scope.
        MissingDependencyError: `cryptography` cannot be imported; raised by the first signature.
    """

    __slots__ = __match_args__ = ("service", "region_set")

    service: str
    region_set: str

    name = NAME
    # A signature in DER is 70 to 72 bytes, mostly; padded, the length of a body is known beforehand
    # (aws-c-auth, aws_signing.h: AWS_SIGV4A_SIGNATURE_PADDING_BYTE).
    signature_length = 144

    def __init__(self, service: str, region_set: str | Iterable[str]) -> None:
        check_scope_part("service", service)
        self.service = service
        self.region_set = _join_regions(region_set)

    def scope(self, timestamp: str) -> str:
        """Return the credential scope: day, service and the closing word."""
        return f"{timestamp[:8]}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return a signature of a string to sign: DER, in hexadecimal."""
        return _private_key(credentials).sign(_digest(text), _ecdsa()).hex()

    def check_string(
        self, text: str, credentials: Credentials | VerifyingKey, timestamp: str, signature: str
    ) -> bool:
        """
        Tell whether *signature* is one of *text*, by the secret or only the public key.

        Its form must be the one that signers write.  Of (r, s) and (r, n - s) either is right: AWS's
        own signers write both, each half of the time.
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
        """Return the public half of the key that *credentials* sign with, for a verifier."""
        return VerifyingKey(_private_key(credentials).public_key(), credentials.session_token)
