"""Tests of credentials in environment variables, and of credentials that are passed to a client."""

from datetime import timedelta

import pytest

from sagemaker_runtime_client import (
    CredentialProviderError,
    CredentialsError,
    NoCredentialsError,
    RuntimeClientError,
)
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials._chain import PROVIDERS
from sigv4 import Credentials, as_provider
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    REGION,
    START,
    ScriptedIO,
    accepted,
    make_core,
    run,
)

KEY = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "canary-secret"}


def load(environ):
    """Return the credentials that the provider ``environment`` loads from *environ*."""
    io = ScriptedIO(environ=environ)
    context = Context(io, io, Config(), Profiles())
    return run(PROVIDERS["environment"].create(context).load())


@pytest.mark.parametrize(
    ("more", "token", "expiration"),
    [
        ({}, None, None),
        ({"AWS_SESSION_TOKEN": "T"}, "T", None),
        ({"AWS_SECURITY_TOKEN": "T"}, "T", None),
        ({"AWS_SESSION_TOKEN": "T", "AWS_SECURITY_TOKEN": "old"}, "T", None),
        ({"AWS_SESSION_TOKEN": " T\r\n"}, "T", None),
        ({"AWS_SESSION_TOKEN": " "}, None, None),
        ({"AWS_SESSION_TOKEN": ""}, None, None),
        ({"AWS_SESSION_TOKEN": "", "AWS_SECURITY_TOKEN": "T"}, "T", None),
        ({"AWS_CREDENTIAL_EXPIRATION": ""}, None, None),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-22T12:00:00Z"}, None, START),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-22T13:00:00+01:00"}, None, START),
    ],
    ids=str,
)
def test_environment(more, token, expiration):
    """The environment variables supply the access key, the session token and the expiration."""
    expected = Credentials("AKID", "canary-secret", token, expiration)
    assert load({**KEY, **more}) == expected


def test_account():
    """An environment variable supplies the account ID."""
    assert load({**KEY, "AWS_ACCOUNT_ID": "123456789012"}).account_id == "123456789012"


@pytest.mark.parametrize("environ", [{}, {"AWS_ACCESS_KEY_ID": ""}, {"AWS_SECRET_ACCESS_KEY": "s"}])
def test_not_configured(environ):
    """If no access key ID is set, the provider returns None."""
    assert load(environ) is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY is not"),
        ({"AWS_ACCESS_KEY_ID": "AK ID"}, "access_key_id"),
        ({"AWS_SECRET_ACCESS_KEY": "canary-secret\n"}, "secret_access_key"),
        ({"AWS_SECRET_ACCESS_KEY": "canary-sécret"}, "secret_access_key"),
        ({"AWS_SESSION_TOKEN": "canary token"}, "session_token"),
        ({"AWS_CREDENTIAL_EXPIRATION": "canary"}, "AWS_CREDENTIAL_EXPIRATION"),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-22T12:00:00"}, "expiration"),
    ],
)
def test_malformed_variables(more, message):
    """The error mentions the malformed variable, but does not show its value."""
    with pytest.raises(CredentialProviderError, match=message) as caught:
        load({**KEY, **more})
    assert caught.value.provider == "environment"
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def invoke(io, credentials):
    """Queue a job with *credentials*, or with the credentials of the chain if *credentials* is
    None.
    """
    provider = None if credentials is None else as_provider(credentials)
    client = make_core(io, {"region": REGION}, provider)
    return run(client.invoke_endpoint_async("e", input_location="s3://b/k"))


class Provider:
    """A custom credentials provider for a blocking client, which must not call `aget`."""

    def get(self):
        return CREDENTIALS

    async def aget(self):
        raise AssertionError("a blocking client must not call this")


@pytest.mark.parametrize(
    "source", [CREDENTIALS, Provider(), lambda: CREDENTIALS], ids=["value", "provider", "function"]
)
def test_kinds_of_credentials(source):
    """Credentials can be passed to a client as a value, as a provider or as a function that returns
    them.
    """
    io = ScriptedIO([accepted()])
    invoke(io, source)
    assert io.sent[0].verify().access_key_id == CREDENTIALS.access_key_id


def test_environment_is_the_default():
    """If no credentials are passed, the environment variables are read for each request."""
    environ = dict(KEY)
    io = ScriptedIO([accepted(), accepted()], environ)
    client = make_core(io, {"region": REGION}, None)
    for secret in ("canary-secret", "rotated"):
        environ["AWS_SECRET_ACCESS_KEY"] = secret
        run(client.invoke_endpoint_async("e", input_location="s3://b/k"))
        io.sent[-1].verify(credentials=Credentials("AKID", secret))


def _none():
    raise NoCredentialsError("nothing here", tried=("vault",))


def _broken():
    raise OSError("vault: sealed")


async def _later():
    return CREDENTIALS


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (None, NoCredentialsError),
        (_none, NoCredentialsError),
        (_broken, CredentialProviderError),
        (lambda: None, CredentialProviderError),
        (lambda: ("AKID", "canary-secret"), CredentialProviderError),
        (_later, CredentialProviderError),
        (Credentials("AKID", "canary-secret", None, START), CredentialsError),
    ],
    ids=["nothing", "message so", "raises", "None", "a tuple", "async", "expired"],
)
def test_failing_credentials(source, kind):
    """If credentials cannot be loaded or have expired, nothing is sent, and the error does not
    contain the message of the provider's exception.
    """
    io = ScriptedIO([], {"AWS_EC2_METADATA_DISABLED": "true"})
    with pytest.raises(RuntimeClientError) as caught:
        invoke(io, source)
    assert (type(caught.value), io.sent) == (kind, [])
    assert "sealed" not in str(caught.value)  # the text of the user's error is in the cause
    assert isinstance(caught.value.__cause__, OSError) is (source is _broken)
    assert not caught.value.possibly_accepted


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("", 503)])
def test_provider_errors_are_not_retried(code, status):
    """If a provider raises a retryable error, the client does not call the provider again, and does
    not slow down its own requests.
    """
    calls = []

    def source():
        calls.append(1)
        error = CredentialProviderError("AssumeRole failed", provider="assume-role")
        error.code, error.status_code, error.retryable = code, status, True
        raise error

    io = ScriptedIO([accepted()])
    client = make_core(io, {"region": REGION, "retry_mode": "adaptive"}, as_provider(source))
    with pytest.raises(CredentialProviderError) as caught:
        run(client.invoke_endpoint_async("e", input_location="s3://b/k"))
    assert (len(calls), caught.value.attempts) == (1, 0)
    assert not client._session.value.runtime._state.limiter._throttled


def test_expiry_is_checked_for_each_attempt():
    """Credentials that expire during the pause after an attempt are not used for the next attempt."""
    short = Credentials("AKID", "canary-secret", None, START + timedelta(seconds=1))
    io = ScriptedIO([accepted(status=503, **{"x-amz-retry-after": "2000"})])
    with pytest.raises(CredentialsError) as caught:
        invoke(io, short)
    assert (caught.value.attempts, len(io.sent)) == (1, 1)
