"""A decoder for the body format ``aws-chunked``; the module `chunked` contains the grammar.

The error codes are those of S3; an error in the format of a chunk has the code IncompleteBody.

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
from .feeding import ByteBuffer, Bytes, Parser, Readable, adrive, drive
from .signature_chain import SignatureChain
from .trailers import Trailers, malformed_trailer

# Unsigned chunks are decoded, and sources are read, in pieces of at most this many bytes.
_PIECE_SIZE = 65_536

_is_size = re.compile(rb"[0-9A-Fa-f]{1,16}").fullmatch
_is_length = re.compile(r"[0-9]{1,18}").fullmatch
_NO_HASHERS: Hashers = MappingProxyType({})


def incomplete_body(message: str) -> SignatureError:
    return SignatureError("IncompleteBody", message)


class ChunkDecoder:
    """Decodes one aws-chunked body, and checks its signatures and checksum.

    Call `feed` with the bytes as they arrive, in pieces of any size, and then `finish`.

    The data of a signed chunk is returned after its signature has been checked; between calls, at
    most one incomplete chunk is held in memory.  The length, the checksum and the trailers can be
    checked only at the end, so do not rely on the body before `finish` has returned.

    Args:
        payload: The request's ``x-amz-content-sha256``, as a `Payload`.
        decoded_length: The request's ``x-amz-decoded-content-length``: the length of the decoded
            body in bytes.
        trailers: The names in the request's ``x-amz-trailer``, in lower case.
        seed: The value of `Verified.seed`; required for signed chunks, ignored for unsigned chunks.
        hashers: A mapping from checksum names, such as ``CRC32C``, to functions that return a
            hasher, for checksums that the standard library cannot compute.
        largest_chunk: The maximum size of a signed chunk in bytes.  The decoder holds a whole
            signed chunk in memory.

    Raises:
        SignatureError: The names in *trailers* are invalid, *payload* requires trailers although
            *trailers* is empty, or *payload* allows no trailers although *trailers* is not empty.
        ValueError: *payload* is not for an aws-chunked body, or *seed* is missing although the
            chunks are signed.
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
            raise ValueError(f"payload must be made by Payload.streaming, not {payload.hash}")
        signed = "UNSIGNED" not in payload.hash
        if signed and seed is None:
            raise ValueError(
                "seed is required for signed chunks: pass Verified.seed of the request"
            )
        self._chain = SignatureChain(seed) if seed is not None and signed else None
        self._expected_trailers = Trailers(
            [name for name in trailers if name], hashers, signed=signed
        )
        if bool(self._expected_trailers.names) != payload.hash.endswith("-TRAILER"):
            raise malformed_trailer(
                "x-amz-trailer must be sent if, and only if, x-amz-content-sha256 ends with -TRAILER"
            )
        self._decoded_length = self._remaining = decoded_length
        self._largest_chunk = largest_chunk
        self._buffer = ByteBuffer()
        self._ready: list[bytes] = []
        self._error: SignatureError | None = None
        self._complete = False
        self._parser = self._parse_body()

    @classmethod
    def of(
        cls,
        request: SignableRequest,
        verified: Verified,
        *,
        hashers: Hashers = _NO_HASHERS,
        largest_chunk: int = LARGEST_CHUNK,
    ) -> "ChunkDecoder":
        """Create a decoder for the body of a request that `verify` has accepted.

        Args:
            request: The request, with the headers as they arrived.
            verified: The result of `verify` for this request.
            hashers: As for the constructor.
            largest_chunk: As for the constructor.

        Raises:
            SignatureError: A header that describes the encoded body is missing or invalid.
            ValueError: According to `Verified.payload_hash`, the body is not ``aws-chunked``.
        """
        length = request.header("x-amz-decoded-content-length")
        if length is None:
            raise SignatureError(
                "MissingContentLength", "the header x-amz-decoded-content-length is missing"
            )
        if not _is_length(length):
            raise SignatureError(
                "InvalidArgument",
                "x-amz-decoded-content-length must be a decimal number of at most 18 digits",
            )
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
        """The values of the trailers received so far, keyed by name.

        The trailer signature is removed at the end of the body.
        """
        return dict(self._expected_trailers.received)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of the checksum trailers that are not compared, because they have no hasher."""
        return self._expected_trailers.unchecked

    def feed(self, data: Bytes) -> bytes:
        """Add the next bytes of the encoded body, and return the decoded bytes that are ready.

        Raises:
            SignatureError: The body is invalid.  Every later call raises the same error.
        """
        if self._error:
            # The traceback is removed, because each call would otherwise lengthen it.
            raise self._error.with_traceback(None)
        self._buffer.put(data)
        try:
            next(self._parser, None)
            if self._complete and self._buffer:
                raise incomplete_body("there are bytes after the end of the aws-chunked body")
        except SignatureError as error:
            self._error = error
            raise
        ready = b"".join(self._ready)
        self._ready.clear()
        return ready

    def finish(self) -> bytes:
        """Check that the body is complete, and return ``b""``.

        Raises:
            SignatureError: The body is truncated or invalid.
        """
        self.feed(b"")
        if not self._complete:
            self._error = incomplete_body(
                "the aws-chunked body is truncated: its last chunk or its trailers are missing"
            )
            raise self._error
        return b""

    def decode(self, source: Bytes | Readable | Iterable[bytes]) -> Iterator[bytes]:
        """Yield the decoded body of *source*.

        Args:
            source: The encoded body: bytes, a file opened in binary mode, or an iterable of bytes.

        Raises:
            SignatureError: The body is invalid; the error is raised during iteration.
        """
        return drive(self, source, _PIECE_SIZE)

    def adecode(self, source: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Like `decode`, for an asynchronous iterable."""
        return adrive(self, source, _PIECE_SIZE)

    def _parse_body(self) -> Parser:
        """Parse ``*chunk last-chunk [trailers] CRLF``."""
        number, previous = 0, SMALLEST_CHUNK
        while True:
            number += 1
            size, signature = yield from self._parse_head(number)
            if size and previous < SMALLEST_CHUNK:
                raise SignatureError(
                    "InvalidChunkSizeError",
                    f"chunk {number - 1} has {previous} bytes; "
                    f"every chunk except the last must have at least {SMALLEST_CHUNK}",
                )
            previous = size
            if self._chain:
                data = yield from self._buffer.exactly(size)
                self._chain.check_padded(signature, f"chunk {number}", "PAYLOAD", b"", data)
                self._emit(data)
            else:
                yield from self._parse_unsigned(size)
            if size == 0:
                break
            yield from self._parse_line_end(number)
        if self._remaining:
            raise incomplete_body(
                f"the chunks contain {self._decoded_length - self._remaining} bytes, "
                f"but the decoded length is {self._decoded_length}"
            )
        yield from self._parse_trailers()
        self._complete = True

    def _parse_head(self, number: int) -> Generator[None, None, tuple[int, str]]:
        """Parse the first line of a chunk, and return its size and its signature."""
        line = yield from self._buffer.line(LONGEST_CHUNK_HEAD)
        size, _, extension = (line or b"").partition(b";")
        if not _is_size(size):
            raise incomplete_body(f"chunk {number} must begin with its size in hexadecimal")
        if int(size, 16) > self._remaining:
            raise incomplete_body(
                f"the chunks contain more bytes than the decoded length of {self._decoded_length}"
            )
        if self._chain and int(size, 16) > self._largest_chunk:
            raise SignatureError(
                "EntityTooLarge",
                f"chunk {number} has {int(size, 16)} bytes; at most {self._largest_chunk} are allowed",
            )
        if extension and not self._chain:
            raise incomplete_body(
                f"chunk {number} is unsigned and must not have an extension after its size"
            )
        signature = (b";" + extension).decode("latin-1").removeprefix(SIGNATURE)
        return int(size, 16), signature

    def _parse_unsigned(self, size: int) -> Parser:
        """Parse the data of an unsigned chunk; each piece is decoded as it arrives."""
        while size:
            data = yield from self._buffer.some(min(size, _PIECE_SIZE))
            size -= len(data)
            self._emit(data)

    def _emit(self, data: bytes) -> None:
        self._remaining -= len(data)
        self._expected_trailers.update(data)
        self._ready.append(data)

    def _parse_line_end(self, number: int) -> Parser:
        """Parse the ``CRLF`` after the data of a chunk."""
        if (yield from self._buffer.exactly(2)) != b"\r\n":
            raise incomplete_body(f"the data of chunk {number} must be followed by CRLF")

    def _parse_trailers(self) -> Parser:
        """Parse ``[trailers] CRLF``, and check the trailers' signature and checksum."""
        left = LONGEST_TRAILERS
        while line := (yield from self._buffer.line(left)):
            self._expected_trailers.add(line)
            left -= len(line)
        if line is None:
            raise malformed_trailer(
                f"the trailers are longer than the limit of {LONGEST_TRAILERS} bytes"
            )
        signature, text = self._expected_trailers.signature_and_text()
        if self._chain and text:
            self._chain.check_padded(signature, "the trailers", "TRAILER", text)
        self._expected_trailers.check()
