"""Test the request and response classes, and the parsing of HTTP dates."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import Request, Response
from sagemaker_runtime_client._io.message import _parse_old_date, parse_http_date

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


_USUAL = st.datetimes(timezones=st.just(UTC)).filter(lambda date: 1900 < date.year < 9000)


@settings(deadline=None)
@given(_USUAL, st.integers(5, 28), st.characters())
def test_usual_dates(date, place, other):
    """A date in the usual form is parsed correctly.

    If one of its characters is replaced, the result is that of the standard library or None.
    """
    date = date.replace(microsecond=0)
    text = format_datetime(date, usegmt=True)
    assert parse_http_date(text) == date
    damaged = text[:place] + other + text[place + 1 :]
    assert parse_http_date(damaged) in {None, _parse_old_date(damaged)}


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("Sun, 22 Nov 2026 12:00:00 GMT", NOON),
        ("Sun, 22 Nov 2026 12:00:00 +0000", NOON),
        ("Sun, 22 Nov 2026 13:00:00 +0100", NOON),
        ("Sun, 22 Nov 2026 12:00:00 -0000", NOON),
        ("Sunday, 22-Nov-26 12:00:00 GMT", NOON),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
        ("Sun, 22 Nov 2026 99:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:00 +9999", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("Mon, 01 Jan 0100 00:00:00 +2359", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
    ids=str,
)
def test_dates(text, timestamp):
    """A valid date is parsed to an aware datetime in UTC.

    None, an invalid string and a date that is out of range yield None.
    """
    assert parse_http_date(text) == timestamp


@settings(deadline=None)  # no time limit for each example, because the machine may be busy
@given(st.text())
def test_any_date(text):
    """Parsing any string returns a datetime or None, and raises no error."""
    assert isinstance(parse_http_date(text), datetime | None)


@pytest.mark.parametrize(
    "headers",
    [{"X-One": "1", "x-two": ""}, [("X-ONE", "1"), ("x-one", "2"), ("X-Two", "")]],
    ids=["mapping", "pairs"],
)
def test_headers(headers):
    """Response header names are case-insensitive.

    If a name occurs twice, its first value applies. An empty value counts as absent.
    """
    response = Response(200, headers)
    assert response.header("x-one") == "1"
    assert response.header("x-two") is None
    assert response.header("x-three") is None


@pytest.mark.parametrize(
    ("status", "ok"), [(100, False), (199, False), (200, True), (299, True), (300, False)]
)
def test_ok(status, ok):
    """`ok` is true only for a 2xx status."""
    assert Response(status, ()).ok is ok


def test_reprs_hold_no_secrets():
    """The repr of a request or response shows neither its headers nor its body, which may contain
    secrets.
    """
    request = Request("POST", "/path", (("x-amz-security-token", "canary"),), b"canary")
    response = Response(200, {"x": "canary"}, b"canary")
    assert repr(request) == "Request(method='POST', path='/path')"
    assert repr(response) == "Response(status=200, complete=True)"
