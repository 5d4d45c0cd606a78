"""
Whom to trust: TLS settings, made with the first https URL, once for each bundle, and shared by all.

To load a whole bundle of certificates takes 17 ms, a fifth of a first call.  AWS's endpoints are
vouched for by Amazon's own authorities, of which there are five; so those of the bundle are trusted
first, and the whole bundle from the first server on that needs it, at the price of one handshake more.

Source: https://www.amazontrust.com/repository/ (how AWS's authorities are called).
"""

import os
from binascii import Error, a2b_base64
from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .files import is_shortage, shortage

if TYPE_CHECKING:
    import ssl

FilePath = str | os.PathLike[str]

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_AMAZON = (b"Amazon", b"Starfield Services Root")


def context_makers(ca_bundle: str | None) -> "list[Callable[[], ssl.SSLContext]]":
    """
    Return what makes TLS settings: those that serve for AWS, and those for all.

    Args:
        ca_bundle: A file, or a folder as OpenSSL's ``c_rehash`` makes it; None takes SSL_CERT_FILE or
            SSL_CERT_DIR, as httpx does, or else certifi's.
    """
    return [partial(make, _path(ca_bundle)) for make in (_amazon_context, _context)]


def tls_context(ca_bundle: str | None) -> "ssl.SSLContext":
    """Return the TLS settings for all; raise ConfigError where the bundle cannot be read."""
    return _context(_path(ca_bundle))


@lru_cache(maxsize=8)
def _context(path: str | None) -> "ssl.SSLContext":
    try:
        if path is None:
            return _make_context(cadata=b"".join(_certificates(_certifi())))
        if os.path.isdir(path):
            return _make_context(capath=path)
        return _make_context(cafile=path)
    except (OSError, ValueError) as error:
        failure = f"the CA bundle {path or 'of certifi'} cannot be read"
        if is_shortage(error):
            raise shortage(failure) from error
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{failure}: {reason}") from error


@lru_cache(maxsize=8)
def _amazon_context(path: str | None) -> "ssl.SSLContext":
    """Return the TLS settings for AWS: Amazon's authorities, or the whole of a bundle without them."""
    certificates = _amazon_certificates(path)
    try:
        return _make_context(cadata=certificates) if certificates else _context(path)
    except OSError:  # a damaged certificate
        return _context(path)


def _make_context(
    *, cafile: str | None = None, capath: str | None = None, cadata: bytes | None = None
) -> "ssl.SSLContext":
    """
    Return Python's default context with these certificates, and with botocore's rules for chains.

    From Python 3.13 on the default is stricter.  It refuses certificates without an Authority Key
    Identifier, for example, which companies issue.
    """
    import ssl

    context = ssl.create_default_context(cafile=cafile, capath=capath, cadata=cadata)
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


def _amazon_certificates(path: str | None) -> bytes:
    """Return the certificates of Amazon's authorities in a bundle; nothing if it has none."""
    try:
        certificates = _certificates(_certifi() if path is None else _read(path))
    except (OSError, Error):
        return b""  # OpenSSL will say better what is wrong, or knows how to read it
    return b"".join(one for one in certificates if any(name in one for name in _AMAZON))


def _path(ca_bundle: str | None) -> str | None:
    """Return where the bundle is; None for certifi's, which may be in a zip file."""
    if ca_bundle:
        return os.path.expanduser(ca_bundle)
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _certifi() -> bytes:
    """Return certifi's bundle, without importing it: that takes 3 ms, and a temporary file for a zip."""
    spec: Any = find_spec("certifi")
    try:
        data: bytes = spec.loader.get_data(os.path.join(os.path.dirname(spec.origin), "cacert.pem"))
    except OSError:  # Debian and Fedora leave it out, and let certifi name the system's
        return _read(import_module("certifi").where())
    return data


def _certificates(bundle: bytes) -> list[bytes]:
    """Return the certificates of a bundle in PEM, in DER."""
    parts = bundle.split(_BEGIN)[1:]
    return [a2b_base64(part.partition(_END)[0]) for part in parts]
