"""Tests of adding an operation to the clients, which requires only a table, a class for the output,
and one line in each client.
"""

import json
from contextlib import ExitStack
from inspect import getdoc, signature

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ParamValidationError,
    SageMakerRuntimeClient,
    ServiceError,
)
from sagemaker_runtime_client._clients import async_method, sync_method
from sagemaker_runtime_client._core.from_model import from_model
from sagemaker_runtime_client._inference.members import (
    BODY,
    PATH,
    Member,
    OperationModel,
    inline,
    seconds,
    text,
)
from tests.runtime_client.clients import CREDENTIALS, REGION, Driven, pointed_at
from tests.runtime_client.loopback import Loopback, response

MODEL = OperationModel(
    "estimate_cost",
    "EstimateCost",
    "/endpoints/{endpoint_name}/estimates/{kind}",
    (
        Member("endpoint_name", "EndpointName", PATH, text(1, 63), is_required=True),
        Member("kind", "Kind", PATH, text(1, 8), is_required=True),
        Member("body", "Body", BODY, inline(100), kind=bytes),
        Member("currency", "Currency", "X-Currency", text(3, 3), description="such as EUR"),
        Member("horizon_seconds", "HorizonSeconds", "X-Horizon", seconds(1, 60), kind=int),
    ),
    is_idempotent=True,
)


class Estimate:
    """The output of EstimateCost, a fictitious operation that these tests add."""

    def __init__(self, answer):
        self.amount = json.loads(answer.body)["Amount"]
        self.request_id = answer.request_id


class SyncClient(SageMakerRuntimeClient):
    estimate_cost = sync_method(from_model(MODEL, Estimate))


class AsyncClient(AsyncSageMakerRuntimeClient):
    estimate_cost = async_method(from_model(MODEL, Estimate))


ANSWER = response(b'{"Amount": 7}', 200, {"x-amzn-requestid": "R1"})


@pytest.fixture
def clients(plain_driver):
    """Return a function that creates a client with the new operation, of the driver's kind."""

    def make(server, **changes):
        kind = AsyncClient if plain_driver.kind.is_async else SyncClient
        client = kind(**pointed_at(server, **changes))
        closing.callback(
            plain_driver.call, client.aclose if plain_driver.kind.is_async else client.close
        )
        return Driven(plain_driver, client)

    with ExitStack() as closing:
        yield make


def test_a_call(clients):
    """A call of the new operation sends each argument in its place in the request, omits arguments
    that were not passed, signs the request, and returns an instance of the output class.
    """
    with Loopback(lambda *_: ANSWER) as server:
        client = clients(server)
        full = client.estimate_cost("e", "a b", body=b"x", currency="EUR", horizon_seconds=60)
        minimal = client.estimate_cost(kind="k", endpoint_name="e", timeout=9)
    assert [type(full), type(minimal)] == [Estimate, Estimate]
    assert (full.amount, full.request_id) == (7, "R1")
    assert server.requests[0].line == "POST /endpoints/e/estimates/a%20b HTTP/1.1"
    sent = [(r.body, r.header("x-currency"), r.header("x-horizon")) for r in server.requests]
    assert sent == [(b"x", "EUR", "60"), (b"", None, None)]
    for request in server.requests:
        request.verify(CREDENTIALS, "sagemaker", REGION)


def test_a_retry(clients, shortest_pauses):  # noqa: ARG001 (the dice are loaded)
    """A call of the new operation is retried after a transient failure.

    After the last attempt, the call raises the service's error.
    """
    failure = response(b'{"message": "not now"}', 503, {"x-amzn-errortype": "ServiceUnavailable"})
    answers = [failure, ANSWER, failure, failure]
    with Loopback(lambda *_: answers.pop(0)) as server:
        client = clients(server, max_attempts=2)
        assert client.estimate_cost("e", "k").amount == 7
        with pytest.raises(ServiceError, match="not now") as caught:
            client.estimate_cost("e", "k")
    assert caught.value.attempts == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"currency": "euro"}, "currency must have 3 to 3 characters, not 4"),
        ({"horizon_seconds": 61}, "horizon_seconds must be 1 to 60 seconds"),
        ({"kind": None}, "kind must be a str, not NoneType"),
        ({"body": "text"}, "body must be bytes, not str: encode it first"),
        ({"timeout": 0}, "timeout must be more than 0 seconds"),
    ],
    ids=str,
)
def test_invalid_argument(clients, arguments, message):
    """An invalid argument of the new operation is rejected before anything is sent."""
    with Loopback(lambda *_: ANSWER) as server, pytest.raises(ParamValidationError, match=message):
        clients(server).estimate_cost(**{"endpoint_name": "e", "kind": "k", **arguments})
    assert server.requests == []


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (("e",), {}, r"missing a required argument: 'kind'"),
        (("e", "k", b"x"), {}, "too many positional arguments"),
        (("e", "k"), {"kind": "k"}, "multiple values for argument 'kind'"),
        (
            ("e", "k"),
            {"Currency": "EUR"},
            "keyword argument 'Currency'; use currency instead of Currency",
        ),
    ],
    ids=["too few", "too many", "twice", "unknown"],
)
def test_unknown_argument(clients, args, kwargs, message):
    """Missing, surplus or unknown arguments raise a TypeError that mentions the client's method."""
    client = clients(None)
    with pytest.raises(TypeError, match=message) as caught:
        client.estimate_cost(*args, **kwargs)
    name = type(client.itself).__name__
    assert str(caught.value).startswith(f"{name}.estimate_cost() ")


@pytest.mark.parametrize("client", [SyncClient, AsyncClient])
def test_name_signature_and_docstring(client):
    """The method gets its name, signature and docstring from the table."""
    method = client.estimate_cost
    assert method.__name__ == "estimate_cost"
    names = ["self", "endpoint_name", "kind", "timeout", "body", "currency", "horizon_seconds"]
    assert list(signature(method).parameters) == names
    assert signature(method).parameters["horizon_seconds"].annotation == int | None
    assert "Call EstimateCost." in getdoc(method)
    assert "    currency: such as EUR." in getdoc(method)
