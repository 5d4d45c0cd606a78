from collections.abc import Callable

from models.reading import ENDPOINT, read
from sagemaker_runtime_client import SageMakerRuntimeClient


def connect(url: str) -> Callable[[str, str], object]:
    """Return a function that makes one call."""
    client = SageMakerRuntimeClient(endpoint_url=url)

    def call(operation: str, text: str) -> object:
        body = text.encode()
        if operation == "invoke":
            return len(client.invoke_endpoint(ENDPOINT, body).body)
        with client.stream_endpoint(ENDPOINT, body) as stream:
            return read(stream.bytes(), body)

    return call
