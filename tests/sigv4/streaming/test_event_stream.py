"""Event-stream messages: framing, the ten types of headers, and chained signatures."""

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack
from uuid import UUID
from zlib import crc32

import pytest

from sigv4 import (
    Credentials,
    EventDecoder,
    EventSigner,
    EventStreamError,
    EventVerifier,
    Int8,
    Int16,
    Int32,
    Int64,
    Message,
    Payload,
    SeedSignature,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    verify,
)
from tests.sigv4.stream_oracles import botocore_decodes, botocore_decodes_what_is_whole, event

FOLDER = Path(__file__).parents[3] / "fixtures" / "sigv4"
AT = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "secret")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def load(name):
    """Return the cases of a file."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def decoded(data):
    """Return the one message in *data*."""
    decoder = EventDecoder()
    [message] = decoder.feed(data)
    decoder.finish()
    return message


def as_botocore(value):
    """Return a header's value as botocore decodes it, bytes in base64."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value.bytes if isinstance(value, UUID) else value


@pytest.mark.parametrize("case", load("event_stream"), ids=lambda case: case["name"])
def test_messages_are_botocores(case):
    """A message is decoded as botocore does it, and encoded again to the byte."""
    data = b64decode(case["encoded"])
    message = decoded(data)
    headers = {name: as_botocore(value) for name, value in message.headers.items()}
    assert botocore_decodes(data) == (headers, message.payload)
    assert case["payload"] == message.payload.decode()
    assert data == message.encode()


HEADERS = {
    "true": (True, "00"),
    "false": (False, "01"),
    "int8": (Int8(-1), "02ff"),
    "int16": (Int16(-1), "03ffff"),
    "int32": (Int32(-1), "04ffffffff"),
    "int64": (Int64(-1), "05" + "ff" * 8),
    "int": (2**31 - 1, "047fffffff"),
    "large int": (2**31, "050000000080000000"),
    "bytes": (b"ab", "0600026162"),
    "string": ("é", "070002c3a9"),
    "instant": (datetime(1970, 1, 1, 0, 0, 1, 2999, tzinfo=UTC), "0800000000000003ea"),
    "uuid": (UUID(int=1), "09" + "00" * 15 + "01"),
}


@pytest.mark.parametrize(("value", "expected"), HEADERS.values(), ids=HEADERS)
def test_headers(value, expected):
    """Each type of value is sent in its form."""
    headers = bytes([1]) + b"a" + bytes.fromhex(expected)
    assert event(headers, b"") == Message({"a": value}).encode()


@pytest.mark.parametrize("kind", [Int8, Int16, Int32, Int64])
def test_numbers_keep_their_type(kind):
    """A number that was decoded is sent again in as many bytes."""
    value = decoded(Message({"a": kind(1)}).encode()).headers["a"]
    assert kind is type(value)
    assert value == 1


IMPOSSIBLE = {
    "number too large": ({"a": Int8(128)}, b""),
    "number far too large": ({"a": 2**63}, b""),
    "no name": ({"": 1}, b""),
    "long name": ({"é" * 128: 1}, b""),
    "long string": ({"a": "a" * 32_768}, b""),
    "long bytes": ({"a": bytes(32_768)}, b""),
    "naive instant": ({"a": datetime(2026, 11, 22)}, b""),  # noqa: DTZ001 (it is refused)
    "many headers": ({f"{n}": bytes(32_767) for n in range(4)}, b""),
    "large payload": ({}, bytes(24 * 1024 * 1024 + 1)),
}


@pytest.mark.parametrize(("headers", "payload"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_messages(headers, payload):
    """A message that no receiver takes is not encoded."""
    with pytest.raises(EventStreamError):
        Message(headers, payload).encode()


def test_an_empty_message():
    """A message may have neither headers nor payload."""
    assert event(b"", b"") == Message().encode()
    assert Message({}, b"") == decoded(event(b"", b""))


def test_the_largest_message():
    """A message with the largest payload and the longest header goes both ways."""
    message = Message({"a" * 255: "b" * 32_767}, bytes(24 * 1024 * 1024))
    assert message == decoded(message.encode())


WRONG_HEADERS = {
    "no name": b"\0\0",
    "cut in the name": b"\5ab",
    "no type": b"\1a",
    "unknown type": b"\1a\x0a\0\0",
    "cut in a number": b"\1a\4\0\0\0",
    "cut in a uuid": b"\1a\x09" + bytes(15),
    "cut in a length": b"\1a\7\0",
    "cut in a string": b"\1a\7\0\2a",
    "no UTF-8": b"\1a\7\0\1\xff",
    "name in no UTF-8": b"\1\xff\0",
    "twice": b"\1a\0\1a\1",
    "value too long": b"\1a\6\x80\0" + bytes(32_768),
    "instant out of range": b"\1a\x08" + pack(">q", 2**63 - 1),
}


@pytest.mark.parametrize("headers", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_wrong_headers(headers):
    """Headers that are malformed are refused, though the checksums are right."""
    with pytest.raises(EventStreamError, match="header"):
        EventDecoder().feed(event(headers, b""))


def prelude(total, headers):
    """Return the start of a message, its checksum right."""
    start = pack(">II", total, headers)
    return start + pack(">I", crc32(start))


WRONG_LENGTHS = {
    "total below the overhead": (15, 0),
    "headers beyond the total": (20, 5),
    "many headers": (2**18, 2**17 + 1),
    "large payload": (24 * 1024 * 1024 + 17, 0),
    "all ones": (2**32 - 1, 2**32 - 1),
    "nothing": (0, 0),
}


@pytest.mark.parametrize(("total", "headers"), WRONG_LENGTHS.values(), ids=WRONG_LENGTHS)
def test_wrong_lengths(total, headers):
    """A message with impossible lengths is refused by its first twelve bytes."""
    with pytest.raises(EventStreamError, match="lengths"):
        EventDecoder().feed(prelude(total, headers))


GOOD = Message({"a": "b"}, b"payload").encode()


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_altered_bytes(at):
    """A message in which any byte was altered is refused, and so is all that follows."""
    decoder = EventDecoder()
    sent = GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]
    with pytest.raises(EventStreamError) as refusal:
        decoder.feed(sent)
    with pytest.raises(EventStreamError) as again:
        decoder.feed(GOOD)
    assert refusal.value is again.value


@pytest.mark.parametrize("length", [1, 11, 12, 13, len(GOOD) - 1])
def test_cut_streams(length):
    """A stream that ends within a message is refused at its end."""
    decoder = EventDecoder()
    assert [Message({"a": "b"}, b"payload")] == decoder.feed(GOOD + GOOD[:length])
    with pytest.raises(EventStreamError, match="ends within a message"):
        decoder.finish()


def test_iterables():
    """A stream may be iterated over, also where it must be awaited."""
    messages = [Message({"n": n}, bytes(n)) for n in range(5)]
    sent = b"".join(message.encode() for message in messages)
    pieces = [sent[at : at + 7] for at in range(0, len(sent), 7)]

    async def later():
        for piece in pieces:
            yield piece

    async def awaited():
        return [message async for message in EventDecoder().adecode(later())]

    assert messages == list(EventDecoder().decode(pieces))
    assert messages == asyncio.run(awaited())


def seed_of(signature, algorithm=None):
    """Return a seed."""
    algorithm = algorithm or SigV4("transcribe", "us-east-1")
    return SeedSignature(algorithm, KEY, "20261122T235958Z", signature)


def test_signed_events_are_botocores():
    """A chain of signed events has the signatures that botocore's key gives, also over midnight."""
    cases = load("event_stream_signed")
    signer = EventSigner(seed_of(cases[0]["previous"]))
    verifier = EventVerifier(seed_of(cases[0]["previous"]))
    for case in cases:
        at = EPOCH + timedelta(milliseconds=case["milliseconds"])
        payload = b64decode(case["payload"])
        sent = signer.sign(payload, at=at).encode()
        assert b64decode(case["encoded"]) == sent
        assert payload == verifier.verify(decoded(sent), at=at)
    assert verifier.ended


@pytest.mark.parametrize(
    "algorithm", [SigV4("transcribe", "us-east-1"), SigV4A("transcribe", "*")], ids=["V4", "V4A"]
)
def test_from_request_to_events(algorithm):
    """The events of a request that was verified are verified, to the last."""
    signer = Signer(algorithm)
    url = "https://transcribestreaming.us-east-1.amazonaws.com/stream-transcription"
    asked = SignableRequest("POST", url, payload=Payload.EVENTS)
    signature = signer.sign(asked, KEY, at=AT)
    arrived = SignableRequest("POST", url, signature.headers, Payload.EVENTS)
    known = {"AKIDEXAMPLE": KEY}
    verified = verify(arrived, known, at=AT, service="transcribe", region="us-east-1")
    assert Payload.EVENTS.hash == verified.payload_hash
    events, verifier = EventSigner(signer.seed(signature, KEY)), EventVerifier(verified.seed)
    for payload in (GOOD, b""):
        sent = events.sign(payload, at=AT)
        assert not verifier.ended
        assert payload == verifier.verify(sent, at=AT)
    assert verifier.ended


def signed(payload=b"payload", at=AT, **headers):
    """Return the first event of a stream, with headers altered."""
    message = EventSigner(seed_of("5eed")).sign(payload, at=at)
    named = {":" + name.replace("_", "-"): value for name, value in headers.items()}
    kept = {
        name: value for name, value in {**message.headers, **named}.items() if value is not None
    }
    return Message(kept, message.payload)


REFUSED = {
    "no date": (signed(date=None), "IncompleteSignature"),
    "date of another type": (signed(date=1), "IncompleteSignature"),
    "no signature": (signed(chunk_signature=None), "IncompleteSignature"),
    "signature of another type": (signed(chunk_signature="00"), "IncompleteSignature"),
    "other signature": (signed(chunk_signature=bytes(32)), "SignatureDoesNotMatch"),
    "short signature": (signed(chunk_signature=b""), "SignatureDoesNotMatch"),
    "other date": (signed(date=AT + timedelta(milliseconds=1)), "SignatureDoesNotMatch"),
    "another header": (signed(event_type="a"), "SignatureDoesNotMatch"),
    "other payload": (Message(signed().headers, b"other"), "SignatureDoesNotMatch"),
    "too old": (signed(at=AT - timedelta(seconds=301)), "RequestTimeTooSkewed"),
    "too new": (signed(at=AT + timedelta(seconds=301)), "RequestTimeTooSkewed"),
}


@pytest.mark.parametrize(("message", "code"), REFUSED.values(), ids=REFUSED)
def test_refused_events(message, code):
    """An event that is not signed as it must be is refused, and the stream may not go on from it."""
    verifier = EventVerifier(seed_of("5eed"))
    with pytest.raises(SignatureError) as refusal:
        verifier.verify(message, at=AT)
    assert code == refusal.value.code
    assert verifier.verify(signed(), at=AT) == b"payload"


def test_tolerance():
    """How far the sender's clock may be off is up to the receiver."""
    verifier = EventVerifier(seed_of("5eed"), tolerance=1)
    with pytest.raises(SignatureError, match="more than 1 s off"):
        verifier.verify(signed(), at=AT + timedelta(seconds=2))


def test_order_of_events():
    """An event counts only in its place."""
    signer, verifier = EventSigner(seed_of("5eed")), EventVerifier(seed_of("5eed"))
    signer.sign(b"first", at=AT)
    with pytest.raises(SignatureError, match="SignatureDoesNotMatch"):
        verifier.verify(signer.sign(b"second", at=AT), at=AT)


def test_nothing_follows_the_last_event():
    """After the last event none is taken."""
    signer, verifier = EventSigner(seed_of("5eed")), EventVerifier(seed_of("5eed"))
    verifier.verify(signer.sign(b"", at=AT), at=AT)
    with pytest.raises(SignatureError, match="one too many"):
        verifier.verify(signer.sign(b"more", at=AT), at=AT)


BROKEN = {
    "prelude": bytes(12),
    "message": Message({"a": 1}, b"x").encode()[:-1] + b"\0",
    "lengths": pack(">II", 2**32 - 1, 0) + pack(">I", crc32(pack(">II", 2**32 - 1, 0))),
}


def whole(data, size):
    """Return the payloads that come out of *data*, fed in pieces, and whether an error does."""
    decoder, payloads = EventDecoder(), []
    try:
        for at in range(0, len(data), size):
            payloads += [message.payload for message in decoder.feed(data[at : at + size])]
        decoder.finish()
    except EventStreamError:
        return payloads, True
    return payloads, False


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_whole_comes_out(broken, size):
    """Messages before one that is broken come out, in whatever pieces they are fed; then the error."""
    data = Message({}, b"a").encode() + Message({}, b"b").encode() + broken + bytes(20)
    assert whole(data, size) == ([b"a", b"b"], True)
    assert botocore_decodes_what_is_whole(data) == [b"a", b"b"]


def test_an_error_stays():
    """After the error nothing comes out, and the error does not grow with each call."""
    decoder = EventDecoder()
    decoder.feed(Message({}, b"a").encode() + bytes(12))
    depths = set()
    for _ in range(3):
        with pytest.raises(EventStreamError, match="checksum of a prelude") as caught:
            decoder.feed(Message({}, b"b").encode())
        depths.add(len(caught.traceback))
    with pytest.raises(EventStreamError, match="checksum of a prelude"):
        decoder.finish()
    assert len(depths) == 1


def test_decode_yields_what_is_whole():
    """`decode` and `adecode` yield the messages before the broken one, then raise."""
    data = Message({}, b"a").encode() + bytes(12)

    async def pieces():
        yield data

    async def awaited():
        messages = EventDecoder().adecode(pieces())
        assert (await anext(messages)).payload == b"a"
        with pytest.raises(EventStreamError):
            await anext(messages)

    messages = EventDecoder().decode([data])
    assert next(messages).payload == b"a"
    with pytest.raises(EventStreamError):
        next(messages)
    asyncio.run(awaited())
