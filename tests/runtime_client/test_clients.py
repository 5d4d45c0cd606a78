"""Test that both clients have the same methods, signatures, settings, errors and credential
sources.
"""

import inspect
from contextlib import ExitStack

import pytest
import trio

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    NoCredentialsError,
    ParamValidationError,
    RuntimeClientError,
    SageMakerRuntimeClient,
)
from sigv4 import Credentials
from tests.runtime_client.clients import opened, settings

CLIENTS = (SageMakerRuntimeClient, AsyncSageMakerRuntimeClient)


STREAMS = {"stream_endpoint", "list_objects", "open"}


def operations(client_class):
    """Return the names of the operations of a client class."""
    names = {name for name in dir(client_class) if not name.startswith("_")}
    return names - {"close", "aclose", "with_options"}


class TestAgreement:
    def test_names(self):
        """Both clients have the same operations, but differ in how they are closed.

        Only the blocking client has `close`, and only the async client has `aclose`.
        """
        assert operations(SageMakerRuntimeClient) == operations(AsyncSageMakerRuntimeClient)
        assert hasattr(SageMakerRuntimeClient, "close")
        assert not hasattr(SageMakerRuntimeClient, "aclose")
        assert hasattr(AsyncSageMakerRuntimeClient, "aclose")
        assert not hasattr(AsyncSageMakerRuntimeClient, "close")

    @pytest.mark.parametrize("name", sorted({*operations(SageMakerRuntimeClient), "close"}))
    def test_each(self, name):
        """Each method has the same signature and docstring on both clients.

        It is a coroutine function only on the async client.  The methods in `STREAMS` return a
        context or an iterator on both clients.
        """
        ours = getattr(SageMakerRuntimeClient, name)
        theirs = getattr(AsyncSageMakerRuntimeClient, "aclose" if name == "close" else name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__
        assert ours.__doc__ == theirs.__doc__
        assert tuple(map(inspect.iscoroutinefunction, (ours, theirs))) == (
            False,
            name not in STREAMS,
        )

    def test_settings(self):
        """Both constructors have the same settings, and their docstring describes each of them."""
        assert inspect.signature(CLIENTS[0]) == inspect.signature(CLIENTS[1])
        described = {
            line.split(":")[0].strip() for line in CLIENTS[0].__init__.__doc__.splitlines()
        }
        assert set(inspect.signature(CLIENTS[0]).parameters) <= described

    @pytest.mark.parametrize("client_class", CLIENTS)
    def test_repr(self, client_class):
        """`repr` shows the profile and the region, but not an endpoint URL, which may contain a
        password.
        """
        assert repr(client_class()) == f"{client_class.__name__}()"
        client = client_class(
            region="eu-west-1", profile="p", endpoint_url="https://canary-secret@host"
        )
        assert repr(client) == f"{client_class.__name__}(profile='p', region='eu-west-1')"

    def test_wrong_calls(self, plain_driver):
        """The error for wrong arguments of an operation contains the operation's name, and
        translates boto3's argument names.
        """
        client = plain_driver.client(region="eu-west-1")
        kind = plain_driver.kind.client_class.__name__
        with pytest.raises(TypeError) as caught:
            client.invoke_endpoint_async(EndpointName="e", RequestTTLSeconds=60)
        assert str(caught.value).startswith(f"{kind}.invoke_endpoint_async() got an unexpected")
        hints = "use endpoint_name instead of EndpointName; use request_ttl_seconds instead of RequestTTLSeconds"
        assert str(caught.value).endswith(hints)
        with pytest.raises(TypeError, match=f"{kind}.infer.. missing 1 required .*: 'timeout'"):
            client.infer("e", b"x")
        with pytest.raises(TypeError, match="use endpoint_name instead of EndpointName"):
            client.infer(EndpointName="e", Body=b"x", timeout=1)
        with pytest.raises(ParamValidationError, match="payload is required"):
            client.infer("e", timeout=1)
        with pytest.raises(TypeError, match="use content_type instead of ContentType"):
            client.infer("e", b"x", timeout=1, ContentType="text/csv")
        with pytest.raises(TypeError, match="call invoke_endpoint_async and then wait"):
            client.submit("e", b"x", input_location="s3://b/k")

    @pytest.mark.parametrize(
        ("arguments", "positional", "text"),
        [
            ({"foo": 1}, (), "got unexpected argument foo"),
            (
                {"region_name": "r"},
                (),
                "got unexpected argument region_name; use region instead of region_name",
            ),
            ({}, ("eu-west-1",), "accepts keyword arguments only, such as region='eu-west-1'"),
        ],
        ids=["unknown", "of boto3", "positional"],
    )
    @pytest.mark.parametrize("client_class", CLIENTS)
    def test_wrong_settings(self, client_class, arguments, positional, text):
        """The error for wrong constructor arguments starts with the name of the client class."""
        with pytest.raises(TypeError) as caught:
            client_class(*positional, **arguments)
        assert str(caught.value) == f"{client_class.__name__} {text}"

    @pytest.mark.parametrize("client_class", CLIENTS)
    def test_names_in_errors(self, client_class):
        """Each method's qualified name contains the public client class, not the class that
        implements the method.
        """
        close = "aclose" if client_class is AsyncSageMakerRuntimeClient else "close"
        for name in [*operations(client_class), close]:
            method = getattr(client_class, name)
            assert method.__name__ == name
            assert method.__qualname__ == f"{client_class.__name__}.{name}"

    def test_wrong_calls_of_other_methods(self, plain_driver):
        """The error for too many arguments to `wait`, `close` or `aclose` contains the method's
        name.
        """
        client = plain_driver.client(region="eu-west-1")
        kind = plain_driver.kind.client_class.__name__
        with pytest.raises(TypeError) as caught:
            client.wait(1, 2, 3)
        text = f"{kind}.wait() takes 2 positional arguments but 4 were given"
        assert str(caught.value) == text
        close = "aclose" if plain_driver.kind.is_async else "close"
        with pytest.raises(TypeError) as caught:
            getattr(client, close)(1)
        assert str(caught.value).startswith(f"{kind}.{close}() takes 1 positional argument")

    def test_context(self, plain_driver, emulator):
        """Both clients are context managers, and leaving the context closes all connections."""
        client = plain_driver.client(**settings(emulator)).itself

        async def awaited():
            async with client as entered:
                await entered.put_object("s3://bucket/key", b"")
                return entered

        def blocking():
            with client as entered:
                entered.put_object("s3://bucket/key", b"")
                return entered

        kind = plain_driver.kind
        assert client is plain_driver.call(awaited if kind.is_async else blocking)
        assert opened(client) == 0

    def test_open_again(self, plain_driver, emulator):
        """A client may be closed twice, and still works if it is used again afterwards."""
        client = plain_driver.client(**settings(emulator))
        close = client.aclose if plain_driver.kind.is_async else client.close
        close()
        close()
        client.put_object("s3://bucket/key", b"x")
        close()
        assert client.get_object("s3://bucket/key").body == b"x"


class TestCredentials:
    @pytest.mark.parametrize("how", ["value", "function", "async function", "environment"])
    def test_sources(self, plain_driver, emulator, monkeypatch, how):
        """The credentials may be a value, a function or, for async clients only, an async function.

        If there is no such argument, they come from the environment.
        """
        if how == "async function" and not plain_driver.kind.is_async:
            expected = pytest.raises(RuntimeClientError, match="not an async function")
        else:
            expected = ExitStack()

        async def awaited():
            await trio.lowlevel.checkpoint() if plain_driver.kind.backend == "trio" else None
            return emulator.credentials

        sources = {
            "value": emulator.credentials,
            "function": lambda: emulator.credentials,
            "async function": awaited,
            "environment": None,
        }
        if how == "environment":
            for name, value in emulator.environ.items():
                monkeypatch.setenv(name, value)
        with expected:
            client = plain_driver.client(**settings(emulator, credentials=sources[how]))
            client.put_object("s3://bucket/key", b"")

    def test_none(self, plain_driver, emulator):
        """If a client finds no credentials, a call raises NoCredentialsError, and nothing is sent."""
        client = plain_driver.client(**settings(emulator, credentials=None))
        with pytest.raises(NoCredentialsError):
            client.put_object("s3://bucket/key", b"")
        assert emulator.requests == ()


class TestCredentialsArgument:
    async def _credentials(self):
        return Credentials("AKIDEXAMPLE", "canary-secret")

    def test_async_function(self):
        """The constructor of the blocking client rejects an async credentials function; the async
        client accepts it.
        """
        with pytest.raises(ConfigError, match="async"):
            SageMakerRuntimeClient(credentials=self._credentials)
        AsyncSageMakerRuntimeClient(credentials=self._credentials)

    @pytest.mark.parametrize("client_class", CLIENTS)
    def test_neither(self, client_class):
        """Both constructors reject a string as credentials."""
        with pytest.raises(ConfigError, match="not str"):
            client_class(credentials="AKIDEXAMPLE")
