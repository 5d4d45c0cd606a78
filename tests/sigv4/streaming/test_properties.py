"""Test the properties in ``stream_properties.py``, and the time and memory that codecs need."""

import time
import tracemalloc

import pytest

from sigv4 import EventDecoder, Message
from tests.sigv4.property_runs import each_property, run_property
from tests.sigv4.stream_properties import PROPERTIES, Form

EXAMPLES = 300
MIB = 1024 * 1024


@each_property(PROPERTIES)
def test_property(check, strategy):
    """Each property in ``stream_properties.py`` holds for 300 examples, the same in each run."""
    run_property(check, strategy, EXAMPLES)


FORMS = {
    "unsigned": Form(None, "CRC32"),
    "signed": Form("SigV4", None),
    "signed, trailer": Form("SigV4", "SHA256"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_more_than_a_chunk_is_held(form):
    """Encoding and decoding a body of 8 MiB takes less than 1 MiB of memory."""
    length = 8 * MIB
    source = (bytes(3000) for _ in range(length // 3000))
    rest = [bytes(length % 3000)]

    def pieces():
        yield from source
        yield from rest

    tracemalloc.start()
    try:
        decoder = form.decoder(length)
        sent = form.body(length).encode(pieces(), form.seed())
        received = sum(map(len, decoder.decode(sent)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert received == length
    assert peak < MIB


def time_by_bytes(codec, data):
    """Return the processor time that feeding *data* to *codec* byte by byte takes."""
    began = time.process_time()
    for at in range(len(data)):
        codec.feed(data[at : at + 1])
    return time.process_time() - began


def many_chunks(count):
    """Return a decoder, and an encoded body of *count* chunks."""
    form, data = FORMS["signed"], bytes(8192 * count)
    return form.decoder(len(data)), b"".join(form.body(len(data)).encode(data, form.seed()))


def large_chunk(count):
    """Return a decoder, and the start of a body with one chunk of 8192 * *count* bytes."""
    length = 8192 * count
    return FORMS["unsigned"].decoder(length), f"{length:x}\r\n".encode() + bytes(length)


def large_event(count):
    """Return an event decoder, and one message with 8192 * *count* bytes of payload."""
    return EventDecoder(), Message({}, bytes(8192 * count)).encode()


def many_events(count):
    """Return an event decoder, and 60 * *count* encoded messages."""
    return EventDecoder(), Message({"a": "b"}, bytes(100)).encode() * (count * 60)


@pytest.mark.parametrize("make", [many_chunks, large_chunk, large_event, many_events])
def test_time_is_linear(make):
    """Decoding eight times the input takes less than 24 times as long, so it is not quadratic."""
    one = min(time_by_bytes(*make(1)) for _ in range(3))
    eight = min(time_by_bytes(*make(8)) for _ in range(3))
    assert eight < one * 24
