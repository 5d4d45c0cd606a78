"""Properties that must hold for all chunked bodies, event streams and SigV4A requests.

``streaming/test_properties.py`` checks each property with 300 examples, and ``tests/fuzz`` checks
it with many more.  `PROPERTIES` maps each check to the strategy for its argument.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import strategies as st

from sigv4 import (
    AwsChunked,
    ChunkDecoder,
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
    SigV4Error,
    sign_all_headers,
    verify,
)
from sigv4._streaming.event_headers import decode_headers, encode_headers
from tests.sigv4 import strategies as of
from tests.sigv4.stream_oracles import (
    awscrt_signs_with_v4a,
    awscrt_verifies,
    botocore_decodes,
    botocore_encodes,
    event,
)

KEY = Credentials("AKIDEXAMPLE", "secret")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIMESTAMP = "20261122T120000Z"
ALGORITHMS = {"SigV4": SigV4("s3", "us-east-1"), "SigV4A": SigV4A("s3", "us-*")}


class Fed(NamedTuple):
    """The input of an encoder or decoder, and the positions at which it is split into pieces."""

    data: bytes
    cuts: Sequence[int]

    def pieces(self) -> list[bytes]:
        """Return the pieces, some of which may be empty."""
        at = [0, *sorted(cut % (len(self.data) + 1) for cut in self.cuts), len(self.data)]
        return [self.data[start:end] for start, end in pairwise(at)]


class Form(NamedTuple):
    """The name of the algorithm that signs the chunks of a body, and the name of its checksum.

    The algorithm is None if the chunks are unsigned, and the checksum is None if none is sent.
    """

    algorithm: str | None
    checksum: str | None

    def body(self, length: int) -> AwsChunked:
        """Return an `AwsChunked` for a body of *length* bytes."""
        algorithm = ALGORITHMS[self.algorithm] if self.algorithm else None
        return AwsChunked(algorithm, length, chunk_size=8192, checksum=self.checksum)

    def seed(self) -> SeedSignature | None:
        """Return the seed signature, or None if the chunks are unsigned."""
        return (
            SeedSignature(ALGORITHMS[self.algorithm], KEY, TIMESTAMP, "5eed")
            if self.algorithm
            else None
        )

    def decoder(self, length: int) -> ChunkDecoder:
        """Return a decoder for an encoded body whose decoded length is *length*."""
        body = self.body(length)
        return ChunkDecoder(
            body.payload,
            length,
            seed=self.seed(),
            trailers=[body.trailer] if body.trailer else (),
            largest_chunk=1 << 16,
        )


def outcome(read: Callable[[], Any]) -> Any:
    """Return the result of *read*, or the type and the text of the SigV4Error that it raises."""
    try:
        return read()
    except SigV4Error as refusal:
        return type(refusal), str(refusal)


def any_split_is_encoded_alike(case: tuple[Form, Fed]) -> None:
    """However a body is split, its encoded form is the same, except for SigV4A signatures.

    The encoded form has the announced length, and is decoded to the body.  Unsigned chunks are the
    same as botocore's.
    """
    form, fed = case
    body, seed = form.body(len(fed.data)), form.seed()
    sent = b"".join(body.encode(fed.pieces(), seed))
    assert body.encoded_length == len(sent)
    if form.algorithm != "SigV4A":  # two SigV4A signatures of the same chunk differ
        assert b"".join(body.encode(fed.data, seed)) == sent
    if form.algorithm is None:
        assert botocore_encodes(fed.data, form.checksum or "", 8192) == sent
    cut = Fed(sent, fed.cuts)
    assert b"".join(form.decoder(len(fed.data)).decode(cut.pieces())) == fed.data


def any_split_is_decoded_alike(case: tuple[Form, int, Fed]) -> None:
    """`ChunkDecoder` returns the same body, or raises the same error, however its input is split."""
    form, length, fed = case

    def read(pieces: list[bytes]) -> Callable[[], Any]:
        return lambda: b"".join(form.decoder(length).decode(pieces))

    assert outcome(read([fed.data])) == outcome(read(fed.pieces()))


def events_any_split_is_decoded_alike(fed: Fed) -> None:
    """`EventDecoder` returns the same messages, or raises the same error, however its input is split.

    If it raises no error, the messages are encoded to the original bytes.
    """

    def read(pieces: list[bytes]) -> Callable[[], Any]:
        return lambda: list(EventDecoder().decode(pieces))

    whole = outcome(read([fed.data]))
    assert whole == outcome(read(fed.pieces()))
    if isinstance(whole, list):
        assert b"".join(message.encode() for message in whole) == fed.data


def headers_are_one_text(data: bytes) -> None:
    """The encoding of event-stream headers is unique.

    If `decode_headers` accepts *data*, `encode_headers` returns *data* for the decoded headers, and
    botocore decodes *data* to headers with the same names.
    """
    try:
        headers = decode_headers(data)
    except EventStreamError:
        return
    assert encode_headers(headers) == data
    assert list(botocore_decodes(event(data, b""))[0]) == list(headers)


def messages_go_both_ways(message: Message) -> None:
    """If a message is sent in a signed event, the received message has the same values and types."""
    seed = SeedSignature(SigV4("transcribe", "us-east-1"), KEY, TIMESTAMP, "5eed")
    data = message.encode()
    sent = EventSigner(seed).sign(data, at=AT).encode()
    [carrying] = EventDecoder().feed(sent)
    [carried] = EventDecoder().feed(EventVerifier(seed).verify(carrying, at=AT))
    assert message == carried
    assert [type(value) for value in message.headers.values()] == [
        type(value) for value in carried.headers.values()
    ]


def other_events_are_refused(case: tuple[Message, Message]) -> None:
    """`EventVerifier` raises SignatureError for each message that `EventSigner` has not signed."""
    seed = SeedSignature(SigV4("transcribe", "us-east-1"), KEY, TIMESTAMP, "5eed")
    verifier = EventVerifier(seed)
    for message in case:
        try:
            verifier.verify(message, at=AT)
        except SignatureError:
            continue
        raise AssertionError("a message was taken that nobody signed")


def v4a_goes_both_ways(case: dict[str, Any]) -> None:
    """`verify` accepts SigV4A signatures of this package and of awscrt; awscrt accepts the former."""
    key = SigV4A.public_key(KEY)
    algorithm = SigV4A(case["service"], case["region_set"])
    signer = Signer(algorithm, signed_headers=sign_all_headers)
    body = case["body"].encode()
    region = case["region_set"].split(",")[0].replace("*", "east-1")
    arguments = {"at": AT, "service": case["service"], "region": region}
    request = SignableRequest(case["method"], case["url"], case["headers"], Payload.of(body))
    ours = signer.sign(request, KEY, at=AT)
    assert awscrt_verifies(key.public_key, ours.string_to_sign, ours.signature)
    theirs = awscrt_signs_with_v4a(case).headers
    for headers in ([*case["headers"], *ours.headers.items()], list(theirs)):
        arrived = SignableRequest(case["method"], case["url"], headers, Payload.of(body))
        assert (
            ours.signed_headers == verify(arrived, {"AKIDEXAMPLE": key}, **arguments).signed_headers
        )


_cuts = st.lists(st.integers(0, 1 << 16), max_size=6)
_forms = st.sampled_from(
    [
        Form(algorithm, checksum)
        for algorithm in (None, *ALGORITHMS)
        for checksum in (None, "CRC32", "SHA256")
        if algorithm or checksum
    ]
)
_bodies = st.builds(
    lambda length, start: bytes((start + at * 7) % 251 for at in range(length)),
    st.sampled_from([0, 1, 2, 100, 8191, 8192, 8193, 16_384, 20_000]),
    st.integers(0, 250),
)


def _altered(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Return *data* after *changes*, each of which replaces some bytes at a position."""
    for at, removed, added in changes:
        start = at % (len(data) + 1)
        data = data[:start] + added + data[start + removed :]
    return data


_pieces_of_bodies = st.sampled_from(
    [
        *(b"0", b"1", b"2000", b"2001", b"ffffffffffffffff", b"\r\n", b"\r", b"\n", b";", b":"),
        *(b";chunk-signature=", b"x-amz-checksum-crc32:", b"AAAAAA==", b"x-amz-trailer-signature:"),
        *(b"a" * 64, b"*" * 144, b"\0", b"\xff", b" ", b"0\r\n", b"\r\n\r\n"),
    ]
)
_added = st.binary(max_size=3) | _pieces_of_bodies
_changes = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 5), _added), max_size=3)


def _sent(form: Form, data: bytes) -> bytes:
    return b"".join(form.body(len(data)).encode(data, form.seed()))


_small = st.binary(max_size=20)
_chunk_streams = st.one_of(
    st.lists(_pieces_of_bodies, max_size=12).map(b"".join).map(lambda data: (3, data)),
    st.binary(max_size=40).map(lambda data: (3, data)),
)


@st.composite
def _arriving(draw: st.DrawFn) -> tuple[Form, int, Fed]:
    """Return a strategy for encoded bodies, which may be valid, altered or arbitrary bytes."""
    form = draw(_forms)
    if draw(st.booleans()):
        length, data = draw(_chunk_streams)
    else:
        body = draw(_small)
        length, data = len(body), _altered(_sent(form, body), draw(_changes))
    return form, length, Fed(data, draw(_cuts))


_values = st.one_of(
    st.booleans(),
    *(
        st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(kind)
        for bits, kind in ((8, Int8), (16, Int16), (32, Int32), (64, Int64))
    ),
    st.binary(max_size=9),
    st.text(max_size=9),
    st.integers(-(10**13), 10**14).map(
        lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n)
    ),
    st.uuids(),
)
_names = st.text(min_size=1, max_size=5) | st.sampled_from([":date", ":chunk-signature"])
_messages = st.builds(Message, st.dictionaries(_names, _values, max_size=4), st.binary(max_size=20))
_lookalikes = st.builds(
    lambda date, signature, payload: Message(
        {":date": date, ":chunk-signature": signature}, payload
    ),
    _values | st.just(AT),
    _values | st.binary(min_size=32, max_size=32),
    st.binary(max_size=9),
)
_header_bytes = st.one_of(
    st.binary(max_size=30),
    st.lists(
        st.binary(max_size=4)
        | st.integers(0, 10).map(lambda kind: b"\1%c%c" % (97 + kind, kind))
        | st.just(bytes(8)),
        max_size=6,
    ).map(b"".join),
    st.dictionaries(_names, _values, max_size=4).map(encode_headers),
)


@st.composite
def _event_streams(draw: st.DrawFn) -> Fed:
    """Return a strategy for event streams: valid, changed, or with arbitrary bytes as headers."""
    data = b"".join(message.encode() for message in draw(st.lists(_messages, max_size=3)))
    data += draw(st.just(b"") | _header_bytes.map(lambda headers: event(headers, b"p")))
    return Fed(_altered(data, draw(_changes)), draw(_cuts))


def _no_scheme(query: str) -> str:
    """Remove each ``:/`` from *query*, because awscrt would parse the text before it as a scheme."""
    return query.replace(":/", ":")


_v4a_requests = st.builds(
    lambda path, query, **parts: {
        **parts,
        "credentials": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"},
        "at": AT,
        "url": f"https://example.amazonaws.com{path}" + (f"?{query}" if query else ""),
    },
    path=of.paths_without_colons,
    query=(of.queries | of.odd_queries).map(_no_scheme),
    service=st.sampled_from(["s3", "sagemaker"]),
    region_set=st.sampled_from(["*", "us-east-1", "us-*,eu-west-1"]),
    method=of.methods,
    headers=of.plain_headers,
    body=st.text(max_size=9),
)

PROPERTIES = {
    any_split_is_encoded_alike: st.tuples(_forms, st.builds(Fed, _bodies, _cuts)),
    any_split_is_decoded_alike: _arriving(),
    events_any_split_is_decoded_alike: _event_streams(),
    headers_are_one_text: _header_bytes,
    messages_go_both_ways: _messages,
    other_events_are_refused: st.tuples(_messages | _lookalikes, _messages | _lookalikes),
    v4a_goes_both_ways: _v4a_requests,
}
