"""
The whole job, as a program that has nothing but the run-time packages, whatever folder they are in.

``job.py URL...`` takes an endpoint's URL for each run, all else from the environment, and prints what
came of it.  It asserts nothing: that is stripped by ``-O``.
"""

import asyncio
import sys
from datetime import UTC, datetime

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    CredentialProviderError,
    SageMakerRuntimeClient,
    default_chain,
)
from sigv4 import MissingDependencyError, SignableRequest, Signer, SigV4A

INPUT = "s3://inputs/in.txt"
ENDPOINT = "my-endpoint"
# Profiles of the configuration file whose keys are not to be had without cryptography.
PROFILES = ("anywhere", "login")


def often(_elapsed):
    """Look at S3 without a pause."""
    return 0.005


def blocking(where):
    """Do it in a thread; return the answer, and what S3 has of it."""
    with SageMakerRuntimeClient(**where) as client:
        client.put_object(INPUT, b"blocking")
        invocation = client.invoke_endpoint_async(ENDPOINT, input_location=INPUT)
        output = client.wait(invocation, timeout=60, schedule=often)
        return output.text, client.get_object(output.location).body.decode()


async def awaited(where):
    """Do it in a task."""
    async with AsyncSageMakerRuntimeClient(**where) as client:
        await client.put_object(INPUT, b"awaited")
        invocation = await client.invoke_endpoint_async(ENDPOINT, input_location=INPUT)
        output = await client.wait(invocation, timeout=60, schedule=often)
        return output.text, (await client.get_object(output.location)).body.decode()


def lacks():
    """Yield what is said by each part that needs cryptography."""
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


def main(urls):
    """Print a line for each face and URL, and one for each thing that is lacking."""
    for url in urls:
        where = {"endpoint_url": url, "s3_endpoint_url": url}
        print(*blocking(where))
        print(*asyncio.run(awaited(where)))
    print(*lacks(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
