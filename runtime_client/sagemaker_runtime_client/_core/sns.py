"""Downloads the certificate with which SNS has signed a message, and verifies the message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._aws.auth import Unsigned
from .._aws.endpoint import Endpoint
from .._aws.error_response import json_error
from .._aws.operation import Operation
from .._io.message import Request
from .._limits import SNS_CERTIFICATE
from ..events._certificate import (
    issuer_url,
    read_certificates,
    read_issuer,
    require_cryptography,
    verify,
)
from ..events._signed_message import check_arguments, check_message

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from .._aws.call import ServiceClient
    from .session import Session

# A few certificates suffice, because SNS changes the certificate of a region about twice a year.
_MOST_CERTIFICATES = 64


class SNSVerification:
    """The verification of one message.

    Args:
        message: The message.
        topic_arns: The ARNs of the expected topics.
        max_age: How many seconds may have passed since the message was published.
        roots: The trusted roots as PEM; None for those of Amazon Trust Services.
        now: The current time.

    Raises:
        SignatureError: The message is malformed, or it was not sent by SNS for one of the topics
            within the last *max_age* seconds.
        ParamValidationError: An argument is invalid.
        ConfigError: The package `cryptography` is not installed.
    """

    def __init__(
        self,
        message: dict[str, Any] | str | bytes,
        topic_arns: Collection[str],
        max_age: float,
        roots: bytes | None,
        now: datetime,
    ) -> None:
        check_arguments(message, topic_arns, now, max_age)
        require_cryptography()
        self._message = check_message(message, topic_arns, now, max_age)
        self._roots, self._now = roots, now

    async def run(self, session: Session, deadline: float | None) -> str:
        """Verify the message, and return the ARN of its topic.

        A certificate is stored only after it has verified a message.  Otherwise, a forged message
        could cause an unrelated certificate to be stored.
        """
        client, found = session.sns
        url = self._message.certificate_url
        certificates = found.get(url) or await _download(client, url, deadline)
        verify(self._message, certificates, self._roots, self._now)
        if len(found) >= _MOST_CERTIFICATES:
            found.clear()
        found[url] = certificates
        return self._message.topic_arn


async def _download(client: ServiceClient, url: str, deadline: float | None) -> list[Certificate]:
    """Return the certificate at *url*, and its issuer's certificate if that must be downloaded."""
    certificates = read_certificates(await _get(client, url, deadline))
    if issuer := issuer_url(certificates):
        certificates.append(read_issuer(await _get(client, issuer, deadline)))
    return certificates


async def _get(client: ServiceClient, url: str, deadline: float | None) -> bytes:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    operation = Operation(
        Endpoint(f"{scheme}://{host}", "sns", ""),
        Request("GET", f"/{path}"),
        json_error,
        limit=SNS_CERTIFICATE,
        deadline=deadline,
        auth=Unsigned(),
    )
    return (await client.send(operation)).body
