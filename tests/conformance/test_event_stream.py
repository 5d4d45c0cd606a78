"""Test event-stream messages and their signatures against the test data of other projects."""

import json
import os
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import unpack
from uuid import UUID
from zlib import crc32

import pytest

from sigv4 import (
    Credentials,
    EventDecoder,
    EventSigner,
    EventStreamError,
    Int8,
    Int16,
    Int32,
    Int64,
    SeedSignature,
    SigV4,
)
from sigv4._streaming.signature_chain import SignatureChain

SUITES = Path(os.environ["SUITES"])
MESSAGES = json.loads((SUITES / "event-stream.json").read_text("utf-8"))
SIGNED = json.loads((SUITES / "event-signing-vectors.json").read_text("utf-8"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Maps the number of a header type to a function that converts a value of this type from the suite's
# JSON form.
AS_STATED = {
    0: lambda value: value,
    1: lambda value: value,
    2: Int8,
    3: Int16,
    4: Int32,
    5: Int64,
    6: b64decode,
    7: lambda value: b64decode(value).decode(),
    8: lambda value: EPOCH + timedelta(milliseconds=value),
    9: lambda value: UUID(bytes=b64decode(value)),
}


def of_kind(kind):
    """Return the cases of a kind: "positive" (valid messages) or "negative" (invalid messages)."""
    return [pytest.param(m, id=m["name"]) for m in MESSAGES if m["kind"] == kind]


@pytest.mark.parametrize("case", of_kind("positive"))
def test_messages(case):
    """A decoded message has the expected values and types, and is encoded to the same bytes again."""
    data, expected = b64decode(case["encoded_base64"]), case["decoded"]
    decoder = EventDecoder()
    [message] = decoder.feed(data)
    decoder.finish()
    stated = {h["name"]: AS_STATED[h["type"]](h["value"]) for h in expected["headers"]}
    assert message.headers == stated
    assert [type(v) for v in message.headers.values()] == [type(v) for v in stated.values()]
    assert message.payload == b64decode(expected["payload"])
    assert message.encode() == data


@pytest.mark.parametrize("case", of_kind("positive"))
def test_framing(case):
    """If a message is decoded and encoded again, it has the expected lengths and checksums."""
    [message] = EventDecoder().feed(b64decode(case["encoded_base64"]))
    data, expected = message.encode(), case["decoded"]
    start = (expected["total_length"], expected["headers_length"], expected["prelude_crc"])
    assert unpack(">IIi", data[:12]) == start
    assert unpack(">i", data[-4:])[0] == expected["message_crc"]
    assert unpack(">I", data[-4:])[0] == crc32(data[:-4])


@pytest.mark.parametrize("case", of_kind("negative"))
def test_refused_messages(case):
    """`EventDecoder` rejects a corrupted message; the error states which checksum is incorrect."""
    part = case["error"].split()[0].lower()
    with pytest.raises(EventStreamError, match=f"incorrect {part} CRC"):
        EventDecoder().feed(b64decode(case["encoded_base64"]))


def get_seed(case):
    """Return a seed after which the next signature of the chain is the one in *case*."""
    _, region, service, _ = case["scope"].split("/")
    key = Credentials("AKIDEXAMPLE", case["secret"])
    return SeedSignature(SigV4(service, region), key, case["timestamp"], case["prior"])


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case["timestamp"])
def test_signatures(case):
    """`SignatureChain` computes the expected signature of an event."""
    hashed = [bytes.fromhex(case[part]) for part in ("headers_hex", "payload_hex")]
    assert SignatureChain(get_seed(case)).sign("PAYLOAD", *hashed) == case["signature"]


@pytest.mark.parametrize(
    "case",
    [c for c in SIGNED if c["headers_hex"].startswith("053a64617465")],
    ids=lambda c: c["timestamp"],
)
def test_signed_messages(case):
    """If the date is the only header to sign, `EventSigner` creates the expected headers."""
    at = datetime.strptime(case["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    payload = bytes.fromhex(case["payload_hex"])
    message = EventSigner(get_seed(case)).sign(payload, at=at)
    signature = bytes.fromhex(case["signature"])
    assert message.headers == {":date": at, ":chunk-signature": signature}
    assert bytes.fromhex(case["headers_hex"]) in message.encode()
