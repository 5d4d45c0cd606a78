from collections.abc import Callable

from arguments import SNAKE

from sagemaker_runtime_client import SageMakerRuntimeClient


def connect(url: str) -> Callable[[], object]:
    """Return a function that makes one call."""
    client = SageMakerRuntimeClient(endpoint_url=url)
    return lambda: client.invoke_endpoint_async(**SNAKE).inference_id
