"""Test the client against moto's server, an independent implementation.

moto verifies no signatures, determines the service from the credential scope, returns 200 where AWS
returns 202, and never reads the input.  When an endpoint is invoked, moto immediately writes an
output, which the test has configured beforehand, into a bucket of its own.
"""

import json
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest

from sagemaker_runtime_client import InferenceFailedError, ObjectNotFoundError
from sigv4 import Credentials
from tests import moto_server
from tests.runtime_client.clients import often

REGION = "us-east-1"
CREDENTIALS = Credentials("AKIDEXAMPLE", "unchecked")


@pytest.fixture(scope="module")
def moto():
    """The URL of a moto server that runs in another process."""
    with moto_server.running() as url:
        yield url


@pytest.fixture
def client(plain_driver, moto, bare_environment):  # noqa: ARG001 (the environment is emptied before)
    """A client of each kind for moto's server, on which the bucket ``inputs`` exists."""
    client = plain_driver.client(
        region=REGION, credentials=CREDENTIALS, endpoint_url=moto, s3_endpoint_url=moto
    )
    send(f"{moto}/inputs", "PUT")
    return client


def send(url, method, document=None):
    """Send moto a request for which the client has no method, such as creating a bucket."""
    data = None if document is None else json.dumps(document).encode()
    headers = {"content-type": "application/json"} if data else {}
    with urlopen(Request(url, data, headers, method=method), timeout=10) as answer:
        assert answer.status in {200, 201}


def will_answer(moto, kind="async-endpoint-results", **result):
    """Configure the output that moto writes or returns for the next invocation."""
    document = {"region": REGION, "results": [result]}
    send(f"{moto}/moto-api/static/sagemaker/{kind}", "POST", document)


def test_whole_job(client, moto, request):
    """The client uploads a payload, invokes the endpoint with the payload's location, and gets the
    output.
    """
    will_answer(moto, data='{"first": "output"}')
    location = f"s3://inputs/{request.node.name}"
    client.put_object(location, b"hello", content_type="text/plain", metadata={"owner": "me"})
    invocation = client.invoke_endpoint_async("a", input_location=location, inference_id="mine")
    output = client.wait(invocation, timeout=10, schedule=often)
    assert (invocation.inference_id, invocation.attempts) == ("mine", 1)
    assert output.json() == {"first": "output"}
    assert output.body == client.get_object(output.location).body
    found = client.get_object(location)
    assert (
        found.body,
        found.content_type,
        found.metadata,
    ) == (b"hello", "text/plain", {"owner": "me"})
    assert client.head_object(location).size == 5


def test_through_s3(client, moto):
    """`infer` with an `input_prefix` uploads a large payload to moto's S3 and returns the output."""
    will_answer(moto, data="large output")
    output = client.infer(
        "a", b"x" * 200_000, timeout=10, schedule=often, input_prefix="s3://inputs/large/"
    )
    assert output.body == b"large output"


def test_many_objects(client):
    """The client lists and deletes objects in moto's S3, and its URLs work there."""
    locations = [f"s3://inputs/many/{name}" for name in ("a b+c", "ü&<>", "z~")]
    for location in locations:
        client.put_object(location, b"body", tagging={"a": "b c"}, cache_control="max-age=60")
    prefix = "s3://inputs/many/"
    first = take_next(client, client.itself.list_objects(prefix, page_size=2))
    assert first.location == min(locations)
    shared = client.presign_get(locations[0])
    with urlopen(shared.url, timeout=10) as answer:
        assert (answer.read(), answer.headers["cache-control"]) == (b"body", "max-age=60")
    assert client.delete_objects(locations) == {}
    with pytest.raises(ObjectNotFoundError) as caught:
        client.delete_objects(["s3://no-such-bucket/a"])
    assert caught.value.code == "NoSuchBucket"
    assert client.abort_uploads(prefix, older_than=timedelta()) == []


async def _take_next(objects):
    return await anext(objects)


def take_next(client, objects):
    """Return the next object of an iterator of any client."""
    return client.driver.call(_take_next if client.driver.kind.is_async else next, objects)


def test_failure(client, moto, request):
    """If moto writes a failure object, waiting raises InferenceFailedError."""
    will_answer(moto, data="second inference failed", is_failure=True)
    location = f"s3://inputs/{request.node.name}"
    invocation = client.invoke_endpoint_async("a", input_location=location)
    with pytest.raises(InferenceFailedError) as caught:
        client.wait(invocation, timeout=10, schedule=often)
    assert caught.value.reason == "second inference failed"


def test_synchronous_call(client, moto, request):
    """`invoke_endpoint` returns the body, content type, variant and custom attributes that moto
    returns for the endpoint.
    """
    will_answer(
        moto,
        "endpoint-results",
        Body="synchronous output",
        ContentType="text/x",
        InvokedProductionVariant="blue",
        CustomAttributes="a=b",
    )
    # moto returns the same output again for the same endpoint and body.
    output = client.invoke_endpoint("a", request.node.name.encode(), content_type="text/plain")
    assert (output.body, output.content_type) == (b"synchronous output", "text/x")
    assert (output.production_variant, output.custom_attributes) == ("blue", "a=b")


@pytest.mark.parametrize(
    "location", ["s3://inputs/missing", "s3://no-such-bucket/key"], ids=["key", "bucket"]
)
def test_missing(client, location):
    """`get_object` raises ObjectNotFoundError if the key or the bucket does not exist."""
    with pytest.raises(ObjectNotFoundError):
        client.get_object(location)
