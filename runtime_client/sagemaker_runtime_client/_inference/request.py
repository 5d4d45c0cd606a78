"""The arguments of InvokeEndpointAsync as a value, for callers that send the request themselves."""

from inspect import Parameter, Signature
from typing import Any, ClassVar, Unpack

from .._io.message import Request
from .._value import Value
from .invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC, InvokeOptions


class InvokeArguments(InvokeOptions, total=False):
    """All arguments of an invocation except the name of the endpoint."""

    input_location: str | None
    body: bytes | bytearray | memoryview | None


class InvokeEndpointAsyncRequest(Value):
    """The checked arguments of InvokeEndpointAsync.

    Exactly one of *input_location* and *body* is required.

    Attributes:
        endpoint_name: The name of the endpoint: 1 to 63 letters, digits and inner hyphens.
        input_location: The ``s3://`` or ``https://`` URL of the input, at most 1024 characters.
        body: The input itself, 1 to 128,000 bytes.
        content_type: The media type of the input, at most 1024 ASCII characters.
        accept: The requested media type of the output, at most 1024 ASCII characters.
        custom_attributes: Text that is passed to the model unchanged, at most 1024 ASCII
            characters.  ``repr`` omits it.
        inference_id: The id of the job: 1 to 64 printable ASCII characters, with no leading or
            trailing spaces.
        s3_output_path_extension: A path appended to the endpoint's output path: 1 to 512 letters,
            digits or characters from ``!_.*'()/-``.
        filename: The file name of the output, in place of a generated name: 1 to 32 letters, digits
            or characters from ``-_.``; starts with a letter or digit and contains at most one dot.
        request_ttl_seconds: How long the job may wait in the queue, 60 to 21600 seconds.
        invocation_timeout_seconds: How long the model may work on the job, 1 to 3600 seconds.

    Raises:
        ParamValidationError: An argument breaks one of these rules; `argument` is its name.

    Source:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
    """

    __slots__ = tuple(INVOKE_ENDPOINT_ASYNC.members)
    __match_args__: ClassVar[tuple[str, ...]] = __slots__
    _hidden = frozenset(
        [name for name, member in INVOKE_ENDPOINT_ASYNC.members.items() if member.is_sensitive]
    )

    endpoint_name: str
    input_location: str | None
    body: bytes | None
    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None

    def __init__(self, endpoint_name: str, **arguments: Unpack[InvokeArguments]) -> None:
        for name in arguments.keys() - InvokeArguments.__annotations__.keys():
            raise TypeError(
                f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}"
            )
        given: dict[str, Any] = {"endpoint_name": endpoint_name, **arguments}
        INVOKE_ENDPOINT_ASYNC.to_http(given)  # raises an error if an argument is invalid
        for name in self.__slots__:
            setattr(self, name, given.get(name))
        if self.body is not None:
            self.body = bytes(self.body)  # a copy, because the caller may change the original

    def to_http(self) -> Request:
        """Return the HTTP request without an origin or a signature."""
        return INVOKE_ENDPOINT_ASYNC.to_http(self._asdict())


def _signature() -> Signature:
    """Return a signature for the constructor that lists each argument, for editors and `help`."""
    positional = [
        Parameter("self", Parameter.POSITIONAL_ONLY),
        Parameter("endpoint_name", Parameter.POSITIONAL_OR_KEYWORD, annotation=str),
    ]
    types = InvokeArguments.__annotations__
    return Signature(
        [
            *positional,
            *[
                Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=types[name])
                for name in INVOKE_ENDPOINT_ASYNC.members
                if name in types
            ],
        ],
        return_annotation=None,
    )


vars(InvokeEndpointAsyncRequest.__init__)["__signature__"] = _signature()
