"""Test selections of signed headers, timestamps, and canonical queries."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.auth import SIGNED_HEADERS_BLACKLIST

from sigv4 import sign_all_headers, sign_default_headers
from sigv4._canonical import NEVER_SIGNED, canonical_query, format_timestamp

ALWAYS = ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-region-set", "x-amz-security-token"]
BY_DEFAULT = [
    *ALWAYS,
    "content-md5",
    "content-type",
    "x-amz-meta-a",
    "x-amz-target",
    "x-amzn-sagemaker-inputlocation",
]
ONLY_BY_BOTOCORE = [
    "accept",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "cache-control",
    "content-encoding",
    "content-length",
    "cookie",
    "date",
    "range",
    "via",
    "x-amz",
    "x-amzn",
    "x-forwarded-for",
]
NEVER = [*SIGNED_HEADERS_BLACKLIST, "authorization"]


def test_default_selection():
    """`sign_default_headers` selects only a part of the headers that botocore signs."""
    names = [*BY_DEFAULT, *ONLY_BY_BOTOCORE, *NEVER]
    assert [name for name in names if sign_default_headers(name)] == BY_DEFAULT


def test_selection_of_botocore():
    """`sign_all_headers` selects exactly the headers that botocore signs."""
    names = [*BY_DEFAULT, *ONLY_BY_BOTOCORE, *NEVER]
    expected = [*BY_DEFAULT, *ONLY_BY_BOTOCORE]
    assert [name for name in names if sign_all_headers(name)] == expected


def test_never_signed():
    """The list of headers that are never signed is botocore's, plus ``authorization``."""
    assert {*SIGNED_HEADERS_BLACKLIST, "authorization"} == NEVER_SIGNED


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 11, 22, 12, 3, 4, 999_999, tzinfo=UTC), "20261122T120304Z"),
        (datetime(1, 2, 3, tzinfo=UTC), "00010203T000000Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "20251231T230000Z"),
    ],
    ids=["UTC", "first year", "another zone"],
)
def test_timestamp(at, written):
    """`format_timestamp` formats a time in UTC, without fractions of a second."""
    assert format_timestamp(at) == written


def test_naive_timestamp():
    """`format_timestamp` rejects a time without a time zone."""
    with pytest.raises(ValueError, match="at must have a time zone"):
        format_timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("query", "canonical"),
    [("", ""), ("&", ""), ("a", "a="), ("b=2&a=1", "a=1&b=2"), ("a1=2&a=1", "a=1&a1=2")],
)
def test_canonical_query(query, canonical):
    """`canonical_query` sorts parameters by name before it joins names and values with ``=``."""
    assert canonical_query(query) == canonical
