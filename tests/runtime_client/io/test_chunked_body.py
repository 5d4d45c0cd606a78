"""Test the decoding of chunked response bodies, and compare it with h11."""

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client._io.pool.chunked_body import ChunkedBody
from sagemaker_runtime_client._io.run import run

BODY = b'4\r\nabcd\r\n0A;x="y"\r\n\r\nfghijkl\r\r\n1\t\r\nm\r\n00\r\nA: b\r\nC:\r\n\r\n'
DATA = b"abcd\r\nfghijkl\rm"


def decoded(pieces, received=b"", ready=()):
    """Decode a chunked body that arrives in *pieces*.

    Return the data, the error that followed or None, and whether nothing followed the body.
    """
    arriving, further = list(pieces), list(ready)

    async def receive():
        if not arriving:
            raise EOFError
        return arriving.pop(0)

    async def receive_ready():
        return further.pop(0) if further else b""

    body, data, error = ChunkedBody(received), [], None
    try:
        while piece := run(body.read(receive, receive_ready)):
            data.append(piece)
    except (EOFError, httpx.RemoteProtocolError) as raised:
        error = type(raised)
    return b"".join(data), error, body.is_at_end


def decoded_by_h11(text):
    """Decode a chunked body with h11; return the same values as `decoded`."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text)
    data = []
    try:
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                data.append(bytes(event.data))
            if isinstance(event, h11.EndOfMessage):
                return b"".join(data), None, not connection.trailing_data[0]
    except h11.RemoteProtocolError:
        return b"".join(data), httpx.RemoteProtocolError, False
    return b"".join(data), EOFError, False


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
def test_cut_anywhere(cut):
    """If a chunked body arrives in two pieces, all of its data are returned, wherever it was cut."""
    pieces = list(filter(None, [BODY[:cut], BODY[cut:]]))
    expected = (DATA, None, True)
    assert decoded(pieces) == expected
    assert decoded([BODY[cut:]], received=BODY[:cut]) == expected
    assert decoded(pieces[:1], ready=pieces[1:]) == expected


def test_single_bytes():
    """If a chunked body arrives byte by byte, all of its data are returned."""
    assert decoded([BODY[at : at + 1] for at in range(len(BODY))]) == (DATA, None, True)


@pytest.mark.parametrize("end", range(len(BODY)))
def test_incomplete(end):
    """If the connection ends within a chunked body, an error is raised after the data before it."""
    data, error, is_at_end = decoded([BODY[:end]] if end else [])
    assert (data, error, is_at_end) == (decoded_by_h11(BODY[:end])[0], EOFError, False)


MALFORMED = {
    "no size": b"\r\n",
    "no number": b"zz\r\n",
    "a prefix": b"0x1\r\nx\r\n",
    "a sign": b"+1\r\nx\r\n",
    "an underscore": b"1_0\r\n0123456789abcdef\r\n",
    "a space before": b" 1\r\nx\r\n",
    "only an extension": b";a\r\nx\r\n",
    "too many digits": b"0" * 20 + b"1\r\nx\r\n",
    "a long line": b"1;" + b"x" * 4095 + b"\r\nx\r\n",
    "an endless line": b"1;" + b"x" * 5000,
    "more data": b"1\r\nxyz\r\n",
    "many trailers": b"0\r\n" + b"A: b\r\n" * 20_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("data", [b"", b"ab"], ids=["first", "after data"])
def test_malformed(text, data):
    """If a chunked body is malformed, an error is raised after the data before the fault."""
    text = b"2\r\nab\r\n" + text if data else text
    found = {decoded([text]), decoded([text[at : at + 1] for at in range(min(len(text), 5200))])}
    if len(text) < 5200:
        more = b"x" if b"xyz" in text else b""
        assert found == {(data + more, httpx.RemoteProtocolError, False)}
    assert decoded([text])[1] is httpx.RemoteProtocolError


def test_longest_line():
    """A line of 4,096 bytes in a chunked body is accepted."""
    text = b"1;" + b"x" * 4094 + b"\r\ny\r\n0\r\n\r\n"
    assert decoded([text]) == (b"y", None, True)


def test_data_behind():
    """Bytes after a chunked body are not returned as data, but their existence is reported."""
    assert decoded([BODY + b"HTTP/1.1 200 OK"]) == (DATA, None, False)


_LINES = st.lists(
    st.sampled_from([b"1", b"2;x", b"a", b"", b"x", b"\r", b"\r\n", b"ab"]), max_size=12
)
_END = st.sampled_from([b"", b"\r\n0\r\n\r\n", b"\r\n00;x\r\nA: b\r\n\r\n", b"\r\n0 \r\n\r\nx"])


@given(_LINES.map(b"\r\n".join), _END)
def test_like_h11(lines, end):
    """For any sequence of lines, the decoder returns the same data and the same error as h11."""
    assert decoded([lines + end]) == decoded_by_h11(lines + end)
