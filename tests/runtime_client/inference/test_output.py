"""Tests of the class `Output`."""

from datetime import UTC, datetime

from sagemaker_runtime_client import Invocation, Output


def test_two_arguments():
    """An `Output` can be created from only a body and a content type, for example in tests of user
    code.
    """
    output = Output(b'{"a": 1}', "application/json")
    assert output.json() == {"a": 1}
    assert output.text == '{"a": 1}'
    assert (output.size, output.metadata, output.location) == (8, {}, "")
    assert output.invocation == Invocation()


def test_repr():
    """The repr of an `Output` shows the content type, the location and the size, but not the body,
    the metadata or the invocation.
    """
    output = Output(
        b"answer",
        "text/csv",
        {"a": "hidden"},
        "s3://bucket/key",
        datetime(2026, 11, 29, tzinfo=UTC),
        Invocation("hidden"),
    )
    assert repr(output) == "Output(content_type='text/csv', location='s3://bucket/key', size=6)"
