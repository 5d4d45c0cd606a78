"""
The queue between the 202 and the answer: order, concurrency, and the two time limits.

All of it runs in the event loop of the server; other threads only look.
"""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Condition
from typing import Literal

from attrs import define, evolve, field, frozen

from ._models import ModelFailure, ModelRequest, ModelResponse, Runner
from ._objects import ObjectStore, split_location

State = Literal["queued", "running", "completed", "failed", "expired"]


@frozen(kw_only=True)
class Invocation:
    """
    An invocation that was taken.

    Attributes:
        request: What the model will be asked; its body is empty until an input is read.
        input_location: Where the input is to be read; None for an inline body.
        output_location: Where the answer will be.
        failure_location: Where the failure will be; None if it is told nowhere.
        ttl: Seconds that it may wait in the queue.
        timeout: Seconds that the model may take.
    """

    request: ModelRequest
    input_location: str | None
    output_location: str
    failure_location: str | None
    ttl: float
    timeout: float


@define(eq=False)
class Job:
    """
    An invocation on its way.

    Attributes:
        invocation: What was taken.
        state: How far it is: ``queued``, ``running``, ``completed``, ``failed`` or ``expired``.
    """

    invocation: Invocation
    state: State = "queued"


class _Slots:
    """As many running invocations as the limit allows, in the order of their coming."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a slot; whoever is cancelled while waiting takes none."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self.fill()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self._taken -= 1
        self.fill()

    def fill(self) -> None:
        """Let as many of those who wait go on as there are slots."""
        while self._waiting and self._taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)


@define(eq=False)
class InvocationQueue:
    """
    Carries each invocation from the queue to its output or failure object.

    Attributes:
        store: Where inputs are read and answers are written.
        run: The model.
        concurrency: How many invocations the model gets at a time, to begin with.
        expired_text: What the failure object of an expired invocation says; None writes none.
            AWS does not say what it does.
        jobs: Everything that was taken, in order.
    """

    store: ObjectStore
    run: Runner
    concurrency: int
    expired_text: str | None
    jobs: list[Job] = field(factory=list[Job])
    _slots: _Slots = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)
    _limits: set[asyncio.Timeout] = field(factory=set[asyncio.Timeout], init=False)
    _idle: Condition = field(factory=Condition, init=False)
    _open: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Make the slots."""
        self._slots = _Slots(self.concurrency)

    def put(self, invocation: Invocation) -> None:
        """Queue an invocation."""
        job = Job(invocation)
        with self._idle:
            self.jobs.append(job)
            self._open += 1
        task = asyncio.create_task(self._carry(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def limit(self, concurrency: int) -> None:
        """Change how many invocations run at a time; 0 holds the queue, as an endpoint scaled to zero."""
        self._slots.limit = concurrency
        self._slots.fill()

    def advance(self, seconds: float) -> None:
        """Let everything that waits or runs be *seconds* older."""
        for limit in self._limits:
            with suppress(RuntimeError):  # it expires already
                limit.reschedule((limit.when() or 0) - seconds)

    def wait_idle(self, timeout: float) -> bool:
        """Block until nothing is queued or running, in another thread than the loop's."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout)

    async def aclose(self) -> None:
        """Drop everything that waits or runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.run.aclose()

    async def _carry(self, job: Job) -> None:
        """Take a job through its states."""
        try:
            job.state = await self._outcome(job)
        finally:
            with self._idle:
                self._open -= 1
                self._idle.notify_all()

    async def _outcome(self, job: Job) -> State:
        """Wait for a slot, run the model, write what came of it, and return the last state."""
        try:
            with self._ages_for(job.invocation.ttl) as limit:
                async with limit:
                    await self._slots.acquire()
        except TimeoutError:
            if self.expired_text is not None:
                self._fail(job.invocation, ModelFailure(self.expired_text))
            return "expired"
        job.state = "running"
        try:
            answer = await self._inference(job.invocation)
        except ModelFailure as failure:
            self._fail(job.invocation, failure)
            return "failed"
        finally:
            self._slots.release()
        self.store.put(job.invocation.output_location, answer.body, answer.content_type)
        return "completed"

    async def _inference(self, invocation: Invocation) -> ModelResponse:
        """Read the input, if it lies elsewhere, and ask the model."""
        request = invocation.request
        if invocation.input_location is not None:
            request = evolve(request, body=self._input(invocation.input_location))
        try:
            with self._ages_for(invocation.timeout) as limit:
                async with limit:
                    return await self.run(request)
        except TimeoutError:
            raise ModelFailure(
                f"The model did not answer within {invocation.timeout:g} seconds."
            ) from None

    def _input(self, location: str) -> bytes:
        """Return what lies at an input location, which nobody has looked at before now."""
        bucket, key = split_location(location)
        stored = self.store.read(bucket, key)
        if stored is None:
            raise ModelFailure(f"Could not download the input {location}: NoSuchKey")
        return stored.body

    def _fail(self, invocation: Invocation, failure: ModelFailure) -> None:
        """Write the failure object, if there is a place for it."""
        if invocation.failure_location is not None:
            self.store.put(invocation.failure_location, failure.body, failure.content_type)

    @contextmanager
    def _ages_for(self, seconds: float) -> Generator[asyncio.Timeout]:
        """Yield a time limit that `advance` reaches."""
        limit = asyncio.timeout(seconds)
        self._limits.add(limit)
        try:
            yield limit
        finally:
            self._limits.discard(limit)
