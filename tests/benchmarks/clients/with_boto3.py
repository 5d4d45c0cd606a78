from collections.abc import Callable

import boto3
from arguments import CAMEL
from botocore.config import Config


def connect(url: str) -> Callable[[], object]:
    """Return what makes one call; as many connections are kept as ours keeps, 10 by default."""
    config = Config(max_pool_connections=64)
    client = boto3.client("sagemaker-runtime", endpoint_url=url, config=config)
    return lambda: client.invoke_endpoint_async(**CAMEL)["InferenceId"]
