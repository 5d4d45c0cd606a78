"""Imports a model, and creates the object that runs it."""

from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, cast

from .containers import ContainerRunner
from .functions import FunctionRunner
from .values import Model, ModelFunction


def make_runner(model: Model) -> FunctionRunner | ContainerRunner:
    """Return the runner for a model.

    Args:
        model: A function; ``"module:function"``, which is imported; or the ``http://`` or
            ``https://`` address of a model container.

    Raises:
        Exception: Any exception that `import_model` raises.
    """
    model = import_model(model)
    return ContainerRunner(model.rstrip("/")) if isinstance(model, str) else FunctionRunner(model)


def import_model(model: Model) -> Model:
    """Return the function of a model, which is imported if *model* is ``"module:function"``.

    Args:
        model: As for `make_runner`.

    Returns:
        The function; the address of a container is returned unchanged.

    Raises:
        ValueError: *model* is not in one of these forms, or is a coroutine function.
        ImportError: The module does not exist.
        AttributeError: The module has no such function.
    """
    if not isinstance(model, str):
        return _check_callable(model)
    if model.startswith(("http://", "https://")):
        return model
    module, colon, name = model.partition(":")
    if not (module and colon and name):
        raise ValueError(
            "model must be a function, 'module:function' or the http(s) address of a container, "
            f"not {model!r}"
        )
    return _check_callable(getattr(import_module(module), name))


def _check_callable(function: Any) -> ModelFunction:
    """Return *function*, after checking that it is callable and not a coroutine function."""
    if not callable(function):
        raise ValueError(  # noqa: TRY004 (every wrong model is a ValueError)
            f"model must be callable, not {type(function).__name__}"
        )
    if iscoroutinefunction(function):
        raise ValueError(f"model must not be a coroutine function: {function!r}")
    return cast("ModelFunction", function)
