"""A complete job as a program that requires only the run-time packages.

``job.py URL...`` runs the job with both clients for each endpoint URL and prints the results; it
works in any working directory.  All other settings come from the environment.  The program contains
no assertions, because Python's ``-O`` option removes them.
"""

import asyncio
import sys
from datetime import UTC, datetime

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    CredentialProviderError,
    SageMakerRuntimeClient,
    default_chain,
    events,
)
from sigv4 import MissingDependencyError, SignableRequest, Signer, SigV4A

INPUT = "s3://inputs/in.txt"
ENDPOINT = "my-endpoint"
# Profiles whose credentials require cryptography.
PROFILES = ("anywhere", "login")


def often(_elapsed):
    """Return the pause between two polls of S3, which is short regardless of the elapsed time."""
    return 0.005


def blocking(endpoints):
    """Run a job with the blocking client; return its output, and the same output read with
    `get_object`.
    """
    with SageMakerRuntimeClient(**endpoints) as client:
        client.put_object(INPUT, b"blocking")
        invocation = client.invoke_endpoint_async(ENDPOINT, input_location=INPUT)
        output = client.wait(invocation, timeout=60, schedule=often)
        return output.text, client.get_object(output.location).body.decode()


async def awaited(endpoints):
    """Run a job with the async client; return its output, and the same output read with
    `get_object`.
    """
    async with AsyncSageMakerRuntimeClient(**endpoints) as client:
        await client.put_object(INPUT, b"awaited")
        invocation = await client.invoke_endpoint_async(ENDPOINT, input_location=INPUT)
        output = await client.wait(invocation, timeout=60, schedule=often)
        return output.text, (await client.get_object(output.location)).body.decode()


def lacks():
    """Yield the error message of each feature that fails because cryptography is not installed."""
    signer = Signer(SigV4A(service="s3", region_set=["*"]))
    request = SignableRequest("GET", "https://bucket.s3.amazonaws.com/")
    with default_chain() as chain:
        credentials = chain.get()
    try:
        signer.sign(request, credentials, at=datetime.now(UTC))
    except MissingDependencyError as error:
        yield str(error)
    for profile in PROFILES:
        try:
            with default_chain(profile=profile) as chain:
                chain.get()
        except CredentialProviderError as error:
            yield str(error)
    topics = ["arn:aws:sns:eu-west-1:123456789012:results"]
    try:
        events.verify_sns({}, topic_arns=topics, certificate=bytes)
    except ConfigError as error:
        yield str(error)


def main(urls):
    """For each URL, print the results of both clients; then print an error for each unavailable
    feature.
    """
    for url in urls:
        endpoints = {"endpoint_url": url, "s3_endpoint_url": url}
        print(*blocking(endpoints))
        print(*asyncio.run(awaited(endpoints)))
    print(*lacks(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
