"""Warm calls, blocking, over one connection: CPU each, and how many a second."""

import http.client
import json
import time
from collections.abc import Callable

import boto3
import httpx
import signing
from rounds import Measure

from sagemaker_runtime_client import SageMakerRuntimeClient
from sigv4 import Credentials

COUNT = 200


def callers(port: int) -> dict[str, Callable[[], object]]:
    """Return functions that make one call each."""
    url = f"http://127.0.0.1:{port}"
    ours = SageMakerRuntimeClient(
        region="eu-west-1",
        endpoint_url=url,
        credentials=Credentials("AKIDEXAMPLE", "secret", signing.TOKEN),
    )
    theirs = boto3.client(
        "sagemaker-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token=signing.TOKEN,
    )
    bare = httpx.Client()
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def floor() -> object:
        signing.floor()
        connection.request("POST", signing.PATH, headers=signing.HEADERS)
        return json.loads(connection.getresponse().read())["InferenceId"]

    arguments = {
        "content_type": "application/json",
        "accept": "application/json",
        "input_location": signing.NAMES["InputLocation"],
    }
    return {
        "ours": lambda: ours.invoke_endpoint_async("e", **arguments),
        "boto3": lambda: theirs.invoke_endpoint_async(
            EndpointName="e",
            ContentType="application/json",
            Accept="application/json",
            InputLocation=signing.NAMES["InputLocation"],
        ),
        "httpx, unsigned": lambda: bare.post(url + signing.PATH, headers=signing.HEADERS).json(),
        "floor": floor,
    }


def contenders(port: int) -> dict[str, Measure]:
    """Return the CPU of each."""

    def measure(call: Callable[[], object]) -> Measure:
        def microseconds() -> float:
            start = time.process_time()
            for _ in range(COUNT):
                call()
            return (time.process_time() - start) / COUNT * 1e6

        return microseconds

    return {name: measure(call) for name, call in callers(port).items()}


def rates(port: int) -> str:
    """Return how many calls a second each makes."""
    found: list[str] = []
    for name, call in callers(port).items():
        start = time.perf_counter()
        for _ in range(COUNT):
            call()
        found.append(f"{name} {COUNT / (time.perf_counter() - start):.0f}")
    return ", ".join(found)
