"""`verify_sns`, which proves that SNS sent a message, for programs that receive messages over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, cast

from .._errors import ParamValidationError
from .._io.system import System
from .._value import type_name
from ._certificate import read_certificates, require_cryptography, verify
from ._signed_message import check_arguments, check_message


def verify_sns(
    message: dict[str, Any] | str | bytes,
    *,
    topic_arns: Collection[str],
    certificate: Callable[[str], bytes],
    now: datetime | None = None,
    max_age: float = 3600.0,
    roots: bytes | None = None,
) -> str:
    """Verify that SNS has sent a message, and return the ARN of its topic.

    Pass the ARN as ``source`` to `parse`, together with the same message.  The method
    ``verify_sns`` of a client does the same, and downloads the certificate itself.  Messages that
    AWS Lambda or SQS delivers need no verification, because IAM controls access to Lambda functions
    and queues.

    The checks, in this order: the size, the JSON and the types of the fields; the topic; the
    address of the certificate (on the host of SNS in the topic's region); the age; the certificate
    (size, dates, RSA key of 2048 to 8192 bits, name, and the chain to a root); the signature.
    Because of the chain, someone who intercepts the download cannot substitute another certificate.
    Revocation is not checked.

    SNS signs the fields Message, MessageId, Timestamp, TopicArn, Type, Subject, SubscribeURL and
    Token, so other fields, such as MessageAttributes and UnsubscribeURL, may be forged.  To confirm
    a subscription, request the address in SubscribeURL of the verified message.

    If a message is sent again within *max_age* seconds, it is accepted again.  Recognize such a
    message by its MessageId, or by the ``idempotency_key`` of its events.

    Args:
        message: The body of the request that SNS has sent, or an SNS envelope as a dict.
        topic_arns: The ARNs of the topics whose messages are expected, at least one.
        certificate: A function that accepts the address of the certificate, and returns the
            certificate as PEM, followed by those of its issuers, at most 65,536 bytes in total.  It
            is called only if the address is on a host of SNS.
        now: The current time; None for the time of this machine's clock.
        max_age: How many seconds may have passed since the message was published; ``math.inf`` for
            no limit.  SNS repeats failed deliveries for up to an hour.
        roots: The trusted root certificates as PEM; None for those of Amazon Trust Services in
            certifi's bundle.

    Returns:
        The ARN of the topic, which is one of *topic_arns*.

    Raises:
        SignatureError: A check failed; the error's attribute `check` identifies it.  Do not use the
            message, and respond with status 403.
        ParamValidationError: An argument is invalid, or *certificate* did not return bytes.
        ConfigError: The package `cryptography` is not installed, or certifi's bundle lacks the
            roots of Amazon Trust Services.

    Source:
    https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
    """
    now = System.now() if now is None else now
    check_arguments(message, topic_arns, now, max_age)
    require_cryptography()
    checked = check_message(message, topic_arns, now, max_age)
    pem = cast("object", certificate(checked.certificate_url))
    if not isinstance(pem, bytes):
        raise ParamValidationError(
            f"the function certificate must return bytes, not {type_name(pem)}",
            argument="certificate",
        )
    verify(checked, read_certificates(pem), roots, now)
    return checked.topic_arn
