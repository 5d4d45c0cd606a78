from collections.abc import Callable

from capo_sagemaker_runtime import SageMakerRuntimeClient
from zapros import StdNetworkHandler

from models.reading import ENDPOINT, read


def connect(url: str) -> Callable[[str, str], object]:
    """Return a function that makes one call."""
    client = SageMakerRuntimeClient(StdNetworkHandler(), endpoint=url)

    def call(operation: str, text: str) -> object:
        body = text.encode()
        if operation == "invoke":
            return len(client.invoke_endpoint(ENDPOINT, body=body)["body"])
        with client.invoke_endpoint_with_response_stream(ENDPOINT, body=body) as stream:
            return read((event["PayloadPart"]["bytes"] for event in stream["body"]), body)

    return call
