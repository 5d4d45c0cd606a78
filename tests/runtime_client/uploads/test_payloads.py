"""Test `put_object`, `submit` and `infer` with payloads of every kind."""

import json
import logging

import pytest

from sagemaker_runtime_client import InferenceFailedError, ObjectNotFoundError, ParamValidationError
from sagemaker_runtime_client.emulator import Emulator, ErrorResponse
from tests.runtime_client.clients import often, settings
from tests.runtime_client.uploads.test_sources import SOURCES

MIB = 1 << 20
PREFIX = "s3://bucket/inputs/"
LOCATION = "s3://bucket/key"
VALUE = {"text": "ä", "numbers": [1, 2.5, None]}
SIZES = {"empty": 0, "small": 100, "inline limit": 128_000, "uploaded": 128_001, "parts": 9 * MIB}


def content(size):
    """Return *size* bytes."""
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


@pytest.fixture
def client(plain_driver, emulator):
    """A client that is connected to the emulator."""
    return plain_driver.client(**settings(emulator))


def inputs(client):
    """Return the locations of the uploaded inputs."""
    listed = client.itself.list_objects(PREFIX)
    if client.driver.kind.is_async:

        async def collect():
            return [found.location async for found in listed]

        return client.driver.call(collect)
    return [found.location for found in listed]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    "kind", ["bytes", "memoryview", "path", "open file", "stream", "generator"]
)
def test_infer(client, tmp_path, kind, size):
    """`infer` sends a small payload of any kind in the request, and uploads a larger one."""
    path = tmp_path / "payload"
    path.write_bytes(content(size))
    payload = SOURCES[kind](path)
    output = client.infer("endpoint", payload, input_prefix=PREFIX, timeout=60, schedule=often)
    getattr(payload, "close", bool)()
    assert output.body == content(size).upper()
    assert len(inputs(client)) == (0 if 0 < size <= 128_000 else 1)


@pytest.mark.parametrize("inline", [None, False])
def test_text_and_json(client, inline):
    """A string is sent as UTF-8, and any other value as JSON, with the matching content type."""
    given = {"timeout": 60, "schedule": often, "input_prefix": PREFIX, "inline": inline}
    assert client.infer("endpoint", "text ä", **given).body == "text ä".encode().upper()
    output = client.infer("endpoint", json=VALUE, **given)
    assert (
        output.body == json.dumps(VALUE, ensure_ascii=False, separators=(",", ":")).encode().upper()
    )


def test_content_type_of_json(client, emulator):
    """The caller can change the content type of a payload that is sent as JSON."""
    client.submit("endpoint", json=VALUE)
    client.submit("endpoint", json=VALUE, content_type="application/jsonlines")
    client.submit("endpoint", "text")
    name = "x-amzn-sagemaker-content-type"
    types = [request.header(name) for request in emulator.requests]
    assert types == ["application/json", "application/jsonlines", None]


@pytest.mark.parametrize("size", [200_000, 9 * MIB], ids=["one request", "parts"])
def test_options_of_inputs(client, tmp_path, size):
    """The input is stored with the caller's options for it, and with its content type."""
    path = tmp_path / "payload"
    path.write_bytes(content(size))
    options = {"cache_control": "no-store", "content_encoding": "gzip"}
    client.submit(
        "endpoint", path, input_prefix=PREFIX, input_options=options, content_type="text/csv"
    )
    (location,) = inputs(client)
    assert client.head_object(location).content_type == "text/csv"


def test_unknown_option(client):
    """An unknown option for the input raises a TypeError that mentions the option."""
    with pytest.raises(TypeError, match="cache"):
        client.submit("endpoint", b"", input_prefix=PREFIX, input_options={"cache": "x"})


@pytest.mark.parametrize("size", [200_000, 9 * MIB], ids=["one request", "parts"])
def test_clean_up(client, size):
    """With ``clean_up=True``, the input is deleted after the output has been received."""
    given = {"input_prefix": PREFIX, "timeout": 60, "schedule": often}
    client.infer("endpoint", content(size), **given, clean_up=True)
    assert inputs(client) == []
    client.infer("endpoint", content(size), **given)
    assert len(inputs(client)) == 1
    client.infer("endpoint", b"small", **given, clean_up=True)
    assert len(inputs(client)) == 1


def test_input_of_a_failed_job(plain_driver):
    """If the job fails, its input is kept."""

    def fail(_request):
        raise ValueError("no")

    with Emulator(model=fail) as emulator:
        client = plain_driver.client(**settings(emulator))
        with pytest.raises(InferenceFailedError):
            client.infer(
                "endpoint", content(200_000), input_prefix=PREFIX, timeout=60, clean_up=True,
                schedule=often,
            )  # fmt: skip
        assert len(inputs(client)) == 1


def test_clean_up_fails(client, emulator, caplog):
    """If the input cannot be deleted, the output is returned, and a warning is logged."""
    emulator.faults.always(ErrorResponse(403, "AccessDenied"), on="DeleteObject")
    with caplog.at_level(logging.WARNING):
        output = client.infer(
            "endpoint", content(200_000), input_prefix=PREFIX, timeout=60, clean_up=True,
            schedule=often,
        )  # fmt: skip
    assert len(output.body) == 200_000
    (record,) = caplog.records
    assert "was not deleted" in record.getMessage()


@pytest.mark.parametrize("size", [0, 100, 2 * MIB, 9 * MIB], ids=str)
@pytest.mark.parametrize("kind", ["bytes", "path", "open file", "stream", "generator"])
def test_put_object(client, tmp_path, kind, size):
    """put_object accepts any source; only a stream of more than 8 MiB is sent in parts."""
    path = tmp_path / "body"
    path.write_bytes(content(size))
    body = SOURCES[kind](path)
    stored = client.put_object(LOCATION, body, content_type="text/csv")
    getattr(body, "close", bool)()
    found = client.get_object(LOCATION)
    assert (found.body, found.content_type) == (content(size), "text/csv")
    assert (stored.etag, stored.size) == (found.etag, size)
    assert ("-" in stored.etag) == (kind in {"stream", "generator"} and size > 8 * MIB)


def test_put_text_and_json(client):
    """put_object writes a string as UTF-8, and any other value as JSON, with a content type."""
    client.put_object(LOCATION, "ä")
    assert client.get_object(LOCATION).body == "ä".encode()
    client.put_object(LOCATION, json=VALUE)
    found = client.get_object(LOCATION)
    assert (json.loads(found.body), found.content_type) == (VALUE, "application/json")


def test_condition(client, tmp_path):
    """put_object applies its conditions to every kind of source."""
    path = tmp_path / "body"
    path.write_bytes(content(9 * MIB))
    with pytest.raises(ObjectNotFoundError):
        client.put_object(LOCATION, path, if_match='"e"')
    client.put_object(LOCATION, path, if_none_match="*")
    with pytest.raises(ParamValidationError) as raised:
        client.put_object(LOCATION, path, if_match='"e"', if_none_match="*")
    assert raised.value.argument == "if_match"


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"payload": b"", "json": 5}, "json"),
        ({"json": {1, 2}}, "json"),
        ({"json": float("nan")}, "json"),
        ({"json": "\ud800"}, "json"),
        ({"payload": b"1", "input_options": {"storage_class": ""}}, "storage_class"),
        ({"payload": [bytes(128_001)], "inline": True}, "inline"),
        ({"payload": [bytes(128_001)]}, "input_prefix"),
        ({"payload": ["text"]}, "payload"),
        ({}, "payload"),
    ],
)
def test_invalid_payloads(client, emulator, arguments, argument):
    """An invalid payload is rejected before anything is sent."""
    with pytest.raises(ParamValidationError) as raised:
        client.submit("endpoint", **arguments)
    assert raised.value.argument == argument
    assert emulator.requests == ()
