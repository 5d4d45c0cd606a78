"""Test the behavior that all value classes have in common, and the specific behavior of `Output`."""

import copy
import pickle
from datetime import UTC, datetime
from inspect import signature

import pytest

from sagemaker_runtime_client import (
    Invocation,
    InvokeEndpointAsyncRequest,
    Output,
    ParamValidationError,
    Request,
    Response,
    S3Object,
    TransportError,
)
from sagemaker_runtime_client._s3.objects import S3Location

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
JOB = Invocation("id", "s3://b/out", endpoint_name="e", date=AT)
VALUES = [
    Request("GET", "/a", (("accept", "*/*"),), b"body"),
    Response(200, {"Content-Type": "text/plain"}, b"body", complete=False),
    InvokeEndpointAsyncRequest("e", body=b"body", custom_attributes="canary"),
    JOB,
    S3Location("b", "k"),
    S3Object("s3://b/k", b"body", 4, "text/csv", {"a": "b"}, '"1"', AT),
    Output(b"body", "text/csv", {"a": "b"}, "s3://b/k", AT, JOB),
]
each_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@each_value
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(value, protocol):
    """A pickled and unpickled value is equal to the original."""
    assert pickle.loads(pickle.dumps(value, protocol)) == value


@each_value
def test_copies(value):
    """A copy, a deep copy, and a replacement without changes are equal to the original.

    They also have the same hash.
    """
    twins = copy.copy(value), copy.deepcopy(value), value.replace(), value.__replace__()
    assert twins == (value,) * 4
    assert {hash(value)} == {*map(hash, twins)}


@each_value
def test_fields(value):
    """A value has exactly the constructor's arguments as fields, and no other attribute can be set."""
    names = type(value).__match_args__
    assert {*names} == {*signature(type(value)).parameters}
    assert not hasattr(value, "__dict__")
    with pytest.raises(AttributeError):
        value.color = "red"


@each_value
def test_repr(value):
    """`repr` shows all fields in the constructor's order, except hidden ones such as bodies."""
    shown = [name for name in type(value).__match_args__ if name not in value._hidden]
    text = f"{type(value).__name__}({', '.join(f'{n}={getattr(value, n)!r}' for n in shown)})"
    assert repr(value) == text
    assert "body" not in repr(value)
    assert "canary" not in repr(value)


def test_equality():
    """Two values are equal only if they have the same class and equal fields."""
    assert Request("GET", "/a") == Request("GET", "/a", (), b"")
    assert Request("GET", "/a") != Request("GET", "/b")
    assert S3Location("GET", "/a") != Request("GET", "/a")
    assert Request("GET", "/a") != ("GET", "/a", (), b"")


def test_replace():
    """`replace` changes fields, and rejects invalid values and unknown field names."""
    assert JOB.replace(attempts=2) == Invocation("id", "s3://b/out", None, None, "e", AT, 2)
    with pytest.raises(ParamValidationError, match="date must be"):
        JOB.replace(date=datetime(2026, 11, 26))  # noqa: DTZ001
    with pytest.raises(TypeError, match="color"):
        JOB.replace(color="red")


def test_case():
    """A ``case`` pattern can match a value's fields by position."""
    match VALUES[0]:
        case Request("GET", path, headers):
            assert (path, headers) == ("/a", (("accept", "*/*"),))
        case _:
            pytest.fail("no case fits")


def test_output():
    """An `Output` is an `S3Object` with a handle; comparisons of outputs ignore etag and size."""
    made = VALUES[-1]
    assert isinstance(made, S3Object)
    assert (made.size, made.etag) == (4, None)
    read = made.replace(etag='"1"', size=5)
    assert (read, hash(read)) == (made, hash(made))
    twin = pickle.loads(pickle.dumps(read))
    assert (twin.etag, twin.size, twin.invocation) == ('"1"', 5, JOB)
    assert made != S3Object("s3://b/k", b"body", 4, "text/csv", {"a": "b"}, None, AT)
    assert made != made.replace(body=b"other")


def test_a_former_name_of_a_field():
    """A field's former name still works, and the deprecation warning contains the new name."""
    with pytest.warns(
        DeprecationWarning, match=r"^Invocation\.has_new_name is deprecated: use unique"
    ):
        assert JOB.has_new_name is JOB.unique_output_name
    with pytest.warns(DeprecationWarning, match=r"^Response\.instant is deprecated: use timestamp"):
        assert Response(200, {"date": "Thu, 26 Nov 2026 12:00:00 GMT"}).instant("date") == AT
    assert JOB.replace(has_new_name=True).unique_output_name
    with pytest.raises(AttributeError, match=r"^'Invocation' object has no attribute 'has_name'$"):
        _ = JOB.has_name


def test_a_handle_of_version_0_1():
    """A handle that version 0.1.0 wrote as JSON or as a pickle, with a former field name, can be
    read.
    """
    job = JOB.replace(unique_output_name=True)
    text = job.to_json().replace("unique_output_name", "has_new_name")
    assert Invocation.from_json(text) == job
    assert pickle.loads(pickle.dumps(job, 0).replace(b"unique_output_name", b"has_new_name")) == job


def test_a_former_name_of_an_attribute_of_errors():
    """The former name of an error attribute still works, with a warning.

    An error that version 0.1.0 pickled under the former name can be read.
    """
    error = TransportError("no answer")
    error.possibly_accepted = True
    with pytest.warns(DeprecationWarning, match="may_have_been_taken is deprecated: use possibly"):
        assert error.may_have_been_taken
    old = pickle.dumps(error, 0).replace(b"possibly_accepted", b"may_have_been_taken")
    assert pickle.loads(old).possibly_accepted
