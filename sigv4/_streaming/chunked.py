"""An encoder for the body format ``aws-chunked``: signed chunks, a checksum as trailer, or both.

    body       = *chunk last-chunk [trailers] CRLF
    chunk      = size [signature] CRLF data CRLF           (size in hexadecimal)
    last-chunk = "0" [signature] CRLF
    signature  = ";chunk-signature=" 64HEXDIG              (SigV4A: 144, padded with "*")
    trailers   = name ":" value CRLF ["x-amz-trailer-signature:" signature CRLF]

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from attrs import Attribute, field, frozen
from attrs.converters import optional

from .._algorithm import Algorithm, SeedSignature, for_streams
from .._errors import InvalidRequestError
from .._payload import Payload
from .checksums import HASHERS, HEADER, SIZES, Hasher, encode_digest, encoded_size
from .feeding import Bytes, Readable, adrive, drive
from .signature_chain import SignatureChain

# "The chunk size must be at least 8 KB" (sigv4-streaming, see above).  The last chunk may be
# smaller.
SMALLEST_CHUNK = 8192
SIGNATURE = ";chunk-signature="
TRAILER_SIGNATURE = "x-amz-trailer-signature"


def _check_chunk_size(_instance: object, _attribute: "Attribute[int]", size: int) -> None:
    if size < SMALLEST_CHUNK:
        raise ValueError(f"chunk_size must be at least {SMALLEST_CHUNK} bytes, not {size}")


def _check_length(_instance: object, _attribute: "Attribute[int]", length: int) -> None:
    if length < 0:
        raise ValueError(f"decoded_length must be 0 or more, not {length}")


def _check_checksum(
    instance: Any, _attribute: "Attribute[str | None]", checksum: str | None
) -> None:
    if checksum is None:
        if instance.algorithm is None:
            raise ValueError("checksum is required for unsigned chunks: pass one such as 'CRC32'")
        return
    if checksum not in SIZES:
        raise ValueError(f"checksum must be one of {', '.join(SIZES)}, not {checksum!r}")
    if checksum not in HASHERS and instance.hasher is None:
        raise ValueError(
            f"hasher is required for {checksum}, which the standard library cannot compute"
        )


@frozen
class AwsChunked:
    """Describes a body that is sent in chunks: its payload hash, its headers and its encoded bytes.

        body = AwsChunked(signer.algorithm, length, checksum="CRC32")
        request = SignableRequest("PUT", url, body.headers, body.payload)
        signature = signer.sign(request, credentials, at=now)
        headers = body.headers | signature.headers
        content = body.encode(file, signer.seed(signature, credentials))

    Attributes:
        algorithm: The algorithm that signs the request and each chunk.  None leaves the chunks
            unsigned, which S3 accepts only over https and with a checksum.
        decoded_length: The length of the body before encoding, in bytes.
        checksum: The checksum in the trailer: ``CRC32``, ``SHA1``, ``SHA256`` or another checksum
            that S3 supports; None for no trailer.
        chunk_size: The size in bytes of each chunk except the last; at least 8192.  At most one
            chunk is held in memory.
        hasher: A function that returns a hasher for *checksum*: an object with the methods `update`
            and `digest`, as in hashlib.  Required for ``CRC32C``, ``CRC64NVME`` and other checksums
            that the standard library cannot compute.

    Raises:
        ValueError: *decoded_length* or *chunk_size* is out of range; or *checksum* is unknown,
            cannot be computed without *hasher*, or is missing although the chunks are unsigned.
        TypeError: *algorithm* can sign requests but not streams.
    """

    algorithm: Algorithm | None = field(converter=optional(for_streams))
    decoded_length: int = field(validator=_check_length)
    chunk_size: int = field(kw_only=True, default=65_536, validator=_check_chunk_size)
    hasher: Callable[[], Hasher] | None = field(kw_only=True, default=None, repr=False)
    checksum: str | None = field(kw_only=True, default=None, validator=_check_checksum)

    @property
    def payload(self) -> Payload:
        """The payload hash to sign, a marker such as ``STREAMING-UNSIGNED-PAYLOAD-TRAILER``."""
        name = self.algorithm.name if self.algorithm else None
        return Payload.streaming(name, trailer=self.checksum is not None)

    @property
    def trailer(self) -> str | None:
        """The name of the trailer, such as ``x-amz-checksum-crc32``; None if there is no trailer."""
        return None if self.checksum is None else HEADER + self.checksum.lower()

    @property
    def headers(self) -> dict[str, str]:
        """The headers to sign and send with the request.

        If the body is already encoded, for example by gzip, change ``content-encoding`` to
        ``aws-chunked,gzip``.
        """
        headers = {
            "content-encoding": "aws-chunked",
            "content-length": str(self.encoded_length),
            "x-amz-content-sha256": self.payload.hash,
            "x-amz-decoded-content-length": str(self.decoded_length),
        }
        return headers if self.trailer is None else {**headers, "x-amz-trailer": self.trailer}

    @property
    def encoded_length(self) -> int:
        """The length of the encoded body in bytes, which is the request's ``content-length``."""
        full, rest = divmod(self.decoded_length, self.chunk_size)
        chunks = full * self._chunk_length(self.chunk_size)
        last = self._chunk_length(rest) if rest else 0
        return chunks + last + self._chunk_length(0) + self._trailers_length()

    def _chunk_length(self, size: int) -> int:
        """Return the encoded length of a chunk with *size* bytes of data."""
        signature = len(SIGNATURE) + self.algorithm.signature_length if self.algorithm else 0
        return len(f"{size:x}") + signature + len("\r\n") + size + len("\r\n")

    def _trailers_length(self) -> int:
        """Return the encoded length of the trailers."""
        if self.trailer is None or self.checksum is None:
            return 0
        length = len(f"{self.trailer}:\r\n") + encoded_size(self.checksum)
        if self.algorithm:
            length += len(f"{TRAILER_SIGNATURE}:\r\n") + self.algorithm.signature_length
        return length

    def encoder(self, seed: SeedSignature | None = None) -> "ChunkEncoder":
        """Create an encoder for one body.

        Args:
            seed: The result of `Signer.seed` if the chunks are signed; None if they are unsigned.

        Raises:
            ValueError: *seed* is missing or belongs to another algorithm, or it is given although
                the chunks are unsigned.
        """
        return ChunkEncoder(self, seed)

    def encode(
        self, source: Bytes | Readable | Iterable[bytes], seed: SeedSignature | None = None
    ) -> Iterator[bytes]:
        """Yield the encoded body, one chunk at a time.

        Args:
            source: The body: bytes, a file opened in binary mode, or an iterable of bytes.
            seed: As for `encoder`.

        Raises:
            ValueError: As for `encoder`.
            InvalidRequestError: The length of the body is not `decoded_length`; the error is raised
                during iteration.
        """
        return drive(self.encoder(seed), source, self.chunk_size)

    def aencode(
        self, source: AsyncIterable[bytes], seed: SeedSignature | None = None
    ) -> AsyncIterator[bytes]:
        """Like `encode`, for an asynchronous iterable."""
        return adrive(self.encoder(seed), source, self.chunk_size)


class ChunkEncoder:
    """Encodes one body in chunks; the chunks are signed, or a checksum follows them, or both.

    Call `feed` with the bytes of the body, in pieces of any size, and then `finish`.  Between
    calls, at most one incomplete chunk is held in memory.
    """

    __slots__ = ("_chain", "_form", "_hasher", "_pending", "_remaining")

    def __init__(self, form: AwsChunked, seed: SeedSignature | None = None) -> None:
        if (form.algorithm and form.algorithm.name) != (seed and seed.algorithm.name):
            if form.algorithm is None:
                raise ValueError("seed must be None for unsigned chunks")
            raise ValueError(
                f"seed must be a SeedSignature of {form.algorithm.name}: pass the result of Signer.seed"
            )
        self._form = form
        self._chain = None if seed is None else SignatureChain(seed)
        self._hasher = (form.hasher or HASHERS[form.checksum])() if form.checksum else None
        self._pending = bytearray()
        self._remaining = form.decoded_length

    def feed(self, data: Bytes) -> bytes:
        """Add the next bytes of the body, and return the encoded chunks that are complete.

        Raises:
            InvalidRequestError: The body is longer than its decoded length.
        """
        data = bytes(data)
        self._remaining -= len(data)
        if self._remaining < 0:
            raise InvalidRequestError(
                f"the body is longer than decoded_length, which is {self._form.decoded_length} bytes"
            )
        size = self._form.chunk_size
        if len(data) == size and not self._pending:
            return self._chunk(data)  # `encode` feeds whole chunks, which need no copy
        self._pending += data
        whole = len(self._pending) - len(self._pending) % size
        chunks = [self._chunk(bytes(self._pending[at : at + size])) for at in range(0, whole, size)]
        del self._pending[:whole]
        return b"".join(chunks)

    def finish(self) -> bytes:
        """Return the rest of the encoded body: pending data, the last chunk and the trailers.

        Raises:
            InvalidRequestError: The body is shorter than its decoded length.
        """
        if self._remaining:
            raise InvalidRequestError(
                f"the body is {self._remaining} bytes shorter than decoded_length, "
                f"which is {self._form.decoded_length} bytes"
            )
        rest = self._chunk(bytes(self._pending)) if self._pending else b""
        self._pending.clear()
        return b"".join([rest, self._head(b""), self._trailers(), b"\r\n"])

    def _chunk(self, data: bytes) -> bytes:
        """Add *data* to the checksum, and return *data* as an encoded chunk."""
        if self._hasher:
            self._hasher.update(data)
        return b"".join([self._head(data), data, b"\r\n"])

    def _head(self, data: bytes) -> bytes:
        """Return the first line of the chunk that contains *data*; sign *data* if required."""
        chain = self._chain
        signature = SIGNATURE + chain.sign_padded("PAYLOAD", b"", data) if chain else ""
        return f"{len(data):x}{signature}\r\n".encode("ascii")

    def _trailers(self) -> bytes:
        """Return the encoded trailers; empty if there is no checksum."""
        if self._hasher is None:
            return b""
        trailer = f"{self._form.trailer}:{encode_digest(self._hasher.digest())}"
        lines = [trailer]
        if self._chain:
            signature = self._chain.sign_padded("TRAILER", f"{trailer}\n".encode("ascii"))
            lines.append(f"{TRAILER_SIGNATURE}:{signature}")
        return "".join([f"{line}\r\n" for line in lines]).encode("ascii")
