"""Test how chunked bodies are encoded and decoded, and the error codes for invalid bodies."""

import asyncio
import json
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from sigv4 import (
    AwsChunked,
    ChunkDecoder,
    InvalidRequestError,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    verify,
)
from tests.regenerate_streams import make_body
from tests.sigv4.seeds import KEY, SIGV4, make_seed
from tests.sigv4.stream_oracles import AwscrtHasher, botocore_checksum, botocore_encodes

FIXTURE = Path(__file__).parents[3] / "fixtures" / "sigv4" / "chunked.json"
CASES = [pytest.param(case, id=case["name"]) for case in json.loads(FIXTURE.read_text("utf-8"))]
WITH_CHECKSUM = [case for case in CASES if case.values[0]["checksum"]]

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://my-bucket.s3.us-east-1.amazonaws.com/key"
SIGV4A = SigV4A("s3", "us-*")
ALGORITHMS = {"SigV4": SIGV4, "SigV4A": SIGV4A}
HASHERS = {name: lambda name=name: AwscrtHasher(name) for name in ("CRC32C", "CRC64NVME")}
LENGTH = 20_000
BODY = make_body(LENGTH)


def form(algorithm=SIGV4, length=LENGTH, checksum=None, **options):
    """Return an `AwsChunked` with chunks of the minimum size, 8192 bytes."""
    return AwsChunked(
        algorithm,
        length,
        checksum=checksum,
        chunk_size=8192,
        hasher=HASHERS.get(checksum),
        **options,
    )


def encode(body, data=BODY):
    """Encode *data* with *body*, and return the encoded bytes."""
    return b"".join(body.encode(data, make_seed(body.algorithm) if body.algorithm else None))


def make_decoder(body, **options):
    """Return a decoder for bodies that *body* encodes."""
    trailers = [body.trailer] if body.trailer else []
    settings = {"trailers": trailers, "seed": make_seed(body.algorithm), "hashers": HASHERS}
    return ChunkDecoder(body.payload, body.decoded_length, **{**settings, **options})


@pytest.mark.parametrize("case", CASES)
def test_signed_chunks_are_botocores(case):
    """Chunks and trailers have the signatures that botocore's key derivation and HMAC give."""
    body = AwsChunked(
        SigV4(case["service"], case["region"]),
        case["length"],
        chunk_size=case["size"],
        checksum=case["checksum"],
        hasher=HASHERS.get(case["checksum"]),
    )
    sent = b"".join(body.encode(make_body(case["length"]), make_seed(signature=case["seed"])))
    lines = [line for line in sent.split(b"\r\n") if b"signature" in line]
    assert [line[-64:].decode() for line in lines] == case["signatures"]
    assert body.encoded_length == len(sent)
    if case["trailer"]:
        assert f"\r\n{':'.join(case['trailer'])}\r\n".encode() in sent


@pytest.mark.parametrize("case", WITH_CHECKSUM)
def test_unsigned_chunks_are_botocores(case):
    """A body in unsigned chunks is encoded to exactly the same bytes as by botocore."""
    body = AwsChunked(
        None,
        case["length"],
        chunk_size=case["size"],
        checksum=case["checksum"],
        hasher=HASHERS.get(case["checksum"]),
    )
    sent = b"".join(body.encode(make_body(case["length"])))
    assert (
        len(sent),
        sha256(sent).hexdigest(),
    ) == (case["unsigned_length"], case["unsigned_sha256"])
    assert body.encoded_length == len(sent)


@pytest.mark.parametrize("size", [8192, 10_000, 1_048_576])
def test_botocores_body_is_decoded(size):
    """The decoder accepts a body that botocore has encoded, and verifies its checksum."""
    sent = botocore_encodes(BODY, "CRC32", size)
    decoder = make_decoder(form(None, checksum="CRC32"))
    assert b"".join(decoder.decode(sent)) == BODY
    assert decoder.trailers == {"x-amz-checksum-crc32": botocore_checksum("CRC32", BODY)}
    assert decoder.unchecked == ()


@pytest.mark.parametrize("checksum", [None, "CRC32", "CRC32C", "SHA256"], ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 8192, 20_000])
def test_round_trip(length, algorithm, checksum):
    """An encoded body is `encoded_length` bytes long, and is decoded to the original body."""
    body, data = form(algorithm, length, checksum), make_body(length)
    sent = encode(body, data)
    assert body.encoded_length == len(sent)
    assert b"".join(make_decoder(body).decode([sent[:99], sent[99:]])) == data


@pytest.mark.parametrize("checksum", [None, "SHA1"], ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("public", [False, True], ids=["secret", "public key"])
def test_from_request_to_body(public, algorithm, checksum):
    """`verify` accepts a signed request with a chunked body, and `ChunkDecoder` decodes the body."""
    signer = Signer(algorithm)
    body = form(algorithm, checksum=checksum)
    signature = signer.sign(SignableRequest("PUT", URL, body.headers, body.payload), KEY, at=AT)
    sent = b"".join(body.encode(BODY, signer.seed(signature, KEY)))
    arrived = SignableRequest("PUT", URL, body.headers | signature.headers, Payload.of(sent))
    key = SigV4A.public_key(KEY) if public and algorithm is SIGV4A else KEY
    verified = verify(arrived, {"AKIDEXAMPLE": key}, at=AT, service="s3", region="us-east-1")
    assert verified.payload_hash == body.payload.hash
    assert b"".join(ChunkDecoder.of(arrived, verified).decode(sent)) == BODY
    for held in (repr(verified), repr(verified.seed), repr(body)):
        assert "secret" not in held
        assert signature.signature not in held


def test_headers():
    """`AwsChunked.headers` contains the headers that describe the encoded body, and no others."""
    headers = form(SIGV4A, checksum="CRC32").headers
    assert headers == {
        "content-encoding": "aws-chunked",
        "content-length": str(form(SIGV4A, checksum="CRC32").encoded_length),
        "x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "20000",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    assert "x-amz-trailer" not in form().headers


SOURCES = {
    "bytes": BODY,
    "bytearray": bytearray(BODY),
    "memoryview": memoryview(BODY),
    "file": BytesIO(BODY),
    "pieces": [BODY[:1], b"", BODY[1:9000], BODY[9000:]],
    "generator": (BODY[at : at + 3000] for at in range(0, len(BODY), 3000)),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_sources(source):
    """A body may be a bytes-like object, a file, or an iterable of pieces of any size."""
    assert encode(form()) == encode(form(), source)


def test_no_more_than_a_chunk_is_ready_at_once():
    """The encoder yields one chunk at a time, even if the source yields larger pieces."""
    sizes = [len(piece) for piece in form().encode([BODY], make_seed())]
    head = len("2000;chunk-signature=\r\n") + 64
    assert sizes[:2] == [head + 8192 + 2] * 2
    assert len(sizes) == 3


def test_async_sources():
    """For async sources, `aencode` and `adecode` return the same bytes as `encode` and `decode`."""

    async def pieces(data):
        for at in range(0, len(data), 3000):
            yield data[at : at + 3000]

    async def both_ways():
        sent = b"".join([piece async for piece in form().aencode(pieces(BODY), make_seed())])
        received = b"".join([piece async for piece in make_decoder(form()).adecode(pieces(sent))])
        return sent, received

    assert asyncio.run(both_ways()) == (encode(form()), BODY)


@pytest.mark.parametrize(("length", "message"), [(19_999, "longer"), (20_001, "1 bytes shorter")])
def test_wrong_length(length, message):
    """Encoding a body that is longer or shorter than `decoded_length` raises an error."""
    with pytest.raises(InvalidRequestError, match=message):
        encode(form(length=length))


INVALID_FORMS = {
    "small chunks": (lambda: AwsChunked(SIGV4, 1, chunk_size=8191), "chunk_size must be"),
    "negative length": (lambda: AwsChunked(SIGV4, -1), "decoded_length must be 0"),
    "unsigned without checksum": (lambda: AwsChunked(None, 1), "checksum is required"),
    "unknown checksum": (lambda: AwsChunked(SIGV4, 1, checksum="crc32"), "must be one of CRC32"),
    "no hasher": (lambda: AwsChunked(SIGV4, 1, checksum="CRC32C"), "hasher is required"),
    "no seed": (lambda: form().encoder(), "seed must be a SeedSignature of AWS4-HMAC"),
    "seed though unsigned": (
        lambda: form(None, checksum="CRC32").encode(b"", make_seed()),
        "must be None",
    ),
    "seed of another algorithm": (
        lambda: form().aencode(None, make_seed(SIGV4A)),
        "SeedSignature of AWS4-HMAC",
    ),
    "payload not in chunks": (
        lambda: ChunkDecoder(Payload.UNSIGNED, 1),
        "must be made by Payload",
    ),
    "decoder without seed": (lambda: make_decoder(form(), seed=None), "seed is required"),
    "no such form": (lambda: Payload.streaming(None), "aws-chunked has no payload type"),
    "no such algorithm": (lambda: Payload.streaming("AWS5"), "aws-chunked has no payload type"),
}


@pytest.mark.parametrize(("make", "message"), INVALID_FORMS.values(), ids=INVALID_FORMS)
def test_invalid_forms(make, message):
    """Invalid arguments of encoders, decoders and `Payload.streaming` raise ValueError."""
    with pytest.raises(ValueError, match=message):
        make()


def test_public_key_cannot_sign():
    """A seed with only a public key, such as a verifier's seed, cannot be used to sign chunks."""
    seed = make_seed(SIGV4A, SigV4A.public_key(KEY))
    with pytest.raises(TypeError, match="a public key cannot sign"):
        form(SIGV4A, length=0).encoder(seed).finish()


def chunk(data, signature=""):
    """Return one encoded chunk, which is unsigned if *signature* is empty."""
    mark = f";chunk-signature={signature}" if signature else ""
    return f"{len(data):x}{mark}\r\n".encode() + data + b"\r\n"


def tail(data=BODY, algorithm="CRC32"):
    """Return the last chunk and the trailer of a body in unsigned chunks."""
    value = botocore_checksum(algorithm, data)
    return f"0\r\nx-amz-checksum-{algorithm.lower()}:{value}\r\n\r\n".encode()


# Invalid bodies in unsigned chunks, and the error codes with which they are rejected.
UNSIGNED = {
    "nothing": (b"", "IncompleteBody"),
    "no size": (b"\r\n" + tail(), "IncompleteBody"),
    "size with sign": (b"+1\r\na\r\n", "IncompleteBody"),
    "size with blank": (b" 1\r\na\r\n", "IncompleteBody"),
    "size with underscore": (b"1_0\r\n", "IncompleteBody"),
    "size of 17 digits": (b"0" * 16 + b"1\r\na\r\n", "IncompleteBody"),
    "endless size": (b"1" * 10_000, "IncompleteBody"),
    "line feed alone": (b"1\na", "IncompleteBody"),
    "extension": (chunk(BODY, "a") + tail(), "IncompleteBody"),
    "negative": (b"-1\r\n", "IncompleteBody"),
    "more than announced": (chunk(BODY + b"a") + tail(), "IncompleteBody"),
    "less than announced": (chunk(BODY[:-1]) + tail(BODY[:-1]), "IncompleteBody"),
    "no line end": (chunk(BODY)[:-2] + b"xx" + tail(), "IncompleteBody"),
    "cut within a chunk": (chunk(BODY)[:-100], "IncompleteBody"),
    "cut before the trailer": (chunk(BODY) + b"0\r\n", "IncompleteBody"),
    "cut within the trailer": (chunk(BODY) + tail()[:-3], "IncompleteBody"),
    "cut before the last line end": (chunk(BODY) + tail()[:-2], "IncompleteBody"),
    "more after the end": (chunk(BODY) + tail() + b"x", "IncompleteBody"),
    "small chunk before the last": (
        chunk(BODY[:8191]) + chunk(BODY[8191:]) + tail(),
        "InvalidChunkSizeError",
    ),
    "no trailer": (chunk(BODY) + b"0\r\n\r\n", "MalformedTrailerError"),
    "another trailer": (chunk(BODY) + tail(algorithm="SHA1"), "MalformedTrailerError"),
    "no colon": (chunk(BODY) + b"0\r\nx-amz-checksum-crc32\r\n\r\n", "MalformedTrailerError"),
    "trailer twice": (chunk(BODY) + tail()[:-2] + tail()[3:], "MalformedTrailerError"),
    "endless trailer": (chunk(BODY) + b"0\r\n" + b"a" * 10_000, "MalformedTrailerError"),
    "signature though unsigned": (
        chunk(BODY) + tail()[:-2] + b"x-amz-trailer-signature:a\r\n\r\n",
        "MalformedTrailerError",
    ),
    "not base64": (chunk(BODY) + b"0\r\nx-amz-checksum-crc32:*\r\n\r\n", "InvalidRequest"),
    "too short": (chunk(BODY) + b"0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "InvalidRequest"),
    "other body": (chunk(BODY[::-1]) + tail(), "BadDigest"),
    "other checksum": (chunk(BODY) + tail(b"other"), "BadDigest"),
}


@pytest.mark.parametrize("step", [None, 1], ids=["at once", "by bytes"])
@pytest.mark.parametrize(("sent", "code"), UNSIGNED.values(), ids=UNSIGNED)
def test_unsigned_bodies_that_are_rejected(sent, code, step):
    """An invalid body is rejected with S3's error code, even if it arrives byte by byte."""
    decoder = make_decoder(form(None, checksum="CRC32"))
    source = [sent[at : at + step] for at in range(len(sent))] if step else [sent]
    with pytest.raises(SignatureError) as caught:
        list(decoder.decode(source))
    assert caught.value.code == code
    with pytest.raises(SignatureError) as again:
        decoder.feed(b"")
    assert again.value is caught.value


def replace(sent, old, new):
    """Return *sent* with *old*, which it must contain, replaced by *new*."""
    assert old in sent
    return sent.replace(old, new)


def chunk_signature(sent, number):
    """Return the signature of a chunk in *sent*; the first chunk has the number 1."""
    return [line[-64:] for line in sent.split(b"\r\n") if b"signature" in line][number - 1]


# Functions that alter a signed body in transit, and parts of the expected error messages.
SIGNED = {
    "first chunk": (lambda s: replace(s, b"\r\n\0", b"\r\n\1"), "the signature of chunk 1 "),
    "chunk signature": (lambda s: replace(s, chunk_signature(s, 2), b"0" * 64), "of chunk 2 "),
    "chunks exchanged": (lambda s: s[8281 : 2 * 8281] + s[:8281] + s[2 * 8281 :], "of chunk 1 "),
    "final signature": (lambda s: replace(s, chunk_signature(s, 4), b"f" * 64), "of chunk 4 "),
    "trailer signature": (
        lambda s: replace(s, chunk_signature(s, 5), b"f" * 64),
        "of the trailers ",
    ),
    "trailer": (lambda s: replace(s, b"crc32:", b"crc32:A"), "of the trailers "),
    "no trailer signature": (
        lambda s: replace(s, b"x-amz-trailer-signature:" + chunk_signature(s, 5) + b"\r\n", b""),
        "the trailers is missing",
    ),
    "no signature": (
        lambda s: replace(s, b";chunk-signature=", b";signature="),
        "chunk 1 is missing",
    ),
    "short signature": (lambda s: replace(s, chunk_signature(s, 1), b"00"), "chunk 1 is missing"),
    "bare size": (
        lambda s: replace(s, b";chunk-signature=" + chunk_signature(s, 1), b""),
        "chunk 1 is missing",
    ),
    "padding for digits": (lambda s: replace(s, chunk_signature(s, 1), b"*" * 64), "of chunk 1 "),
    "not ASCII": (lambda s: replace(s, chunk_signature(s, 1), b"\xff" * 64), "of chunk 1 "),
}


@pytest.mark.parametrize(("alter", "message"), SIGNED.values(), ids=SIGNED)
def test_signed_bodies_that_are_rejected(alter, message):
    """The decoder rejects a body if a signed chunk, a trailer or a signature is altered or missing."""
    body = form(checksum="CRC32")
    decoder = make_decoder(body)
    with pytest.raises(SignatureError, match=message) as caught:
        decoder.feed(alter(encode(body)))
    assert caught.value.code == "SignatureDoesNotMatch"
    assert "secret" not in str(caught.value)


def test_what_was_signed_is_shown():
    """The error for an altered chunk contains the string to sign that the decoder computed."""
    sent = replace(encode(form()), b"\r\n\0", b"\r\n\1")
    with pytest.raises(SignatureError) as caught:
        make_decoder(form()).feed(sent)
    lines = caught.value.string_to_sign.split("\n")
    assert lines[0] == "AWS4-HMAC-SHA256-PAYLOAD"
    assert lines[3] == "5eed" * 16
    assert lines[5] == sha256(b"\1" + BODY[1:8192]).hexdigest()


def test_wrong_seed():
    """If the decoder's seed has another signature than the encoder's, the first chunk is rejected."""
    decoder = make_decoder(form(), seed=make_seed(signature="0" * 64))
    with pytest.raises(SignatureError, match="of chunk 1 "):
        decoder.feed(encode(form()))


def test_large_chunks():
    """A signed chunk over the size limit is rejected as soon as its size is known."""
    body = AwsChunked(SIGV4, len(BODY), chunk_size=16_384)
    assert b"".join(make_decoder(body, largest_chunk=16_384).decode(encode(body))) == BODY
    with pytest.raises(SignatureError, match="EntityTooLarge"):
        make_decoder(body, largest_chunk=16_383).feed(encode(body)[:200])


def test_unknown_checksums():
    """A trailing checksum for which there is no hasher is not verified, but listed in `unchecked`."""
    body = form(checksum="CRC64NVME")
    decoder = make_decoder(body, hashers={})
    assert b"".join(decoder.decode(encode(body))) == BODY
    assert decoder.unchecked == ("x-amz-checksum-crc64nvme",)
    assert decoder.trailers.keys() == {"x-amz-checksum-crc64nvme"}


def test_other_trailers():
    """Trailers that are not checksums are accepted, even in another order than announced."""
    sent = chunk(b"a") + b"0\r\nX-Amz-Meta-B: 2 \r\nx-amz-meta-a:1\r\n\r\n"
    payload = Payload.streaming(None, trailer=True)
    decoder = ChunkDecoder(payload, 1, trailers=["x-amz-meta-a", "x-amz-meta-b"])
    assert decoder.feed(sent) == b"a"
    assert decoder.finish() == b""
    assert decoder.trailers == {"x-amz-meta-a": "1", "x-amz-meta-b": "2"}
    assert decoder.unchecked == ()


def request(**headers):
    """Return a request for unsigned chunks after setting *headers* (None removes a header)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = form(None, checksum="CRC32").headers
    sent = {name: value for name, value in {**body, **named}.items() if value is not None}
    return SignableRequest("PUT", URL, sent)


def verified(arrived):
    """Sign *arrived*, and return the result of `verify` for it."""
    signer = Signer(SIGV4)
    signature = signer.sign(arrived, KEY, at=AT)
    signed = SignableRequest("PUT", URL, dict(arrived.headers) | signature.headers)
    return verify(signed, {"AKIDEXAMPLE": KEY}, at=AT, service="s3", region="us-east-1")


BOTH = "x-amz-checksum-crc32,x-amz-checksum-sha1"
HEADERS = {
    "no length": ({"x_amz_decoded_content_length": None}, "MissingContentLength"),
    "not a number": ({"x_amz_decoded_content_length": "a"}, "InvalidArgument"),
    "negative": ({"x_amz_decoded_content_length": "-1"}, "InvalidArgument"),
    "other digits": (
        {"x_amz_decoded_content_length": "\N{ARABIC-INDIC DIGIT ONE}"},
        "InvalidArgument",
    ),
    "no trailer": ({"x_amz_trailer": None}, "MalformedTrailerError"),
    "blank trailer": ({"x_amz_trailer": " , "}, "MalformedTrailerError"),
    "trailer twice": ({"x_amz_trailer": "a, A"}, "MalformedTrailerError"),
    "two checksums": ({"x_amz_trailer": BOTH}, "InvalidRequest"),
    "trailer not in the form": (
        {"x_amz_content_sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
        "MalformedTrailerError",
    ),
}


@pytest.mark.parametrize(("headers", "code"), HEADERS.values(), ids=HEADERS)
def test_invalid_headers(headers, code):
    """`ChunkDecoder.of` rejects missing, invalid or inconsistent headers for a chunked body."""
    arrived = request(**headers)
    with pytest.raises(SignatureError) as caught:
        ChunkDecoder.of(arrived, verified(arrived))
    assert caught.value.code == code


def test_spelling_of_trailer_names():
    """Names in x-amz-trailer may have any case, and leading or trailing spaces."""
    arrived = request(x_amz_trailer=" X-Amz-Checksum-CRC32 ")
    decoder = ChunkDecoder.of(arrived, verified(arrived))
    assert b"".join(decoder.decode(encode(form(None, checksum="CRC32")))) == BODY


@pytest.mark.parametrize(
    "marker",
    [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD",
    ],
)
def test_unknown_markers(marker):
    """`verify` rejects an x-amz-content-sha256 marker that is unknown or for another algorithm."""
    with pytest.raises(SignatureError, match="InvalidArgument"):
        verified(request(x_amz_content_sha256=marker))
