"""Test the values that `parse` returns."""

import copy
import inspect
import pickle
from datetime import UTC, datetime

import pytest

from sagemaker_runtime_client import Invocation, events
from sagemaker_runtime_client.events import Completed, Failed, Ignored, ObjectCreated, parse
from tests.runtime_client.events.cases import each_case, options

TIME = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "canary-secret"
VALUES = [Completed, Failed, ObjectCreated, Ignored]


@each_case("results", "envelopes", "objects")
def test_pickle(case):
    """An event can be pickled, copied, hashed and compared."""
    for event in parse(case["message"], **options(case)):
        for again in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event), event.replace()):
            assert again == event
            assert hash(again) == hash(event)


@pytest.mark.parametrize("kind", VALUES)
def test_constructor(kind):
    """The constructor's arguments are the fields, in the order of the docstring."""
    fields = list(inspect.signature(kind).parameters)
    if kind is not Failed:
        assert list(kind.__match_args__) == fields
    assert [name for name in kind.__match_args__ if f"        {name}:" not in kind.__doc__] == []
    order = [kind.__doc__.index(f"        {name}:") for name in kind.__match_args__]
    assert order == sorted(order)


def test_public_names():
    """`__all__` lists the public names in alphabetical order, and each has a docstring."""
    assert events.__all__ == sorted(events.__all__, key=str.casefold)
    assert all(inspect.getdoc(getattr(events, name)) for name in events.__all__)
    named = {name for name in vars(events) if name[0] != "_"} - {"Any", "TYPE_CHECKING"}
    assert {*events.__all__} == named


@pytest.mark.parametrize("kind", [Completed, Failed])
def test_invocation_of_a_result(kind):
    """A result has a handle of its job."""
    event = kind(
        inference_id="7",
        endpoint_name="e",
        inference_router_name="r",
        output_location="s3://b/7.out",
        received_time=TIME,
    )
    assert event.invocation == Invocation(
        inference_id="7",
        endpoint_name="e",
        inference_router_name="r",
        output_location="s3://b/7.out",
        date=TIME,
    )


def test_invocation_of_a_failure():
    """The handle of a failed job contains the failure location if the message has one."""
    event = Failed(inference_id="7", failure_location="s3://b/7.err")
    assert event.invocation == Invocation(inference_id="7", failure_location="s3://b/7.err")


class TestIdempotencyKey:
    """The key of an event is the same for each delivery of the event, and only for these."""

    def test_text(self):
        """A key is a kind and a digest, which does not change between versions."""
        expected = "Failed-50523d0b96b181a46fdcf338a65b2b275f014d5ee810a49221404166948f98a2"
        assert Failed(inference_id="a", endpoint_name="e").idempotency_key == expected

    def test_delivered_again(self):
        """Another message with the same notification has the same key."""
        event = Completed(inference_id="a", endpoint_name="e", message_id="1", event_time=TIME)
        again = event.replace(message_id="2", event_time=None, record=3, trusted=True)
        assert again.idempotency_key == event.idempotency_key

    @pytest.mark.parametrize(
        "other",
        [
            Completed(inference_id="a", endpoint_name="f"),
            Completed(inference_id="b", endpoint_name="e"),
            Completed(inference_id="a", endpoint_name="e", inference_router_name="r"),
            Failed(inference_id="a", endpoint_name="e"),
        ],
    )
    def test_others(self, other):
        """A result of another job, endpoint or router, or another status, has another key."""
        event = Completed(inference_id="a", endpoint_name="e")
        assert other.idempotency_key != event.idempotency_key

    @pytest.mark.parametrize(
        "event",
        [
            Completed(inference_id="a"),
            Completed(endpoint_name="e"),
            ObjectCreated("b", "k"),
            Ignored("test", "reason"),
        ],
    )
    def test_missing(self, event):
        """An event that cannot be distinguished from others has no key."""
        assert event.idempotency_key is None

    def test_objects(self):
        """A new object has another key if any of what identifies it differs."""
        event = ObjectCreated("b", "k", etag="e", version_id="v", sequencer="s")
        others = [
            event.replace(bucket="c"),
            event.replace(key="l"),
            event.replace(version_id="w"),
            event.replace(version_id=None),
            event.replace(sequencer="t"),
            event.replace(sequencer=None),
        ]
        assert len({one.idempotency_key for one in (event, *others)}) == 7
        assert event.replace(etag="f", size=3).idempotency_key == event.idempotency_key


class TestLocations:
    """A key is compared in all forms in which AWS may have sent it."""

    def test_one_form(self):
        """A key without plus signs and percent signs has one location."""
        event = ObjectCreated("b", "a/c.out")
        assert (event.location, event.locations) == ("s3://b/a/c.out", ("s3://b/a/c.out",))

    def test_several_forms(self):
        """A key that can be read in several ways has no single location."""
        event = ObjectCreated("b", "a+b%2B.out")
        assert event.location is None
        matched = ["s3://b/a+b%2B.out", "s3://b/a b+.out", "s3://b/a+b+.out"]
        assert [event.matches(location) for location in matched] == [True, True, True]

    @pytest.mark.parametrize("location", [None, "", "s3://b/a%2Bb", "s3://c/a+b", "s3://b/a b/c"])
    def test_others(self, location):
        """No other location matches."""
        assert not ObjectCreated("b", "a+b").matches(location)


@pytest.mark.parametrize(
    "event",
    [
        Completed(custom_attributes=SECRET, body=SECRET.encode(), fields={"a": SECRET}),
        Completed(input_location=f"https://b.s3.amazonaws.com/k?X-Amz-Signature={SECRET}"),
        Failed(custom_attributes=SECRET, body=SECRET.encode(), fields={"a": SECRET}),
        ObjectCreated("b", "k", fields={"a": SECRET}),
        Ignored("confirmation", "reason", message_id=SECRET, fields={"Token": SECRET}),
    ],
)
def test_repr(event):
    """`repr` omits what may be secret."""
    assert SECRET not in repr(event)
