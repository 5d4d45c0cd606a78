"""The properties of ``stream_properties.py``, and that time and memory stay in proportion."""

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings

from sigv4 import EventDecoder, Message
from tests.sigv4.stream_properties import PROPERTIES, Form

EXAMPLES = 300
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """What `stream_properties.py` states holds for what is generated, the same in each run."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run(given(strategy)(check))()


FORMS = {
    "unsigned": Form(None, "CRC32"),
    "signed": Form("SigV4", None),
    "signed, trailer": Form("SigV4", "SHA256"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_more_than_a_chunk_is_held(form):
    """A body of 8 MiB is encoded and decoded again in far less memory."""
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
        taken = sum(map(len, decoder.decode(sent)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length == taken
    assert peak < MIB


def by_bytes(core, data):
    """Return the processor time of feeding *core* byte by byte."""
    began = time.process_time()
    for at in range(len(data)):
        core.feed(data[at : at + 1])
    return time.process_time() - began


def of_chunks(count):
    """Return a body of chunks and what decodes it."""
    form, data = FORMS["signed"], bytes(8192 * count)
    return form.decoder(len(data)), b"".join(form.body(len(data)).encode(data, form.seed()))


def of_a_chunk(count):
    """Return one large chunk and what decodes it."""
    length = 8192 * count
    return FORMS["unsigned"].decoder(length), f"{length:x}\r\n".encode() + bytes(length)


def of_an_event(count):
    """Return one large message and what decodes it."""
    return EventDecoder(), Message({}, bytes(8192 * count)).encode()


def of_events(count):
    """Return many messages and what decodes them."""
    return EventDecoder(), Message({"a": "b"}, bytes(100)).encode() * (count * 60)


@pytest.mark.parametrize("make", [of_chunks, of_a_chunk, of_an_event, of_events])
def test_time_is_linear(make):
    """Eight times the input takes nowhere near 64 times the time, fed byte by byte."""
    one = min(by_bytes(*make(1)) for _ in range(3))
    eight = min(by_bytes(*make(8)) for _ in range(3))
    assert eight < one * 24
