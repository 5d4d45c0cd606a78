"""Credentials: what can be some, and that they stay secret."""

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
    ids=["empty", "blank", "line end", "not ASCII", "bytes"],
)
def test_refused_parts(part, value, error, fault):
    """What cannot be a key or a token is refused by name, and not repeated."""
    parts = {"access_key_id": "AKID", "secret_access_key": "secret", part: value}
    with pytest.raises(error) as caught:
        Credentials(**parts)
    assert str(caught.value) == f"{part} {fault}"


@pytest.mark.parametrize("part", ["access_key_id", "secret_access_key"])
def test_none_is_no_key(part):
    """Only the token may be None."""
    with pytest.raises(TypeError, match=f"{part} must be a str, not NoneType"):
        Credentials(**{"access_key_id": "AKID", "secret_access_key": "secret", part: None})


def test_repr_holds_no_secret():
    """Neither secret nor token is shown."""
    expected = f"Credentials(access_key_id='AKIDEXAMPLE', expiration={AT!r}, account_id=None)"
    assert expected == repr(KEY) == str(KEY)


def test_pickling_is_refused():
    """Credentials do not travel between processes, and the refusal holds no secret."""
    with pytest.raises(TypeError, match="credentials cannot be pickled") as caught:
        pickle.dumps(KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_the_same(copied):
    """A copy is the very same, with the keys that were derived."""
    assert copied(KEY) is KEY


@pytest.mark.parametrize(
    ("after", "expired"), [(-1, False), (0, True), (1, True)], ids=["before", "at", "after"]
)
def test_expired(after, expired):
    """From the instant of their expiration on, credentials no longer count."""
    assert KEY.expired(AT + timedelta(seconds=after)) == expired


def test_without_expiration():
    """Credentials without an end do not end."""
    assert not Credentials("AKID", "secret").expired(datetime.max.replace(tzinfo=UTC))


def test_expiration_in_another_zone():
    """The expiration is kept in UTC."""
    local = AT.astimezone(timezone(timedelta(hours=9)))
    assert Credentials("AKID", "secret", expiration=local).expiration.tzinfo is UTC


def test_naive_expiration():
    """An instant without a time zone is refused."""
    with pytest.raises(ValueError, match="expiration must have a time zone"):
        Credentials("AKID", "secret", expiration=AT.replace(tzinfo=None))


async def _aget():
    return KEY


class Provider:
    """A provider of somebody else's."""

    def get(self):
        return KEY

    async def aget(self):
        return KEY


@pytest.mark.parametrize(
    "source", [KEY, lambda: KEY, Provider()], ids=["credentials", "function", "provider"]
)
def test_sources(source):
    """Credentials, a function and a provider all serve both colours."""
    provider = as_provider(source)
    assert isinstance(provider, CredentialsProvider)
    assert provider.get() is KEY
    assert asyncio.run(provider.aget()) is KEY


def test_a_provider_is_taken_as_it_is():
    """A provider is not wrapped."""
    provider = Provider()
    assert as_provider(provider) is provider


def test_async_function():
    """An async function serves where it can be awaited."""
    assert asyncio.run(as_provider(_aget).aget()) is KEY


class AsyncCallable:
    """An object that is called as an async function is."""

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
def test_async_function_where_nothing_is_awaited(function):
    """Whoever is only ever blocking refuses an async function when it is made; others when they ask."""
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
def test_blocking_provider_refuses_what_is_no_credentials(function, kind):
    """Where nothing can be awaited, a coroutine is refused, and closed."""
    with pytest.raises(TypeError, match=f"returns sigv4.Credentials, not {kind}"):
        as_provider(function, blocking=True).get()


@pytest.mark.parametrize("source", ["AKID", None, ("AKID", "secret")], ids=["str", "None", "pair"])
def test_what_supplies_no_credentials(source):
    """What can never supply credentials is refused at once, and not repeated."""
    with pytest.raises(TypeError, match=f"not {type(source).__name__}$"):
        as_provider(source)


def test_repr_of_a_provider_holds_no_secret():
    """A provider shows nothing of its function."""
    assert KEY.secret_access_key not in repr(as_provider(KEY))
    assert isinstance(as_provider(KEY), FunctionProvider)
