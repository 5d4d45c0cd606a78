"""
The body format ``aws-chunked``, as its receiver has it; `chunked` has the grammar.

Codes of refusals are those of S3: IncompleteBody for whatever is wrong with the framing.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from types import MappingProxyType

from .._algorithm import SeedSignature
from .._errors import SignatureError
from .._limits import LARGEST_CHUNK, LONGEST_CHUNK_HEAD, LONGEST_TRAILERS
from .._payload import CHUNKED, Payload
from .._request import SignableRequest
from .._verifying.verified import Verified
from .checksums import Hashers
from .chunked import SIGNATURE, SMALLEST_CHUNK
from .feeding import Bytes, Inbox, Readable, Waiting, adrive, drive
from .signature_chain import Chain
from .trailers import Trailers, malformed_trailer

_PIECE = 65_536  # what is taken of an unsigned chunk at a time, and fed of an iterable

_is_size = re.compile(rb"[0-9A-Fa-f]{1,16}").fullmatch
_is_length = re.compile(r"[0-9]{1,18}").fullmatch
_NO_HASHERS: Hashers = MappingProxyType({})


def _malformed(what: str) -> SignatureError:
    return SignatureError("IncompleteBody", what)


class ChunkDecoder:
    """
    Decodes and checks one body: feed it what arrives, in pieces of any size, and then finish.

    A signed chunk comes out when its signature has been checked, and no more than one is held.
    Length, checksum and trailers are known only at the end: use nothing before `finish` has
    returned.

    Args:
        payload: What the request's ``x-amz-content-sha256`` says, as a `Payload`.
        decoded_length: The length of the body itself, in bytes, as the request states it.
        trailers: The names of the trailers that the request announces, in lower case.
        seed: From `Verified.seed`; not used if chunks are unsigned.
        hashers: Make what checks ``CRC32C``, ``CRC64NVME`` or other checksums that the standard
            library lacks, by the checksum's name.
        largest_chunk: How many bytes a signed chunk may have at most: that much may be held.

    Raises:
        SignatureError: The trailers that the request announces are not possible.
        ValueError: The payload is not one in chunks, or signed chunks have no seed.
    """

    def __init__(
        self,
        payload: Payload,
        decoded_length: int,
        *,
        trailers: Iterable[str] = (),
        seed: SeedSignature | None = None,
        hashers: Hashers = _NO_HASHERS,
        largest_chunk: int = LARGEST_CHUNK,
    ) -> None:
        if payload.hash not in CHUNKED:
            raise ValueError("payload must be one in chunks, as Payload.streaming makes it")
        signed = "UNSIGNED" not in payload.hash
        if signed and seed is None:
            raise ValueError("signed chunks need the seed of their request")
        self._chain = Chain(seed) if seed is not None and signed else None
        self._expected = Trailers([name for name in trailers if name], hashers, signed=signed)
        if bool(self._expected.names) != payload.hash.endswith("-TRAILER"):
            raise malformed_trailer("x-amz-trailer is not what x-amz-content-sha256 promises")
        self._decoded_length = self._left = decoded_length
        self._largest_chunk = largest_chunk
        self._inbox = Inbox()
        self._outbox: list[bytes] = []
        self._refusal: SignatureError | None = None
        self._complete = False
        self._parser = self._body()

    @classmethod
    def of(
        cls,
        request: SignableRequest,
        verified: Verified,
        *,
        hashers: Hashers = _NO_HASHERS,
        largest_chunk: int = LARGEST_CHUNK,
    ) -> "ChunkDecoder":
        """
        Return the decoder for the body of a request that `verify` has passed.

        Raises:
            SignatureError: A header that says how to decode the body is missing or wrong.
            ValueError: The request has no body in chunks: see `Verified.payload_hash`.
        """
        length = request.header("x-amz-decoded-content-length")
        if length is None:
            raise SignatureError("MissingContentLength", "x-amz-decoded-content-length is missing")
        if not _is_length(length):
            raise SignatureError("InvalidArgument", "x-amz-decoded-content-length is no length")
        names = [
            name.strip().lower()
            for header, value in request.headers
            if header == "x-amz-trailer"
            for name in value.split(",")
        ]
        return cls(
            Payload(verified.payload_hash),
            int(length),
            trailers=names,
            seed=verified.seed,
            hashers=hashers,
            largest_chunk=largest_chunk,
        )

    @property
    def trailers(self) -> dict[str, str]:
        """The trailers that came, without their signature."""
        return dict(self._expected.received)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of the trailers that are checksums which nothing here can compute."""
        return self._expected.unchecked

    def feed(self, data: Bytes) -> bytes:
        """
        Take the next bytes that arrived, and return those of the body that are known by now.

        Raises:
            SignatureError: The body is refused, now and whatever else is fed.
        """
        if self._refusal:
            raise self._refusal.with_traceback(None)  # it would grow with each time
        self._inbox.put(data)
        try:
            next(self._parser, None)
            if self._complete and self._inbox:
                raise _malformed("bytes follow the end of the body")
        except SignatureError as refusal:
            self._refusal = refusal
            raise
        ready = b"".join(self._outbox)
        self._outbox.clear()
        return ready

    def finish(self) -> bytes:
        """
        Return nothing, now that the body has ended as it must.

        Raises:
            SignatureError: It has not.
        """
        self.feed(b"")
        if not self._complete:
            self._refusal = _malformed("the body ends before its last chunk or its trailers do")
            raise self._refusal
        return b""

    def decode(self, source: Bytes | Readable | Iterable[bytes]) -> Iterator[bytes]:
        """Return the body of *source*: bytes, a file opened for reading bytes, or an iterable."""
        return drive(self, source, _PIECE)

    def adecode(self, source: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Do what `decode` does with a source that must be awaited."""
        return adrive(self, source, _PIECE)

    def _body(self) -> Waiting:
        """Parse ``*chunk last-chunk [trailers] CRLF``."""
        number, previous = 0, SMALLEST_CHUNK
        while True:
            number += 1
            size, signature = yield from self._head()
            if size and previous < SMALLEST_CHUNK:
                raise SignatureError(
                    "InvalidChunkSizeError", f"only the last chunk may be under {SMALLEST_CHUNK}"
                )
            previous = size
            if self._chain:
                data = yield from self._inbox.exactly(size)
                self._chain.check_padded(signature, f"chunk {number}", "PAYLOAD", b"", data)
                self._take(data)
            else:
                yield from self._unsigned(size)
            if size == 0:
                break
            yield from self._line_end()
        if self._left:
            raise _malformed(f"the body lacks {self._left} of {self._decoded_length} bytes")
        yield from self._trailers()
        self._complete = True

    def _head(self) -> Generator[None, None, tuple[int, str]]:
        """Parse ``size [signature] CRLF``."""
        line = yield from self._inbox.line(LONGEST_CHUNK_HEAD)
        size, _, extension = (line or b"").partition(b";")
        if not _is_size(size):
            raise _malformed("a chunk must begin with its size in hexadecimal")
        if int(size, 16) > self._left:
            raise _malformed(f"the body has more than {self._decoded_length} bytes")
        if self._chain and int(size, 16) > self._largest_chunk:
            raise SignatureError(
                "EntityTooLarge", f"a chunk may have {self._largest_chunk} bytes at most"
            )
        if extension and not self._chain:
            raise _malformed("an unsigned chunk has nothing after its size")
        signature = (b";" + extension).decode("latin-1").removeprefix(SIGNATURE)
        return int(size, 16), signature

    def _unsigned(self, size: int) -> Waiting:
        """Parse the data of a chunk, as it comes."""
        while size:
            data = yield from self._inbox.some(min(size, _PIECE))
            size -= len(data)
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Put *data* out."""
        self._left -= len(data)
        self._expected.update(data)
        self._outbox.append(data)

    def _line_end(self) -> Waiting:
        """Parse ``CRLF``."""
        if (yield from self._inbox.exactly(2)) != b"\r\n":
            raise _malformed("the data of a chunk must end with CRLF")

    def _trailers(self) -> Waiting:
        """Parse ``[trailers] CRLF``, and check what they say."""
        left = LONGEST_TRAILERS
        while line := (yield from self._inbox.line(left)):
            self._expected.add(line)
            left -= len(line)
        if line is None:
            raise malformed_trailer(f"the trailers are longer than {LONGEST_TRAILERS} bytes")
        signature, text = self._expected.signed()
        if self._chain and text:
            self._chain.check_padded(signature, "the trailers", "TRAILER", text)
        self._expected.check()
