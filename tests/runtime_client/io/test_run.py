"""Test running a coroutine without an event loop."""

import asyncio

import pytest

from sagemaker_runtime_client._io.run import run


def test_coroutine_that_suspends():
    """If a coroutine suspends, it is closed and an error is raised, because blocking I/O must not
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
    """If a coroutine raises an error, `run` raises it unchanged."""

    async def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fails())
