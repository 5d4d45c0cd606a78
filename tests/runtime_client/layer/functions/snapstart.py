"""A function that makes a call before its snapshot is taken; two copies go on from there."""

import os

from snapshot_restore_py import register_before_snapshot

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client._io.system import System

client = SageMakerRuntimeClient()
client.invoke_endpoint_async("endpoint", body=b"prime")


@register_before_snapshot
def copy():
    """Stand in for the snapshot: what runs twice from here was one process."""
    os.fork()


def handler(*_):
    """Queue one inference, at the same time as the other copy; say who it was."""
    client.invoke_endpoint_async("endpoint", body=b"meet")
    return {"pid": os.getpid(), "random": System.random()}
