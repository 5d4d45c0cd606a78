"""Test that `verify_sns` rejects messages and certificates that are not from SNS."""

import ast
import json
from base64 import b64encode
from datetime import timedelta, timezone
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import events
from sagemaker_runtime_client.events import SignatureError, parse, verify_sns
from tests.runtime_client.events.signing import (
    CONFIRMATION,
    HOST,
    NOTIFICATION,
    NOW,
    TOPIC,
    URL,
    body,
    chain,
    ec_key,
    issuer_pem,
    leaf,
    roots,
    rsa_key,
    sign,
)
from tests.runtime_client.events.test_verify_sns import UNSUBSCRIBE, verify

MESSAGES = (NOTIFICATION, CONFIRMATION, UNSUBSCRIBE)
SIGNED = [
    (message, name)
    for message in MESSAGES
    for name in message
    if name not in {"SignatureVersion", "SigningCertURL", "UnsubscribeURL"}
]


def refuse(_url):
    """Fail the test, because no certificate may be requested."""
    raise AssertionError("a certificate was requested")


def check(message, *args, **changes):
    """Check that a message is rejected by an error that does not quote it; return the failed check."""
    with pytest.raises(SignatureError) as caught:
        verify(message, *args, **changes)
    error = caught.value
    assert "canary" not in str(error)
    assert error.__cause__ is None
    return error.check


@pytest.mark.parametrize(("message", "name"), SIGNED)
def test_an_altered_field(message, name):
    """If one signed field of a message is altered, the message is rejected."""
    signed = sign(message)
    altered = {**signed, name: signed[name] + "canary"}
    expected = {"Type": "message", "TopicArn": "topic", "Timestamp": "message"}
    assert check(altered) == expected.get(name, "signature")


@pytest.mark.parametrize(("message", "name"), SIGNED)
@pytest.mark.parametrize("value", [None, 1, ["canary"], {"canary": 1}, True, "\ud800", ""])
def test_another_type(message, name, value):
    """If a signed field is empty, not a string or not valid Unicode, the message is rejected."""
    assert check({**sign(message), name: value}) in {"message", "topic", "signature"}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_dropped_field(message):
    """If any field but UnsubscribeURL, which SNS does not sign, is missing, the message is
    rejected.
    """
    signed = sign(message)
    for name in signed.keys() - {"UnsubscribeURL"}:
        rest = {key: value for key, value in signed.items() if key != name}
        assert check(rest) == ("signature" if name == "Subject" else "message")


def test_an_added_subject():
    """A subject that was added to a message without one is rejected."""
    without = {name: value for name, value in NOTIFICATION.items() if name != "Subject"}
    assert check({**sign(without), "Subject": "canary"}) == "signature"
    assert check({**sign(without), "Subject": ""}) == "signature"


def test_another_type_of_message():
    """If the type of a signed message is changed to another valid type, the message is rejected."""
    for signed, other in product(map(sign, MESSAGES), MESSAGES):
        if signed["Type"] != other["Type"]:
            changed = {**other, **signed, "Type": other["Type"]}
            assert check(changed) in {"signature", "message"}


def test_moved_text():
    """If text is moved between fields so that the string to sign stays the same, it is rejected."""
    signed = sign(Message="a\nMessageId\nb\nSubject\nc")
    moved = {
        **signed,
        "Message": "a",
        "MessageId": f"b\nSubject\nc\nMessageId\n{signed['MessageId']}",
    }
    assert verify(signed) == TOPIC
    assert check(moved) == "message"
    subject = sign(Subject="s\nTimestamp\n2026-11-22T11:59:30Z")
    assert check(subject) == "message"


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("https", "HTTPS"),
        URL.replace("https", "file"),
        URL.replace("https://", "//"),
        URL.replace("https://", "https:\\\\"),
        URL.replace("https://", "https:///"),
        URL.replace("https://", " https://"),
        URL.replace("https://", "https://canary@"),
        URL.replace("https://", "https://canary:canary@"),
        URL.replace("https://", "https://canary.example\\@"),
        URL.replace("https://", "https://canary.example/#@"),
        URL.replace("https://", "https://canary.example?"),
        URL.replace("sns.eu", "canary.sns.eu"),
        URL.replace("sns.eu", "canarysns.eu"),
        URL.replace("sns.", "xn--sns-canary."),
        URL.replace("sns.", "s\u043ds."),
        URL.replace("sns.", "SNS."),
        URL.replace("eu-west-1", "us-east-1"),
        URL.replace("eu-west-1.", ""),
        URL.replace(".com", ".com.cn"),
        URL.replace(".com", ".com.canary.example"),
        URL.replace(".com", ".com."),
        URL.replace(".com", ".com:443"),
        URL.replace(".com", ".com:8443"),
        URL.replace(".com", ".com%2ecanary.example"),
        URL.replace(".com", ".com\u3002canary.example"),
        URL.replace(".com", ".comcanary"),
        URL.replace("amazonaws", "amazonaws-canary"),
        URL.replace("amazonaws.", "amazonawsX"),
        URL.replace("sns.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com/canary"),
        URL.replace("sns.eu-west-1.amazonaws.com", "127.0.0.1"),
        URL.replace("sns.eu-west-1.amazonaws.com", "[::1]"),
        URL.replace("/Simple", "/canary/../Simple"),
        URL.replace("/Simple", "//Simple"),
        URL.replace("/Simple", "\\Simple"),
        URL.replace("Simple", "simple"),
        URL.replace("0123456789abcdef", "0123456789abcdeg"),
        URL.replace("0123", "../0123"),
        URL.replace("0123", "%30123"),
        URL.replace("0123", "\u0661123"),
        URL.replace("0123456789abcdef", "0" * 40),
        URL.replace("0123456789abcdef", ""),
        URL.replace(".pem", ".pem?canary"),
        URL.replace(".pem", ".pem#canary"),
        URL.replace(".pem", ".pem/"),
        URL.replace(".pem", ".pem%00"),
        URL.replace(".pem", ".pem\r"),
        URL.replace(".pem", ".key"),
        f"{HOST}/?Action=Publish&TopicArn={TOPIC}&Message=canary.pem",
        "https://[canary",
        "",
    ],
)
def test_another_address(url):
    """If SigningCertURL is not a certificate's URL on the SNS host, the URL is not requested."""
    assert check({**sign(), "SigningCertURL": url}, certificate=refuse) == "certificate_url"


def test_two_addresses():
    """A message with both SigningCertURL and SigningCertUrl is rejected, even if they are equal."""
    both = {**sign(), "SigningCertUrl": URL}
    assert check(both, certificate=refuse) == "message"


def test_a_line_break_after_the_address():
    """If the certificate URL ends with a line break, the message is rejected."""
    assert check({**sign(), "SigningCertURL": URL + "\n"}, certificate=refuse) == "message"


@pytest.mark.parametrize("topic", [TOPIC + "2", TOPIC.upper(), TOPIC.replace("1234", "4321"), "*"])
def test_another_topic(topic):
    """A message from an unexpected topic is rejected before its certificate is requested."""
    assert check(sign(TopicArn=topic), certificate=refuse) == "topic"


def test_the_region_of_another_topic():
    """If the certificate URL is in another region than the message's topic, the message is
    rejected.
    """
    other = TOPIC.replace("eu-west-1", "us-east-1")
    found = check(sign(TopicArn=other), topic_arns=[TOPIC, other], certificate=refuse)
    assert found == "certificate_url"


@pytest.mark.parametrize("seconds", [-100_000, -331, 3571, 100_000])
def test_outside_of_the_window(seconds):
    """A message is rejected if it is older than an hour or is from the future."""
    now = NOW + timedelta(seconds=seconds)
    assert check(sign(), now=now, certificate=refuse) == "time"


@pytest.mark.parametrize(
    "time", ["", "canary", "2026-11-22T11:59:30", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_an_odd_time(time):
    """A message is rejected if its timestamp is malformed, has no time zone or is out of range."""
    assert check(sign(Timestamp=time), certificate=refuse) == "message"


@pytest.mark.parametrize("version", ["0", "3", "", "01", "1 ", 1, 2, None])
def test_another_version(version):
    """A message is rejected if its signature version is not the string "1" or "2"."""
    changed = {**sign(), "SignatureVersion": version}
    assert check(changed, certificate=refuse) == "message"


def test_the_other_version():
    """If the signature version is changed from 1 to 2 or from 2 to 1, the message is rejected."""
    for version, other in (("1", "2"), ("2", "1")):
        changed = {**sign(SignatureVersion=version), "SignatureVersion": other}
        assert check(changed) == "signature"


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        ("", "signature"),
        ("AAAA", "signature"),
        ("A" * 1_000_000, "signature"),
        (b64encode(b"\xff" * 256).decode(), "signature"),
        (b64encode(bytes(256)).decode(), "signature"),
        ("canary!", "message"),
        ("A", "message"),
        ("\u00fc", "message"),
        (None, "message"),
    ],
)
def test_another_signature(signature, found):
    """A message whose signature is wrong or malformed is rejected."""
    assert check({**sign(), "Signature": signature}) == found


def test_another_key():
    """A message that was signed with another RSA key than the certificate's is rejected."""
    assert check(sign(key=rsa_key(4096))) == "signature"


@pytest.mark.parametrize(
    "subscribe_url",
    ["https://canary.example/", f"{HOST}.canary.example/", f"{HOST}:1/", "http" + HOST[5:] + "/"],
)
def test_another_address_to_confirm(subscribe_url):
    """A confirmation is rejected if its SubscribeURL is not on the SNS host of the topic's region."""
    assert check(sign(CONFIRMATION, SubscribeURL=subscribe_url), certificate=refuse) == "message"


@pytest.mark.parametrize(
    "message",
    [
        *(b"", "", "canary", b"[]", "null", "1", b"\xff\xfe{\x00}\x00", b"{}", {}),
        *("[" * 100_000, '{"a":' * 100_000, "{" + " " * (2 << 20) + "}", b" " * (3 << 20)),
        *('{"Type": NaN}', '{"Type": ' + "9" * 5000 + "}", '{"Type": ["Notification"]}'),
        *({"Type": {}}, {1: 2}, {"Type": "Notification", "a": [[]] * 20_000}),
    ],
    ids=lambda message: str(message)[:20],
)
def test_garbage(message):
    """A message that is not a JSON object with valid fields is rejected without a download."""
    assert check(message, certificate=refuse) == "message"


def test_a_long_message():
    """A dict with a field of two mebibytes is rejected before a certificate is requested."""
    assert check(sign(Message="x" * (2 << 20)), certificate=refuse) == "message"


CERTIFICATES = {
    "empty": b"",
    "no PEM": b"canary",
    "HTML": b"<html>canary</html>",
    "a damaged body": leaf().replace(b"M", b"N", 5),
    "not Base64": b"-----BEGIN CERTIFICATE-----\ncanary!\n-----END CERTIFICATE-----\n",
    "not a certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "too large": chain() + b"\n" * (64 << 10),
    "no issuer": leaf(),
    "the issuer only": issuer_pem(),
    "the issuer first": issuer_pem() + leaf(),
    "expired": chain(days=(-100, -1)),
    "not valid yet": chain(days=(1, 100)),
    "another name": chain(names=("sqs.amazonaws.com",)),
    "no name": chain(names=()),
    "a name below": chain(names=("canary.sns.amazonaws.com",)),
    "a wildcard": chain(names=("*.amazonaws.com",)),
    "the name of another region": chain(names=("sns-signing.us-east-1.amazonaws.com",)),
    "the name of another partition": chain(names=("sns.amazonaws.com.cn",)),
    "an EC key": chain(key=ec_key("leaf")),
    "an Ed25519 key": chain(key=ed25519.Ed25519PrivateKey.generate()),
    "a short key": chain(key=rsa_key(1024)),
    "for clients": chain(usage=ExtendedKeyUsageOID.CLIENT_AUTH),
    "of another root": leaf(issuer="other"),
    "of another root, which is sent": leaf(issuer="other") + roots("other"),
    "of an issuer with this name": leaf(issuer="forged") + issuer_pem(),
    "self-signed": leaf(issuer="leaf", key=ec_key("leaf")),
}


@pytest.mark.parametrize("pem", CERTIFICATES.values(), ids=CERTIFICATES)
def test_another_certificate(pem):
    """A certificate that was not issued to SNS by a trusted root, or is not valid, is rejected."""
    assert check(sign(), pem) == "certificate"


def test_a_large_key():
    """A certificate with an RSA key of 8,200 bits is rejected, because using the key would take
    long.
    """
    assert check(sign(), chain(key=rsa_key(8200))) == "certificate"


def test_roots_of_amazon():
    """Without *roots*, a certificate from a private authority is rejected."""
    assert check(sign(), roots=None) == "certificate"


@pytest.mark.parametrize("hours", [-12, 0, 12])
def test_time_zones(hours):
    """Validity dates are compared correctly if *now* is in another time zone."""
    now = NOW.astimezone(timezone(timedelta(hours=hours)))
    just_valid, just_expired = (chain(days=(-1, days)) for days in (0.001, -0.001))
    assert verify(sign(), just_valid, now=now) == TOPIC
    assert check(sign(), just_expired, now=now) == "certificate"


def _names_in_the_code():
    """Yield each string in the source code of `events`, because `parse` may use it as a field name."""
    for path in Path(events.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.mark.parametrize(
    "value", ["Completed", {"eventSource": "aws:s3"}, [{"s3": {}}], "s3:TestEvent"]
)
def test_unsigned_fields_do_not_mislead(value):
    """Adding a field that SNS does not sign never changes what `parse` returns for a verified
    message.
    """
    content = json.dumps({"eventSource": "aws:sagemaker", "invocationStatus": "Completed"})
    signed = sign(Message=content)
    genuine = parse(body(signed), source=TOPIC)
    for name in {*_names_in_the_code()} - signed.keys():
        text = body({**signed, name: value})
        try:
            source = verify(text)
        except SignatureError:
            continue
        assert parse(text, source=source) == genuine, name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES), st.data())
def test_mutated_fields(message, data):
    """If a field is changed at random, the message is rejected, unless SNS does not sign the field."""
    signed = sign(message)
    name = data.draw(st.sampled_from(sorted(signed)) | st.text())
    value = data.draw(JSON | st.text(alphabet="aA0-:.\n/{}\ud800"))
    changed = {**signed, name: value}
    try:
        verify(changed)
    except SignatureError as error:
        assert error.check in {"message", "topic", "certificate_url", "time", "signature"}  # noqa: PT017
    else:
        unsigned = name not in {name for _, name in SIGNED}
        assert changed == signed or unsigned or (name, value) == ("Subject", None)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES), st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_mutated_bytes(message, position, replacement):
    """If bytes of a body are changed at random, it is rejected or its signed fields are unchanged."""
    text = body(sign(message))
    end = position + len(replacement)
    changed = text[:position] + replacement + text[end:]
    try:
        verify(changed)
    except SignatureError:
        return
    names = {name for one, name in SIGNED if one is message}
    before, after = json.loads(text), json.loads(changed)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_mutated_certificates(position, replacement):
    """If bytes of a certificate chain are changed at random, only SignatureError may be raised."""
    pem = chain()
    changed = pem[:position] + replacement + pem[position + len(replacement) :]
    try:
        verify_sns(
            sign(), topic_arns={TOPIC}, certificate=lambda _url: changed, now=NOW, roots=roots()
        )
    except SignatureError as error:
        assert error.check in {"certificate", "signature"}  # noqa: PT017
