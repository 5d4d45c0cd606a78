"""The interfaces of a model's output, which arrives in parts, and of a model's runner."""

from collections.abc import Awaitable
from contextlib import aclosing
from typing import Protocol

from .values import ModelFailure, ModelRequest, ModelResponse


class Output(Protocol):
    """The output of a model, which arrives in parts.

    Attributes:
        head: The output without its body.
    """

    head: ModelResponse

    async def next_part(self) -> bytes | None:
        """Return the next part; None at the end.  Any failure is raised as `ModelFailure`."""
        ...

    async def aclose(self) -> None:
        """Notify the model that the rest of the output is not needed, and release its resources."""
        ...


class Runner(Protocol):
    """The interface through which the queue calls a model."""

    def __call__(self, request: ModelRequest, /) -> Awaitable[Output]:
        """Return the model's output, which the caller must close.

        Any failure is raised as `ModelFailure`.
        """
        ...

    async def aclose(self) -> None:
        """Release the model's resources before the event loop ends."""
        ...


async def read_whole(output: Output, max_size: int) -> bytes:
    """Return the joined parts of an output, and close it.

    Args:
        output: The output.
        max_size: The maximum total size of the parts, in bytes.

    Raises:
        ModelFailure: The model failed, or its output is too large.
    """
    parts, size = list[bytes](), 0
    async with aclosing(output):
        while (part := await output.next_part()) is not None:
            parts.append(part)
            size += len(part)
            if size > max_size:
                raise ModelFailure(
                    f"The output of the model has more than {max_size} bytes.", status_code=0
                )
    return b"".join(parts)
