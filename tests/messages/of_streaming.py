"""Messages about aws-chunked bodies and event streams."""

from datetime import UTC, datetime, timedelta
from struct import pack
from zlib import crc32

from sigv4 import (
    AwsChunked,
    ChunkDecoder,
    EventDecoder,
    EventSigner,
    EventVerifier,
    Int8,
    Message,
    Payload,
    SignableRequest,
    SigV4A,
    Verified,
    checksum,
)
from tests.sigv4.seeds import KEY, SIGV4, make_seed

COVERED = ("sigv4/_streaming",)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def decode(body, length=3, trailers=("x-amz-checksum-crc32",)):
    """Decode a body of unsigned chunks."""
    list(ChunkDecoder(Payload(UNSIGNED), length, trailers=trailers).decode(body))


def decode_signed(body, **options):
    """Decode a body of signed chunks whose declared decoded length is three bytes."""
    list(ChunkDecoder(Payload(SIGNED), 3, seed=make_seed(), **options).decode(body))


def decode_trailers(*lines, trailers=("x-amz-checksum-crc32",)):
    """Decode an empty body that ends with these trailer lines."""
    decode("\r\n".join(["0", *lines, "", ""]).encode(), 0, trailers)


def decoder(headers=()):
    """Create the decoder for a request with unsigned chunks and these headers."""
    request = SignableRequest("PUT", "https://bucket.s3.us-east-1.amazonaws.com/key", headers)
    verified = Verified(KEY.access_key_id, AT, None, (), UNSIGNED, make_seed(), "00")
    return ChunkDecoder.of(request, verified)


def decode_event(data):
    """Decode a stream that consists of *data*, and finish the decoder."""
    decoder = EventDecoder()
    decoder.feed(data)
    decoder.finish()


def prelude(total, headers):
    """Return the prelude of an event that states the given total length and length of the headers."""
    lengths = pack(">II", total, headers)
    return lengths + pack(">I", crc32(lengths))


def event(headers):
    """Return an event with these encoded headers and no payload."""
    data = prelude(16 + len(headers), len(headers)) + headers
    return data + pack(">I", crc32(data))


def verify_event(message):
    """Verify *message* as the first event of a stream."""
    EventVerifier(make_seed()).verify(message, at=AT)


def verify_after_the_end():
    """Verify an event that follows the end of the stream."""
    signer, verifier = EventSigner(make_seed()), EventVerifier(make_seed())
    for payload in (b"", b"late"):
        verifier.verify(signer.sign(payload, at=AT), at=AT)


MESSAGES = [
    (
        lambda: checksum("CRC32C", b""),
        "algorithm must be one of CRC32, MD5, SHA1, SHA256, SHA512, not 'CRC32C'",
    ),
    # The description of a chunked body.
    (
        lambda: AwsChunked(SIGV4, 1, chunk_size=1024),
        "chunk_size must be at least 8192 bytes, not 1024",
    ),
    (lambda: AwsChunked(SIGV4, -1), "decoded_length must be 0 or more, not -1"),
    (
        lambda: AwsChunked(None, 1),
        "checksum is required for unsigned chunks: pass one such as 'CRC32'",
    ),
    (
        lambda: AwsChunked(SIGV4, 1, checksum="crc32"),
        """
        checksum must be one of CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128,
        XXHASH3, XXHASH64, not 'crc32'
        """,
    ),
    (
        lambda: AwsChunked(SIGV4, 1, checksum="CRC32C"),
        "hasher is required for CRC32C, which the standard library cannot compute",
    ),
    (
        lambda: AwsChunked(None, 1, checksum="CRC32").encoder(make_seed()),
        "seed must be None for unsigned chunks",
    ),
    (
        lambda: AwsChunked(SIGV4, 1).encoder(),
        "seed must be a SeedSignature of AWS4-HMAC-SHA256: pass the result of Signer.seed",
    ),
    (
        lambda: AwsChunked(SIGV4, 2).encoder(make_seed()).feed(b"abc"),
        "the body is longer than decoded_length, which is 2 bytes",
    ),
    (
        lambda: AwsChunked(SIGV4, 3).encoder(make_seed()).finish(),
        "the body is 3 bytes shorter than decoded_length, which is 3 bytes",
    ),
    (
        lambda: list(
            AwsChunked(SigV4A("s3", "*"), 0).encode(
                b"", make_seed(SigV4A("s3", "*"), SigV4A.public_key(KEY))
            )
        ),
        "a public key cannot sign: use a seed from Signer.seed",
    ),
    # Decoding a chunked body.
    (
        lambda: ChunkDecoder(Payload.UNSIGNED, 1),
        "payload must be made by Payload.streaming, not UNSIGNED-PAYLOAD",
    ),
    (
        lambda: ChunkDecoder(Payload(SIGNED), 1),
        "seed is required for signed chunks: pass Verified.seed of the request",
    ),
    (
        lambda: ChunkDecoder(Payload(UNSIGNED), 1),
        "x-amz-trailer must be sent if, and only if, x-amz-content-sha256 ends with -TRAILER",
    ),
    (decoder, "the header x-amz-decoded-content-length is missing"),
    (
        lambda: decoder([("x-amz-decoded-content-length", "many")]),
        "x-amz-decoded-content-length must be a decimal number of at most 18 digits",
    ),
    (lambda: decode(b"many\r\n"), "chunk 1 must begin with its size in hexadecimal"),
    (
        lambda: decode(b"4\r\nabcd\r\n"),
        "the chunks contain more bytes than the decoded length of 3",
    ),
    (lambda: decode(b"0\r\n\r\n"), "the chunks contain 0 bytes, but the decoded length is 3"),
    (
        lambda: decode(b"2\r\nab\r\n1\r\nc\r\n"),
        "chunk 1 has 2 bytes; every chunk except the last must have at least 8192",
    ),
    (
        lambda: decode_signed(b"3\r\nabc\r\n", largest_chunk=2),
        "chunk 1 has 3 bytes; at most 2 are allowed",
    ),
    (
        lambda: decode(b"3;chunk-signature=0\r\n"),
        "chunk 1 is unsigned and must not have an extension after its size",
    ),
    (lambda: decode(b"3\r\nabcdef"), "the data of chunk 1 must be followed by CRLF"),
    (
        lambda: decode(b"3\r\nabc\r\n"),
        "the aws-chunked body is truncated: its last chunk or its trailers are missing",
    ),
    (
        lambda: decode(b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\nmore", 0),
        "there are bytes after the end of the aws-chunked body",
    ),
    (
        lambda: decode_signed(b"3;chunk-signature=%b\r\nabc\r\n" % (b"0" * 64)),
        "the signature of chunk 1 does not match the calculated signature",
    ),
    (
        lambda: decode_signed(b"3\r\nabc\r\n"),
        "the signature of chunk 1 is missing or has the wrong length",
    ),
    # Trailers.
    (
        lambda: decode_trailers(trailers=[f"a{number}" for number in range(17)]),
        "x-amz-trailer names 17 trailers; at most 16 are allowed",
    ),
    (
        lambda: decode_trailers(trailers=["a", "a"]),
        "x-amz-trailer names the same trailer twice",
    ),
    (
        lambda: decode_trailers(trailers=["x-amz-checksum-crc32", "x-amz-checksum-sha1"]),
        "x-amz-trailer names more than one x-amz-checksum-* trailer",
    ),
    (
        lambda: decode_trailers("a" * 10_000),
        "the trailers are longer than the limit of 8192 bytes",
    ),
    (lambda: decode_trailers("a"), "a trailer must have the form name:value"),
    (lambda: decode_trailers("a:b"), "the trailer 'a' is repeated or not in x-amz-trailer"),
    (
        lambda: decode_trailers(trailers=["a", "b"]),
        "x-amz-trailer names trailers that are missing from the body: a, b",
    ),
    (
        lambda: decode_trailers("x-amz-checksum-crc32:*"),
        "the trailer x-amz-checksum-crc32 must be a base64-encoded CRC32 checksum",
    ),
    (
        lambda: decode_trailers("x-amz-checksum-crc32:AAAAAQ=="),
        "the CRC32 checksum of the body does not match the trailer x-amz-checksum-crc32",
    ),
    # Encoding event-stream messages.
    (
        lambda: Message({"": 1}).encode(),
        "the name of an event header must have 1 to 255 bytes of UTF-8, not 0",
    ),
    (
        lambda: Message({"a": datetime(2026, 11, 22)}).encode(),  # noqa: DTZ001 (it is rejected)
        "event header a: a datetime must have a time zone",
    ),
    (
        lambda: Message({"a": "b" * 40_000}).encode(),
        "event header a: the value has 40000 bytes; at most 32767 are allowed",
    ),
    (
        lambda: Message({"a": Int8(128)}).encode(),
        "event header a: the number does not fit into Int8",
    ),
    (
        lambda: Message({f"{number}": "b" * 32_767 for number in range(4)}).encode(),
        "an event message may have at most 128 KiB of headers and 24 MiB of payload",
    ),
    # Decoding event-stream messages.
    (lambda: decode_event(event(b"\0\0")), "the name of an event header is empty or repeated"),
    (lambda: decode_event(event(b"\1a")), "the headers of an event are truncated or malformed"),
    (
        lambda: decode_event(event(b"\1a\7\0\2b")),
        "the value of an event header is truncated or longer than 32767 bytes",
    ),
    (lambda: decode_event(b"\0"), "the event stream ends in the middle of a message"),
    (
        lambda: decode_event(bytes(12)),
        "an event message has an incorrect prelude CRC",
    ),
    (
        lambda: decode_event(prelude(0, 0)),
        """
        the lengths in an event message are inconsistent or over the limits: 128 KiB of headers and
        24 MiB of payload
        """,
    ),
    (
        lambda: decode_event(Message().encode()[:-1] + b"\0"),
        "an event message has an incorrect message CRC",
    ),
    # Signed events.
    (verify_after_the_end, "the event follows the end of the stream"),
    (
        lambda: verify_event(Message()),
        "the event must have the headers :chunk-signature (bytes) and :date (timestamp)",
    ),
    (
        lambda: verify_event(EventSigner(make_seed()).sign(b"", at=AT - timedelta(hours=1))),
        "the :date of the event differs from the verifier's clock by more than 300 s",
    ),
]
