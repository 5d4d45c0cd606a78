from collections.abc import Callable

import boto3
from arguments import CAMEL
from botocore.config import Config


def connect(url: str) -> Callable[[], object]:
    """Return a function that makes one call.

    The pool has 64 connections, as in this package, instead of the default 10.
    """
    config = Config(max_pool_connections=64)
    client = boto3.client("sagemaker-runtime", endpoint_url=url, config=config)
    return lambda: client.invoke_endpoint_async(**CAMEL)["InferenceId"]
