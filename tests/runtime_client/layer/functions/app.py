"""Lambda functions as users write them; `test_lambda` runs them under AWS's runtime client."""

import asyncio
import itertools
import os
import re
import sys
from pathlib import Path

import runtime_client  # Lambda's own module, which a package with the same name would hide
from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    SageMakerRuntimeClient,
    ServiceError,
)

client = SageMakerRuntimeClient()
async_client = AsyncSageMakerRuntimeClient()
invocations = itertools.count(1)


def handler(event, context):
    """Run the job that the event specifies, by default `batch`, and return the job's result."""
    os.environ.update(event.get("environ", {}))
    result = JOBS[event["job"]](event, context) if "job" in event else batch(event, context)
    return {"result": result, "invocations": next(invocations), "pid": os.getpid()}


def queue(event, _):
    """Queue one job, and return its inference ID."""
    return client.invoke_endpoint_async("endpoint", body=event["body"].encode()).inference_id


def queue_async(event, _):
    """Queue several jobs concurrently in a new event loop, and return their inference IDs."""

    async def one(body):
        done = await async_client.invoke_endpoint_async("endpoint", body=body.encode())
        return done.inference_id

    async def all_of_them():
        return await asyncio.gather(*map(one, event["bodies"]))

    return asyncio.run(all_of_them())


def infer(event, _):
    """Queue a job, wait for it, and return its output."""
    return client.infer("endpoint", event["body"].encode(), timeout=30).text


def batch(event, _):
    """Queue a job for each message of an SQS batch, and return the IDs of the messages that failed."""
    failed = []
    for record in event["Records"]:
        try:
            client.invoke_endpoint_async("endpoint", body=record["body"].encode())
        except ServiceError:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def verify(event, _):
    """Try to verify an SNS message, and return the error that states what is missing."""
    try:
        return client.verify_sns(event["message"], topic_arns=[event["message"]["TopicArn"]])
    except ConfigError as error:
        return str(error)


def facts(*_):
    """Return the peak memory use of this process, the writable folders and the files of loaded
    modules.
    """
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]
    return {
        "peak": int(peak) * 1024,
        "writable": [
            folder for folder in {*sys.path, str(Path.cwd())} if os.access(folder, os.W_OK)
        ],
        "native": runtime_client.__file__,
        "files": sorted(
            {module.__file__ for module in sys.modules.values() if getattr(module, "__file__", "")}
        ),
    }


JOBS = {job.__name__: job for job in (queue, queue_async, infer, verify, facts)}
