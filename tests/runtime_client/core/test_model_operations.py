"""Tests of synchronous model calls: what they send and return, and which errors they raise."""

import json
import pickle
from datetime import UTC, datetime

import pytest

from sagemaker_runtime_client import (
    ModelError,
    ModelOutput,
    ParamValidationError,
    RequestValidationError,
    Response,
)
from tests.runtime_client.core.model_calls import OK, each_call, error, failure
from tests.runtime_client.scripted_io import REGION, ScriptedIO, core, run

ARN = "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/sagemaker/Endpoints/e"


# ---- requests and outputs


def test_invoke_endpoint():
    """invoke_endpoint sends each argument under its name in the API, and returns an output with all
    fields of the response.
    """
    headers = {
        "Content-Type": "text/csv",
        "x-Amzn-Invoked-Production-Variant": "blue",
        "X-Amzn-SageMaker-Custom-Attributes": "c=d",
        "X-Amzn-SageMaker-New-Session-Id": "session-1; Expires=2026-11-22T13:00:00Z",
        "X-Amzn-SageMaker-Closed-Session-Id": "session-0",
        "x-amzn-requestid": "R1",
    }
    io = ScriptedIO([Response(200, headers, b"1,2")])
    output = run(
        core(io).invoke_endpoint(
            "endpoint",
            bytearray(b"body"),
            content_type="text/csv",
            accept="application/json",
            custom_attributes="a=b",
            target_model="model.tar.gz",
            target_variant="blue",
            target_container_hostname="container",
            inference_id="mine",
            enable_explanations="`true`",
            inference_component_name="component",
            session_id="NEW_SESSION",
            prefix_aware_id="prefix",
        )
    )
    (sent,) = io.sent
    assert (
        sent.url
        == f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/endpoint/invocations"
    )
    assert (sent.request.method, sent.request.body) == ("POST", b"body")
    expected = {
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "a=b",
        "X-Amzn-SageMaker-Target-Model": "model.tar.gz",
        "X-Amzn-SageMaker-Target-Variant": "blue",
        "X-Amzn-SageMaker-Target-Container-Hostname": "container",
        "X-Amzn-SageMaker-Inference-Id": "mine",
        "X-Amzn-SageMaker-Enable-Explanations": "`true`",
        "X-Amzn-SageMaker-Inference-Component": "component",
        "X-Amzn-SageMaker-Session-Id": "NEW_SESSION",
        "X-Amzn-SageMaker-Prefix-Aware-Id": "prefix",
    }
    assert {name: value for name, value in sent.request.headers if name in expected} == expected
    signed = set(sent.verify().signed_headers)
    assert {name.lower() for name in expected} - signed == {"accept"}
    assert output == ModelOutput(
        b"1,2",
        content_type="text/csv",
        production_variant="blue",
        custom_attributes="c=d",
        new_session_id="session-1",
        session_expires=datetime(2026, 11, 22, 13, tzinfo=UTC),
        closed_session_id="session-0",
        request_id="R1",
    )


def test_invoke_inference_router():
    """invoke_inference_router sends the router and the routing target, and returns the destination
    that the router chose.
    """
    headers = {
        "X-Amzn-SageMaker-Invoked-Routed-Resource-Arn": "arn:endpoint",
        "X-Amzn-SageMaker-Invoked-Routing-Reason": "PRIMARY",
    }
    io = ScriptedIO([Response(200, headers, b"{}")])
    output = run(
        core(io).invoke_inference_router(
            "router",
            "target",
            b"body",
            content_type="text/csv",
            accept="application/json",
            custom_attributes="a=b",
            inference_id="mine",
            prefix_aware_id="prefix",
        )
    )
    (sent,) = io.sent
    assert sent.url == (
        f"https://inferencerouter-runtime.sagemaker.{REGION}.amazonaws.com"
        "/inference-routers/router/invocations"
    )
    expected = {
        "X-Amzn-SageMaker-Routing-Target-Name": "target",
        "Content-Type": "text/csv",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "a=b",
        "X-Amzn-SageMaker-Inference-Id": "mine",
        "X-Amzn-SageMaker-Prefix-Aware-Id": "prefix",
    }
    assert {name: value for name, value in sent.request.headers if name in expected} == expected
    signed = set(sent.verify().signed_headers)
    assert {name.lower() for name in expected} - signed == {"accept"}
    assert (output.routed_resource_arn, output.routing_reason) == ("arn:endpoint", "PRIMARY")
    assert output.json() == {}


@each_call
def test_optional_arguments_are_omitted(call):
    """For an optional argument that is not passed, no header is sent, and no inference ID is
    generated.
    """
    io = ScriptedIO([OK])
    output = run(call(core(io)))
    names = {name.lower() for name, _ in io.sent[0].request.headers}
    assert {name for name in names if name.startswith("x-amzn-sagemaker")} <= {
        "x-amzn-sagemaker-routing-target-name"
    }
    assert not {"accept", "content-type"} & names
    assert output == ModelOutput(b"output")
    assert output.text == "output"


def test_empty_body():
    """An empty payload and an empty output are allowed."""
    io = ScriptedIO([Response(200, {}, b"")])
    assert run(core(io).invoke_endpoint("e", b"")).body == b""


@pytest.mark.parametrize(
    ("value", "session", "expires"),
    [
        ("s; Expires=2026-11-22T13:00:00Z", "s", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ("s", "s", None),
        ("s; Expires=soon-Z", "s", None),
        ("s; Expires=2026-11-22T13:00:00", "s", None),
        ("s; Max-Age=5Z", "s", None),
        ("", None, None),
    ],
)
def test_session(value, session, expires):
    """The ID of a new session is returned even if the session's expiration is missing or malformed."""
    io = ScriptedIO([Response(200, {"x-amzn-sagemaker-new-session-id": value}, b"")])
    output = run(core(io).invoke_endpoint("e", b"", session_id="NEW_SESSION"))
    assert (output.new_session_id, output.session_expires) == (session, expires)


def test_output_is_a_value():
    """An output can be pickled, and its `repr` shows neither the body nor the custom attributes."""
    output = ModelOutput(b"canary-1", custom_attributes="canary-2", production_variant="blue")
    assert pickle.loads(pickle.dumps(output)) == output
    assert "blue" in repr(output)
    assert "canary" not in repr(output)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"body": None}, "body"),
        ({"body": "text"}, "body"),
        ({"body": bytes(6_291_457)}, "body"),
        ({"endpoint_name": "a_b"}, "endpoint_name"),
        ({"session_id": "a_b"}, "session_id"),
        ({"wait_until_ready": -1}, "wait_until_ready"),
        ({"wait_until_ready": None}, "wait_until_ready"),
        ({"timeout": 0}, "timeout"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_invalid_arguments(arguments, argument):
    """An invalid argument is rejected before anything is sent."""
    io = ScriptedIO()
    with pytest.raises(ParamValidationError) as caught:
        run(core(io).invoke_endpoint(**{"endpoint_name": "e", "body": b"x", **arguments}))
    assert (caught.value.argument, io.sent) == (argument, [])


def test_largest_body():
    """A payload of exactly 6,291,456 bytes is sent."""
    io = ScriptedIO([OK])
    run(core(io).invoke_endpoint("e", bytes(6_291_456)))
    assert (len(io.sent[0].request.body), io.sent[0].limit.size) == (6_291_456, 6_291_456)


# ---- errors


@each_call
def test_model_error(call):
    """A ModelError contains the status and the message of the model's container, and the ARN of the
    log stream.
    """
    fields = {
        "Message": "Received server error (503) from model",
        "OriginalStatusCode": 503,
        "OriginalMessage": "boom",
        "LogStreamArn": ARN,
    }
    io = ScriptedIO([error(424, "ModelError", json.dumps(fields).encode())])
    found = failure(io, call)
    assert type(found) is ModelError
    assert (found.message, found.code, found.status_code) == (fields["Message"], "ModelError", 424)
    details = (found.original_status_code, found.original_message, found.log_stream_arn)
    assert details == (503, "boom", ARN)
    assert (found.attempts, found.possibly_accepted, found.retryable) == (1, True, False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b"{}",
        b'{"OriginalStatusCode":"5","OriginalMessage":{},"LogStreamArn":7}',
        b"[" * 100_000,
    ],
    ids=lambda body: str(body[:20]),
)
def test_malformed_model_error(body):
    """If the details in the response to a model failure are missing or malformed, the corresponding
    attributes of the ModelError are None or empty.
    """
    found = failure(ScriptedIO([error(424, "ModelError", body)]))
    assert type(found) is ModelError
    details = (found.original_status_code, found.original_message, found.log_stream_arn)
    assert details == (None, "", None)


@each_call
def test_too_large_for_the_service(call):
    """If the service responds with status 413 and no code, the call raises a RequestValidationError
    without a retry.
    """
    found = failure(ScriptedIO([Response(413, {}, b"")]), call)
    assert type(found) is RequestValidationError
    assert (found.code, found.attempts, found.possibly_accepted) == ("413", 1, False)


@each_call
def test_custom_attributes_are_in_no_error(call):
    """If the service repeats the custom attributes, the error does not contain them."""
    io = ScriptedIO([error(400, "ValidationError", b'{"Message":"bad canary"}')])
    found = failure(io, call, {"custom_attributes": "canary"})
    assert found.message == "bad ..."


def test_secrets_in_the_error_of_a_model():
    """If the container's response repeats the custom attributes, neither message of the error
    contains them.
    """
    fields = {"Message": "got trace=4711", "OriginalMessage": "bad attributes: trace=4711"}
    io = ScriptedIO([error(424, "ModelError", json.dumps(fields).encode())])
    with pytest.raises(ModelError) as caught:
        run(core(io).invoke_endpoint("e", b"x", custom_attributes="trace=4711"))
    assert caught.value.message == "got ..."
    assert caught.value.original_message == "bad attributes: ..."


def as_json(text):
    """Return a JSON document that contains *text*."""
    return json.dumps({"attributes": text})


ESCAPED = {
    "JSON": as_json,
    "JSON in JSON": lambda text: as_json(as_json(text)),
    "slashes": lambda text: as_json(text).replace("/", "\\/"),
    "code points": lambda text: as_json(text).replace("=", "\\u003D").replace("a", "\\u0061"),
    "truncated": lambda text: as_json(text)[:-12] + "\\u00",
}


@pytest.mark.parametrize("escape", ESCAPED.values(), ids=ESCAPED)
def test_secrets_in_json_in_the_error_of_a_model(escape):
    """If the container's response repeats the custom attributes in JSON, where quotes and other
    characters are escaped, neither message of the error contains them.
    """
    attributes = '{"patient": "Alice", "key": "ab/cd=="}'
    fields = {"Message": escape(attributes), "OriginalMessage": escape(attributes)}
    io = ScriptedIO([error(424, "ModelError", json.dumps(fields).encode())])
    with pytest.raises(ModelError) as caught:
        run(core(io).invoke_endpoint("e", b"x", custom_attributes=attributes))
    text = caught.value.message + caught.value.original_message
    assert [word for word in ("Alice", "cd") if word in text] == []


@pytest.mark.parametrize("attributes", ["trace=4711", "\\\\\\\\"])
def test_escapes_in_the_error_of_a_model(attributes):
    """If the container's response does not repeat the custom attributes, its message is unchanged."""
    message = as_json('"a\\b/\n"')
    io = ScriptedIO([error(424, "ModelError", json.dumps({"Message": message}).encode())])
    found = failure(io, arguments={"custom_attributes": attributes})
    assert found.message == message
