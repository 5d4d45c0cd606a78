"""Compare the requests of this package's clients with botocore's, as they arrive at a server.

The arguments are generated from botocore's service models: from the pattern and the limits of each
member.  ``test_request_properties.py`` checks some examples, and ``tests/fuzz`` checks many more.
"""

import re
from functools import partial
from inspect import signature

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ParamValidationError as BotocoreParamValidationError
from botocore.session import Session
from hypothesis import strategies as st

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client._inference.invoke_endpoint import INVOKE_ENDPOINT
from sagemaker_runtime_client._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC
from sagemaker_runtime_client._inference.router import (
    INVOKE_INFERENCE_ROUTER,
    INVOKE_INFERENCE_ROUTER_ASYNC,
)
from sagemaker_runtime_client._inference.stream_endpoint import INVOKE_ENDPOINT_WITH_RESPONSE_STREAM
from tests.runtime_client.clients import CREDENTIALS, REGION, Driver, pointed_at
from tests.runtime_client.loopback import Loopback, response

# The table of each operation, and its service in botocore.
SERVICES = {
    INVOKE_ENDPOINT: "sagemaker-runtime",
    INVOKE_ENDPOINT_WITH_RESPONSE_STREAM: "sagemaker-runtime",
    INVOKE_ENDPOINT_ASYNC: "sagemaker-runtime",
    INVOKE_INFERENCE_ROUTER: "sagemaker-inference-router-runtime",
    INVOKE_INFERENCE_ROUTER_ASYNC: "sagemaker-inference-router-runtime",
}
SESSION = Session()
OPERATIONS = {
    model: SESSION.get_service_model(service).operation_model(model.name)
    for model, service in SERVICES.items()
}
each_model = pytest.mark.parametrize("model", OPERATIONS, ids=lambda model: model.method)

# These headers differ between the clients or from request to request.  `RawRequest.verify` checks
# the first two.
OTHER_HEADERS = {
    "authorization",
    "x-amz-date",
    "amz-sdk-invocation-id",
    "user-agent",
    "accept-encoding",  # only botocore sends this header, with the value "identity"
}

# Parts of the service models' patterns that have another spelling in Python.
SPELLINGS = {r"[\p{Print}]": "[ -~]", r"\p{ASCII}": "[ -~]", r"\z": r"\Z"}
ASCII = st.characters(min_codepoint=32, max_codepoint=126)
# An S3 key may contain any character, but control characters and surrogates cannot be sent in a
# header.
UNICODE = st.characters(exclude_categories=["Cc", "Cs"])
# Strings in order of length. For each pattern in the service models, at least one of them matches.
SHORTEST = ("", "a", "s3://a")
LARGEST_RANDOM_BODY = 200  # in bytes; `at_limits` returns larger bodies
# Values whose types botocore rejects, keyed by the type of the member.
WRONG_TYPES = {
    "integer": [[], 1.5, "60", b"60"],
    "string": [[], 1.5, 7, b"a"],
    "blob": [[], 1.5, 7, True],
}


def is_valid(shape, value):
    """Return whether a string follows the rules of the service model and of HTTP headers."""
    limits = shape.metadata
    return (
        limits.get("min", 0) <= len(value) <= limits["max"]
        and value == value.strip()
        and re.fullmatch(pattern(shape), value) is not None
    )


def pattern(shape):
    """Return the pattern of a shape in Python's syntax."""
    found = shape.metadata["pattern"]
    for theirs, ours in SPELLINGS.items():
        found = found.replace(theirs, ours)
    return found


def limits(model, name):
    """Return the least and the greatest value of a member."""
    shape = OPERATIONS[model].input_shape.members[name]
    most = shape.metadata["max"]
    if shape.type_name == "integer":
        return shape.metadata["min"], most
    if shape.type_name == "blob":
        # InvokeEndpointAsync treats an empty body as missing.
        return bytes(model.exactly_one is not None), bytes(range(256)) * (most // 256)
    shortest = next(text for text in SHORTEST if is_valid(shape, text))
    return shortest, lengthen(shape, shortest)


def lengthen(shape, text):
    """Return *text*, continued to the maximum length."""
    return text.ljust(shape.metadata["max"], "a")


def values(model, name):
    """Return a strategy for a member's valid values, some of which are at its limits."""
    shape = OPERATIONS[model].input_shape.members[name]
    least, most = limits(model, name)
    if shape.type_name == "integer":
        return st.sampled_from([least, most]) | st.integers(least, most)
    if shape.type_name == "blob":
        return st.binary(min_size=len(least), max_size=LARGEST_RANDOM_BODY)
    alphabet = UNICODE if name == "InputLocation" else ASCII
    texts = st.from_regex(pattern(shape), fullmatch=True, alphabet=alphabet)
    texts |= texts.map(partial(lengthen, shape)) | st.sampled_from([least, most])
    return texts.filter(partial(is_valid, shape))


def alternatives(model):
    """Return the members of which exactly one is required, or an empty list."""
    return [model.members[argument].name for argument in model.exactly_one or ()]


def valid(model):
    """Return a strategy for an operation's arguments: the required ones and any optional ones."""
    required = OPERATIONS[model].input_shape.required_members
    either = alternatives(model)
    every = {name: values(model, name) for name in OPERATIONS[model].input_shape.members}
    return st.builds(
        dict.__or__,
        st.fixed_dictionaries(
            {name: every[name] for name in required},
            optional={name: every[name] for name in every.keys() - {*required, *either}},
        ),
        st.one_of([st.fixed_dictionaries({name: every[name]}) for name in either])
        if either
        else st.just({}),
    )


def at_limits(model):
    """Return dictionaries of arguments that have all members, each with its least or its greatest
    value. If the operation has alternative members, each dictionary has only one of these.
    """
    names = OPERATIONS[model].input_shape.members
    either = alternatives(model)
    return [
        {name: limits(model, name)[end] for name in names if name not in either or name == chosen}
        for end in (0, 1)
        for chosen in either or [None]
    ]


def invalid(model):
    """Return dictionaries of arguments that botocore rejects, each because of one fault: an unknown
    argument, a missing one, a wrong type, or a value below the minimum.
    """
    shape, arguments = OPERATIONS[model].input_shape, at_limits(model)[0]
    faults = [{**arguments, "Unknown": "a"}]
    for name in shape.required_members:
        faults.append({other: value for other, value in arguments.items() if other != name})
        faults.append({**arguments, name: None})
    for name, member in shape.members.items():
        least = member.metadata.get("min", 0)
        below = least - 1 if member.type_name == "integer" else ""
        wrong = [*WRONG_TYPES[member.type_name], *([below] if least else [])]
        faults += [{**arguments, name: value} for value in wrong]
    return faults


class Comparison:
    """A server, and clients of both packages that send requests to it.

    Args:
        stack: Closes the clients and the server.
        kinds: The kinds of this package's clients.
    """

    def __init__(self, stack, kinds):
        self._server = stack.enter_context(Loopback(lambda *_: response()))
        options = pointed_at(self._server, router_endpoint_url=self._server.url, max_attempts=3)
        self._clients = [Driver(kind, stack).client(**options) for kind in kinds]
        self._botocore = {service: self._create(service, stack) for service in SERVICES.values()}

    def _create(self, service, stack):
        """Return botocore's client for a service, with the same settings."""
        client = SESSION.create_client(
            service,
            region_name=REGION,
            endpoint_url=self._server.url,
            aws_access_key_id=CREDENTIALS.access_key_id,
            aws_secret_access_key=CREDENTIALS.secret_access_key,
            aws_session_token=CREDENTIALS.session_token,
            config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
        )
        stack.callback(client.close)
        return client

    def are_equal(self, model, arguments):
        """Check that each client sends the request that botocore sends."""
        self._call_botocore(model, arguments)
        expected = self._take_request()
        for client in self._clients:
            send(client, model, arguments)
            assert self._take_request() == expected

    def are_rejected(self, model, arguments):
        """Check that botocore and each client reject the arguments, and send nothing."""
        with pytest.raises(BotocoreParamValidationError):
            self._call_botocore(model, arguments)
        for client in self._clients:
            with pytest.raises((ParamValidationError, TypeError)):
                send(client, model, arguments)
        assert self._server.requests == []

    def _call_botocore(self, model, arguments):
        call = getattr(self._botocore[SERVICES[model]], xform_name(model.name))
        if (body := call(**arguments).get("Body")) is not None:
            body.close()

    def _take_request(self):
        """Return the parts of the only request that has arrived, and verify its signature."""
        (request,) = self._server.requests
        self._server.requests.clear()
        request.verify(CREDENTIALS, "sagemaker", REGION)
        headers = [(name.lower(), value) for name, value in request.headers]
        compared = sorted(pair for pair in headers if pair[0] not in OTHER_HEADERS)
        return request.line, compared, request.body


def send(client, model, arguments):
    """Call the method of a client for an operation with botocore's *arguments*.

    A stream is opened and closed.
    """
    names = {member.name: argument for argument, member in model.members.items()}
    given = {names.get(name, name): value for name, value in arguments.items()}
    if "generate_inference_id" in signature(getattr(client.itself, model.method)).parameters:
        given["generate_inference_id"] = False
    is_async = client.driver.kind.is_async
    client.driver.call(
        finish if is_async else finish_blocking,
        partial(getattr(client.itself, model.method), **given),
    )


async def finish(call):
    """Call an async client, and await the result.

    If the result is a stream, it is opened and closed instead.
    """
    result = call()
    if hasattr(result, "__aenter__"):
        async with result:
            return
    await result


def finish_blocking(call):
    """Call a blocking client. If the result is a stream, it is opened and closed."""
    result = call()
    if hasattr(result, "__enter__"):
        with result:
            return
