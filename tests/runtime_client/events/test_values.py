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
    """An event can be pickled, copied and hashed, and each copy is equal to it."""
    for event in parse(case["message"], **options(case)):
        for again in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event), event.replace()):
            assert again == event
            assert hash(again) == hash(event)


@pytest.mark.parametrize("kind", VALUES)
def test_constructor(kind):
    """The parameters of an event's constructor are its fields, in the order of its docstring."""
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
    """The `invocation` of a result contains the IDs, locations and time of the result."""
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
    """The `invocation` of a failed job contains the failure location of the event."""
    event = Failed(inference_id="7", failure_location="s3://b/7.err")
    assert event.invocation == Invocation(inference_id="7", failure_location="s3://b/7.err")


class TestIdempotencyKey:
    """The idempotency key of an event is the same for each delivery, and differs for other events."""

    def test_text(self):
        """An idempotency key consists of the event's type and a digest, which must never change."""
        expected = "Failed-50523d0b96b181a46fdcf338a65b2b275f014d5ee810a49221404166948f98a2"
        assert Failed(inference_id="a", endpoint_name="e").idempotency_key == expected

    def test_delivered_again(self):
        """Two events of one notification have the same key, even if their message IDs differ."""
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
        """Results that differ in job, endpoint, router or status have different keys."""
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
        """An event that lacks the values which identify it has no idempotency key."""
        assert event.idempotency_key is None

    def test_objects(self):
        """The keys of objects differ if the bucket, key, version or sequencer differs."""
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
    """`ObjectCreated` compares locations in each form in which AWS may have sent the object's key."""

    def test_one_form(self):
        """An object whose key contains neither "+" nor "%" has exactly one location."""
        event = ObjectCreated("b", "a/c.out")
        assert (event.location, event.locations) == ("s3://b/a/c.out", ("s3://b/a/c.out",))

    def test_several_forms(self):
        """An object whose key can be decoded in several ways matches each location, but has none
        itself.
        """
        event = ObjectCreated("b", "a+b%2B.out")
        assert event.location is None
        matched = ["s3://b/a+b%2B.out", "s3://b/a b+.out", "s3://b/a+b+.out"]
        assert [event.matches(location) for location in matched] == [True, True, True]

    @pytest.mark.parametrize("location", [None, "", "s3://b/a%2Bb", "s3://c/a+b", "s3://b/a b/c"])
    def test_others(self, location):
        """An object does not match None, an empty string or the location of another object."""
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
    """The `repr` of an event contains no body, attributes, fields or signed URLs."""
    assert SECRET not in repr(event)
