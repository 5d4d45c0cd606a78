"""Test `MemoryClaims`."""

import pytest

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client.handlers import Claim, ClaimLostError, MemoryClaims


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock that the test sets."""
    return Clock()


@pytest.fixture
def claims(clock):
    """Claims in memory that use the clock."""
    return MemoryClaims(clock=clock)


def test_second_claim(claims):
    """Claiming a key that is already claimed returns the state "busy"."""
    assert claims.claim("k", 60).state == "claimed"
    assert claims.claim("k", 60) == Claim("k", "busy")


def test_done(claims):
    """Claiming a key that was recorded as done returns the state "done" and the recorded value."""
    claims.done(claims.claim("k", 60), "value")
    assert claims.claim("k", 60) == Claim("k", "done", "value")


def test_expired(claims, clock):
    """A key whose claim expired can be claimed again, and the new claim is marked as repeated."""
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
    """A key whose claim was released can be claimed again."""
    claims.release(claims.claim("k", 60))
    assert claims.claim("k", 60).state == "claimed"


def test_lost_claim(claims, clock):
    """If a claim expired and its key was claimed again, the old claim cannot be completed or
    released.
    """
    first = claims.claim("k", 60)
    clock.now += 60
    claims.claim("k", 60)
    with pytest.raises(ClaimLostError, match="another thread"):
        claims.done(first)
    claims.release(first)
    assert claims.claim("k", 60).state == "busy"


def test_forgotten_claim(clock):
    """If *max_keys* is exceeded, the least recently used key is forgotten; `done` still records it."""
    claims = MemoryClaims(max_keys=2, clock=clock)
    first = claims.claim("a", 60)
    claims.claim("b", 60)
    claims.claim("c", 60)
    claims.release(first)
    claims.done(first)
    assert claims.claim("a", 60).state == "done"


def test_used_keys_are_kept(clock):
    """If a claimed key is used again, it is not the first key to be forgotten."""
    claims = MemoryClaims(max_keys=2, clock=clock)
    claims.claim("a", 60)
    claims.claim("b", 60)
    claims.claim("a", 60)
    claims.claim("c", 60)
    assert claims.claim("a", 60).state == "busy"


def test_max_keys():
    """The argument *max_keys* must be at least 1."""
    with pytest.raises(ParamValidationError, match="max_keys must be at least 1"):
        MemoryClaims(max_keys=0)
