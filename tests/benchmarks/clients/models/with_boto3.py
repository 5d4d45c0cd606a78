from collections.abc import Callable
from contextlib import closing

import boto3

from models.reading import ENDPOINT, read


def connect(url: str) -> Callable[[str, str], object]:
    """Return a function that makes one call."""
    client = boto3.client("sagemaker-runtime", endpoint_url=url)

    def call(operation: str, text: str) -> object:
        body = text.encode()
        if operation == "invoke":
            return len(client.invoke_endpoint(EndpointName=ENDPOINT, Body=body)["Body"].read())
        stream = client.invoke_endpoint_with_response_stream(EndpointName=ENDPOINT, Body=body)
        with closing(stream["Body"]) as events:
            return read((event["PayloadPart"]["Bytes"] for event in events), body)

    return call
