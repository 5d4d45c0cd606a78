"""Runs Python functions as models."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from threading import Semaphore, Thread
from typing import cast

from attrs import evolve

from .values import (
    ModelFailure,
    ModelFunction,
    ModelRequest,
    ModelResponse,
    container_error,
    to_part,
    to_response,
)

# The values that the thread of a call reports: the head of the output, then each part, and finally
# None or the failure.
_Step = ModelResponse | bytes | ModelFailure | None


class FunctionRunner:
    """Runs a function as a model, in a new thread for each call, so that the function may block.

    The threads are daemon threads, because Python cannot end a thread, and a model that ignores
    `ModelRequest.cancelled` must not keep the process alive.
    """

    def __init__(self, function: ModelFunction) -> None:
        self._function = function
        self._threads: set[Thread] = set()

    async def __call__(self, request: ModelRequest) -> "FunctionOutput":
        """Return the function's output; raise ModelFailure if it has raised any exception."""
        output = FunctionOutput(self._function, request)
        thread = Thread(target=output.run, name="sagemaker-emulator-model", daemon=True)
        self._threads = {other for other in self._threads if other.is_alive()} | {thread}
        thread.start()
        try:
            await output.read_head()
        except BaseException:
            await output.aclose()
            raise
        return output

    async def aclose(self) -> None:
        """Do nothing, because `join` waits for the threads outside the event loop."""

    def join(self, timeout: float) -> None:
        """Wait for each running thread to end, for at most *timeout* seconds each."""
        for thread in self._threads:
            thread.join(timeout)


class FunctionOutput:
    """The output of one call of a function.

    A thread calls the function and its iterator.  After each step, it waits until the event loop
    needs the next one, so that an endless iterator is never ahead of a slow client.
    """

    def __init__(self, function: ModelFunction, request: ModelRequest) -> None:
        self._function = function
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Queue[_Step]()
        self._needed = Semaphore(0)
        self.head = ModelResponse(b"")

    def run(self) -> None:
        """Call the function.  Only this method runs in the thread of the call."""
        steps = self._steps()
        while not self._request.cancelled.is_set():  # also set after the last step
            try:
                step = next(steps)
            # A model may raise KeyboardInterrupt, or an exception whose `str` raises another one.
            except BaseException as error:  # noqa: BLE001 (otherwise the invocation would not end)
                step = container_error(500, type(error).__name__)
            with suppress(RuntimeError):  # raised if the event loop has ended
                self._loop.call_soon_threadsafe(self._arrived.put_nowait, step)
            self._needed.acquire()
        steps.close()

    def _steps(self) -> Generator[_Step]:
        """Yield the head of the output, each part, and None or, after an exception, the failure."""
        parts = None
        try:
            response = to_response(self._function(self._request))
            body = response.body
            parts = iter([body] if body else []) if isinstance(body, bytes) else body
            yield evolve(response, body=b"")
            yield from map(to_part, parts)
        except ModelFailure as failure:
            yield failure
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a model may raise anything)
            yield container_error(500, f"{type(error).__name__}: {error}")
        else:
            yield None
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                with suppress(Exception):  # the model's iterator may raise anything
                    close()

    async def read_head(self) -> None:
        """Wait until the function has returned, and set `head`.

        Raises:
            ModelFailure: The function has raised an exception.
        """
        step = await self._arrived.get()
        if isinstance(step, ModelFailure):
            raise step
        self.head = cast("ModelResponse", step)

    async def next_part(self) -> bytes | None:
        """Return the next part; raise ModelFailure if the iterator has raised any exception."""
        self._needed.release()
        step = await self._arrived.get()
        if isinstance(step, ModelFailure):
            raise step
        return cast("bytes | None", step)

    async def aclose(self) -> None:
        """Set `ModelRequest.cancelled`.  The thread closes the iterator after its current step."""
        self._request.cancelled.set()
        self._needed.release()
