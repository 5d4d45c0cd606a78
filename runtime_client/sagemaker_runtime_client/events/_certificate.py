"""Checks the certificate of a message that SNS has signed, and then the signature of the message.

The functions import `cryptography`, so that this module can be imported without this package.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError, ParamValidationError
from .._io.tls import amazon_roots
from .._limits import SNS_CERTIFICATE
from ._signed_message import SignatureError, SignedMessage

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Store

_KEY_SIZES = range(2048, 8192 + 1)  # in bits; SNS uses 2048, and a larger key takes longer
# The address at which certificates of Amazon Trust Services locate their issuer's certificate.
_ISSUER_URL = r"http://(?:[a-z0-9-]+\.)+amazontrust\.com/[\w.-]+"


def require_cryptography() -> None:
    """Raise ConfigError if the package `cryptography` is not installed."""
    try:
        import_module("cryptography.x509")
    except ImportError as error:
        raise ConfigError(
            f"verifying a message of SNS requires the cryptography package, which cannot be imported"
            f" ({error}): run pip install cryptography"
        ) from error


def read_certificates(pem: bytes) -> list[Certificate]:
    """Return the certificates in a PEM document: first that of SNS, then its issuers', if any.

    Raises:
        SignatureError: The document is too large, or it is not a series of PEM certificates.
    """
    from cryptography import x509

    if len(pem) > SNS_CERTIFICATE.size:
        raise _rejection(f"is larger than {SNS_CERTIFICATE.size:,} bytes")
    try:
        return x509.load_pem_x509_certificates(pem)
    except Exception:  # noqa: BLE001 (the parser raises many kinds of errors)
        raise _rejection("cannot be read, because it is not in PEM format or damaged") from None


def read_issuer(der: bytes) -> Certificate:
    """Parse the certificate of an issuer from its DER encoding."""
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except Exception:  # noqa: BLE001 (the parser raises many kinds of errors)
        raise _rejection("names an issuer whose certificate cannot be read") from None


def issuer_url(certificates: list[Certificate]) -> str | None:
    """Return the address of the issuer's certificate, or None if it need not be downloaded.

    The result is also None if the certificate contains no address of Amazon Trust Services.  The
    address may begin with ``http:``, because `verify` checks the signature of the issuer's
    certificate.
    """
    from cryptography import x509

    leaf, *others = certificates
    if others:
        return None
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        urls = [str(one.access_location.value) for one in access if one.access_method == _issuers()]
    except Exception:  # noqa: BLE001 (missing, repeated or damaged: `verify` then reports it)
        return None
    return next((url for url in urls if re.fullmatch(_ISSUER_URL, url)), None)


def _issuers() -> Any:
    from cryptography.x509.oid import AuthorityInformationAccessOID

    return AuthorityInformationAccessOID.CA_ISSUERS


def verify(
    message: SignedMessage, certificates: list[Certificate], roots: bytes | None, now: datetime
) -> None:
    """Check the certificate, its chain and the signature.

    Args:
        message: The message.
        certificates: The certificate of SNS, followed by those of its issuers, if any.
        roots: The trusted roots as PEM; None for those of Amazon Trust Services.
        now: The time at which the certificates must be valid.

    Raises:
        SignatureError: A check failed.
        ParamValidationError: *roots* is not a PEM document.
        ConfigError: The roots of Amazon Trust Services are missing.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    store = _amazon_store() if roots is None else _store(roots)
    leaf, *others = certificates
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise _rejection("has expired or is not valid yet: check the clock of this machine")
    try:
        key = leaf.public_key()
    except Exception:  # noqa: BLE001 (an unsupported or damaged key raises many kinds of errors)
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _KEY_SIZES:
        raise _rejection(f"has no RSA key of {_KEY_SIZES[0]} to {_KEY_SIZES[-1]} bits")
    _check_chain(store, leaf, others, message.certificate_names, now)
    # SNS uses SHA-1 unless the topic's attribute SignatureVersion is set to 2.
    algorithm = SHA1() if message.version == "1" else SHA256()  # noqa: S303
    try:
        key.verify(message.signature, message.text, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise SignatureError(
            "the signature of the SNS message is wrong: the message was altered or forged",
            check="signature",
        ) from None


def _check_chain(
    store: Store,
    leaf: Certificate,
    others: list[Certificate],
    names: tuple[str, ...],
    now: datetime,
) -> None:
    """Check the certificate's name and its chain to a root by the rules for TLS servers."""
    from cryptography import x509
    from cryptography.x509.verification import PolicyBuilder

    try:
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = alternatives.get_values_for_type(x509.DNSName)
    except Exception:  # noqa: BLE001 (missing, repeated or damaged)
        known = []
    name = next((name for name in names if name in known), None)
    if name is None:
        raise _rejection(f"is not that of SNS: it has none of the names {', '.join(names)}")
    policy = PolicyBuilder().store(store).time(now)
    try:
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
    except Exception:  # noqa: BLE001 (a damaged certificate raises many kinds of errors)
        raise _rejection(
            "does not lead to a trusted root: return the certificates of its issuers, too, or pass"
            " the root certificates that you trust as roots"
        ) from None


def _rejection(fault: str) -> SignatureError:
    return SignatureError(f"the certificate of the SNS message {fault}", check="certificate")


@lru_cache(maxsize=1)
def _amazon_store() -> Store:
    from cryptography import x509
    from cryptography.x509.verification import Store

    roots = [x509.load_der_x509_certificate(root) for root in amazon_roots()]
    if not roots:
        raise ConfigError(
            "certifi's bundle contains no root of Amazon Trust Services: pass the root"
            " certificates that you trust as roots"
        )
    return Store(roots)


def _store(pem: bytes) -> Store:
    from cryptography import x509
    from cryptography.x509.verification import Store

    try:
        return Store(x509.load_pem_x509_certificates(pem))
    except (TypeError, ValueError):
        raise ParamValidationError(
            "roots must be bytes with certificates in PEM format", argument="roots"
        ) from None
