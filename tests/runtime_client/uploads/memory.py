"""Upload 256 MiB, and print by how many MB the peak memory of this process grows.

Arguments: the kind of client, the kind of source, the URL of a store, and the path of its
certificate.
"""

import resource
import sys
import tempfile
from pathlib import Path

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sigv4 import Credentials

MIB = 1 << 20
SIZE = 256 * MIB


def stream():
    """Yield the content piece by piece."""
    for _ in range(SIZE // MIB):
        yield bytes(MIB)


def source(kind, path):
    """Return a source of the given kind."""
    return path if kind == "path" else stream()


def peak():
    """Return the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def blocking(kind, path, options):
    """Upload with the blocking client, and return by how many MB the peak memory grew."""
    with SageMakerRuntimeClient(**options) as client:
        client.upload("s3://bucket/small", bytes(9 * MIB))
        before = peak()
        client.upload("s3://bucket/key", source(kind, path))
        return peak() - before


async def asynchronous(kind, path, options):
    """Upload with the async client, and return by how many MB the peak memory grew."""
    async with AsyncSageMakerRuntimeClient(**options) as client:
        await client.upload("s3://bucket/small", bytes(9 * MIB))
        before = peak()
        await client.upload("s3://bucket/key", source(kind, path))
        return peak() - before


def main(client, kind, url, certificate):
    """Run the program."""
    options = {
        "region": "us-east-1",
        "credentials": Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        "s3_endpoint_url": url,
        "ca_bundle": certificate,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "source")
        with path.open("wb") as file:
            file.truncate(SIZE)
        if client == "blocking":
            print(blocking(kind, path, options))
        elif client == "asyncio":
            import asyncio

            print(asyncio.run(asynchronous(kind, path, options)))
        else:
            import trio

            print(trio.run(asynchronous, kind, path, options))


if __name__ == "__main__":
    main(*sys.argv[1:])
