"""
InvokeEndpointAsync: arguments to request.  Pure.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

from typing import TypedDict, cast

from sigv4 import percent_encode

from .._io.message import Request
from .._value import Value
from .arguments import CHECKS, refuse

# What goes out as a header, and under which name.
HEADERS = {
    "content_type": "X-Amzn-SageMaker-Content-Type",
    "accept": "X-Amzn-SageMaker-Accept",
    "custom_attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "inference_id": "X-Amzn-SageMaker-Inference-Id",
    "input_location": "X-Amzn-SageMaker-InputLocation",
    "s3_output_path_extension": "X-Amzn-SageMaker-S3OutputPathExtension",
    "filename": "X-Amzn-SageMaker-Filename",
    "request_ttl_seconds": "X-Amzn-SageMaker-RequestTTLSeconds",
    "invocation_timeout_seconds": "X-Amzn-SageMaker-InvocationTimeoutSeconds",
}


class InvokeEndpointAsyncRequest(Value):
    """
    The arguments of InvokeEndpointAsync, checked.

    Attributes:
        endpoint_name: 1 to 63 letters, digits and inner hyphens.
        input_location: ``s3://`` or ``https://`` address of the input, at most 1024 characters.
        body: The input itself, 1 to 128,000 bytes.  Exactly one of the two is given.
        content_type: MIME type of the input, at most 1024 ASCII characters.
        accept: MIME type wanted for the output; likewise.
        custom_attributes: Handed to the model as they are; likewise.  Kept out of ``repr``.
        inference_id: 1 to 64 printable ASCII characters, no blank at either end.
        s3_output_path_extension: Appended to the endpoint's output path; 1 to 512 of letters,
            digits and ``!_.*'()/-``.
        filename: Replaces the generated name of the output; 1 to 32 of letters, digits and
            ``-_.``, with at most one dot.
        request_ttl_seconds: For how long the job may wait in the queue, 60 to 21600.
        invocation_timeout_seconds: For how long the model may work on it, 1 to 3600.

    Raises:
        ParamValidationError: An argument breaks one of these rules; `argument` names it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
    """

    __slots__ = __match_args__ = (
        "endpoint_name",
        "input_location",
        "content_type",
        "accept",
        "custom_attributes",
        "inference_id",
        "s3_output_path_extension",
        "filename",
        "request_ttl_seconds",
        "invocation_timeout_seconds",
        "body",
    )
    _hidden = frozenset({"custom_attributes", "body"})

    endpoint_name: str
    input_location: str | None
    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None
    body: bytes | None

    def __init__(
        self,
        endpoint_name: str,
        *,
        input_location: str | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        inference_id: str | None = None,
        s3_output_path_extension: str | None = None,
        filename: str | None = None,
        request_ttl_seconds: int | None = None,
        invocation_timeout_seconds: int | None = None,
        body: bytes | bytearray | memoryview | None = None,
    ) -> None:
        self.endpoint_name = endpoint_name
        self.input_location = input_location
        self.content_type = content_type
        self.accept = accept
        self.custom_attributes = custom_attributes
        self.inference_id = inference_id
        self.s3_output_path_extension = s3_output_path_extension
        self.filename = filename
        self.request_ttl_seconds = request_ttl_seconds
        self.invocation_timeout_seconds = invocation_timeout_seconds
        self.body = cast("bytes | None", body)  # until it is checked
        for argument, check in CHECKS.items():
            value = getattr(self, argument)
            if value is not None or argument == "endpoint_name":
                check(argument, value)
        if body is not None and input_location is not None:
            raise refuse("body", "and input_location exclude each other; give exactly one of them")
        if body is None and input_location is None:
            raise refuse("body", "or input_location is needed; give exactly one of them")
        if body is not None:
            self.body = bytes(body)  # a private copy of what may change

    def to_http(self) -> Request:
        """Return the request, less the endpoint's origin and the signature."""
        values = [(header, getattr(self, argument)) for argument, header in HEADERS.items()]
        return Request(
            "POST",
            f"/endpoints/{percent_encode(self.endpoint_name)}/async-invocations",
            tuple((header, str(value)) for header, value in values if value is not None),
            self.body or b"",
        )


class InvokeOptions(TypedDict, total=False):
    """What may be said of an inference beside its endpoint and its input."""

    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None
