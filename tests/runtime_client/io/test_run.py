"""A coroutine that is run without an event loop."""

import asyncio

import pytest

from sagemaker_runtime_client._io.run import run


def test_coroutine_that_suspends():
    """A coroutine that suspends is closed and refused: over blocking I/O none may."""
    ended = []

    async def suspends():
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="this coroutine suspended"):
        run(suspends())
    assert ended == [True]


def test_coroutine_that_raises():
    """What a coroutine raises comes out as it is."""

    async def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fails())
