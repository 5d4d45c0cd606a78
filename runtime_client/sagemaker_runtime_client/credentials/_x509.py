"""X.509 identities: a certificate with its private key, and the signatures made with that key.

Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
"""

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from sigv4 import Credentials, Signer, sign_all_headers

from .._aws.auth import CredentialsAuth
from ._fetching import FetchingProvider

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


@frozen
class Identity:
    """A certificate, its private key, and the certificates between it and the trust anchor.

    Attributes:
        leaf: The certificate of this machine.
        key: The private key of `leaf`, which is an RSA or EC key.
        chain: The certificates between the leaf and the trust anchor, starting with the issuer of
            the leaf.
    """

    leaf: Any
    key: Any = field(repr=False)
    chain: tuple[Any, ...] = ()

    @classmethod
    async def load(
        cls,
        provider: FetchingProvider,
        certificate: str,
        private_key: str,
        intermediates: str | None,
        passphrase_file: str | None,
    ) -> "Identity":
        """Return the identity in the PEM files; the key must belong to the certificate.

        Args:
            provider: Reads the files and creates the errors.
            certificate: The path of the certificate; the file may also contain other certificates
                of the chain.
            private_key: The path of the private key.
            intermediates: The path of a file with the other certificates of the chain, or None.
            passphrase_file: The path of the file with the key's passphrase, or None.  It is used if
                the key is encrypted and the context has no `key_passphrase`.

        Raises:
            CredentialProviderError: A file cannot be used, the certificate has expired or is not
                valid yet, the key does not belong to the certificate, the key is encrypted and
                there is no usable passphrase, or `cryptography` is not installed.
        """
        try:
            from cryptography import x509
        except ImportError as error:
            raise provider.without_cryptography("IAM Roles Anywhere", error) from error
        text = await provider.read_text(certificate, "the certificate file")
        try:
            leaf, *chain = x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            message = f"the certificate file {certificate} does not contain a PEM certificate"
            raise provider.failure(message) from None
        if intermediates is not None:
            text = await provider.read_text(intermediates, "the intermediates file")
            try:
                chain += x509.load_pem_x509_certificates(text.encode())
            except ValueError:
                raise provider.failure(
                    f"the intermediates file {intermediates} does not contain PEM certificates"
                ) from None
        key = await _private_key(provider, private_key, passphrase_file)
        if key.public_key() != leaf.public_key():
            message = f"the private key {private_key} does not match the certificate {certificate}"
            # The error is retryable, because another program may be replacing both files.
            raise provider.failure(message, retryable=True)
        if not leaf.not_valid_before_utc <= provider.system.now() < leaf.not_valid_after_utc:
            raise provider.failure(
                f"the certificate {certificate} is valid only from "
                f"{leaf.not_valid_before_utc:%Y-%m-%d %H:%M} to "
                f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: renew it, or correct the clock of "
                "this machine",
            )
        return cls(leaf, key, tuple(chain))

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The request headers that carry the certificates."""
        from cryptography.hazmat.primitives.serialization import Encoding

        leaf, *chain = [
            b64encode(certificate.public_bytes(Encoding.DER)).decode()
            for certificate in (self.leaf, *self.chain)
        ]
        header = ("x-amz-x509", leaf)
        return (header, ("x-amz-x509-chain", ",".join(chain))) if chain else (header,)


async def _private_key(
    provider: FetchingProvider, path: str, passphrase_file: str | None
) -> "PrivateKey":
    """Return the private key in a PEM file; if the key is encrypted, decrypt it first."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = (await provider.read_text(path, "the private key file")).encode()
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, UnsupportedAlgorithm):
        raise provider.failure(
            f"the private key file {path} does not contain a supported PEM key"
        ) from None
    except TypeError:  # the key is encrypted
        passphrase, source = await _passphrase(provider, path, passphrase_file)
        try:
            key = load_pem_private_key(data, passphrase)
        except (ValueError, UnsupportedAlgorithm):
            message = (
                f"the private key file {path} cannot be decrypted with the passphrase {source}"
            )
            raise provider.failure(message) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise provider.failure(f"the private key file {path} must contain an RSA or EC key")
    return key


async def _passphrase(
    provider: FetchingProvider, path: str, passphrase_file: str | None
) -> tuple[bytes, str]:
    """Return the passphrase of the key at *path*, and a phrase for messages with its origin."""
    if (key_passphrase := provider.context.key_passphrase) is not None:
        passphrase = await provider.call_user_function("key_passphrase", key_passphrase, path)
        if not isinstance(passphrase, str):
            message = f"key_passphrase must return a str for the private key file {path}"
            raise provider.failure(message)
        return passphrase.encode(), "returned by key_passphrase"
    if passphrase_file is None:
        raise provider.failure(
            f"the private key file {path} is encrypted: set "
            "roles_anywhere_private_key_passphrase_file, or pass a function as key_passphrase= to "
            "default_chain",
        )
    text = await provider.read_text(passphrase_file, "the passphrase file")
    return text.partition("\n")[0].rstrip("\r").encode(), f"from {passphrase_file}"


@frozen
class X509Algorithm:
    """SigV4 with the private key of a certificate, as an algorithm for `sigv4.Signer`.

    The string to sign is signed directly; there is no derived signing key.
    """

    region: str
    key: Any = field(repr=False)
    service: str = "rolesanywhere"
    region_set: str | None = None

    @property
    def name(self) -> str:
        """The name of the algorithm, which depends on whether the key is RSA or EC."""
        return f"AWS4-X509-{'ECDSA' if hasattr(self.key, 'curve') else 'RSA'}-SHA256"

    def scope(self, timestamp: str) -> str:
        """Return the credential scope at *timestamp*."""
        return f"{timestamp[:8]}/{self.region}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, timestamp: str) -> str:
        """Return the signature of *text* in hexadecimal: RSA (PKCS #1 v1.5) or ECDSA (DER)."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.hashes import SHA256

        scheme = (
            (ec.ECDSA(SHA256()),) if hasattr(self.key, "curve") else (padding.PKCS1v15(), SHA256())
        )
        signature: bytes = self.key.sign(text.encode(), *scheme)
        return signature.hex()


class X509Auth(CredentialsAuth):
    """Signs all headers, except those that proxies change, with the private key of a certificate.

    Args:
        identity: The certificate and its private key.
        region: The region in the credential scope.
    """

    def __init__(self, identity: Identity, region: str) -> None:
        # The certificate's serial number replaces the access key id; the algorithm contains the
        # private key.
        super().__init__(
            Credentials(str(identity.leaf.serial_number), "unused"),
            signer=Signer(X509Algorithm(region, identity.key), signed_headers=sign_all_headers),
        )
        self.secrets = ()  # "unused" is not a secret
