"""Test that invalid headers are rejected before anything is sent, without showing their values,
which may be secret.
"""

import logging
from importlib import import_module

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagemaker_runtime_client import ParamValidationError, TransportError
from sagemaker_runtime_client._io.httpx_bridge import checked_headers
from sagemaker_runtime_client._io.message import Request
from tests.runtime_client.clients import CREDENTIALS, KINDS, REGION, pointed_at
from tests.runtime_client.loopback import Loopback, always

# Header values that h11 rejects, and values that it accepts.
REFUSED = (
    *("canary ", " canary", "canary\t", "canary\n", "can\r\nary", "canary\0", "can\x7fary"),
    *("canary\x1b[31m", "\u20ac canary\n", "canary\ud800", "\n"),
)
ACCEPTED = ("", "a", "a b", "a\tb", "\u20ac", "\u200b", "a\u0085b", "x" * 9999)


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


def send(client, server, *headers):
    """Send a request with these headers through the client's transport, and return the response."""
    return client.send(server.url, Request("GET", "/", headers))


def shown(error):
    """Return, as one string, everything that a traceback may show of an exception and its causes."""
    found = []
    while error is not None:
        found += [repr(error), str(error), *map(str, error.args)]
        error = error.__cause__ or error.__context__
    return " ".join(found)


class TestHeaders:
    @pytest.mark.parametrize("value", REFUSED)
    def test_value(self, driver, value, caplog):
        """Every kind of client rejects an invalid header value without a retry, and shows the value
        neither in the error nor in the log.
        """
        caplog.set_level(logging.DEBUG)
        with Loopback(always()) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(ParamValidationError, match="the header x-token ") as caught:
                send(client, server, ("a", "b"), ("x-token", value))
        assert "ary" not in shown(caught.value) + caplog.text
        assert (caught.value.retryable, caught.value.argument) == (False, "x-token")
        assert server.requests == []

    @pytest.mark.parametrize("value", ACCEPTED)
    def test_any_other_value(self, driver, value):
        """A header value that HTTP allows is sent unchanged."""
        with Loopback(always()) as server:
            client = driver.client(**pointed_at(server))
            assert send(client, server, ("x-token", value)).status == 200
        assert server.requests[0].header("x-token") == value

    @pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "\u20ac", "\ud800"])
    def test_name(self, driver, name):
        """An invalid header name is rejected before anything is sent."""
        with Loopback(always()) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(ParamValidationError, match="is not a valid header name"):
                send(client, server, (name, "b"))
        assert server.requests == []


@pytest.mark.parametrize(
    "driver", [kind for kind in KINDS.values() if kind.library], ids=str, indirect=True
)
def test_what_h11_says(driver):
    """If the library of a user-supplied client rejects a header, the error does not contain the
    library's message, because that message quotes the header value.
    """
    library = driver.kind.library
    httpx = import_module(library)

    def refuse(_request):
        tried.append(1)
        raise httpx.LocalProtocolError("Illegal header value b'canary '")

    tried = []
    http_client = driver.http_client(library, transport=httpx.MockTransport(refuse))
    client = driver.client(
        region=REGION, credentials=CREDENTIALS, max_attempts=3, http_client=http_client
    )
    with pytest.raises(TransportError, match=r"^LocalProtocolError .* not valid HTTP$") as caught:
        client.get_object("s3://bucket/key")
    assert "canary" not in shown(caught.value)
    assert (len(tried), caught.value.attempts, caught.value.possibly_accepted) == (1, 1, False)


HEADER_BYTES = st.binary(max_size=6) | st.sampled_from(
    [b"content-length", b"Content-Length", b"transfer-encoding", b"chunked", b"1", b"-1", b"1,1"]
)


@given(st.lists(st.tuples(HEADER_BYTES, HEADER_BYTES), max_size=4))
@example([(b"a", b"b\nc")])
@example([(b"a\r", b"b")])
@example([(b"", b"b")])
@example([(b"a", b" b")])
@example([(b"a", b"b\t")])
@example([(b"content-length", b"1"), (b"content-length", b"2")])
@example([(b"content-length", b"9" * 21)])
@example([(b"X-Amz-Date", b"20261129T000000Z"), (b"Content-Length", b"12")])
def test_checked_headers_are_those_of_h11(headers):
    """`checked_headers` returns either the same items as h11 or None."""
    items = checked_headers([(b"host", b"h"), *headers])
    if items is not None:
        request = h11.Request(method="GET", target="/", headers=[(b"host", b"h"), *headers])
        assert request.headers._full_items == items


def test_usual_headers_are_checked_at_once():
    """The usual headers of a signed request pass the fast check, so that h11 need not check them.

    An empty list does not pass it.
    """
    headers = [(b"host", b"h"), (b"Content-Length", b"12"), (b"authorization", b"AWS4 a=b, c=d")]
    assert checked_headers(headers) == [
        (b"host", b"host", b"h"),
        (b"Content-Length", b"content-length", b"12"),
        (b"authorization", b"authorization", b"AWS4 a=b, c=d"),
    ]
    assert checked_headers([]) is None
