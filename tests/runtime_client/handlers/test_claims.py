"""Test the claims that are stored in memory."""

import pytest

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client.handlers import Claim, ClaimLostError, MemoryClaims


class Clock:
    """A clock that advances only on demand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return a clock."""
    return Clock()


@pytest.fixture
def claims(clock):
    """Return claims that use the clock."""
    return MemoryClaims(clock=clock)


def test_second_claim(claims):
    """A claimed key is busy."""
    assert claims.claim("k", 60).state == "claimed"
    assert claims.claim("k", 60) == Claim("k", "busy")


def test_done(claims):
    """A key that is done stays done, with its value."""
    claims.done(claims.claim("k", 60), "value")
    assert claims.claim("k", 60) == Claim("k", "done", "value")


def test_expired(claims, clock):
    """An expired claim is free, and the next claim knows that there was one."""
    first = claims.claim("k", 60)
    clock.now += 60
    second = claims.claim("k", 60)
    assert (first.state, first.repeated, second.state, second.repeated) == (
        "claimed",
        False,
        "claimed",
        True,
    )


def test_released(claims):
    """A released claim is free."""
    claims.release(claims.claim("k", 60))
    assert claims.claim("k", 60).state == "claimed"


def test_lost_claim(claims, clock):
    """A claim that was lost can be neither recorded as done nor released."""
    first = claims.claim("k", 60)
    clock.now += 60
    claims.claim("k", 60)
    with pytest.raises(ClaimLostError, match="another thread"):
        claims.done(first)
    claims.release(first)
    assert claims.claim("k", 60).state == "busy"


def test_forgotten_claim(clock):
    """The least recently used key is forgotten; its claim can still be recorded or released."""
    claims = MemoryClaims(max_keys=2, clock=clock)
    first = claims.claim("a", 60)
    claims.claim("b", 60)
    claims.claim("c", 60)
    claims.release(first)
    claims.done(first)
    assert claims.claim("a", 60).state == "done"


def test_used_keys_are_kept(clock):
    """A key that is used again is forgotten later than one that is not."""
    claims = MemoryClaims(max_keys=2, clock=clock)
    claims.claim("a", 60)
    claims.claim("b", 60)
    claims.claim("a", 60)
    claims.claim("c", 60)
    assert claims.claim("a", 60).state == "busy"


def test_max_keys():
    """At least one key must be remembered."""
    with pytest.raises(ParamValidationError, match="max_keys must be at least 1"):
        MemoryClaims(max_keys=0)
