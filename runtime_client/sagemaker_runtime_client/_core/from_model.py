"""Builds operations that are completely defined by their tables."""

from collections.abc import Callable, Coroutine
from inspect import Parameter, Signature
from typing import TypeVar

from .._inference.members import OperationModel
from .._io.message import Response
from .base import BaseOperations

T = TypeVar("T")


def from_model(
    model: OperationModel, parse: Callable[[Response], T]
) -> Callable[..., Coroutine[object, object, T]]:
    """Return the operation that *model* describes, as a method of `BaseOperations`.

    A client adds such an operation with one line, such as ``describe_job =
    sync_method(from_model(DESCRIBE_JOB, Job))``.  An operation that does more than check the
    arguments, send the request and parse the response is a handwritten method, such as
    `SubmissionOperations.invoke_endpoint_async`; a test compares its signature with the table.

    Args:
        model: The table that describes the operation.
        parse: Converts a successful response into the result of the call.
    """
    signature = _signature(model)

    def call(
        self: BaseOperations, /, *args: object, **kwargs: object
    ) -> Coroutine[object, object, T]:
        try:
            arguments = signature.bind(self, *args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{model.method}() {error}") from None
        return self.call(model, parse, arguments, arguments.get("timeout"))

    call.__name__ = call.__qualname__ = model.method
    call.__doc__ = _description(model)
    vars(call)["__signature__"] = signature
    return call


def _signature(model: OperationModel) -> Signature:
    """Return the method's signature, in which only required members may be positional."""
    required = [Parameter("self", Parameter.POSITIONAL_ONLY)]
    optional = [_optional("timeout", float)]
    for name, member in model.members.items():
        if member.is_required:
            kind = Parameter.POSITIONAL_OR_KEYWORD
            required.append(Parameter(name, kind, annotation=member.kind))
        else:
            optional.append(_optional(name, member.kind))
    return Signature([*required, *optional])


def _optional(name: str, kind: type) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind | None)


def _description(model: OperationModel) -> str:
    return "\n".join(
        [
            f"Call {model.name}.",
            "",
            "Args:",
            *[
                f"    {name}: {member.description or member.name}."
                for name, member in model.members.items()
            ],
            "    timeout: Seconds that the call may take in all; None takes the client's.",
        ]
    )
