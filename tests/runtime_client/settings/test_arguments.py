"""Tests that the arguments of a client agree with the settings table in names, types, accepted
words and defaults.
"""

import inspect
import re
from math import inf
from os import PathLike
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sagemaker_runtime_client._settings.arguments import Settings
from sagemaker_runtime_client._settings.config import SETTINGS

HINTS = get_type_hints(Settings)
# These arguments of a client are not settings.
PARTS = {"credentials", "http_client"}
NAMES = sorted(HINTS.keys() - PARTS)


def alternatives(hint):
    """Return the types that a type hint allows."""
    return set(get_args(hint)) if get_origin(hint) in {Union, UnionType} else {hint}


def description(name):
    """Return the description of a setting in the docstring of the client class, as one line."""
    text = inspect.getdoc(SageMakerRuntimeClient.__init__)
    found = re.search(rf"^    {name}: (.*?)(?=^    \w|\n\n)", text, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split())


@pytest.mark.parametrize("client", [SageMakerRuntimeClient, AsyncSageMakerRuntimeClient])
@pytest.mark.parametrize("name", HINTS)
def test_tools_see_each_setting(client, name):
    """In the signature of a client, each setting is a keyword-only argument that defaults to None
    and has the type hint in `Settings`. The docstring describes each setting.
    """
    for seen in (client, client.__init__):
        parameter = inspect.signature(seen).parameters[name]
        assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, None)
        assert parameter.annotation == HINTS[name]
    assert description(name)


@pytest.mark.parametrize("name", NAMES)
def test_type(name):
    """Apart from None, path-like objects and lists, a setting's type hint allows only one type: the
    type of the setting's default, or str if the default is None. If the hint is a Literal, its
    words include the default, and the setting accepts each of them.
    """
    setting = SETTINGS[name]
    kinds = alternatives(HINTS[name]) - {type(None), PathLike[str], list[str]}
    (kind,) = kinds
    if get_origin(kind) is Literal:
        words = get_args(kind)
        assert {setting.argument(word) for word in words} <= set(words)
        assert setting.default in words
    else:
        plain = get_origin(kind) or kind
        assert plain is (str if setting.default is None else type(setting.default))


@pytest.mark.parametrize("name", NAMES)
def test_description(name):
    """The description of a setting lists the setting's environment variables in order, and states
    its default.
    """
    setting, says = SETTINGS[name], description(name)
    assert [*setting.variables, *setting.last] == re.findall(r"``([A-Z_0-9]+)``", says)[
        : len(setting.variables) + len(setting.last)
    ]
    default = setting.default
    if isinstance(default, str):
        assert f"``{default}``" in says
    elif default:
        text = "no limit" if default == inf else f"{default}".removesuffix(".0")
        assert re.search(rf"(^|; |then |default |default is ){text}\b", says)
