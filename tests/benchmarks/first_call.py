"""
A cold start: a new interpreter, its imports, a client, one answered call.

`import httpx` also loads click, rich and pygments where it finds them, as it does among development
tools and nowhere in production, so they are hidden here.
"""

import os
import subprocess
import sys
import time

from rounds import Measure

ENVIRON = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "T" * 900,
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
HIDE = "import sys; sys.modules.update(dict.fromkeys(('click', 'pygments', 'rich')))"
PROGRAMS = {
    "ours": """
from sagemaker_runtime_client import SageMakerRuntimeClient
client = SageMakerRuntimeClient(endpoint_url=URL)
assert client.invoke_endpoint_async("e", input_location="s3://b/k").inference_id
""",
    "ours, asyncio": """
import asyncio
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient
async def main():
    async with AsyncSageMakerRuntimeClient(endpoint_url=URL) as client:
        assert (await client.invoke_endpoint_async("e", input_location="s3://b/k")).inference_id
asyncio.run(main())
""",
    "boto3": """
import boto3
client = boto3.client("sagemaker-runtime", endpoint_url=URL)
assert client.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/k")["InferenceId"]
""",
    "httpx, unsigned": """
import httpx
answer = httpx.Client().post(URL + "/endpoints/e/async-invocations")
assert answer.json()["InferenceId"]
""",
    "floor": """
import hashlib, hmac, http.client, json, time
hmac.digest(b"k", time.strftime("%Y%m%dT%H%M%SZ").encode(), "sha256").hex()
connection = http.client.HTTPConnection("127.0.0.1", int(URL.rpartition(":")[2]))
connection.request("POST", "/endpoints/e/async-invocations")
assert json.loads(connection.getresponse().read())["InferenceId"]
""",
}


def contenders(port: int) -> dict[str, Measure]:
    """Return who calls for the first time."""

    def measure(program: str) -> Measure:
        code = f"{HIDE}\nURL = 'http://127.0.0.1:{port}'\n{program}"

        def milliseconds() -> float:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], env=ENVIRON, check=True)
            return (time.perf_counter() - start) * 1000

        return milliseconds

    return {name: measure(program) for name, program in PROGRAMS.items()}
