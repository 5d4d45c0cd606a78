"""Sends the status 200 of a response before the document that is its content.

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
    """The XML declaration, white space, and the rest of a document."""

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
    """Return a reply with the status 200, whose document follows after some white space.

    A reply without a document is returned unchanged.
    """
    if reply.headers.get("content-type") != "application/xml":
        return reply
    return evolve(reply, status=200, body=b"", stream=_LateDocument(reply.body, fault.seconds))
