"""Fixtures for the credential provider tests: harnesses, cached chains and certificates."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials import ChainCredentials
from sagemaker_runtime_client.credentials import _refresh as refresh
from sagemaker_runtime_client.credentials._chain import ResolvedCredentials
from tests.runtime_client.credentials.harness import Harness


@pytest.fixture(params=[None, "asyncio", "trio"], ids=["blocking", "asyncio", "trio"])
def harness(request, tmp_path):
    """A harness for the blocking client, for asyncio and for trio in turn."""
    return Harness(request.param, tmp_path)


@pytest.fixture
def blocking(tmp_path):
    """A harness for the blocking client, for tests that do not depend on the backend."""
    return Harness(None, tmp_path)


@pytest.fixture
def make_chain(monkeypatch):
    """A function that creates a `ChainCredentials` whose chain has a single provider."""

    def make(io, provider):
        async def context():
            return Context(io, io, Config(), Profiles())

        async def search(_context):
            return ResolvedCredentials(await provider.load(), provider.spec, provider)

        # `search` has its own tests. This function replaces it, and returns the single provider.
        monkeypatch.setattr(refresh, "search", search)
        return ChainCredentials(io, context)

    return make


@frozen
class Issued:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: object

    @property
    def certificate_pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self):
        return pem(self.key)


def pem(key, encryption=None):
    """Return a private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )


def issue(name, key, issuer=None, *, ca=False, days=1):
    """Return a certificate for *key* that is signed by *issuer*, or self-signed if there is no
    *issuer*.
    """
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by = subject if issuer is None else issuer.certificate.subject
    now = datetime.now(UTC)
    ends = now + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(min(now, ends) - timedelta(days=1))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key if issuer is None else issuer.key, hashes.SHA256())
    )
    return Issued(certificate, key)


@pytest.fixture(scope="session")
def root():
    """A root certificate authority."""
    return issue("root", ec.generate_private_key(ec.SECP256R1()), ca=True)


@pytest.fixture(scope="session")
def intermediate(root):
    """An intermediate certificate authority, issued by the root."""
    return issue("intermediate", ec.generate_private_key(ec.SECP384R1()), root, ca=True)


@pytest.fixture(scope="session")
def rsa_key():
    """An RSA key, created only once because creating it is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
