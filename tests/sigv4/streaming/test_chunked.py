"""Bodies in chunks: what is sent, what is taken, what is refused and with which code."""

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
    Credentials,
    InvalidRequestError,
    Payload,
    SeedSignature,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    verify,
)
from tests.regenerate_streams import body_of
from tests.sigv4.stream_oracles import AwscrtHasher, botocore_checksum, botocore_encodes

FIXTURE = Path(__file__).parents[3] / "fixtures" / "sigv4" / "chunked.json"
CASES = [pytest.param(case, id=case["name"]) for case in json.loads(FIXTURE.read_text("utf-8"))]
WITH_CHECKSUM = [case for case in CASES if case.values[0]["checksum"]]

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
URL = "https://my-bucket.s3.us-east-1.amazonaws.com/key"
SIGV4 = SigV4("s3", "us-east-1")
SIGV4A = SigV4A("s3", "us-*")
ALGORITHMS = {"SigV4": SIGV4, "SigV4A": SIGV4A}
HASHERS = {name: lambda name=name: AwscrtHasher(name) for name in ("CRC32C", "CRC64NVME")}
LENGTH = 20_000
BODY = body_of(LENGTH)


def seed_of(algorithm=SIGV4, key=KEY, signature="5eed" * 16):
    """Return a seed."""
    return SeedSignature(algorithm, key, "20261122T120000Z", signature)


def form(algorithm=SIGV4, length=LENGTH, checksum=None, **options):
    """Return a form of body, in small chunks."""
    return AwsChunked(
        algorithm,
        length,
        checksum=checksum,
        chunk_size=8192,
        hasher=HASHERS.get(checksum),
        **options,
    )


def encoded(body, data=BODY):
    """Return the bytes of a body."""
    return b"".join(body.encode(data, seed_of(body.algorithm) if body.algorithm else None))


def decoder(body, **options):
    """Return what decodes a body."""
    trailers = [body.trailer] if body.trailer else []
    settings = {"trailers": trailers, "seed": seed_of(body.algorithm), "hashers": HASHERS}
    return ChunkDecoder(body.payload, body.decoded_length, **{**settings, **options})


@pytest.mark.parametrize("case", CASES)
def test_signed_chunks_are_botocores(case):
    """The signatures of chunks and trailer are those that botocore's key gives."""
    body = AwsChunked(
        SigV4(case["service"], case["region"]),
        case["length"],
        chunk_size=case["size"],
        checksum=case["checksum"],
        hasher=HASHERS.get(case["checksum"]),
    )
    sent = b"".join(body.encode(body_of(case["length"]), seed_of(signature=case["seed"])))
    lines = [line for line in sent.split(b"\r\n") if b"signature" in line]
    assert case["signatures"] == [line[-64:].decode() for line in lines]
    assert body.encoded_length == len(sent)
    if case["trailer"]:
        assert f"\r\n{':'.join(case['trailer'])}\r\n".encode() in sent


@pytest.mark.parametrize("case", WITH_CHECKSUM)
def test_unsigned_chunks_are_botocores(case):
    """A body in unsigned chunks is botocore's, to the byte."""
    body = AwsChunked(
        None,
        case["length"],
        chunk_size=case["size"],
        checksum=case["checksum"],
        hasher=HASHERS.get(case["checksum"]),
    )
    sent = b"".join(body.encode(body_of(case["length"])))
    assert (case["unsigned_length"], case["unsigned_sha256"]) == (
        len(sent),
        sha256(sent).hexdigest(),
    )
    assert body.encoded_length == len(sent)


@pytest.mark.parametrize("size", [8192, 10_000, 1_048_576])
def test_botocores_body_is_decoded(size):
    """A body that botocore sends is decoded, and its checksum checked."""
    sent = botocore_encodes(BODY, "CRC32", size)
    taken = decoder(form(None, checksum="CRC32"))
    assert b"".join(taken.decode(sent)) == BODY
    assert {"x-amz-checksum-crc32": botocore_checksum("CRC32", BODY)} == taken.trailers
    assert taken.unchecked == ()


@pytest.mark.parametrize("checksum", [None, "CRC32", "CRC32C", "SHA256"], ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 8192, 20_000])
def test_round_trip(length, algorithm, checksum):
    """What is encoded has the length that was foretold, and is decoded."""
    body, data = form(algorithm, length, checksum), body_of(length)
    sent = encoded(body, data)
    assert body.encoded_length == len(sent)
    assert data == b"".join(decoder(body).decode([sent[:99], sent[99:]]))


@pytest.mark.parametrize("checksum", [None, "SHA1"], ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
@pytest.mark.parametrize("public", [False, True], ids=["secret", "public key"])
def test_from_request_to_body(public, algorithm, checksum):
    """The headers, the signature and the body of one request fit each other, on both sides."""
    signer = Signer(algorithm)
    body = form(algorithm, checksum=checksum)
    signature = signer.sign(SignableRequest("PUT", URL, body.headers, body.payload), KEY, at=AT)
    sent = b"".join(body.encode(BODY, signer.seed(signature, KEY)))
    arrived = SignableRequest("PUT", URL, body.headers | signature.headers, Payload.of(sent))
    key = SigV4A.public_key(KEY) if public and algorithm is SIGV4A else KEY
    verified = verify(arrived, {"AKIDEXAMPLE": key}, at=AT, service="s3", region="us-east-1")
    assert body.payload.hash == verified.payload_hash
    assert b"".join(ChunkDecoder.of(arrived, verified).decode(sent)) == BODY
    for held in (repr(verified), repr(verified.seed), repr(body)):
        assert "secret" not in held
        assert signature.signature not in held


def test_headers():
    """The headers say what follows."""
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
    """A body may be bytes, a file, or an iterable of bytes in any pieces."""
    assert encoded(form()) == encoded(form(), source)


def test_no_more_than_a_chunk_is_ready_at_once():
    """However large the pieces of a source, the body comes out a chunk at a time."""
    sizes = [len(piece) for piece in form().encode([BODY], seed_of())]
    head = len("2000;chunk-signature=\r\n") + 64
    assert sizes[:2] == [head + 8192 + 2] * 2
    assert len(sizes) == 3


def test_async_sources():
    """A source that must be awaited gives the same body, and the same back."""

    async def pieces(data):
        for at in range(0, len(data), 3000):
            yield data[at : at + 3000]

    async def both_ways():
        sent = b"".join([piece async for piece in form().aencode(pieces(BODY), seed_of())])
        taken = b"".join([piece async for piece in decoder(form()).adecode(pieces(sent))])
        return sent, taken

    assert (encoded(form()), BODY) == asyncio.run(both_ways())


@pytest.mark.parametrize(("length", "refusal"), [(19_999, "longer"), (20_001, "lacks 1 byte")])
def test_another_length(length, refusal):
    """A body that is not as long as its headers say is not sent to its end."""
    with pytest.raises(InvalidRequestError, match=refusal):
        encoded(form(length=length))


IMPOSSIBLE = {
    "small chunks": (lambda: AwsChunked(SIGV4, 1, chunk_size=8191), "chunk_size must be"),
    "negative length": (lambda: AwsChunked(SIGV4, -1), "decoded_length must not"),
    "unsigned without checksum": (lambda: AwsChunked(None, 1), "must end with a checksum"),
    "unknown checksum": (lambda: AwsChunked(SIGV4, 1, checksum="crc32"), "must be one of CRC32"),
    "no hasher": (lambda: AwsChunked(SIGV4, 1, checksum="CRC32C"), "give a hasher"),
    "no seed": (lambda: form().encoder(), "need a seed"),
    "seed though unsigned": (lambda: form(None, checksum="CRC32").encode(b"", seed_of()), "need"),
    "seed of another algorithm": (lambda: form().aencode(None, seed_of(SIGV4A)), "need a seed"),
    "decoder of no chunks": (lambda: ChunkDecoder(Payload.UNSIGNED, 1), "one in chunks"),
    "decoder without seed": (lambda: decoder(form(), seed=None), "need the seed"),
    "no such form": (lambda: Payload.streaming(None), "no aws-chunked form"),
    "no such algorithm": (lambda: Payload.streaming("AWS5"), "no aws-chunked form"),
}


@pytest.mark.parametrize(("make", "refusal"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_forms(make, refusal):
    """A form that S3 does not take, or that cannot be made, is refused before anything is sent."""
    with pytest.raises(ValueError, match=refusal):
        make()


def test_a_public_key_signs_nothing():
    """The seed that a verifier has of a public key does not sign."""
    seed = seed_of(SIGV4A, SigV4A.public_key(KEY))
    with pytest.raises(TypeError, match="a public key signs nothing"):
        form(SIGV4A, length=0).encoder(seed).finish()


def chunk(data, signature=""):
    """Return an unsigned chunk, or one with any signature."""
    mark = f";chunk-signature={signature}" if signature else ""
    return f"{len(data):x}{mark}\r\n".encode() + data + b"\r\n"


def tail(data=BODY, algorithm="CRC32"):
    """Return the end of an unsigned body."""
    value = botocore_checksum(algorithm, data)
    return f"0\r\nx-amz-checksum-{algorithm.lower()}:{value}\r\n\r\n".encode()


# What arrives in place of an unsigned body, its end included, and the code of the refusal.
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
    "no base64": (chunk(BODY) + b"0\r\nx-amz-checksum-crc32:*\r\n\r\n", "InvalidRequest"),
    "too short": (chunk(BODY) + b"0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "InvalidRequest"),
    "other body": (chunk(BODY[::-1]) + tail(), "BadDigest"),
    "other checksum": (chunk(BODY) + tail(b"other"), "BadDigest"),
}


@pytest.mark.parametrize("step", [None, 1], ids=["at once", "by bytes"])
@pytest.mark.parametrize(("arrives", "code"), UNSIGNED.values(), ids=UNSIGNED)
def test_unsigned_refusals(arrives, code, step):
    """A body that is not whole, or not right, is refused with S3's code, however it arrives."""
    taken = decoder(form(None, checksum="CRC32"))
    source = [arrives[at : at + step] for at in range(len(arrives))] if step else [arrives]
    with pytest.raises(SignatureError) as refusal:
        list(taken.decode(source))
    assert code == refusal.value.code
    with pytest.raises(SignatureError) as again:
        taken.feed(b"")
    assert refusal.value is again.value


def altered(sent, old, new):
    """Replace text in what was sent, and insist that it was there."""
    assert old in sent
    return sent.replace(old, new)


def number(sent, count):
    """Return the signature of a chunk, by its number from one."""
    return [line[-64:] for line in sent.split(b"\r\n") if b"signature" in line][count - 1]


# How a signed body is altered on its way, and what the refusal says.
SIGNED = {
    "first chunk": (lambda s: altered(s, b"\r\n\0", b"\r\n\1"), "the signature of chunk 1 "),
    "chunk signature": (lambda s: altered(s, number(s, 2), b"0" * 64), "of chunk 2 "),
    "chunks exchanged": (lambda s: s[8281 : 2 * 8281] + s[:8281] + s[2 * 8281 :], "of chunk 1 "),
    "final signature": (lambda s: altered(s, number(s, 4), b"f" * 64), "of chunk 4 "),
    "trailer signature": (lambda s: altered(s, number(s, 5), b"f" * 64), "of the trailers "),
    "trailer": (lambda s: altered(s, b"crc32:", b"crc32:A"), "of the trailers "),
    "no trailer signature": (
        lambda s: altered(s, b"x-amz-trailer-signature:" + number(s, 5) + b"\r\n", b""),
        "the trailers is not signed",
    ),
    "no signature": (lambda s: altered(s, b";chunk-signature=", b";signature="), "chunk 1 is not"),
    "short signature": (lambda s: altered(s, number(s, 1), b"00"), "chunk 1 is not signed"),
    "bare size": (lambda s: altered(s, b";chunk-signature=" + number(s, 1), b""), "chunk 1 is not"),
    "padding for digits": (lambda s: altered(s, number(s, 1), b"*" * 64), "of chunk 1 "),
    "no ASCII": (lambda s: altered(s, number(s, 1), b"\xff" * 64), "of chunk 1 "),
}


@pytest.mark.parametrize(("alter", "message"), SIGNED.values(), ids=SIGNED)
def test_signed_refusals(alter, message):
    """What was altered on its way does not match; nothing of a chunk comes out before."""
    body = form(checksum="CRC32")
    taken = decoder(body)
    with pytest.raises(SignatureError, match=message) as refusal:
        taken.feed(alter(encoded(body)))
    assert refusal.value.code == "SignatureDoesNotMatch"
    assert "secret" not in str(refusal.value)


def test_what_was_signed_is_shown():
    """The refusal of a chunk carries the text that this side signs."""
    sent = altered(encoded(form()), b"\r\n\0", b"\r\n\1")
    with pytest.raises(SignatureError) as refusal:
        decoder(form()).feed(sent)
    lines = refusal.value.string_to_sign.split("\n")
    assert lines[0] == "AWS4-HMAC-SHA256-PAYLOAD"
    assert lines[3] == "5eed" * 16
    assert sha256(b"\1" + BODY[1:8192]).hexdigest() == lines[5]


def test_another_seed():
    """The first chunk is chained to the request."""
    taken = decoder(form(), seed=seed_of(signature="0" * 64))
    with pytest.raises(SignatureError, match="of chunk 1 "):
        taken.feed(encoded(form()))


def test_large_chunks():
    """A signed chunk that is larger than what may be held is refused by its head."""
    body = AwsChunked(SIGV4, len(BODY), chunk_size=16_384)
    assert b"".join(decoder(body, largest_chunk=16_384).decode(encoded(body))) == BODY
    with pytest.raises(SignatureError, match="EntityTooLarge"):
        decoder(body, largest_chunk=16_383).feed(encoded(body)[:200])


def test_unknown_checksums():
    """A checksum that nothing here computes is taken as it is, and named."""
    body = form(checksum="CRC64NVME")
    taken = decoder(body, hashers={})
    assert b"".join(taken.decode(encoded(body))) == BODY
    assert taken.unchecked == ("x-amz-checksum-crc64nvme",)
    assert {"x-amz-checksum-crc64nvme"} == taken.trailers.keys()


def test_other_trailers():
    """A trailer that is no checksum is taken as it is; the order of several is the sender's."""
    sent = chunk(b"a") + b"0\r\nX-Amz-Meta-B: 2 \r\nx-amz-meta-a:1\r\n\r\n"
    payload = Payload.streaming(None, trailer=True)
    taken = ChunkDecoder(payload, 1, trailers=["x-amz-meta-a", "x-amz-meta-b"])
    assert taken.feed(sent) == b"a"
    assert taken.finish() == b""
    assert taken.trailers == {"x-amz-meta-a": "1", "x-amz-meta-b": "2"}
    assert taken.unchecked == ()


def request(**headers):
    """Return a request with the headers of a body in unsigned chunks, and others."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = form(None, checksum="CRC32").headers
    sent = {name: value for name, value in {**body, **named}.items() if value is not None}
    return SignableRequest("PUT", URL, sent)


def verified(arrived):
    """Return what `verify` returns, after a right signature."""
    signer = Signer(SIGV4)
    signature = signer.sign(arrived, KEY, at=AT)
    signed = SignableRequest("PUT", URL, dict(arrived.headers) | signature.headers)
    return verify(signed, {"AKIDEXAMPLE": KEY}, at=AT, service="s3", region="us-east-1")


BOTH = "x-amz-checksum-crc32,x-amz-checksum-sha1"
HEADERS = {
    "no length": ({"x_amz_decoded_content_length": None}, "MissingContentLength"),
    "no number": ({"x_amz_decoded_content_length": "a"}, "InvalidArgument"),
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
def test_refused_headers(headers, code):
    """Headers that do not say how to decode the body are refused."""
    arrived = request(**headers)
    with pytest.raises(SignatureError) as refusal:
        ChunkDecoder.of(arrived, verified(arrived))
    assert code == refusal.value.code


def test_headers_may_be_spelled_otherwise():
    """The names of trailers are compared without regard to case and blanks."""
    arrived = request(x_amz_trailer=" X-Amz-Checksum-CRC32 ")
    taken = ChunkDecoder.of(arrived, verified(arrived))
    assert b"".join(taken.decode(encoded(form(None, checksum="CRC32")))) == BODY


@pytest.mark.parametrize(
    "marker",
    [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD",
    ],
)
def test_markers_of_no_or_another_algorithm(marker):
    """A marker must be one that there is, and of the algorithm that signed the request."""
    with pytest.raises(SignatureError, match="InvalidArgument"):
        verified(request(x_amz_content_sha256=marker))
