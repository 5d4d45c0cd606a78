"""Tests that the table of InvokeEndpointAsync members agrees with the service model, the clients'
methods and the command-line tool.
"""

import re
from inspect import Parameter, getdoc, signature

import pytest
from botocore.session import Session

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    InvokeEndpointAsyncRequest,
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client._inference.invoke_endpoint_async import (
    INVOKE_ENDPOINT_ASYNC,
    InvokeOptions,
)
from sagemaker_runtime_client._inference.members import BODY, PATH

MEMBERS = INVOKE_ENDPOINT_ASYNC.members
INPUT = ["endpoint_name", "input_location", "body"]
OPTIONS = [name for name in MEMBERS if name not in INPUT]
OWN = ["generate_inference_id", "timeout"]  # arguments that are not in the service model
SHAPE = Session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpointAsync")

each_client = pytest.mark.parametrize(
    "client", [SageMakerRuntimeClient, AsyncSageMakerRuntimeClient]
)


def described(thing, section):
    """Return the names that a section of an object's docstring describes, in the order of the
    section.
    """
    text = getdoc(thing).partition(f"\n{section}:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    (\w+): ", text, re.MULTILINE)


def test_the_model():
    """The table contains all members of the service model.

    Each member has the same place in the request, and the same members are required.
    """
    places = {"uri": lambda _: PATH, "header": lambda wire: wire["name"], None: lambda _: BODY}
    wires = {name: shape.serialization for name, shape in SHAPE.input_shape.members.items()}
    expected = {name: places[wire.get("location")](wire) for name, wire in wires.items()}
    assert {member.name: member.place for member in MEMBERS.values()} == expected
    required = [member.name for member in MEMBERS.values() if member.is_required]
    assert required == SHAPE.input_shape.required_members
    path = INVOKE_ENDPOINT_ASYNC.path.replace("{endpoint_name}", "{EndpointName}")
    assert path == SHAPE.http["requestUri"]


def test_sensitive_members():
    """The table marks the same members as sensitive as the service model does."""
    shapes = SHAPE.input_shape.members
    sensitive = {name for name, shape in shapes.items() if shape.metadata.get("sensitive")}
    assert {member.name for member in MEMBERS.values() if member.is_sensitive} == sensitive


@each_client
def test_the_method(client):
    """The method invoke_endpoint_async has a parameter for each member, in the table's order,
    followed by the two parameters in `OWN`. All except endpoint_name are keyword-only.
    """
    method = getattr(client, INVOKE_ENDPOINT_ASYNC.method)
    parameters = dict(signature(method).parameters)
    assert list(parameters) == ["self", *MEMBERS, *OWN]
    assert parameters["endpoint_name"].kind is Parameter.POSITIONAL_OR_KEYWORD
    for name in [*MEMBERS, *OWN][1:]:
        assert parameters[name].kind is Parameter.KEYWORD_ONLY
        assert parameters[name].default is (True if name == "generate_inference_id" else None)
    assert described(method, "Args") == [*MEMBERS, *OWN]


@each_client
def test_the_options(client):
    """The options of `submit` and `infer` are all members except the endpoint name, the input
    location and the body. The docstring of `submit` lists them in the same order.
    """
    assert list(InvokeOptions.__annotations__) == OPTIONS
    assert re.findall(r"\*(\w+)\*[,.]", getdoc(client.submit).partition("options: ")[2]) == OPTIONS


def test_the_request():
    """The class InvokeEndpointAsyncRequest has all members in its signature and in its docstring,
    and an unknown argument raises a TypeError that mentions the class.
    """
    assert list(InvokeEndpointAsyncRequest.__match_args__) == list(MEMBERS)
    assert list(signature(InvokeEndpointAsyncRequest).parameters) == list(MEMBERS)
    assert described(InvokeEndpointAsyncRequest, "Attributes") == list(MEMBERS)
    with pytest.raises(TypeError, match=r"Request.__init__\(\) got an unexpected .* 'Body'$"):
        InvokeEndpointAsyncRequest("e", Body=b"x")


def test_the_command_line(capsys):
    """The help of the `invoke` command describes an option for each member except the body and the
    endpoint name, and an argument for the endpoint name.
    """
    with pytest.raises(SystemExit):
        main(["invoke", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, member in MEMBERS.items():
        option = "--" + name.replace("_", "-") + " "
        if name != "body":
            assert (
                f"{'' if member.is_required else option}{member.metavar} {member.description}"
                in shown
            )
