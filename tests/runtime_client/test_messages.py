"""Test that error messages mention the object or value concerned, and what to use instead."""

import inspect

import pytest
from botocore.credentials import Credentials as BotocoreCredentials

from sagemaker_runtime_client import (
    AccessDeniedError,
    AsyncSageMakerRuntimeClient,
    ConfigError,
    CredentialProviderError,
    ObjectNotFoundError,
    ParamValidationError,
    SageMakerRuntimeClient,
)
from tests.runtime_client.loopback import Loopback, response
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    NO_SUCH_KEY,
    Response,
    ScriptedIO,
    accepted,
    core,
    run,
    s3_error,
)
from tests.runtime_client.test_cycles import settings

CLIENTS = [SageMakerRuntimeClient, AsyncSageMakerRuntimeClient]
clients = pytest.mark.parametrize("client", CLIENTS)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (NO_SUCH_KEY, ObjectNotFoundError, "s3://b/a key: The specified key does not exist."),
        (
            s3_error(404, "NoSuchBucket"),
            ObjectNotFoundError,
            "s3://b/a key: the service responded with status 404",
        ),
        (ACCESS_DENIED, AccessDeniedError, "s3://b/a key: Access Denied"),
        (Response(404, ()), ObjectNotFoundError, "s3://b/a key: "),
    ],
)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_an_error_of_s3_names_the_object(operation, answer, kind, says):
    """The message of an S3 error contains the bucket and the key."""
    with pytest.raises(kind) as caught:
        run(getattr(core(ScriptedIO([answer])), operation)("s3://b/a key"))
    assert str(caught.value).startswith(says)
    assert caught.value.args == (caught.value.message,)


def test_a_key_with_line_ends_makes_no_second_line():
    """A line break in an S3 key does not cause a line break in the error message."""
    with pytest.raises(ObjectNotFoundError) as caught:
        run(core(ScriptedIO([NO_SUCH_KEY])).get_object("s3://b/a\nINFO all is well"))
    assert "\n" not in str(caught.value)


@clients
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"region_name": "eu-west-1"},
            "got unexpected argument region_name; use region instead of region_name",
        ),
        ({"verify": False}, "got unexpected argument verify; use ca_bundle instead of verify"),
        (
            {"profile_name": "p", "aws_access_key_id": "AKID"},
            (
                "got unexpected arguments aws_access_key_id, profile_name; use "
                "credentials=sigv4.Credentials(...) instead of aws_access_key_id; use profile "
                "instead of profile_name"
            ),
        ),
        ({"color": "red"}, "got unexpected argument color"),
    ],
)
def test_settings_that_are_called_otherwise(client, arguments, says):
    """The error for an unknown setting starts with the class name, and translates boto3's name for
    the setting.
    """
    with pytest.raises(TypeError) as caught:
        client(**arguments)
    assert str(caught.value) == f"{client.__name__} {says}"


@clients
def test_settings_without_names(client):
    """The client constructors reject positional arguments, and the error states this."""
    with pytest.raises(TypeError, match=f"{client.__name__} accepts keyword arguments only"):
        client("eu-west-1")


@clients
def test_the_signature_stays(client):
    """The signatures of the client constructors list all settings.

    The constructors nevertheless check the names of the settings themselves.
    """
    assert "region" in inspect.signature(client).parameters
    assert "ca_bundle" in inspect.signature(client.__init__).parameters


@clients
def test_credentials_of_another_library(client):
    """If *credentials* is botocore's Credentials, the error contains the modules of both classes.

    The names of the classes alone would not help, because they are the same.
    """
    wrong = BotocoreCredentials("AKID", "canary-secret")
    with pytest.raises(
        ConfigError, match=r"must be sigv4\.Credentials.*not botocore\.credentials\.C"
    ):
        client(credentials=wrong)


@pytest.mark.usefixtures("bare_environment")
def test_a_function_that_returns_credentials_of_another_library():
    """If a credentials function returns botocore's Credentials, the error contains the modules of
    both classes.
    """
    with (
        Loopback(lambda *_: response(b"{}", 202)) as server,
        SageMakerRuntimeClient(
            **settings(server, credentials=lambda: BotocoreCredentials("AKID", "canary-secret"))
        ) as client,
        pytest.raises(CredentialProviderError) as caught,
    ):
        client.invoke_endpoint_async("e", body=b"x")
    shown = f"{caught.value} {caught.value.__cause__}"
    assert "sigv4.Credentials, not botocore.credentials.Credentials" in shown


@pytest.mark.parametrize(
    ("payload", "arguments", "says"),
    [
        (b"x" * 200_000, {}, "it has 200,000 bytes, and a request can carry at most 128,000"),
        (b"", {}, "it is empty, and a request cannot carry an empty body"),
        (b"xy", {"inline": False}, "inline=False was passed"),
    ],
)
def test_why_a_prefix_is_needed(payload, arguments, says):
    """If `submit` requires an `input_prefix`, the error states why the payload has to go through
    S3.
    """
    with pytest.raises(ParamValidationError, match=f"input_prefix is required.*{says}$"):
        run(core(ScriptedIO([])).submit("e", payload, **arguments))


class _Listener:
    async def __call__(self, _invocation):
        raise NotImplementedError

    async def method(self, _invocation):
        raise NotImplementedError


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("listener", [_Listener(), _Listener().method])
def test_an_async_listener_in_a_blocking_client(listener):
    """A blocking client rejects an async `on_invocation` listener before anything is sent."""
    with (
        Loopback(lambda *_: response(b"{}", 202)) as server,
        SageMakerRuntimeClient(**settings(server)) as client,
    ):
        with pytest.raises(ParamValidationError, match="plain function") as caught:
            client.infer("e", b"x", timeout=1, on_invocation=listener)
        assert caught.value.argument == "on_invocation"
        assert server.requests == []


def test_an_async_schedule():
    """`infer` rejects an async schedule before the job is queued."""

    async def schedule(_elapsed):
        raise NotImplementedError

    io = ScriptedIO([accepted()])
    with pytest.raises(
        ParamValidationError, match=r"schedule must be a plain \(not async\) function"
    ):
        run(core(io).infer("e", b"x", timeout=1, schedule=schedule))
    assert io.sent == []
