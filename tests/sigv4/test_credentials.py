"""Test credentials: valid values, providers and the protection of secrets."""

import asyncio
import copy
import functools
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sigv4 import Credentials, CredentialsProvider
from sigv4._credentials import FunctionProvider, as_provider

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret", "to-ken", AT)


@pytest.mark.parametrize("part", ["access_key_id", "secret_access_key", "session_token"])
@pytest.mark.parametrize(
    ("value", "error", "fault"),
    [
        ("", ValueError, "must not be empty"),
        ("a b", ValueError, "must be printable ASCII without spaces"),
        ("a\n", ValueError, "must be printable ASCII without spaces"),
        ("é", ValueError, "must be printable ASCII without spaces"),
        (b"hush", TypeError, "must be a str, not bytes"),
    ],
    ids=["empty", "space", "line end", "not ASCII", "bytes"],
)
def test_refused_parts(part, value, error, fault):
    """The error for an invalid key or token contains the argument's name but not its value."""
    parts = {"access_key_id": "AKID", "secret_access_key": "secret", part: value}
    with pytest.raises(error) as caught:
        Credentials(**parts)
    assert str(caught.value) == f"{part} {fault}"


@pytest.mark.parametrize("part", ["access_key_id", "secret_access_key"])
def test_a_key_must_not_be_none(part):
    """The access key ID and the secret access key must not be None."""
    with pytest.raises(TypeError, match=f"{part} must be a str, not NoneType"):
        Credentials(**{"access_key_id": "AKID", "secret_access_key": "secret", part: None})


def test_repr_holds_no_secret():
    """The repr of credentials contains neither the secret key nor the session token."""
    expected = f"Credentials(access_key_id='AKIDEXAMPLE', expiration={AT!r}, account_id=None)"
    assert expected == repr(KEY) == str(KEY)


def test_pickling_is_refused():
    """Pickling credentials raises an error that contains no secret."""
    with pytest.raises(TypeError, match="credentials cannot be pickled") as caught:
        pickle.dumps(KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_the_same(copied):
    """Copying credentials returns the same object, so the derived keys are kept."""
    assert copied(KEY) is KEY


@pytest.mark.parametrize(
    ("after", "expired"), [(-1, False), (0, True), (1, True)], ids=["before", "at", "after"]
)
def test_expired(after, expired):
    """Credentials count as expired from their expiration time on."""
    assert KEY.expired(AT + timedelta(seconds=after)) == expired


def test_without_expiration():
    """Credentials without an expiration never expire."""
    assert not Credentials("AKID", "secret").expired(datetime.max.replace(tzinfo=UTC))


def test_expiration_in_another_zone():
    """The expiration is converted to UTC."""
    local = AT.astimezone(timezone(timedelta(hours=9)))
    assert Credentials("AKID", "secret", expiration=local).expiration.tzinfo is UTC


def test_naive_expiration():
    """An expiration without a time zone is rejected."""
    with pytest.raises(ValueError, match="expiration must have a time zone"):
        Credentials("AKID", "secret", expiration=AT.replace(tzinfo=None))


async def _aget():
    return KEY


class Provider:
    """A custom provider."""

    def get(self):
        return KEY

    async def aget(self):
        return KEY


@pytest.mark.parametrize(
    "source", [KEY, lambda: KEY, Provider()], ids=["credentials", "function", "provider"]
)
def test_sources(source):
    """`as_provider` accepts credentials, a function or a provider, for blocking and async callers."""
    provider = as_provider(source)
    assert isinstance(provider, CredentialsProvider)
    assert provider.get() is KEY
    assert asyncio.run(provider.aget()) is KEY


def test_a_provider_is_not_wrapped():
    """`as_provider` returns a provider unchanged."""
    provider = Provider()
    assert as_provider(provider) is provider


def test_async_function():
    """For an async function, `as_provider` returns a provider whose `aget` returns the credentials."""
    assert asyncio.run(as_provider(_aget).aget()) is KEY


class AsyncCallable:
    """A callable object whose ``__call__`` is async."""

    def __init__(self):
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        return KEY


ASYNC = {
    "function": _aget,
    "partial": functools.partial(_aget),
    "method": Provider().aget,
    "object": AsyncCallable(),
}


@pytest.mark.parametrize("function", ASYNC.values(), ids=ASYNC.keys())
def test_async_function_in_blocking_clients(function):
    """For an async function, `get` raises TypeError, as does `as_provider` if *blocking* is set."""
    provider = as_provider(function)
    assert asyncio.run(provider.aget()) is KEY
    with pytest.raises(TypeError, match=r"returns sigv4\.Credentials, not an async function"):
        provider.get()
    with pytest.raises(TypeError, match=r"returns sigv4\.Credentials, not an async function"):
        as_provider(function, blocking=True)


@pytest.mark.parametrize(
    ("function", "kind"),
    [(lambda: _aget(), "coroutine"), (lambda: "AKID", "str")],  # noqa: PLW0108 (not async itself)
    ids=["async in disguise", "of something else"],
)
def test_blocking_provider_rejects_coroutines(function, kind):
    """If a function returns a coroutine or another object than credentials, `get` raises TypeError."""
    with pytest.raises(TypeError, match=f"returns sigv4.Credentials, not {kind}"):
        as_provider(function, blocking=True).get()


@pytest.mark.parametrize("source", ["AKID", None, ("AKID", "secret")], ids=["str", "None", "pair"])
def test_invalid_sources(source):
    """An object that cannot supply credentials is rejected with an error that does not quote it."""
    with pytest.raises(TypeError, match=f"not {type(source).__name__}$"):
        as_provider(source)


def test_repr_of_a_provider_holds_no_secret():
    """The repr of the provider that `as_provider` returns does not contain the secret key."""
    assert KEY.secret_access_key not in repr(as_provider(KEY))
    assert isinstance(as_provider(KEY), FunctionProvider)
