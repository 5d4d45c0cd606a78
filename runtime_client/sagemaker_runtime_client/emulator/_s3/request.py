"""A request to S3, whose body is verified and decoded while it arrives."""

from collections.abc import AsyncGenerator, Mapping

from attrs import field, frozen

from .._authentication import BodyVerifier
from .._fault_types import Fault
from .._reply import rejection
from .._target import Target

# The maximum size of a document in the body of a request, in bytes.
_LARGEST_DOCUMENT = 8 * 1024 * 1024


class RequestBody:
    """The body of a request to S3.  It can be read once.

    Args:
        source: Yields the body as it arrives.
        verifier: Verifies and decodes the body.

    Attributes:
        trailers: The trailers of the body, keyed by name; empty until the body has been read.
    """

    def __init__(self, source: AsyncGenerator[bytes], verifier: BodyVerifier) -> None:
        self._source = source
        self._verifier = verifier
        self.trailers: dict[str, str] = {}

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the decoded body in pieces.  It is completely verified only after the last piece.

        Raises:
            RejectedRequestError: The body is invalid, or does not match its signature.
        """
        async for data in self._source:
            yield self._verifier.feed(data)
        self.trailers = self._verifier.finish()

    async def read(self) -> bytes:
        """Return the whole decoded body, which must be a small document.

        Raises:
            RejectedRequestError: The body is invalid, does not match its signature or is too large.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > _LARGEST_DOCUMENT:
                raise rejection(
                    400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"
                )
        return bytes(body)


@frozen
class ObjectRequest:
    """A request to S3 whose signature is valid.

    Attributes:
        target: The target of the request.
        headers: The headers, keyed by name.
        body: The body, which has not been read.
        faults: The faults that apply to the request.
    """

    target: Target
    headers: Mapping[str, str] = field(repr=False)
    body: RequestBody
    faults: tuple[Fault, ...] = ()
