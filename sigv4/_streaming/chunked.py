"""
The body format ``aws-chunked``, as its sender has it: signed or checked while it is being sent.

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
from .checksums import HASHERS, HEADER, SIZES, Hasher, encoded, encoded_size
from .feeding import Bytes, Readable, adrive, drive
from .signature_chain import Chain

# "The chunk size must be at least 8 KB": sigv4-streaming, as above; the last may be smaller.
SMALLEST_CHUNK = 8192
SIGNATURE = ";chunk-signature="
TRAILER_SIGNATURE = "x-amz-trailer-signature"


def _at_least_the_smallest(_instance: object, _attribute: "Attribute[int]", size: int) -> None:
    if size < SMALLEST_CHUNK:
        raise ValueError(f"chunk_size must be at least {SMALLEST_CHUNK} bytes")


def _not_negative(_instance: object, _attribute: "Attribute[int]", length: int) -> None:
    if length < 0:
        raise ValueError("decoded_length must not be negative")


def _known(instance: Any, _attribute: "Attribute[str | None]", checksum: str | None) -> None:
    """Refuse a checksum that S3 does not take, or that nothing here can make."""
    if checksum is None:
        if instance.algorithm is None:
            raise ValueError("unsigned chunks must end with a checksum, such as CRC32")
        return
    if checksum not in SIZES:
        raise ValueError(f"checksum must be one of {', '.join(SIZES)}")
    if checksum not in HASHERS and instance.hasher is None:
        raise ValueError(f"nothing here makes a {checksum}: give a hasher")


@frozen
class AwsChunked:
    """
    How a body is sent in chunks: what to sign, which headers to send, and the bytes themselves.

        body = AwsChunked(signer.algorithm, length, checksum="CRC32")
        request = SignableRequest("PUT", url, body.headers, body.payload)
        signature = signer.sign(request, credentials, at=now)
        headers = body.headers | signature.headers
        content = body.encode(file, signer.seed(signature, credentials))

    Attributes:
        algorithm: What signs each chunk, as it signs the request; None leaves them unsigned,
            which S3 takes over https, with a checksum.
        decoded_length: The length of the body itself, in bytes.
        checksum: Which one follows the body: ``CRC32``, ``SHA1``, ``SHA256`` or another of S3's;
            None if none does.
        chunk_size: How many bytes a chunk has, at least 8192; no more than that is ever held.
        hasher: Makes what computes the checksum (`update` and `digest`, as of hashlib).  Needed
            for ``CRC32C``, ``CRC64NVME`` and what else the standard library lacks.

    Raises:
        ValueError: A size is out of range, or the checksum is not known or cannot be made.
        TypeError: The algorithm signs requests alone.
    """

    algorithm: Algorithm | None = field(converter=optional(for_streams))
    decoded_length: int = field(validator=_not_negative)
    chunk_size: int = field(kw_only=True, default=65_536, validator=_at_least_the_smallest)
    hasher: Callable[[], Hasher] | None = field(kw_only=True, default=None, repr=False)
    checksum: str | None = field(kw_only=True, default=None, validator=_known)

    @property
    def payload(self) -> Payload:
        """What stands for the body in the request's signature."""
        name = self.algorithm.name if self.algorithm else None
        return Payload.streaming(name, trailer=self.checksum is not None)

    @property
    def trailer(self) -> str | None:
        """The name of the trailer, such as ``x-amz-checksum-crc32``; None if there is none."""
        return None if self.checksum is None else HEADER + self.checksum.lower()

    @property
    def headers(self) -> dict[str, str]:
        """
        The headers to sign and send with such a body.

        A body that is encoded already, such as by gzip, needs ``content-encoding`` changed to
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
        """The length of the body as it is sent, in bytes: its ``content-length``."""
        full, rest = divmod(self.decoded_length, self.chunk_size)
        chunks = full * self._chunk_length(self.chunk_size)
        last = self._chunk_length(rest) if rest else 0
        return chunks + last + self._chunk_length(0) + self._trailers_length()

    def _chunk_length(self, size: int) -> int:
        """Return the length of a chunk with *size* bytes of data."""
        signature = len(SIGNATURE) + self.algorithm.signature_length if self.algorithm else 0
        return len(f"{size:x}") + signature + len("\r\n") + size + len("\r\n")

    def _trailers_length(self) -> int:
        """Return the length of the trailers."""
        if self.trailer is None or self.checksum is None:
            return 0
        length = len(f"{self.trailer}:\r\n") + encoded_size(self.checksum)
        if self.algorithm:
            length += len(f"{TRAILER_SIGNATURE}:\r\n") + self.algorithm.signature_length
        return length

    def encoder(self, seed: SeedSignature | None = None) -> "ChunkEncoder":
        """
        Return what encodes one body.

        Args:
            seed: From `Signer.seed`; needed if chunks are signed.

        Raises:
            ValueError: The seed is missing or of another algorithm, or chunks are unsigned.
        """
        return ChunkEncoder(self, seed)

    def encode(
        self, source: Bytes | Readable | Iterable[bytes], seed: SeedSignature | None = None
    ) -> Iterator[bytes]:
        """
        Return the bytes to send, a chunk at a time.

        Args:
            source: The body: bytes, a file opened for reading bytes, or an iterable of bytes.
            seed: As for `encoder`.

        Raises:
            InvalidRequestError: While it is iterated over: the body has another length.
        """
        return drive(self.encoder(seed), source, self.chunk_size)

    def aencode(
        self, source: AsyncIterable[bytes], seed: SeedSignature | None = None
    ) -> AsyncIterator[bytes]:
        """Do what `encode` does with a source that must be awaited."""
        return adrive(self.encoder(seed), source, self.chunk_size)


class ChunkEncoder:
    """
    Encodes one body: feed it the body, in pieces of any size, and then finish.

    Never holds more than a chunk.
    """

    __slots__ = ("_chain", "_form", "_hasher", "_held", "_left")

    def __init__(self, form: AwsChunked, seed: SeedSignature | None = None) -> None:
        if (form.algorithm and form.algorithm.name) != (seed and seed.algorithm.name):
            raise ValueError("signed chunks need a seed of the same algorithm, unsigned ones none")
        self._form = form
        self._chain = None if seed is None else Chain(seed)
        self._hasher = (form.hasher or HASHERS[form.checksum])() if form.checksum else None
        self._held = bytearray()
        self._left = form.decoded_length

    def feed(self, data: Bytes) -> bytes:
        """
        Take the next bytes of the body, and return the chunks that are full by now.

        Raises:
            InvalidRequestError: The body is longer than its decoded length.
        """
        data = bytes(data)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidRequestError("the body is longer than its decoded length")
        size = self._form.chunk_size
        if len(data) == size and not self._held:
            return self._chunk(data)  # as `encode` feeds it: no need of a copy
        self._held += data
        whole = len(self._held) - len(self._held) % size
        chunks = [self._chunk(bytes(self._held[at : at + size])) for at in range(0, whole, size)]
        del self._held[:whole]
        return b"".join(chunks)

    def finish(self) -> bytes:
        """
        Return the rest: what is held, the last chunk, and the trailers.

        Raises:
            InvalidRequestError: The body is shorter than its decoded length.
        """
        if self._left:
            raise InvalidRequestError(f"the body lacks {self._left} bytes of its decoded length")
        rest = self._chunk(bytes(self._held)) if self._held else b""
        self._held.clear()
        return b"".join([rest, self._head(b""), self._trailers(), b"\r\n"])

    def _chunk(self, data: bytes) -> bytes:
        """Return a chunk."""
        if self._hasher:
            self._hasher.update(data)
        return b"".join([self._head(data), data, b"\r\n"])

    def _head(self, data: bytes) -> bytes:
        """Return the line before *data*."""
        chain = self._chain
        signature = SIGNATURE + chain.sign_padded("PAYLOAD", b"", data) if chain else ""
        return f"{len(data):x}{signature}\r\n".encode("ascii")

    def _trailers(self) -> bytes:
        """Return the trailers, if there are any."""
        if self._hasher is None:
            return b""
        trailer = f"{self._form.trailer}:{encoded(self._hasher.digest())}"
        lines = [trailer]
        if self._chain:
            signature = self._chain.sign_padded("TRAILER", f"{trailer}\n".encode("ascii"))
            lines.append(f"{TRAILER_SIGNATURE}:{signature}")
        return "".join([f"{line}\r\n" for line in lines]).encode("ascii")
