"""Tests that compare the tables of synchronous and routed operations with botocore's service
models.
"""

import pytest
from botocore.serialize import create_serializer
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client._inference.invoke_endpoint import INVOKE_ENDPOINT
from sagemaker_runtime_client._inference.router import (
    INVOKE_INFERENCE_ROUTER,
    INVOKE_INFERENCE_ROUTER_ASYNC,
)

SERVICES = {
    INVOKE_ENDPOINT: "sagemaker-runtime",
    INVOKE_INFERENCE_ROUTER: "sagemaker-inference-router-runtime",
    INVOKE_INFERENCE_ROUTER_ASYNC: "sagemaker-inference-router-runtime",
}
SHAPES = {
    model: Session().get_service_model(service).operation_model(model.name)
    for model, service in SERVICES.items()
}
SERIALIZER = create_serializer("rest-json", include_validation=False)
each_model = pytest.mark.parametrize("model", SHAPES, ids=lambda model: model.method)

NAMES = st.from_regex(r"\A[a-zA-Z0-9](-{0,3}[a-zA-Z0-9]){0,15}\Z")
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)
IDS = TEXTS.filter(bool)
VALUES = {
    "accept": TEXTS,
    "body": st.binary(max_size=40),
    "content_type": TEXTS,
    "custom_attributes": TEXTS,
    "enable_explanations": IDS,
    "endpoint_name": NAMES,
    "filename": st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9_-]{0,30}(\.[a-zA-Z0-9_-]{0,30})?\Z"),
    "inference_component_name": NAMES,
    "inference_id": IDS,
    "inference_router_name": NAMES,
    "input_location": st.builds("s3://{}/{}".format, NAMES, IDS),
    "invocation_timeout_seconds": st.integers(1, 3600),
    "prefix_aware_id": IDS,
    "request_ttl_seconds": st.integers(60, 21_600),
    "routing_target": NAMES,
    "s3_output_path_extension": st.text("aZ9!_.*'()/-", min_size=1, max_size=40),
    "session_id": NAMES | st.just("NEW_SESSION"),
    "target_container_hostname": NAMES,
    "target_model": IDS,
    "target_variant": NAMES,
}


def draw_arguments(model):
    """Return a strategy for an operation's arguments: all required ones and any of the optional
    ones.
    """
    required = {name: VALUES[name] for name, member in model.members.items() if member.is_required}
    optional = {
        name: VALUES[name] for name, member in model.members.items() if not member.is_required
    }
    return st.fixed_dictionaries(required, optional=optional)


@each_model
@given(data=st.data())
def test_requests_are_those_of_botocore(model, data):
    """For any valid arguments, the request's method, path, headers and body are the same as in
    botocore.
    """
    arguments = data.draw(draw_arguments(model))
    named = {model.members[name].name: value for name, value in arguments.items()}
    expected = SERIALIZER.serialize_to_request(named, SHAPES[model])
    request = model.to_http(arguments)
    assert (request.method, request.path) == (expected["method"], expected["url_path"])
    assert request.body == (expected["body"] or b"")
    sent = {name.lower(): value for name, value in request.headers}
    # If a body has no content type, botocore adds a content type to the request.
    added = {} if "content_type" in arguments else {"content-type": "application/octet-stream"}
    headers = {name.lower(): value for name, value in expected["headers"].items()}
    assert {**added, **sent} == {**added, **headers}


@each_model
def test_members_are_those_of_the_model(model):
    """The table contains the members of the service model, each with the same place in the request,
    and the same members are required and sensitive.
    """
    shape = SHAPES[model].input_shape
    members = {member.name: member for member in model.members.values()}
    assert members.keys() == shape.members.keys()
    for name, expected in shape.members.items():
        place = {"uri": "path", "header": expected.serialization.get("name")}
        location = expected.serialization.get("location")
        assert members[name].place == place.get(location, "body"), name
        is_required = name in shape.required_members
        assert members[name].is_required == is_required, name
        assert members[name].is_sensitive == bool(expected.metadata.get("sensitive")), name


@each_model
def test_limits_are_those_of_the_model(model):
    """For each member, a value of the maximum length or size is accepted.

    A larger value is rejected, and so is one below the minimum, if the service model has a minimum.
    """
    shape = SHAPES[model].input_shape
    for member in model.members.values():
        limits = shape.members[member.name].metadata
        most, least = limits["max"], limits.get("min", 0)
        # Only the patterns of InputLocation and of output path extensions require more than
        # letters.
        prefix = "s3://b/" if member.argument == "input_location" else ""
        if member.kind is int:
            fits, over, under = most, most + 1, least - 1
        elif member.kind is bytes:
            fits, over, under = bytes(most), bytes(most + 1), None
        else:
            fits = prefix + "a" * (most - len(prefix))
            over, under = fits + "a", "" if least else None
        member.check(member.argument, fits)
        for value in (over, under):
            if value is not None:
                with pytest.raises(ParamValidationError, match=f"^{member.argument} must "):
                    member.check(member.argument, value)


@pytest.mark.parametrize("value", ["-a", "a_b", "NEW SESSION", "a-", "\u00e4", ""])
def test_ids_of_sessions(value):
    """A session ID may contain only the characters of a name.

    The value ``NEW_SESSION`` is the only exception.
    """
    check = INVOKE_ENDPOINT.members["session_id"].check
    with pytest.raises(ParamValidationError, match=r"^session_id must "):
        check("session_id", value)
    check("session_id", "NEW_SESSION")


def test_a_large_body():
    """If a body is too large for a synchronous call, the error recommends `submit` or `infer`."""
    with pytest.raises(ParamValidationError, match="6,291,457: use submit or infer for it"):
        INVOKE_ENDPOINT.to_http({"endpoint_name": "e", "body": bytes(6_291_457)})
