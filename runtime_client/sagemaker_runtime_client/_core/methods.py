"""Makes the methods of the clients from the operations of `Core`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from .._errors import ParamValidationError
from .._inference.arguments import spellings
from .._io.files import call_shortage, is_shortage
from .._io.run import is_async, run
from .operations import Core

P = ParamSpec("P")
T = TypeVar("T")
S_co = TypeVar("S_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)

if TYPE_CHECKING:  # evaluating these types would take longer than importing the rest of this module

    class Streamed(Protocol[S_co, A_co]):
        """The result of an operation, which has one form for blocking and one for async clients."""

        def blocking(self) -> S_co:
            """Return the result in the form for a blocking client."""
            ...

        def asynchronous(self) -> A_co:
            """Return the result in the form for an async client."""
            ...

    class HasCore(Protocol):
        """A client, whose operations are in a `Core`."""

        _core: Core

    Operation = Callable[Concatenate[Core, P], Coroutine[Any, Any, T]]
    Streaming = Callable[Concatenate[Core, P], Streamed[S_co, A_co]]
    Method = Callable[Concatenate[HasCore, P], T]


def sync_method(operation: Operation[P, T]) -> Method[P, T]:
    """Return a blocking method that runs *operation* until it ends."""

    @wraps(operation)
    def call(self: HasCore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        if "on_invocation" in kwargs:
            _refuse_async(kwargs["on_invocation"], self)
        try:
            coroutine = operation(core, *args, **kwargs)
        except TypeError as error:
            raise _wrong_call(self, call.__name__, kwargs, error) from None
        try:
            return run(coroutine)
        except OSError as error:
            if not is_shortage(error):
                raise
            raise call_shortage(error) from error

    return call


def async_method(operation: Operation[P, T]) -> Method[P, Coroutine[Any, Any, T]]:
    """Return an async method that awaits *operation*."""

    @wraps(operation)
    async def call(self: HasCore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        core = self._core  # pyright: ignore[reportPrivateUsage]
        try:
            coroutine = operation(core, *args, **kwargs)
        except TypeError as error:
            raise _wrong_call(self, call.__name__, kwargs, error) from None
        try:
            return await coroutine
        except OSError as error:
            if not is_shortage(error):
                raise
            raise call_shortage(error) from error

    return call


def sync_stream(operation: Streaming[P, S_co, A_co]) -> Method[P, S_co]:
    """Return a method for a blocking client that returns the blocking form of the result.

    Such an operation is not a coroutine: its result is a context manager or an iterator, which
    sends nothing before it is used.
    """

    @wraps(operation)
    def call(self: HasCore, /, *args: P.args, **kwargs: P.kwargs) -> S_co:
        found = _open(self, lambda core: operation(core, *args, **kwargs), call.__name__, kwargs)
        return found.blocking()

    return call


def async_stream(operation: Streaming[P, S_co, A_co]) -> Method[P, A_co]:
    """Return a method for an async client that returns the async form of the result."""

    @wraps(operation)
    def call(self: HasCore, /, *args: P.args, **kwargs: P.kwargs) -> A_co:
        found = _open(self, lambda core: operation(core, *args, **kwargs), call.__name__, kwargs)
        return found.asynchronous()

    return call


def _open(self: HasCore, operation: Callable[[Core], T], method: str, names: Iterable[str]) -> T:
    """Return the result of *operation*, or raise an error that mentions *method*."""
    core = self._core  # pyright: ignore[reportPrivateUsage]
    try:
        return operation(core)
    except TypeError as error:
        raise _wrong_call(self, method, names, error) from None


def _refuse_async(listener: object, client: object) -> None:
    if is_async(listener):
        raise ParamValidationError(
            f"{type(client).__name__} cannot await on_invocation: pass a plain function instead of "
            f"the async function {getattr(listener, '__name__', listener)}",
            argument="on_invocation",
        )


def _wrong_call(client: object, method: str, names: Iterable[str], error: TypeError) -> TypeError:
    """Return Python's error about wrong arguments, with *method* and with spelling hints added."""
    _, _, fault = str(error).partition("() ")
    text = f"{type(client).__name__}.{method}() {fault}"
    return TypeError("; ".join([text, *spellings(names)]))
