"""Sends the status 200 some time before the document that reports the result of the operation.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

import asyncio
from collections.abc import AsyncGenerator

from attrs import evolve, frozen

from .._fault_types import EarlySuccess
from .._reply import XML_HEADER, Reply

_INTERVAL = 0.05  # seconds between two spaces


@frozen
class _LateDocument:
    """An XML document in which white space, sent over some time, follows the XML declaration."""

    document: bytes
    seconds: float
    is_reset: bool = False

    async def frames(self) -> AsyncGenerator[bytes]:
        """Yield the pieces of the content."""
        yield XML_HEADER.encode()
        for _ in range(int(self.seconds / _INTERVAL) + 1):
            yield b" "
            await asyncio.sleep(min(_INTERVAL, self.seconds))
        yield self.document.removeprefix(XML_HEADER.encode())

    async def aclose(self) -> None:
        """Do nothing: the document is in memory."""


def send_early(reply: Reply, fault: EarlySuccess) -> Reply:
    """Return a reply with the status 200 that sends white space before its document.

    A reply without a document is returned unchanged.
    """
    if reply.headers.get("content-type") != "application/xml":
        return reply
    return evolve(reply, status=200, body=b"", stream=_LateDocument(reply.body, fault.seconds))
