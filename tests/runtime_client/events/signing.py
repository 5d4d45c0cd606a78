"""A fake SNS that signs messages with a certificate from a private authority."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:results"
HOST = "https://sns.eu-west-1.amazonaws.com"
URL = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
ISSUER_URL = "http://crt.r2m01.amazontrust.com/r2m01.cer"
HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}

NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": TOPIC,
    "Subject": "a subject",
    "Message": 'line 1\n"line" 2 \u00fc\U0001f600',
    "Timestamp": "2026-11-22T11:59:30.655Z",
    "SignatureVersion": "2",
    "SigningCertURL": URL,
    "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:id",
}
CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37f",
    "TopicArn": TOPIC,
    "Message": "You have chosen to subscribe to the topic.",
    "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37f",
    "Timestamp": "2026-11-22T11:59:30.655Z",
    "SignatureVersion": "2",
    "SigningCertURL": URL,
}


@cache
def rsa_key(bits=2048):
    """Return the RSA key of the fake SNS that has this number of bits."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name):  # noqa: ARG001 (each name has its own key)
    """Return the EC key of the authority (or of another owner) that has this name."""
    return ec.generate_private_key(ec.SECP256R1())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(subject, issuer, key, days):
    start, end = (NOW + timedelta(days=count) for count in days)
    issuer_key = ec_key(issuer).public_key()
    return (
        x509.CertificateBuilder(_name(issuer), _name(subject), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


@cache
def authority(subject, issuer, days=(-10_000, 10_000)):
    """Return the certificate of the authority *subject*, signed by the authority *issuer*."""
    unused = ("digital_signature", "content_commitment", "key_encipherment")
    unused += ("data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    usage = x509.KeyUsage(**dict.fromkeys(unused, False), key_cert_sign=True, crl_sign=True)
    return (
        _builder(subject, issuer, ec_key(subject), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(ec_key(issuer), hashes.SHA256())
    )


def roots(name="root"):
    """Return the certificate of the root authority with this name, in PEM format."""
    return _pem(authority(name, name))


def issuer_pem():
    """Return the certificate of the intermediate authority in PEM format."""
    return _pem(authority("issuer", "root"))


def issuer_der():
    """Return the certificate of the intermediate authority in DER format, as Amazon Trust Services
    sends it.
    """
    return authority("issuer", "root").public_bytes(serialization.Encoding.DER)


@cache
def leaf(
    names=("sns.amazonaws.com",),
    *,
    key=None,
    days=(-100, 100),
    issuer="issuer",
    issuer_url=ISSUER_URL,
    usage=ExtendedKeyUsageOID.SERVER_AUTH,
):
    """Return a certificate of the fake SNS in PEM format."""
    subject = names[0] if names else "sns.amazonaws.com"
    builder = _builder(subject, issuer, key or rsa_key(), days).add_extension(
        x509.ExtendedKeyUsage([usage]), critical=False
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    if issuer_url:
        location = x509.UniformResourceIdentifier(issuer_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, location)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return _pem(builder.sign(ec_key(issuer), hashes.SHA256()))


def chain(**changes):
    """Return the certificate of the fake SNS, followed by that of its issuer, in PEM format."""
    return leaf(**changes) + issuer_pem()


def text_to_sign(message):
    """Return the string that SNS signs for a message, as the SNS documentation describes it."""
    if message["Type"] == "Notification":
        subject = message.get("Subject")
        names = ["Message", "MessageId", *(["Subject"] if subject is not None else [])]
        names += ["Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    return "".join([name + "\n" + message[name] + "\n" for name in names]).encode()


def sign(message=NOTIFICATION, key=None, **changes):
    """Return a copy of *message* to which *changes* have been applied and a valid signature added."""
    message = {**message, **changes}
    algorithm = HASHES[message["SignatureVersion"]]()
    text = text_to_sign(message)
    signature = (key or rsa_key()).sign(text, padding.PKCS1v15(), algorithm)
    return {**message, "Signature": b64encode(signature).decode()}


def body(message):
    """Return the body of the HTTP request in which SNS delivers a message."""
    return json.dumps(message, indent=2).encode()
