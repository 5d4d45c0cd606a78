from collections.abc import Callable

from arguments import SNAKE
from capo_sagemaker_runtime import SageMakerRuntimeClient
from zapros import StdNetworkHandler


def connect(url: str) -> Callable[[], object]:
    """Return a function that makes one call.

    The pool has 64 connections, as in this package, instead of the default 10.
    """
    handler = StdNetworkHandler(http1={"max_connections_per_host": 64})
    client = SageMakerRuntimeClient(handler, endpoint=url)
    return lambda: client.invoke_endpoint_async(**SNAKE)["inference_id"]
