"""Certificates issued by a private certificate authority."""

import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def issue(folder, host="host.example", hours=1):
    """Create a certificate authority, and a server certificate that it signs.

    Return the path of a bundle that contains the authority's certificate, and the server's TLS
    context.  Neither certificate has an Authority Key Identifier, as is common with private
    authorities.
    """
    authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("company", authority, 1).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    server = _certificate(host, leaf, hours).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
    )
    bundle, chain = folder / "company.pem", folder / "server.pem"
    bundle.write_bytes(_pem(root.sign(authority, hashes.SHA256())))
    key = leaf.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain.write_bytes(key + _pem(server.sign(authority, hashes.SHA256())))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain)
    return str(bundle), tls


def _certificate(name, key, hours):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(
            _name("company"), _name(name), key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - timedelta(hours=9))
        .not_valid_after(now + timedelta(hours=hours))
    )


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
