"""Tests that compare the tables of all operations with botocore's service models."""

import pytest

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client._inference.invoke_endpoint import INVOKE_ENDPOINT
from tests.runtime_client.request_properties import OPERATIONS, each_model


@each_model
def test_members_are_those_of_the_model(model):
    """The table contains the members of the service model, each with the same place in the request,
    and the same members are required and sensitive.
    """
    shape = OPERATIONS[model].input_shape
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
    shape = OPERATIONS[model].input_shape
    for member in model.members.values():
        limits = shape.members[member.name].metadata
        most, least = limits["max"], limits.get("min", 0)
        # Only the pattern of InputLocation requires more than letters.
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
    """A session ID must consist of letters, digits and inner hyphens.

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
