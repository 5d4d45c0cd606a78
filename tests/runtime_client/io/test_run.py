"""Running a coroutine without an event loop."""

import asyncio

import pytest

from sagemaker_runtime_client._io.run import run


def test_coroutine_that_suspends():
    """A coroutine that suspends is closed and raises an error, because blocking I/O must never
    suspend.
    """
    ended = []

    async def suspends():
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="a coroutine suspended"):
        run(suspends())
    assert ended == [True]


def test_coroutine_that_raises():
    """An error that a coroutine raises reaches the caller unchanged."""

    async def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fails())
