"""Tests of the arguments of `with_options`: names, types, checks and what `repr` shows of them."""

import inspect
import pickle
import re
from typing import get_type_hints

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ClientOptions,
    ConfigError,
    InvokeOptions,
    ParamValidationError,
    SageMakerRuntimeClient,
    Settings,
)

CLIENTS = (SageMakerRuntimeClient, AsyncSageMakerRuntimeClient)
each_client = pytest.mark.parametrize("client_class", CLIENTS)
FIXED = sorted(Settings.__optional_keys__ - ClientOptions.__optional_keys__)


class TestSignature:
    def test_hints(self):
        """Each option has the type of the setting or of the argument with the same name."""
        known = {**get_type_hints(Settings), **get_type_hints(InvokeOptions)}
        hints = get_type_hints(ClientOptions)
        assert hints == {name: known[name] for name in hints}

    def test_docstring(self):
        """The docstring describes each option once, and in the order of `ClientOptions`."""
        text = inspect.getdoc(SageMakerRuntimeClient.with_options)
        described = re.findall(r"^    (\w+): ", text, re.MULTILINE)
        assert described[:-3] == [*ClientOptions.__annotations__]
        assert described[-3:] == ["TypeError", "ConfigError", "ParamValidationError"]

    @each_client
    def test_class(self, client_class):
        """The new client is of the same class, and keeps the attributes of a subclass."""

        class Subclass(client_class):
            def __init__(self, name):
                super().__init__(region="eu-west-1")
                self.name = name

        derived = Subclass("mine").with_options(timeout=5)
        assert (type(derived), derived.name) == (Subclass, "mine")

    @each_client
    def test_repr(self, client_class):
        """`repr` shows the changed settings, but no default for an argument."""
        client = client_class(region="eu-west-1").with_options(timeout=5, max_attempts=1)
        client = client.with_options(timeout=None, app_id="app", custom_attributes="canary-secret")
        shown = "region='eu-west-1', timeout=5, max_attempts=1, app_id='app'"
        assert repr(client) == f"{client_class.__name__}({shown})"
        assert repr(client_class().with_options()) == f"{client_class.__name__}()"

    @each_client
    def test_pickle(self, client_class):
        """A client that `with_options` has returned cannot be pickled either."""
        for client in (client_class(), client_class().with_options(timeout=5)):
            with pytest.raises(TypeError) as caught:
                pickle.dumps(client)
            assert str(caught.value) == (
                f"{client_class.__name__} cannot be pickled or copied: create a client in each process"
            )


class TestErrors:
    @pytest.mark.parametrize("name", FIXED)
    @each_client
    def test_fixed_settings(self, client_class, name):
        """A setting that needs another connection, identity or state is rejected, even if None."""
        with pytest.raises(TypeError) as caught:
            client_class().with_options(**{name: None}, timeout=5)
        kind = client_class.__name__
        assert str(caught.value) == (
            f"{kind}.with_options() cannot change {name}, because both clients share connections, "
            f"credentials and retry quotas: create a new {kind} instead"
        )

    @pytest.mark.parametrize("name", ["foo", "filename", "inference_id"])
    @each_client
    def test_unknown(self, client_class, name):
        """An unknown option is rejected, and so is an argument that identifies one job."""
        with pytest.raises(TypeError) as caught:
            client_class().with_options(**{name: "a"})
        text = f"{client_class.__name__}.with_options() got unexpected argument {name}"
        assert str(caught.value) == text

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("timeout", 0, ConfigError),
            ("read_timeout", "5", ConfigError),
            ("connect_timeout", float("inf"), ConfigError),
            ("max_attempts", 0, ConfigError),
            ("retry_ambiguous", 1, ConfigError),
            ("request_checksum_calculation", "never", ConfigError),
            ("content_type", 5, ParamValidationError),
            ("accept", "a\nb", ParamValidationError),
            ("s3_output_path_extension", "", ParamValidationError),
            ("request_ttl_seconds", 59, ParamValidationError),
            ("invocation_timeout_seconds", True, ParamValidationError),
        ],
    )
    @each_client
    def test_invalid(self, client_class, name, value, error):
        """An invalid value is rejected at once, with the name of the option in the message."""
        with pytest.raises(error, match=f"^{name} must"):
            client_class().with_options(**{name: value})
