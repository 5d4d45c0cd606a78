"""Calls a function with the events that AWS Lambda would pass to it."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from inspect import iscoroutinefunction
from math import inf
from threading import Thread
from time import monotonic
from typing import Any, cast

from attrs import define, field

from .._messaging.broker import Reception
from .._messaging.messages import Message
from .._reply import RejectedRequestError
from .lambda_context import LambdaContext
from .sources import FunctionCall, Source

_log = logging.getLogger("sagemaker_runtime_client")
MOST_CALLS = 1000

Handler = Callable[[dict[str, Any], LambdaContext], Any]


def import_handler(handler: Handler | str) -> Handler:
    """Return the function of a handler, which is imported if *handler* is ``"module:function"``.

    Raises:
        ValueError: *handler* is not in one of these forms, or is a coroutine function.
        ImportError: The module does not exist.
        AttributeError: The module has no such function.
    """
    function: Any = handler
    if isinstance(handler, str):
        module, colon, name = handler.partition(":")
        if not (module and colon and name):
            raise ValueError(f"notify must be a function or 'module:function', not {handler!r}")
        function = getattr(import_module(module), name)
    if not callable(function):
        raise ValueError(  # noqa: TRY004 (every wrong handler is a ValueError)
            f"notify must be callable, not {type(function).__name__}"
        )
    if iscoroutinefunction(function):
        raise ValueError(f"notify must not be a coroutine function: {function!r}")
    return cast("Handler", function)


@define(eq=False)
class FunctionWorker:
    """Calls a function for the events of a source, one after the other.

    Attributes:
        function: The function.
        source: The source of the events.
        timeout: The maximum time of a call, in seconds.
        calls: The newest calls of the function, in the order in which they ended.
    """

    function: Handler
    source: Source
    timeout: float
    calls: list[FunctionCall]
    _task: asyncio.Task[None] = field(init=False)
    _thread: Thread | None = field(default=None, init=False)
    _is_calling: bool = field(default=False, init=False)
    # The receipt handles of the failed messages, which will be received again.
    _failed: set[str] = field(factory=set[str], init=False)

    def start(self) -> None:
        """Start waiting for events, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Stop waiting for events and for the current call."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def join(self, timeout: float) -> None:
        """Wait until the current call has ended, for at most *timeout* seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no event is due and no call is running, for at most *timeout* seconds.

        A failed event is due again after its pause.

        Returns:
            False if an event is still due or a call is still running after *timeout* seconds,
            otherwise True.
        """
        changed = self.source.broker.changed
        with changed:
            return changed.wait_for(self._is_idle, timeout)

    def _is_idle(self) -> bool:
        queue = self.source.broker.find(self.source.queue)
        if queue is None:
            return not self._is_calling
        now = self.source.broker.clock.seconds()
        return all(
            message.visible_at > now and message.receipt in self._failed
            for message in queue.messages.values()
        )

    async def _run(self) -> None:
        """Call the function for each event, until the queue is deleted or the emulator stops."""
        broker, name = self.source.broker, self.source.queue
        reception = Reception(self.source.most, wait=inf)
        with suppress(RejectedRequestError):  # raised if the queue was deleted
            while messages := await broker.receive(name, reception):
                self._is_calling = True
                call = await self._call(messages)
                with broker.changed:
                    self._is_calling = False
                    self._settle(messages, call)
                    broker.wake()

    def _settle(self, messages: Sequence[Message], call: FunctionCall) -> None:
        """Record a call, and remove the messages that were handled."""
        if len(self.calls) >= MOST_CALLS:
            del self.calls[0]
        self.calls.append(call)
        self.source.settle(messages, call)
        queue = self.source.broker.find(self.source.queue)
        kept = () if queue is None else queue.messages.values()
        self._failed.update(message.receipt for message in messages)
        self._failed &= {message.receipt for message in kept}

    async def _call(self, messages: Sequence[Message]) -> FunctionCall:
        """Call the function in a thread, and return how the call ended."""
        event = self.source.build_event(messages)
        arguments = json.loads(json.dumps(event))  # the function may change its argument
        context = LambdaContext(
            self.source.broker.region, self.timeout, self.source.request_id(messages)
        )
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[FunctionCall] = loop.create_future()

        def report(call: FunctionCall) -> None:
            if not ended.done():
                ended.set_result(call)

        def run() -> None:
            call = self._run_function(event, arguments, context)
            with suppress(RuntimeError):  # raised if the event loop has ended
                loop.call_soon_threadsafe(report, call)

        self._thread = Thread(target=run, name="sagemaker-emulator-function", daemon=True)
        self._thread.start()
        try:
            return await asyncio.wait_for(ended, self.timeout)
        except TimeoutError:
            _log.warning("the function timed out after %s s", self.timeout)
            return FunctionCall(event=event, error=f"TimeoutError: after {self.timeout:g} s")

    def _run_function(
        self, event: dict[str, Any], arguments: dict[str, Any], context: LambdaContext
    ) -> FunctionCall:
        """Call the function, and return its result or its error."""
        try:
            # As in AWS Lambda, the result must be representable in JSON.
            result = json.loads(json.dumps(self.function(arguments, context)))
        except BaseException as error:  # noqa: BLE001 (otherwise the event would never be settled)
            _log.warning("the function failed", exc_info=error)
            return FunctionCall(event=event, error=_describe(error))
        return FunctionCall(event=event, result=result)


def _describe(error: BaseException) -> str:
    """Return the type and the text of an error."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 (the text of an error may raise anything)
        return type(error).__name__


@define(eq=False)
class Functions:
    """The function that is called for notifications, if there is one.

    Attributes:
        workers: The workers, one for each source of events.
        calls: The newest calls of the function.
    """

    workers: list[FunctionWorker] = field(factory=list[FunctionWorker])
    calls: list[FunctionCall] = field(factory=list[FunctionCall])

    def add(self, function: Handler, source: Source, timeout: float) -> None:
        """Call *function* for the events of a source."""
        self.workers.append(FunctionWorker(function, source, timeout, self.calls))

    def start(self) -> None:
        """Start waiting for events, in the running event loop."""
        for worker in self.workers:
            worker.start()

    async def aclose(self) -> None:
        """Stop waiting for events."""
        for worker in self.workers:
            await worker.aclose()

    def join(self, timeout: float) -> None:
        """Wait for running calls, for at most *timeout* seconds each."""
        for worker in self.workers:
            worker.join(timeout)

    def wake(self) -> None:
        """Wake the workers, because the clock was advanced."""
        for worker in self.workers:
            worker.source.broker.wake()

    def wait_idle(self, until: float) -> bool:
        """Wait until no event is due and no call is running, or until *deadline* has passed."""
        return all(worker.wait_idle(until - monotonic()) for worker in self.workers)
