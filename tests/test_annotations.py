"""Test the public API's annotations, which pydantic, beartype and help pages read at run time."""

import inspect
import typing
from importlib import import_module

import pytest

import sagemaker_runtime_client
import sigv4

MODULES = [
    sigv4,
    import_module("sigv4.httpx_auth"),
    import_module("sigv4.asgi"),
    sagemaker_runtime_client,
    import_module("sagemaker_runtime_client.emulator"),
    import_module("sagemaker_runtime_client.events"),
]


def callables():
    """Yield the name and value of each public function, class and method."""
    for module in MODULES:
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if name[0] != "_" and getattr(value, "__module__", None) == module.__name__
        ]
        for name in names:
            value = getattr(module, name)
            if not callable(value):
                continue
            yield f"{module.__name__}.{name}", value
            if not inspect.isclass(value):
                continue
            for attribute in ["__init__", *(name for name in dir(value) if name[0] != "_")]:
                method = inspect.getattr_static(value, attribute)
                method = getattr(method, "__func__", getattr(method, "fget", method))
                is_ours = str(getattr(method, "__module__", "")).startswith(("sigv4", "sagemaker"))
                if inspect.isfunction(method) and is_ours:
                    yield f"{module.__name__}.{name}.{attribute}", method


CALLABLES = dict(callables())


@pytest.mark.parametrize("name", CALLABLES)
def test_annotations_resolve(name):
    """All names in the annotations of a public function, class or method can be resolved."""
    typing.get_type_hints(CALLABLES[name])
    if inspect.isfunction(CALLABLES[name]):
        inspect.signature(CALLABLES[name], eval_str=True)


def test_what_they_say():
    """The return annotations of client methods resolve to the public classes themselves."""
    for client in (
        sagemaker_runtime_client.SageMakerRuntimeClient,
        sagemaker_runtime_client.AsyncSageMakerRuntimeClient,
    ):
        infer = typing.get_type_hints(client.infer)
        put_object = typing.get_type_hints(client.put_object)
        assert infer["return"] is sagemaker_runtime_client.Output
        assert put_object["return"] is sagemaker_runtime_client.S3Object
