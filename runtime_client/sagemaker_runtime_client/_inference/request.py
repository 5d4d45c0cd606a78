"""The arguments of InvokeEndpointAsync as a value, for those who send it without the client.  Pure."""

from inspect import Parameter, Signature
from typing import Any, ClassVar, Unpack

from .._io.message import Request
from .._value import Value
from .invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC, InvokeOptions


class InvokeArguments(InvokeOptions, total=False):
    """What may be said of an inference beside its endpoint."""

    input_location: str | None
    body: bytes | bytearray | memoryview | None


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
        INVOKE_ENDPOINT_ASYNC.to_http(given)  # which checks them
        for name in self.__slots__:
            setattr(self, name, given.get(name))
        if self.body is not None:
            self.body = bytes(self.body)  # a copy of what the caller may change

    def to_http(self) -> Request:
        """Return the request, less the endpoint's origin and the signature."""
        return INVOKE_ENDPOINT_ASYNC.to_http(self._asdict())


def _signature() -> Signature:
    """Return the constructor's signature, its arguments spelled out for tools."""
    own = [
        Parameter("self", Parameter.POSITIONAL_ONLY),
        Parameter("endpoint_name", Parameter.POSITIONAL_OR_KEYWORD, annotation=str),
    ]
    types = InvokeArguments.__annotations__
    return Signature(
        [
            *own,
            *[
                Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=types[name])
                for name in INVOKE_ENDPOINT_ASYNC.members
                if name in types
            ],
        ],
        return_annotation=None,
    )


vars(InvokeEndpointAsyncRequest.__init__)["__signature__"] = _signature()
