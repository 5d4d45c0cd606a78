"""Tests of cached credentials: when they are refreshed, and what happens if a refresh fails."""

import logging

import pytest

from sagemaker_runtime_client import (
    CredentialProviderError,
    CredentialsError,
    NoCredentialsError,
)
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials import ChainCredentials, open_context
from sagemaker_runtime_client.credentials._chain import PROVIDERS
from tests.runtime_client.credentials.counting import CountingProvider
from tests.runtime_client.scripted_io import ScriptedIO


def set_clock(io, seconds):
    """Set the clock to *seconds* after the start."""
    io.elapsed = float(seconds)


@pytest.mark.parametrize(
    ("name", "lifetime", "advisory", "mandatory"),
    [
        ("process", 6 * 3600, 900, 600),
        ("process", 3600, 900, 450),
        ("process", 900, 225, 112.5),
        ("process", 60, 15, 7.5),
        ("login", 900, 300, 112.5),
        ("login", 300, 150, 37.5),
    ],
)
def test_windows(make_chain, name, lifetime, advisory, mandatory):
    """The advisory and the mandatory window begin the given numbers of seconds before the
    expiration.
    """
    io = ScriptedIO()
    fetches = CountingProvider(io, lifetime, name)
    credentials = make_chain(io, fetches)
    credentials.get()
    fetches.error = CredentialProviderError("down", provider="process")
    set_clock(io, lifetime - advisory - 1)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID1", 1)
    set_clock(io, lifetime - advisory)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID1", 2)
    set_clock(io, lifetime - mandatory - 0.5)
    assert credentials.get().access_key_id == "AKID1"
    set_clock(io, lifetime - mandatory)
    with pytest.raises(CredentialProviderError, match="down"):
        credentials.get()


def test_short_keys_are_fetched_once():
    """Credentials that are valid for 900 s are loaded once for 1,000 calls in the first 600 s."""
    written = b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "SessionToken": "t",'
    written += b' "Expiration": "2026-11-22T12:15:00Z"}'
    io = ScriptedIO(processes={"vault": Finished(0, written, b"")})
    profiles = Profiles({"default": {"credential_process": "vault"}})

    async def context():
        return Context(io, io, Config(), profiles)

    credentials = ChainCredentials(io, context)
    for number in range(1000):
        set_clock(io, number * 0.6)
        assert credentials.get().access_key_id == "AKID"
    assert io.ran == [["vault"]]


def test_keys_without_expiration(make_chain):
    """Credentials without an expiration are never refreshed."""
    io = ScriptedIO()
    fetches = CountingProvider(io, None)
    credentials = make_chain(io, fetches)
    credentials.get()
    set_clock(io, 1e8)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID1", 1)


def test_failures_while_there_is_time(make_chain, caplog):
    """During the advisory window, a failed refresh is logged, and is tried again a minute later."""
    io = ScriptedIO()
    fetches = CountingProvider(io, 24 * 3600)
    credentials = make_chain(io, fetches)
    credentials.get()
    fetches.error = CredentialProviderError("the vault is shut", provider="process")
    begin = 24 * 3600 - 900
    with caplog.at_level(logging.WARNING, "sagemaker_runtime_client"):
        for second in range(299):
            set_clock(io, begin + second)
            assert credentials.get().access_key_id == "AKID1"
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == fetches.count - 1 == 5
    assert "refresh failed (the vault is shut); using the current credentials until" in caplog.text
    assert "canary" not in caplog.text
    fetches.error = None
    set_clock(io, begin + 299)
    assert credentials.get().access_key_id == "AKID1"
    set_clock(io, begin + 300)
    assert credentials.get().access_key_id == "AKID7"


def test_failures_without_time(make_chain):
    """After the credentials have expired, each call tries to refresh them.

    If that fails, the call raises an error.
    """
    io = ScriptedIO()
    fetches = CountingProvider(io, 3600)
    credentials = make_chain(io, fetches)
    credentials.get()
    fetches.error = OSError("secret1 is in here")
    for minute in range(10):
        set_clock(io, 3600 + 60 * minute)
        with pytest.raises(CredentialProviderError) as caught:
            credentials.get()
        assert str(caught.value) == "credential provider process raised OSError"
        assert caught.value.provider == "process"
    fetches.error = None
    assert credentials.get().access_key_id == "AKID12"


def test_unexpected_error_in_the_first_search(make_chain):
    """If a provider raises an unexpected error in the first search, this error also becomes a
    CredentialProviderError.
    """
    io = ScriptedIO()
    fetches = CountingProvider(io)
    fetches.error = KeyError("secret")
    with pytest.raises(
        CredentialProviderError, match=r"^credential provider chain raised KeyError"
    ):
        make_chain(io, fetches).get()


def test_no_credentials_on_refresh(make_chain):
    """If the provider no longer has credentials at a refresh, the call raises an error."""
    io = ScriptedIO()
    fetches = CountingProvider(io, 60)
    credentials = make_chain(io, fetches)
    credentials.get()

    async def nothing():
        return None

    fetches.load = nothing
    set_clock(io, 60)
    with pytest.raises(CredentialProviderError, match="process no longer has credentials"):
        credentials.get()


def test_credentials_that_have_expired(make_chain):
    """Credentials that have already expired when they are loaded are rejected."""
    io = ScriptedIO()
    with pytest.raises(
        CredentialProviderError, match="process returned credentials that expired at"
    ):
        make_chain(io, CountingProvider(io, -1)).get()


@pytest.mark.parametrize(("random", "pause"), [(0.0, 120), (0.5, 360)])
def test_static_stability(make_chain, caplog, random, pause):
    """If refreshing an instance's expired credentials fails, they stay in use, and the next refresh
    is tried only minutes later.
    """
    io = ScriptedIO(random=random)
    fetches = CountingProvider(io, 6 * 3600, "instance-metadata")
    credentials = make_chain(io, fetches)
    credentials.get()
    fetches.error = CredentialProviderError("no response", provider="instance-metadata")
    set_clock(io, 6 * 3600 + 5)
    for _ in range(3):
        kept = credentials.get()
        assert (kept.access_key_id, fetches.count) == ("AKID1", 2)
        assert not kept.expired(io.now())
    assert "refresh failed (no response); extending the current credentials until" in caplog.text
    set_clock(io, 6 * 3600 + 5 + pause - 1)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID1", 2)
    set_clock(io, 6 * 3600 + 5 + pause)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID1", 3)
    fetches.error = None
    set_clock(io, 7 * 3600)
    assert credentials.get().access_key_id == "AKID4"


def test_variables_are_read_each_time():
    """Environment variables are read at each use.

    If they have been removed, the chain is searched again.
    """
    environ = {"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "canary-secret"}
    io = ScriptedIO(environ=environ)
    profiles = Profiles(
        {"default": {"aws_access_key_id": "AKID3", "aws_secret_access_key": "canary-secret"}}
    )

    async def context():
        return Context(io, io, Config(), profiles)

    credentials = ChainCredentials(io, context)
    first = credentials.get()
    assert first.access_key_id == "AKID1"
    assert credentials.get() is first  # The signer stores its derived signing key with this object.
    environ["AWS_ACCESS_KEY_ID"] = "AKID2"
    second = credentials.get()
    assert second.access_key_id == "AKID2"
    assert credentials.get() is second
    del environ["AWS_ACCESS_KEY_ID"]
    assert credentials.get().access_key_id == "AKID3"


def test_fork(make_chain):
    """A forked child process loads its own credentials, even if the lock was held during the fork."""
    io = ScriptedIO()
    fetches = CountingProvider(io)
    credentials = make_chain(io, fetches)
    credentials.get()
    assert credentials._lock.acquire_nowait()
    io.life = 2
    assert credentials.get().access_key_id == "AKID2"
    assert credentials.get().access_key_id == "AKID2"


def test_another_caller_was_faster(make_chain):
    """A caller that acquires the lock after another caller's refresh uses the new credentials."""

    class Late:
        """A lock for which another caller completes a refresh just before this caller tries to
        acquire it.
        """

        def __init__(self, lock):
            self.lock = lock

        def acquire_nowait(self):
            credentials._lock = self.lock
            credentials.get()
            return self.lock.acquire_nowait()

        def release(self):
            self.lock.release()

    io = ScriptedIO()
    fetches = CountingProvider(io)
    credentials = make_chain(io, fetches)
    credentials.get()
    credentials._lock = Late(credentials._lock)
    set_clock(io, 3600 - 900)
    assert (credentials.get().access_key_id, fetches.count) == ("AKID2", 2)


def test_no_credentials():
    """If no provider has credentials, the error lists each provider with the reason."""
    io = ScriptedIO(environ={"AWS_EC2_METADATA_DISABLED": "true"})

    async def context():
        return await open_context(io, lambda _config: io, {})

    with pytest.raises(NoCredentialsError) as caught:
        ChainCredentials(io, context).get()
    assert caught.value.tried == tuple(PROVIDERS)
    assert isinstance(caught.value, CredentialsError)
    for spec in PROVIDERS.values():
        assert spec.absent.format(profile="default") in str(caught.value)
