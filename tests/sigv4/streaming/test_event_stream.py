"""Test event-stream messages: framing, the ten header types, and chained signatures."""

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
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    verify,
)
from tests.sigv4.seeds import KEY, make_seed
from tests.sigv4.stream_oracles import botocore_decodes, botocore_decodes_what_is_whole, event

FOLDER = Path(__file__).parents[3] / "fixtures" / "sigv4"
AT = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
TRANSCRIBE = SigV4("transcribe", "us-east-1")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def load(name):
    """Return the cases in the fixture file *name*."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def decode_one(data):
    """Decode *data*, which must contain exactly one message."""
    decoder = EventDecoder()
    [message] = decoder.feed(data)
    decoder.finish()
    return message


def as_botocore(value):
    """Convert a header value to the value that botocore returns for it."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value.bytes if isinstance(value, UUID) else value


@pytest.mark.parametrize("case", load("event_stream"), ids=lambda case: case["name"])
def test_messages_are_botocores(case):
    """A message is decoded to the values that botocore returns, and encoded to the original bytes."""
    data = b64decode(case["encoded"])
    message = decode_one(data)
    headers = {name: as_botocore(value) for name, value in message.headers.items()}
    assert (headers, message.payload) == botocore_decodes(data)
    assert message.payload.decode() == case["payload"]
    assert message.encode() == data


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
    "timestamp": (datetime(1970, 1, 1, 0, 0, 1, 2999, tzinfo=UTC), "0800000000000003ea"),
    "uuid": (UUID(int=1), "09" + "00" * 15 + "01"),
}


@pytest.mark.parametrize(("value", "expected"), HEADERS.values(), ids=HEADERS)
def test_headers(value, expected):
    """A header value of each type is encoded in the format of that type."""
    headers = bytes([1]) + b"a" + bytes.fromhex(expected)
    assert Message({"a": value}).encode() == event(headers, b"")


@pytest.mark.parametrize("kind", [Int8, Int16, Int32, Int64])
def test_numbers_keep_their_type(kind):
    """An integer header is decoded to the type with which it was encoded, such as `Int16`."""
    value = decode_one(Message({"a": kind(1)}).encode()).headers["a"]
    assert type(value) is kind
    assert value == 1


INVALID_MESSAGES = {
    "number too large": ({"a": Int8(128)}, b""),
    "number far too large": ({"a": 2**63}, b""),
    "no name": ({"": 1}, b""),
    "long name": ({"é" * 128: 1}, b""),
    "long string": ({"a": "a" * 32_768}, b""),
    "long bytes": ({"a": bytes(32_768)}, b""),
    "naive datetime": ({"a": datetime(2026, 11, 22)}, b""),  # noqa: DTZ001 (it is rejected)
    "many headers": ({f"{n}": bytes(32_767) for n in range(4)}, b""),
    "large payload": ({}, bytes(24 * 1024 * 1024 + 1)),
}


@pytest.mark.parametrize(("headers", "payload"), INVALID_MESSAGES.values(), ids=INVALID_MESSAGES)
def test_invalid_messages(headers, payload):
    """Encoding a message that exceeds a limit or has an invalid header raises an error."""
    with pytest.raises(EventStreamError):
        Message(headers, payload).encode()


def test_an_empty_message():
    """A message may have no headers and no payload."""
    assert Message().encode() == event(b"", b"")
    assert decode_one(event(b"", b"")) == Message({}, b"")


def test_the_largest_message():
    """A message of the maximum size can be encoded and decoded."""
    message = Message({"a" * 255: "b" * 32_767}, bytes(24 * 1024 * 1024))
    assert decode_one(message.encode()) == message


WRONG_HEADERS = {
    "no name": b"\0\0",
    "cut in the name": b"\5ab",
    "no type": b"\1a",
    "unknown type": b"\1a\x0a\0\0",
    "cut in a number": b"\1a\4\0\0\0",
    "cut in a uuid": b"\1a\x09" + bytes(15),
    "cut in a length": b"\1a\7\0",
    "cut in a string": b"\1a\7\0\2a",
    "not UTF-8": b"\1a\7\0\1\xff",
    "name not UTF-8": b"\1\xff\0",
    "twice": b"\1a\0\1a\1",
    "value too long": b"\1a\6\x80\0" + bytes(32_768),
    "timestamp out of range": b"\1a\x08" + pack(">q", 2**63 - 1),
}


@pytest.mark.parametrize("headers", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_wrong_headers(headers):
    """Malformed headers are rejected even if the message has correct checksums."""
    with pytest.raises(EventStreamError, match="header"):
        EventDecoder().feed(event(headers, b""))


def prelude(total, headers):
    """Return the first twelve bytes of a message, with a correct checksum."""
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
    """A message with invalid lengths is rejected as soon as its first twelve bytes have arrived."""
    with pytest.raises(EventStreamError, match="lengths"):
        EventDecoder().feed(prelude(total, headers))


GOOD = Message({"a": "b"}, b"payload").encode()


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_altered_bytes(at):
    """A message with one altered byte is rejected, and so is all data after it."""
    decoder = EventDecoder()
    sent = GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]
    with pytest.raises(EventStreamError) as caught:
        decoder.feed(sent)
    with pytest.raises(EventStreamError) as again:
        decoder.feed(GOOD)
    assert caught.value is again.value


@pytest.mark.parametrize("length", [1, 11, 12, 13, len(GOOD) - 1])
def test_truncated_streams(length):
    """If a stream ends in the middle of a message, `finish` raises an error."""
    decoder = EventDecoder()
    assert decoder.feed(GOOD + GOOD[:length]) == [Message({"a": "b"}, b"payload")]
    with pytest.raises(EventStreamError, match="ends in the middle of a message"):
        decoder.finish()


def test_iterables():
    """`decode` and `adecode` accept iterables that yield pieces of any size."""
    messages = [Message({"n": n}, bytes(n)) for n in range(5)]
    sent = b"".join(message.encode() for message in messages)
    pieces = [sent[at : at + 7] for at in range(0, len(sent), 7)]

    async def later():
        for piece in pieces:
            yield piece

    async def awaited():
        return [message async for message in EventDecoder().adecode(later())]

    assert list(EventDecoder().decode(pieces)) == messages
    assert asyncio.run(awaited()) == messages


def test_signed_events_are_botocores():
    """Events have the signatures that botocore's derived keys give, even after midnight."""
    cases = load("event_stream_signed")
    signer = EventSigner(make_seed(TRANSCRIBE, signature=cases[0]["previous"]))
    verifier = EventVerifier(make_seed(TRANSCRIBE, signature=cases[0]["previous"]))
    for case in cases:
        at = EPOCH + timedelta(milliseconds=case["milliseconds"])
        payload = b64decode(case["payload"])
        sent = signer.sign(payload, at=at).encode()
        assert sent == b64decode(case["encoded"])
        assert verifier.verify(decode_one(sent), at=at) == payload
    assert verifier.ended


@pytest.mark.parametrize("algorithm", [TRANSCRIBE, SigV4A("transcribe", "*")], ids=["V4", "V4A"])
def test_from_request_to_events(algorithm):
    """After `verify` has accepted a request, `EventVerifier` accepts all events of its stream."""
    signer = Signer(algorithm)
    url = "https://transcribestreaming.us-east-1.amazonaws.com/stream-transcription"
    request = SignableRequest("POST", url, payload=Payload.EVENTS)
    signature = signer.sign(request, KEY, at=AT)
    arrived = SignableRequest("POST", url, signature.headers, Payload.EVENTS)
    known = {"AKIDEXAMPLE": KEY}
    verified = verify(arrived, known, at=AT, service="transcribe", region="us-east-1")
    assert verified.payload_hash == Payload.EVENTS.hash
    events, verifier = EventSigner(signer.seed(signature, KEY)), EventVerifier(verified.seed)
    for payload in (GOOD, b""):
        sent = events.sign(payload, at=AT)
        assert not verifier.ended
        assert verifier.verify(sent, at=AT) == payload
    assert verifier.ended


def signed_event(payload=b"payload", at=AT, **headers):
    """Return the first signed event of a stream after setting *headers* (None removes a header)."""
    message = EventSigner(make_seed(TRANSCRIBE)).sign(payload, at=at)
    changes = {":" + name.replace("_", "-"): value for name, value in headers.items()}
    all_headers = {
        name: value for name, value in {**message.headers, **changes}.items() if value is not None
    }
    return Message(all_headers, message.payload)


REJECTED = {
    "no date": (signed_event(date=None), "IncompleteSignature"),
    "date of another type": (signed_event(date=1), "IncompleteSignature"),
    "no signature": (signed_event(chunk_signature=None), "IncompleteSignature"),
    "signature of another type": (signed_event(chunk_signature="00"), "IncompleteSignature"),
    "other signature": (signed_event(chunk_signature=bytes(32)), "SignatureDoesNotMatch"),
    "short signature": (signed_event(chunk_signature=b""), "SignatureDoesNotMatch"),
    "other date": (signed_event(date=AT + timedelta(milliseconds=1)), "SignatureDoesNotMatch"),
    "another header": (signed_event(event_type="a"), "SignatureDoesNotMatch"),
    "other payload": (Message(signed_event().headers, b"other"), "SignatureDoesNotMatch"),
    "too old": (signed_event(at=AT - timedelta(seconds=301)), "RequestTimeTooSkewed"),
    "too new": (signed_event(at=AT + timedelta(seconds=301)), "RequestTimeTooSkewed"),
}


@pytest.mark.parametrize(("message", "code"), REJECTED.values(), ids=REJECTED)
def test_rejected_events(message, code):
    """`EventVerifier` rejects an invalid event, and still accepts a valid one afterwards."""
    verifier = EventVerifier(make_seed(TRANSCRIBE))
    with pytest.raises(SignatureError) as caught:
        verifier.verify(message, at=AT)
    assert caught.value.code == code
    assert verifier.verify(signed_event(), at=AT) == b"payload"


def test_tolerance():
    """An event is rejected if its date differs from the clock by more than *tolerance*."""
    verifier = EventVerifier(make_seed(TRANSCRIBE), tolerance=1)
    with pytest.raises(SignatureError, match="by more than 1 s"):
        verifier.verify(signed_event(), at=AT + timedelta(seconds=2))


def test_order_of_events():
    """An event is rejected if the verifier has not received the event before it."""
    signer, verifier = EventSigner(make_seed(TRANSCRIBE)), EventVerifier(make_seed(TRANSCRIBE))
    signer.sign(b"first", at=AT)
    with pytest.raises(SignatureError, match="SignatureDoesNotMatch"):
        verifier.verify(signer.sign(b"second", at=AT), at=AT)


def test_nothing_follows_the_last_event():
    """After the empty event that ends a stream, each further event is rejected."""
    signer, verifier = EventSigner(make_seed(TRANSCRIBE)), EventVerifier(make_seed(TRANSCRIBE))
    verifier.verify(signer.sign(b"", at=AT), at=AT)
    with pytest.raises(SignatureError, match="follows the end of the stream"):
        verifier.verify(signer.sign(b"more", at=AT), at=AT)


BROKEN = {
    "prelude": bytes(12),
    "message": Message({"a": 1}, b"x").encode()[:-1] + b"\0",
    "lengths": pack(">II", 2**32 - 1, 0) + pack(">I", crc32(pack(">II", 2**32 - 1, 0))),
}


def decode_in_pieces(data, size):
    """Decode *data* in pieces of *size* bytes; return the payloads and whether an error was raised."""
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
def test_complete_messages_precede_the_error(broken, size):
    """The decoder returns all complete messages before it raises the error for a malformed one."""
    data = Message({}, b"a").encode() + Message({}, b"b").encode() + broken + bytes(20)
    assert decode_in_pieces(data, size) == ([b"a", b"b"], True)
    assert botocore_decodes_what_is_whole(data) == [b"a", b"b"]


def test_error_is_repeated():
    """After a decoding error, `feed` and `finish` repeat the error, whose traceback does not grow."""
    decoder = EventDecoder()
    decoder.feed(Message({}, b"a").encode() + bytes(12))
    depths = set()
    for _ in range(3):
        with pytest.raises(EventStreamError, match="incorrect prelude CRC") as caught:
            decoder.feed(Message({}, b"b").encode())
        depths.add(len(caught.traceback))
    with pytest.raises(EventStreamError, match="incorrect prelude CRC"):
        decoder.finish()
    assert len(depths) == 1


def test_decode_yields_complete_messages():
    """`decode` and `adecode` yield the messages before a malformed one, and then raise an error."""
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
