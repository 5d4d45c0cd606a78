"""Tests of InvokeEndpointAsync (arguments, request, response), and of `Invocation` with its JSON
form.
"""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from botocore.serialize import create_serializer
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    Invocation,
    InvokeEndpointAsyncRequest,
    ParamValidationError,
    ServiceError,
    ThrottlingError,
)
from sagemaker_runtime_client._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC

LOCATION = "s3://bucket/in.json"
OPERATION = Session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpointAsync")
SERIALIZER = create_serializer("rest-json", include_validation=False)

# The minimum and maximum length of each string argument.
TEXTS = {
    "content_type": (0, 1024),
    "accept": (0, 1024),
    "custom_attributes": (0, 1024),
    "inference_id": (1, 64),
    "s3_output_path_extension": (1, 512),
    "filename": (1, 32),
}
NUMBERS = {"request_ttl_seconds": (60, 21600), "invocation_timeout_seconds": (1, 3600)}

VALID = [
    *[(name, "a" * maximum) for name, (_, maximum) in TEXTS.items()],
    *[(name, "a" * minimum) for name, (minimum, _) in TEXTS.items()],
    *[(name, value) for name, range_ in NUMBERS.items() for value in range_],
    ("endpoint_name", "a"),
    ("endpoint_name", "A1--b-9"),
    ("endpoint_name", "a" * 63),
    ("content_type", "text/csv; charset=utf-8"),
    ("custom_attributes", "a=b,   c;d"),
    ("inference_id", "!a b~"),
    ("input_location", "s3://b"),
    ("input_location", "https://b.s3.eu-west-1.amazonaws.com/k"),
    ("input_location", "s3://b/käse/ü ü"),
    ("input_location", "s3://b/" + "k" * 1017),
    ("s3_output_path_extension", "a/B9!_.*'()-"),
    ("s3_output_path_extension", "/s3"),
    ("filename", "9-_.csv"),
    ("filename", "name."),
    ("body", b"\0"),
    ("body", b"b" * 128_000),
    ("body", bytearray(b"x")),
    ("body", memoryview(b"x")),
]

NOT_TEXT = "must be a str"
CONTROL = "control characters"
BLANK = "must not start or end with white space"
INVALID = [
    *[(name, "a" * (maximum + 1), f"{maximum} characters") for name, (_, maximum) in TEXTS.items()],
    *[(name, "", "1 to") for name, (minimum, _) in TEXTS.items() if minimum],
    *[(name, 7, NOT_TEXT) for name in (*TEXTS, "endpoint_name", "input_location")],
    *[(name, b"a", NOT_TEXT) for name in (*TEXTS, "endpoint_name", "input_location")],
    *[
        (name, f"a{control}b", CONTROL)
        for name in (*TEXTS, "endpoint_name", "input_location")
        for control in ("\r", "\n", "\r\n", "\0", "\t", "\x7f")
    ],
    *[(name, "a\n", CONTROL) for name in (*TEXTS, "endpoint_name")],
    *[(name, "ä", "must be ASCII") for name in (*TEXTS, "endpoint_name")],
    *[(name, value, BLANK) for name in TEXTS for value in (" a", "a ")],
    *[(name, low - 1, f"{low} to {high}") for name, (low, high) in NUMBERS.items()],
    *[(name, high + 1, f"{low} to {high}") for name, (low, high) in NUMBERS.items()],
    *[
        (name, value, "must be an int")
        for name in NUMBERS
        for value in (True, False, "60", 60.0, "")
    ],
    ("endpoint_name", "", "1 to 63 characters"),
    ("endpoint_name", None, NOT_TEXT),
    ("endpoint_name", "a" * 64, "1 to 63 characters"),
    ("endpoint_name", "-a", "inner hyphens"),
    ("endpoint_name", "a-", "inner hyphens"),
    ("endpoint_name", "a b", "inner hyphens"),
    ("endpoint_name", "a/b", "inner hyphens"),
    ("endpoint_name", "a.b", "inner hyphens"),
    ("input_location", "", "1 to 1024 characters"),
    ("input_location", "s3://b/" + "k" * 1018, "1 to 1024 characters"),
    ("input_location", "http://b/k", "s3:// or https://"),
    ("input_location", "b/k", "s3:// or https://"),
    ("input_location", "s3:///k", "s3:// or https://"),
    ("input_location", " s3://b/k", BLANK),
    ("input_location", "s3://b/k ", BLANK),
    ("input_location", "s3://b/\ud800", "UTF-8"),
    ("s3_output_path_extension", "s3:a", "contain only letters, digits and"),
    ("s3_output_path_extension", "s3://b/k", "contain only letters, digits and"),
    ("s3_output_path_extension", "https://b/k", "contain only letters, digits and"),
    ("s3_output_path_extension", "a b", "contain only letters, digits and"),
    ("s3_output_path_extension", "a~", "contain only letters, digits and"),
    ("filename", "a.b.c", "at most one dot"),
    ("filename", ".a", "start with a letter or digit"),
    ("filename", "_a", "start with a letter or digit"),
    ("filename", "a/b", "at most one dot"),
    ("body", "text", "must be bytes, not str"),
    ("body", [1], "must be bytes, not list"),
    ("body", 1, "must be bytes, not int"),
    ("body", b"b" * 128_001, "at most 128,000 bytes, not 128,001"),
    ("body", bytearray(128_001), "at most 128,000 bytes, not 128,001"),
]


def _id(value):
    return repr(value)[:40] if not isinstance(value, list | memoryview) else None


def _request(argument, value):
    """Return a request with the given argument and the required arguments."""
    arguments = {"endpoint_name": "endpoint", argument: value}
    if not {"body", "input_location"} & arguments.keys():
        arguments["input_location"] = LOCATION
    return InvokeEndpointAsyncRequest(**arguments)


@pytest.mark.parametrize(("argument", "value"), VALID, ids=_id)
def test_valid_values(argument, value):
    """A valid value, such as one of the minimum or maximum length, is accepted unchanged."""
    assert getattr(_request(argument, value), argument) == value


@pytest.mark.parametrize(("argument", "value", "message"), INVALID, ids=_id)
def test_invalid_values(argument, value, message):
    """An invalid value of an argument raises an error that mentions the argument and the broken
    rule.
    """
    with pytest.raises(ParamValidationError) as caught:
        _request(argument, value)
    assert caught.value.argument == argument
    assert str(caught.value).startswith(argument)
    assert message in str(caught.value)


def test_a_secret_is_not_repeated():
    """Neither an error message nor a request's repr contains the custom attributes or the body."""
    with pytest.raises(ParamValidationError) as caught:
        _request("custom_attributes", "canary\n")
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(_request("custom_attributes", "canary"))
    assert "canary" not in repr(_request("body", b"canary"))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "is required"),
        ({"body": b"x", "input_location": LOCATION}, "cannot be combined"),
        ({"body": b"", "input_location": LOCATION}, "must not be empty"),
        ({"body": b""}, "must not be empty"),
    ],
    ids=["none", "both", "both, one empty", "empty"],
)
def test_exactly_one_input(inputs, message):
    """A request requires either a non-empty body or an input location, but not both."""
    with pytest.raises(ParamValidationError, match=message) as caught:
        InvokeEndpointAsyncRequest("endpoint", **inputs)
    assert caught.value.argument == "body"


def test_the_body_is_a_copy():
    """If the caller changes the buffer that was passed as the body, the request does not change."""
    buffer = bytearray(b"x")
    request = InvokeEndpointAsyncRequest("endpoint", body=buffer)
    buffer[0] = 0
    assert request.body == b"x"


def test_all_but_the_name_by_keyword():
    """All arguments of a request except the endpoint name are keyword-only."""
    with pytest.raises(TypeError):
        InvokeEndpointAsyncRequest("endpoint", LOCATION)


MEMBERS = {name: member.name for name, member in INVOKE_ENDPOINT_ASYNC.members.items()}


_ascii = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=64)
_optional = {
    "content_type": _ascii,
    "accept": _ascii,
    "custom_attributes": _ascii,
    "inference_id": st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64
    ),
    "s3_output_path_extension": st.from_regex(
        r"\A(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]{1,512}\Z", fullmatch=True
    ),
    "filename": st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9_-]{0,15}\.?[a-z]{0,8}\Z", fullmatch=True),
    "request_ttl_seconds": st.integers(60, 21600),
    "invocation_timeout_seconds": st.integers(1, 3600),
}
_name = st.from_regex(r"\A[a-zA-Z0-9](-{0,3}[a-zA-Z0-9]){0,15}\Z", fullmatch=True)
_input = st.one_of(
    st.fixed_dictionaries({"body": st.binary(min_size=1, max_size=64)}),
    st.fixed_dictionaries({"input_location": st.just("s3://b/") | st.just("s3://b/kä/x y")}),
)
_arguments = st.builds(
    lambda name, given_input, rest: {"endpoint_name": name, **given_input, **rest},
    _name,
    _input,
    st.fixed_dictionaries({}, optional=_optional),
)


# The patterns of arguments in the service model.
PATTERNS = {
    "endpoint_name": r"[a-zA-Z0-9](-*[a-zA-Z0-9])*",
    "input_location": r"(https|s3)://([^/]+)/?(.*)",
    "s3_output_path_extension": r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+",
    "filename": r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*",
}
_pieces = st.sampled_from(
    ["a", "Z", "0", "-", "_", ".", "/", ":", "!", "~", "s3:", "https://", "s3://"]
)


@settings(deadline=None)
@pytest.mark.parametrize("name", PATTERNS)
@given(st.lists(_pieces, min_size=1, max_size=6).map("".join))
def test_any_text(name, text):
    """A string is accepted if and only if it matches the argument's pattern in the service model."""
    arguments = {"endpoint_name": "e", "input_location": "s3://b/k"} | {name: text}
    try:
        is_accepted = getattr(InvokeEndpointAsyncRequest(**arguments), name) == text
    except ParamValidationError:
        is_accepted = False
    assert bool(re.fullmatch(PATTERNS[name], text)) == is_accepted


@settings(deadline=None)  # the test must not fail on a busy machine
@given(_arguments)
def test_serializes_as_botocore_does(arguments):
    """The method, path, headers and body of a request are the same as in botocore."""
    members = {MEMBERS[name]: value for name, value in arguments.items()}
    expected = SERIALIZER.serialize_to_request(members, OPERATION)
    actual = InvokeEndpointAsyncRequest(**arguments).to_http()
    assert (actual.method, actual.path) == (expected["method"], expected["url_path"])
    assert dict(actual.headers) == dict(expected["headers"])
    assert actual.body == (expected["body"] or b"")


def test_serializes_empty_text():
    """An argument that is an empty string is sent as a header with an empty value, as in botocore."""
    request = InvokeEndpointAsyncRequest("e", input_location=LOCATION, accept="", content_type="")
    members = {"EndpointName": "e", "InputLocation": LOCATION, "Accept": "", "ContentType": ""}
    expected = SERIALIZER.serialize_to_request(members, OPERATION)["headers"]
    assert dict(request.to_http().headers) == dict(expected)
    assert ("X-Amzn-SageMaker-Accept", "") in request.to_http().headers


def test_none_is_not_sent():
    """If an argument is None, no header is sent for it."""
    request = InvokeEndpointAsyncRequest("e", input_location=LOCATION).to_http()
    assert request.headers == (("X-Amzn-SageMaker-InputLocation", LOCATION),)
    assert request.path == "/endpoints/e/async-invocations"


DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
TAKEN = [
    pytest.param(b'{"InferenceId":"theirs"}', "theirs", id="an id"),
    pytest.param(b'{"InferenceId":null}', "ours", id="null"),
    pytest.param(b'{"InferenceId":""}', "ours", id="empty id"),
    pytest.param(b'{"InferenceId":7}', "ours", id="a number"),
    pytest.param(b'{"inferenceId":"theirs"}', "ours", id="lower camel case"),
    pytest.param(b"{}", "ours", id="empty object"),
    pytest.param(b"", "ours", id="empty"),
    pytest.param(b"<html>", "ours", id="no JSON"),
    pytest.param(b"[1]", "ours", id="a list, on which botocore crashes"),
    pytest.param(b"null", "ours", id="null document"),
    pytest.param(b'"text"', "ours", id="a string"),
    pytest.param(b"\xff\xfe\xfd", "ours", id="invalid UTF-8"),
    pytest.param(b"[" * 100_000, "ours", id="nested deeply"),
    pytest.param(b"1" * 10_000, "ours", id="a number of 10,000 digits"),
]


@pytest.mark.parametrize(("body", "inference_id"), TAKEN)
def test_success(body, inference_id):
    """A successful response becomes an invocation even if its body is invalid.

    If the body contains no inference ID, the invocation has the caller's.
    """
    headers = {
        "X-Amzn-SageMaker-OutputLocation": "s3://b/o",
        "X-Amzn-SageMaker-FailureLocation": "s3://b/f",
        "X-Amzn-RequestId": "R",
        "Date": DATE,
    }
    expected = Invocation(
        inference_id=inference_id,
        output_location="s3://b/o",
        failure_location="s3://b/f",
        request_id="R",
        date=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    assert Invocation.from_http(202, headers, body, inference_id="ours") == expected


def test_success_without_headers():
    """If a response header is missing, empty or invalid, the corresponding attribute of the
    invocation is None. The inference ID is None if neither the response nor the caller specifies
    one.
    """
    headers = [("x-amzn-sagemaker-outputlocation", ""), ("date", "yesterday")]
    assert Invocation.from_http(200, headers, b"") == Invocation()


def test_request_id_of_s3():
    """The request ID is read from x-amzn-requestid or else from x-amz-request-id."""
    assert Invocation.from_http(202, {"X-Amz-Request-Id": "2"}, b"").request_id == "2"
    both = {"x-amz-request-id": "2", "x-amzn-requestid": "1"}
    assert Invocation.from_http(202, both, b"").request_id == "1"


_headers = st.lists(
    st.tuples(
        st.sampled_from(
            ["Date", "X-Amzn-RequestId", "X-Amzn-SageMaker-OutputLocation", "Age", "X-Other"]
        ),
        st.text() | st.sampled_from([DATE, "Fri, 31 Dec 9999 23:59:59 -0100", "1 Jan 1 0:0:0"]),
    )
)
_bodies = st.binary() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["InferenceId", "x"]), inner),
).map(lambda document: json.dumps(document).encode())


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.integers(200, 299), _headers, _bodies)
def test_success_never_raises(status, headers, body):
    """Any 2xx response results in an invocation, because the job is queued and paid for."""
    invocation = Invocation.from_http(status, headers, body, inference_id="ours")
    assert invocation.inference_id
    assert Invocation.from_json(invocation.to_json()) == invocation


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"message":null}', ThrottlingError),
        (302, b"", ServiceError),
        (304, b"", ServiceError),
        (100, b"", ServiceError),
        (530, b"{}", ServiceError),
        (400, b"[]", ServiceError),
    ],
)
def test_failure(status, body, kind):
    """If the status of a response is not 2xx, `Invocation.from_http` raises a ServiceError."""
    with pytest.raises(ServiceError) as caught:
        Invocation.from_http(status, {}, body)
    assert type(caught.value) is kind


FULL = Invocation(
    inference_id="id",
    output_location="s3://b/o",
    failure_location="s3://b/f",
    request_id="R",
    endpoint_name="endpoint",
    date=datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC),
    attempts=3,
    possibly_duplicated=True,
    unique_output_name=True,
)


@pytest.mark.parametrize("date", [datetime(2026, 11, 22), "2026-11-22T12:00:00Z"])  # noqa: DTZ001
def test_date_without_zone(date):
    """If an invocation's date has no time zone or is not a datetime, ParamValidationError is
    raised, because a wait compares the date with other dates.
    """
    with pytest.raises(ParamValidationError, match="date must be a datetime with") as caught:
        Invocation("id", "s3://b/o", date=date)
    assert caught.value.argument == "date"


@pytest.mark.parametrize("invocation", [Invocation(), FULL], ids=["empty", "full"])
def test_json_round_trip(invocation):
    """An invocation can be converted to JSON and back, whether the JSON is passed as str or as
    bytes.
    """
    assert Invocation.from_json(invocation.to_json()) == invocation
    assert Invocation.from_json(invocation.to_json().encode()) == invocation


def test_json_of_a_later_version():
    """In an invocation's JSON, unknown fields are ignored, and missing fields have defaults."""
    text = json.dumps({"inference_id": "id", "output_location": None, "color": "red"})
    assert Invocation.from_json(text) == Invocation(inference_id="id")


def test_json_date_of_another_zone():
    """If a date in an invocation's JSON has another time zone, the date is converted to UTC."""
    east = FULL.date.astimezone(timezone(timedelta(hours=9)))
    text = json.dumps({"output_location": "s3://b/o", "date": east.isoformat()})
    assert Invocation.from_json(text).date == FULL.date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "7",
        '"text"',
        "[]x",
        '[["attempts", 1]]',
        "{}",
        '{"inference_id": "id", "Type": "Notification"}',
        '{"output_location": null, "attempts": "1"}',
        '{"output_location": null, "attempts": true}',
        '{"output_location": null, "attempts": null}',
        '{"output_location": null, "possibly_duplicated": 1}',
        '{"output_location": null, "unique_output_name": null}',
        '{"output_location": null, "inference_id": 7}',
        '{"output_location": ["s3://b/k"]}',
        '{"output_location": null, "date": "yesterday"}',
        '{"output_location": null, "date": "0001-01-01T00:00:00+02:00"}',
        '{"output_location": null, "date": "9999-12-31T23:59:59-02:00"}',
        '{"output_location": null, "date": "0001-01-01T00:00:00+00:00"}',
        '{"output_location": null, "date": "9999-12-31T23:59:59+00:00"}',
        '{"output_location": null, "date": 7}',
        b"\xff\xfe\xfd",
        "[" * 100_000,
    ],
    ids=lambda text: str(text[:40]),
)
def test_invalid_json(text):
    """If text is not the JSON form of an invocation, `from_json` raises ParamValidationError."""
    with pytest.raises(ParamValidationError, match="to_json") as caught:
        Invocation.from_json(text)
    assert caught.value.argument == "text"


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.text() | st.binary() | _bodies)
def test_json_of_any_kind(text):
    """For any str or bytes, `from_json` either returns an invocation or raises
    ParamValidationError.
    """
    try:
        invocation = Invocation.from_json(text)
    except ParamValidationError:
        return
    assert isinstance(invocation, Invocation)


@pytest.mark.parametrize("body", [None, bytearray(b'{"InferenceId": "a"}'), memoryview(b"")])
def test_any_kind_of_body(body):
    """`from_http` accepts a body that is None or bytes-like, and headers that are bytes."""
    headers = [(b"X-Amzn-SageMaker-OutputLocation", b"s3://bucket/out")]
    invocation = Invocation.from_http(202, headers, body, inference_id="a")
    assert (invocation.inference_id, invocation.output_location) == ("a", "s3://bucket/out")


def test_a_number_of_any_size_is_rejected():
    """An int that is too large for Python to convert to a string is rejected with the same message
    as any other int that is out of range.
    """
    with pytest.raises(ParamValidationError, match="60 to 21600 seconds"):
        InvokeEndpointAsyncRequest("endpoint", body=b"x", request_ttl_seconds=10**5000)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("text", "must be bytes, not str: encode it first"),
        (Path("file"), "Path: read it first"),
        (BytesIO(b"x"), "must be bytes, not BytesIO: read it first"),
        ({"a": 1}, "must be bytes, not dict: encode the result of json.dumps"),
        (5, "must be bytes, not int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_body_that_is_not_bytes(body, message):
    """If a body is not bytes, the error for common types explains how to convert the body."""
    with pytest.raises(ParamValidationError) as caught:
        InvokeEndpointAsyncRequest("endpoint", body=body)
    assert caught.value.message.endswith(message)
