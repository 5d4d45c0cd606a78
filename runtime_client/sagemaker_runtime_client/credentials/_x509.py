"""
A certificate with its key as an identity, and the signature that it makes.

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
    """
    A certificate, the key that goes with it, and who vouches for it.

    Attributes:
        leaf: The certificate.
        key: Its private key, RSA or EC.
        chain: The certificates between it and the trust anchor, nearest first.
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
        """
        Return what three PEM files hold, if they belong together and are valid now.

        Args:
            provider: Reads the files, and has the errors.
            certificate: Path of the certificate; more of the chain may follow in it.
            private_key: Path of its key.
            intermediates: Path of the chain; None where there is none.
            passphrase_file: Path of the key's passphrase, where the key is encrypted and the
                context has no `key_passphrase`.

        Raises:
            CredentialProviderError: A file cannot be used; the message names it.
        """
        try:
            from cryptography import x509
        except ImportError as error:
            raise provider.without_cryptography("IAM Roles Anywhere", error) from error
        text = await provider.read_text(certificate, "the certificate")
        try:
            leaf, *chain = x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            raise provider.failure(f"the certificate {certificate} is no PEM certificate") from None
        if intermediates is not None:
            text = await provider.read_text(intermediates, "the intermediates")
            try:
                chain += x509.load_pem_x509_certificates(text.encode())
            except ValueError:
                raise provider.failure(
                    f"the intermediates {intermediates} are no PEM certificates"
                ) from None
        key = await _private_key(provider, private_key, passphrase_file)
        if key.public_key() != leaf.public_key():
            message = f"the private key {private_key} is not the one of {certificate}"
            raise provider.failure(message, retryable=True)  # both are being replaced
        if not leaf.not_valid_before_utc <= provider.system.now() < leaf.not_valid_after_utc:
            raise provider.failure(
                f"the certificate {certificate} counts from "
                f"{leaf.not_valid_before_utc:%Y-%m-%d %H:%M} to "
                f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, and not now",
            )
        return cls(leaf, key, tuple(chain))

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What shows the certificates to the service."""
        from cryptography.hazmat.primitives.serialization import Encoding

        leaf, *chain = [
            b64encode(certificate.public_bytes(Encoding.DER)).decode()
            for certificate in (self.leaf, *self.chain)
        ]
        shown = ("x-amz-x509", leaf)
        return (shown, ("x-amz-x509-chain", ",".join(chain))) if chain else (shown,)


async def _private_key(
    provider: FetchingProvider, path: str, passphrase_file: str | None
) -> "PrivateKey":
    """Return the key that a PEM file holds, encrypted or not."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = (await provider.read_text(path, "the private key")).encode()
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, UnsupportedAlgorithm):
        raise provider.failure(f"the private key {path} is no PEM key") from None
    except TypeError:  # it is encrypted
        passphrase, source = await _passphrase(provider, path, passphrase_file)
        try:
            key = load_pem_private_key(data, passphrase)
        except (ValueError, UnsupportedAlgorithm):
            message = f"the private key {path} cannot be decrypted with the passphrase {source}"
            raise provider.failure(message) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise provider.failure(f"the private key {path} is neither RSA nor EC")
    return key


async def _passphrase(
    provider: FetchingProvider, path: str, passphrase_file: str | None
) -> tuple[bytes, str]:
    """Return the passphrase of the key at *path*, and where it is from, for messages."""
    if (key_passphrase := provider.context.key_passphrase) is not None:
        answer = await provider.ask_user("key_passphrase", key_passphrase, path)
        if not isinstance(answer, str):
            raise provider.failure(f"key_passphrase must return a str, for the private key {path}")
        return answer.encode(), "that key_passphrase returned"
    if passphrase_file is None:
        raise provider.failure(
            f"the private key {path} is encrypted: set roles_anywhere_private_key_passphrase_file, "
            "or give default_chain key_passphrase=, a function",
        )
    text = await provider.read_text(passphrase_file, "the passphrase file")
    return text.partition("\n")[0].rstrip("\r").encode(), f"in {passphrase_file}"


@frozen
class X509Algorithm:
    """
    What `sigv4.Signer` wants to know of an algorithm: SigV4 with the key of a certificate.

    The string to sign is signed as it is; there is no key of the day.
    """

    region: str
    key: Any = field(repr=False)
    service: str = "rolesanywhere"
    region_set: str | None = None

    @property
    def name(self) -> str:
        """The algorithm's name, after the kind of key."""
        return f"AWS4-X509-{'ECDSA' if hasattr(self.key, 'curve') else 'RSA'}-SHA256"

    def scope(self, instant: str) -> str:
        """Return the credential scope at *instant*."""
        return f"{instant[:8]}/{self.region}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, instant: str) -> str:
        """Return the signature of *text* in hexadecimal: PKCS #1 v1.5, or ECDSA in DER."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.hashes import SHA256

        scheme = (
            (ec.ECDSA(SHA256()),) if hasattr(self.key, "curve") else (padding.PKCS1v15(), SHA256())
        )
        signature: bytes = self.key.sign(text.encode(), *scheme)
        return signature.hex()


class X509Auth(CredentialsAuth):
    """
    Signs with the key of a certificate: all headers but those that proxies change.

    Args:
        identity: The certificate and its key.
        region: The region of the signature.
    """

    def __init__(self, identity: Identity, region: str) -> None:
        # The serial number stands for an access key id, and the algorithm has the key.
        super().__init__(
            Credentials(str(identity.leaf.serial_number), "unused"),
            signer=Signer(X509Algorithm(region, identity.key), signed_headers=sign_all_headers),
        )
        self.secrets = ()  # that word is none
