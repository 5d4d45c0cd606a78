"""Messages about signatures of SNS messages."""

import sys
from unittest.mock import patch

from sagemaker_runtime_client._io import tls
from sagemaker_runtime_client._io.message import Response
from sagemaker_runtime_client.events import _certificate
from tests.runtime_client.events.signing import (
    CONFIRMATION,
    TOPIC,
    URL,
    chain,
    leaf,
    rsa_key,
    sign,
)
from tests.runtime_client.events.test_client_verify_sns import LEAF, ScriptedIO
from tests.runtime_client.events.test_client_verify_sns import verify as verify_by_client
from tests.runtime_client.events.test_verify_sns import verify

# The messages of the package `events` are in this table and in `of_events`, whose COVERED lists it.
COVERED = ()


def altered(**changes):
    """Verify a message that was changed after it was signed."""
    return verify({**sign(), **changes})


def without_cryptography():
    """Verify a message in a process in which the package cryptography cannot be imported."""
    with patch.dict(sys.modules, {"cryptography.x509": None}):
        return verify(sign())


def without_roots():
    """Verify a message when certifi's bundle contains none of Amazon's roots."""
    _certificate._amazon_store.cache_clear()
    with patch.object(tls, "_certifi", lambda: b""):
        return verify(sign(), roots=None)


def _malformed(reason):
    return (
        f"this is not a message of SNS, because {reason}: pass the body of SNS's request unchanged"
    )


def _certificate_fault(fault):
    return f"the certificate of the SNS message {fault}"


MESSAGES = [
    # Arguments.
    (lambda: verify(1), "message must be a dict, str or bytes, not int"),
    (
        lambda: verify({}, topic_arns=TOPIC),
        (
            "topic_arns must be a collection of at least one complete ARN of a topic, such as"
            " {'arn:aws:sns:us-east-1:123456789012:my-topic'}"
        ),
    ),
    (lambda: verify({}, now=0), "now must be a datetime with a time zone"),
    (lambda: verify({}, max_age=0), "max_age must be a positive number of seconds"),
    (
        lambda: verify(sign(), certificate=str),
        "the function certificate must return bytes, not str",
    ),
    (lambda: verify(sign(), roots=b""), "roots must be bytes with certificates in PEM format"),
    # Missing packages and roots.
    (
        without_cryptography,
        (
            "verifying a message of SNS requires the cryptography package, which cannot be imported"
            " (import of cryptography.x509 halted; None in sys.modules): run pip install cryptography"
        ),
    ),
    (
        without_roots,
        (
            "certifi's bundle contains no root of Amazon Trust Services: pass the root"
            " certificates that you trust as roots"
        ),
    ),
    # Malformed messages.
    (lambda: verify("{"), _malformed("it is not JSON")),
    (lambda: verify("[]"), _malformed("it is not a JSON object")),
    (lambda: verify(" " * (3 << 20)), _malformed("it is longer than 2,097,152 bytes")),
    (lambda: verify({}), _malformed("its Type is none that SNS signs")),
    (lambda: altered(Records=[]), _malformed("it contains a field that SNS does not send")),
    (
        lambda: altered(Message="\ud800"),
        _malformed("it is longer than 2,097,152 bytes, or not Unicode text"),
    ),
    (lambda: altered(Message=1), _malformed("its Message is missing or not a string")),
    (lambda: altered(Subject="a\nb"), _malformed("its Subject contains a line break")),
    (
        lambda: altered(SignatureVersion="3"),
        _malformed("its SignatureVersion is neither 1 nor 2"),
    ),
    (lambda: altered(Signature="?"), _malformed("its Signature is not Base64")),
    (
        lambda: altered(SigningCertUrl=URL),
        _malformed("it does not have exactly one SigningCertURL"),
    ),
    (
        lambda: verify(sign(CONFIRMATION, SubscribeURL="https://a.example/")),
        _malformed("its SubscribeURL does not begin with https://sns.eu-west-1.amazonaws.com/"),
    ),
    (lambda: altered(Timestamp="now"), _malformed("its Timestamp is not a time")),
    # Messages from other senders.
    (
        lambda: altered(TopicArn=TOPIC + "2"),
        (
            "the SNS message is from a topic that is not in topic_arns: if you expect the message, add the"
            " ARN of its topic"
        ),
    ),
    (
        lambda: altered(SigningCertURL="https://a.example/"),
        (
            "the certificate of the SNS message is not at"
            " https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-*.pem: the message is forged"
        ),
    ),
    (
        lambda: verify(sign(), max_age=29.25),
        (
            "the SNS message is older than 29.25 seconds (max_age), so it may have been recorded and sent"
            " again: if messages may take longer, pass a greater max_age"
        ),
    ),
    (
        lambda: verify(sign(Timestamp="2027-01-01T00:00:00Z")),
        (
            "the SNS message's Timestamp is more than 300 seconds in the future: correct the clock of this"
            " machine"
        ),
    ),
    # Certificates.
    (
        lambda: verify(sign(), b" " * 65_537),
        _certificate_fault("is larger than 65,536 bytes"),
    ),
    (
        lambda: verify(sign(), b"<html>"),
        _certificate_fault("cannot be read, because it is not in PEM format or damaged"),
    ),
    (
        lambda: verify_by_client(ScriptedIO([LEAF, Response(200, [], b"<html>")])),
        _certificate_fault("names an issuer whose certificate cannot be read"),
    ),
    (
        lambda: verify(sign(), chain(days=(-9, -1))),
        _certificate_fault("has expired or is not valid yet: check the clock of this machine"),
    ),
    (
        lambda: verify(sign(), chain(key=rsa_key(1024))),
        _certificate_fault("has no RSA key of 2048 to 8192 bits"),
    ),
    (
        lambda: verify(sign(), chain(names=("a.example",))),
        _certificate_fault(
            "is not that of SNS: it has none of the names sns-signing.eu-west-1.amazonaws.com,"
            " sns-eu-west-1.amazonaws.com, sns.amazonaws.com"
        ),
    ),
    (
        lambda: verify(sign(), leaf()),
        _certificate_fault(
            "does not lead to a trusted root: return the certificates of its issuers, too, or pass"
            " the root certificates that you trust as roots"
        ),
    ),
    (
        lambda: altered(MessageId="another"),
        "the signature of the SNS message is wrong: the message was altered or forged",
    ),
]
