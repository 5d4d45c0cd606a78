"""Checks an SNS message as far as possible without its certificate.

The cheapest checks come first, so that rejecting a forged message usually costs little, and no
download.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and the
library ``sns-message-manager`` of the AWS SDK for Java 2 (hosts and names of certificates).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

from .._aws.endpoint import get_partition
from .._errors import ParamValidationError, RuntimeClientError
from .._limits import NOTIFICATION_SIZE
from .._value import Value, type_name
from ._json import Document, UnreadableError, check_extent, encode, load, parse_time

# The fields that SNS signs, in the order in which they are signed.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
# Fields that `parse` would read instead of the signed fields.  SNS does not send these fields, so a
# message that contains one is rejected.
_MISLEADING = frozenset(
    {"Records", "Messages", "ResponseMetadata", "Sns", "Body", "body"}
    | {"invocationStatus", "s3", "detail-type", "Event"}
)
_URL_NAMES = (
    "SigningCertURL",
    "SigningCertUrl",
)  # the second name is used in messages to AWS Lambda
_VERSIONS = ("1", "2")
_TOPIC = r"arn:aws[a-z-]*:sns:([a-z0-9]+(?:-[a-z0-9]+)+):\d{12}:[\w-]{1,256}(?:\.fifo)?"
_FILE = r"SimpleNotificationService-[0-9A-Fa-f]{1,64}\.pem"
_LONGEST_SIGNATURE = 2048  # in Base64 characters; the signature of an 8192-bit key needs 1368
# How many seconds a message's timestamp may be in the future, because clocks differ.
_CLOCK_DIFFERENCE = 300


class SignatureError(RuntimeClientError):
    """A message was not sent by SNS, is too old, or is not from an expected topic.

    The text of the error states which check failed, and never quotes the SNS message.  Do not use
    the SNS message.  Respond to its sender with status 403; SNS does not send the message again
    after this status.

    Attributes:
        check: The check that failed: ``"message"`` (size, JSON and types), ``"topic"``,
            ``"certificate_url"``, ``"time"``, ``"certificate"`` or ``"signature"``.
    """

    def __init__(self, message: str = "", *, check: str = "") -> None:
        super().__init__(message)
        self.check = check


class SignedMessage(Value):
    """The parts of a message that are needed to verify its signature.

    Attributes:
        topic_arn: The ARN of the topic, one of the expected ones.
        certificate_url: The address of the certificate, on a host of SNS.
        certificate_names: The allowed names of the certificate, which must have one of them.
        text: The string to sign.  ``repr`` omits it.
        signature: The signature.  ``repr`` omits it.
        version: ``1`` for SHA-1, or ``2`` for SHA-256.
    """

    __slots__ = __match_args__ = (
        "topic_arn",
        "certificate_url",
        "certificate_names",
        "text",
        "signature",
        "version",
    )
    _hidden = frozenset({"text", "signature"})

    topic_arn: str
    certificate_url: str
    certificate_names: tuple[str, ...]
    text: bytes
    signature: bytes
    version: str

    def __init__(
        self,
        topic_arn: str,
        certificate_url: str,
        certificate_names: tuple[str, ...],
        text: bytes,
        signature: bytes,
        version: str,
    ) -> None:
        self.topic_arn = topic_arn
        self.certificate_url = certificate_url
        self.certificate_names = certificate_names
        self.text = text
        self.signature = signature
        self.version = version


def check_arguments(message: object, topic_arns: object, now: object, max_age: object) -> None:
    """Check the types and values of arguments of `verify_sns`.

    Raises:
        ParamValidationError: An argument is invalid.
    """
    if not isinstance(message, dict | str | bytes):
        raise ParamValidationError(
            f"message must be a dict, str or bytes, not {type_name(message)}", argument="message"
        )
    is_collection = isinstance(topic_arns, Collection) and not isinstance(
        topic_arns, str | bytes | Mapping
    )
    arns = list(cast("Collection[object]", topic_arns)) if is_collection else []
    if not arns or not all(isinstance(arn, str) and re.fullmatch(_TOPIC, arn) for arn in arns):
        raise ParamValidationError(
            "topic_arns must be a collection of at least one complete ARN of a topic, such as"
            " {'arn:aws:sns:us-east-1:123456789012:my-topic'}",
            argument="topic_arns",
        )
    if not isinstance(now, datetime) or now.tzinfo is None:
        raise ParamValidationError("now must be a datetime with a time zone", argument="now")
    is_number = isinstance(max_age, int | float) and not isinstance(max_age, bool)
    if not is_number or not cast("float", max_age) > 0:
        raise ParamValidationError(
            "max_age must be a positive number of seconds", argument="max_age"
        )


def check_message(
    message: dict[str, Any] | str | bytes,
    topic_arns: Collection[str],
    now: datetime,
    max_age: float,
) -> SignedMessage:
    """Check everything about a message that can be checked without its certificate.

    Raises:
        SignatureError: The message is malformed or from another topic, its timestamp is too old or
            in the future, or the address of its certificate is not on a host of SNS.
    """
    document = _load(message)
    fields = _signed_fields(document)
    text = encode("".join(f"{name}\n{value}\n" for name, value in fields.items()))
    if text is None or len(text) > NOTIFICATION_SIZE:
        raise _malformed(f"it is longer than {NOTIFICATION_SIZE:,} bytes, or not Unicode text")
    version, signature, url = _version(document), _signature(document), _url(document)
    topic_arn = fields["TopicArn"]
    if topic_arn not in topic_arns:
        raise SignatureError(
            "the SNS message is from a topic that is not in topic_arns: if you expect the message, add"
            " the ARN of its topic",
            check="topic",
        )
    region = topic_arn.split(":")[3]
    suffix = get_partition(region).suffix
    _check_urls(f"https://sns.{region}.{suffix}/", url, fields.get("SubscribeURL"))
    _check_time(fields["Timestamp"], now, max_age)
    return SignedMessage(topic_arn, url, _names(region, suffix), text, signature, version)


def _load(message: dict[str, Any] | str | bytes) -> Document:
    try:
        document = message if isinstance(message, dict) else load(message, NOTIFICATION_SIZE)
        check_extent(document)
    except UnreadableError as error:
        reason = error.reason.replace("the message", "it", 1)
        raise _malformed(reason) from None
    return document


def _malformed(reason: str) -> SignatureError:
    message = f"this is not a message of SNS, because {reason}: pass the body of SNS's request"
    return SignatureError(f"{message} unchanged", check="message")


def _signed_fields(document: Document) -> dict[str, str]:
    """Return the fields that SNS signs, in the order in which it signs them."""
    kind = document.get("Type")
    names = _SIGNED.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise _malformed("its Type is none that SNS signs")
    if not _MISLEADING.isdisjoint(document):
        raise _malformed("it contains a field that SNS does not send")
    # If a message has no subject, the field Subject may be null, and SNS does not sign it.
    has_subject = document.get("Subject") is not None
    return {name: _text(document, name) for name in names if name != "Subject" or has_subject}


def _text(document: Document, name: str) -> str:
    """Return the string *name* in a document.

    Only ``Message`` may contain line breaks.  If other fields could contain them, too, an attacker
    could move text from one field to another without changing the string to sign.
    """
    value = document.get(name)
    if not isinstance(value, str):
        raise _malformed(f"its {name} is missing or not a string")
    if "\n" in value and name != "Message":
        raise _malformed(f"its {name} contains a line break")
    return value


def _version(document: Document) -> str:
    version = _text(document, "SignatureVersion")
    if version not in _VERSIONS:
        raise _malformed("its SignatureVersion is neither 1 nor 2")
    return version


def _signature(document: Document) -> bytes:
    try:
        return b64decode(_text(document, "Signature")[:_LONGEST_SIGNATURE], validate=True)
    except ValueError:
        raise _malformed("its Signature is not Base64") from None


def _url(document: Document) -> str:
    names = [name for name in _URL_NAMES if name in document]
    if len(names) != 1:
        raise _malformed("it does not have exactly one SigningCertURL")
    return _text(document, names[0])


def _check_urls(start: str, url: str, subscribe_url: str | None) -> None:
    """Check that the addresses in a message are on the host of SNS in the region of the topic.

    Args:
        start: The beginning of every address on this host.
        url: The address of the certificate.
        subscribe_url: The address that confirms a subscription, if the message has one.
    """
    if not re.fullmatch(re.escape(start) + _FILE, url):
        raise SignatureError(
            f"the certificate of the SNS message is not at {start}SimpleNotificationService-*.pem:"
            " the message is forged",
            check="certificate_url",
        )
    if subscribe_url is not None and not subscribe_url.startswith(start):
        raise _malformed(f"its SubscribeURL does not begin with {start}")


def _check_time(timestamp: str, now: datetime, max_age: float) -> None:
    time = parse_time(timestamp)
    if time is None:
        raise _malformed("its Timestamp is not a time")
    age = (now - time).total_seconds()
    if age > max_age:
        raise SignatureError(
            f"the SNS message is older than {max_age:g} seconds (max_age), so it may have been"
            " recorded and sent again: if messages may take longer, pass a greater max_age",
            check="time",
        )
    if age < -_CLOCK_DIFFERENCE:
        raise SignatureError(
            f"the SNS message's Timestamp is more than {_CLOCK_DIFFERENCE} seconds in the future: correct"
            " the clock of this machine",
            check="time",
        )


def _names(region: str, suffix: str) -> tuple[str, ...]:
    """Return the names that the SNS certificate of a region may have."""
    home = "us-gov-west-1" if region == "us-gov-east-1" else region
    return (f"sns-signing.{region}.{suffix}", f"sns-{home}.{suffix}", f"sns.{suffix}")
