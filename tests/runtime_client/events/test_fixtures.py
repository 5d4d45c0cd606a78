"""Test `parse` with the cases in ``fixtures/events``."""

import json

import pytest

from sagemaker_runtime_client.events import Completed, Failed, parse
from tests.runtime_client.events.cases import cases, described, each_case, options

RESULTS = cases("results")
COMPLETED = RESULTS[0]["message"]
(FAILED,) = [case["message"] for case in RESULTS if case["name"].startswith("failed, without")]


def without_source(event):
    """Return an event's description without the values that depend on the event's source."""
    return {name: value for name, value in event.items() if name not in ("source", "trusted")}


@each_case("results", "envelopes", "objects")
def test_events(case):
    """For each case, `parse` returns exactly the expected events."""
    found = parse(case["message"], **options(case))
    assert [described(event) for event in found] == case["expected"]


@each_case("results", "envelopes", "objects")
@pytest.mark.parametrize("encode", [str, str.encode], ids=["str", "bytes"])
def test_text(case, encode):
    """A message passed as text gives the same events as a dict, but only *source* sets their
    source.
    """
    message = case["message"]
    text = message if isinstance(message, str) else json.dumps(message)
    found = parse(encode(text), **options(case))
    expected = [without_source(event) for event in case["expected"]]
    assert [without_source(described(event)) for event in found] == expected
    assert {event.source for event in found} <= {case.get("source")}


@pytest.mark.parametrize("case", RESULTS, ids=[case["name"] for case in RESULTS])
def test_fields(case):
    """The fields of an event contain all fields of the notification, including unknown ones."""
    (event,) = parse(case["message"])
    assert event.fields == case["message"]


@each_case("envelopes")
def test_fields_within_envelopes(case):
    """The fields of an event contain the notification's fields, but not those of its envelopes."""
    for event in parse(case["message"]):
        if isinstance(event, Completed | Failed):
            assert event.fields == (COMPLETED if isinstance(event, Completed) else FAILED)
