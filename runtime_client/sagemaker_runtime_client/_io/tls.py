"""TLS contexts, created for the first https URL, cached per CA bundle and shared by all clients.

Loading a complete bundle of certificates takes 17 ms, a fifth of a first call.  The certificates of
AWS's endpoints are issued by Amazon's five authorities.  Therefore only the certificates of these
authorities are loaded from the bundle at first.  The complete bundle is loaded for the first server
that needs it, and the connection to that server then takes a second handshake.

Source: https://www.amazontrust.com/repository/ (the names of AWS's authorities).
"""

from __future__ import annotations

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


def context_makers(ca_bundle: str | None) -> list[Callable[[], ssl.SSLContext]]:
    """Return two functions that create TLS contexts: one for AWS's servers, one for all servers.

    Args:
        ca_bundle: The path of a file, or of a directory prepared by OpenSSL's ``c_rehash``.  None
            means SSL_CERT_FILE or SSL_CERT_DIR, as in httpx, or otherwise certifi's bundle.
    """
    return [partial(make, _path(ca_bundle)) for make in (_amazon_context, _context)]


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return the TLS context for all servers, or raise ConfigError if the bundle cannot be read."""
    return _context(_path(ca_bundle))


@lru_cache(maxsize=8)
def _context(path: str | None) -> ssl.SSLContext:
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
def _amazon_context(path: str | None) -> ssl.SSLContext:
    """Return a TLS context with Amazon's authorities only.

    If the bundle contains none of them, the context has the complete bundle.
    """
    certificates = b"".join(_amazon_certificates(path))
    try:
        return _make_context(cadata=certificates) if certificates else _context(path)
    except OSError:  # a damaged certificate
        return _context(path)


def _make_context(
    *, cafile: str | None = None, capath: str | None = None, cadata: bytes | None = None
) -> ssl.SSLContext:
    """Return a context with these certificates, Python's defaults and botocore's rules for chains.

    From Python 3.13 on the default is stricter.  For example, it rejects certificates without an
    Authority Key Identifier, which some companies issue.
    """
    import ssl

    context = ssl.create_default_context(cafile=cafile, capath=capath, cadata=cadata)
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


def amazon_roots() -> list[bytes]:
    """Return the roots of Amazon Trust Services in certifi's bundle, in DER format.

    Starfield's is not one of them: its serial number is 0, which `cryptography` will reject.
    """
    return [one for one in _amazon_certificates(None) if b"Amazon Root CA" in one]


def _amazon_certificates(path: str | None) -> list[bytes]:
    """Return the certificates of Amazon's authorities in a bundle, in DER format."""
    try:
        certificates = _certificates(_certifi() if path is None else _read(path))
    except (OSError, Error):
        return []  # OpenSSL may be able to read the bundle, or will report a better error
    return [one for one in certificates if any(name in one for name in _AMAZON)]


def _path(ca_bundle: str | None) -> str | None:
    """Return the path of the bundle, or None for certifi's bundle, which may be in a zip file."""
    if ca_bundle:
        return os.path.expanduser(ca_bundle)
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _certifi() -> bytes:
    """Return certifi's bundle, if possible without importing certifi.

    The import would take 3 ms, and would create a temporary file if certifi is in a zip file.
    """
    spec: Any = find_spec("certifi")
    try:
        data: bytes = spec.loader.get_data(os.path.join(os.path.dirname(spec.origin), "cacert.pem"))
    # Debian and Fedora remove the file; there, `certifi.where` returns the path of the system's
    # bundle.
    except OSError:
        return _read(import_module("certifi").where())
    return data


def _certificates(bundle: bytes) -> list[bytes]:
    """Return the certificates of a PEM bundle, in DER format."""
    parts = bundle.split(_BEGIN)[1:]
    return [a2b_base64(part.partition(_END)[0]) for part in parts]
