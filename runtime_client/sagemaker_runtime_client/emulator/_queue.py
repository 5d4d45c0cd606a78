"""The queue of accepted invocations, which determines their order, concurrency and time limits.

The queue runs in the server's event loop.  Other threads only read its state.
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

# The emulator's failure text for an expired invocation of an inference router.  AWS does not
# document the text that a router writes.
_EXPIRED = "The request expired in the queue after RequestTTLSeconds."

State = Literal["queued", "running", "completed", "failed", "expired"]


@frozen(kw_only=True)
class Invocation:
    """An accepted invocation.

    Attributes:
        request: The input of the model.  If the input is an object in S3, the body is empty here.
        input_location: The location of the input; None for an inline body.
        output_location: The location of the output object.
        failure_location: The location of the failure object; None if there is no failure path.
        ttl: The maximum time in the queue, in seconds.
        timeout: The maximum time that the model may take, in seconds.
        is_routed: Whether an inference router accepted the invocation.
    """

    request: ModelRequest
    input_location: str | None
    output_location: str
    failure_location: str | None
    ttl: float
    timeout: float
    is_routed: bool = False


@define(eq=False)
class Job:
    """An invocation and its state.

    Attributes:
        invocation: The accepted invocation.
        state: ``queued``, ``running``, ``completed``, ``failed`` or ``expired``.
    """

    invocation: Invocation
    state: State = "queued"


class _Permits:
    """A semaphore whose limit can be changed, and which wakes waiters in order of arrival."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a permit.

        If the wait is cancelled, a permit that was already granted is released.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.grant()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Release a permit, and grant it to the next waiter if the limit allows this."""
        self._in_use -= 1
        self.grant()

    def grant(self) -> None:
        """Grant free permits to the waiters, in the order of their arrival."""
        while self._waiting and self._in_use < self.limit:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._in_use += 1
                waiter.set_result(None)


@define(eq=False)
class InvocationQueue:
    """Runs each invocation, and writes its output or failure object.

    Attributes:
        store: The store from which inputs are read and to which outputs are written.
        run: Runs the model.
        concurrency: The initial maximum number of queued invocations that run at a time.
        expired_text: The content of the failure object for an expired invocation; with None, no
            such object is written for an endpoint, because AWS does not document what SageMaker
            does.
        jobs: All accepted invocations, in the order of acceptance.
    """

    store: ObjectStore
    run: Runner
    concurrency: int
    expired_text: str | None
    jobs: list[Job] = field(factory=list[Job])
    _permits: _Permits = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)
    _limits: set[asyncio.Timeout] = field(factory=set[asyncio.Timeout], init=False)
    _idle: Condition = field(factory=Condition, init=False)
    _unfinished: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._permits = _Permits(self.concurrency)

    def put(self, invocation: Invocation) -> None:
        """Queue an invocation."""
        job = Job(invocation)
        with self._idle:
            self.jobs.append(job)
            self._unfinished += 1
        task = asyncio.create_task(self._process(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def limit(self, concurrency: int) -> None:
        """Set the maximum number of queued invocations that run at a time; 0 pauses the queue."""
        self._permits.limit = concurrency
        self._permits.grant()

    def advance(self, seconds: float) -> None:
        """Make all queued and running invocations *seconds* older, including synchronous ones."""
        for limit in self._limits:
            with suppress(RuntimeError):  # raised if the limit has been reached already
                limit.reschedule((limit.when() or 0) - seconds)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no invocation is queued or running, for at most *timeout* seconds.

        Do not call this method in the event loop's thread, which it would block.

        Returns:
            False if an invocation is still queued or running after *timeout* seconds, otherwise
            True.
        """
        with self._idle:
            return self._idle.wait_for(lambda: self._unfinished == 0, timeout)

    async def aclose(self) -> None:
        """Cancel all queued and running invocations, and release the model's resources."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.run.aclose()

    async def _process(self, job: Job) -> None:
        """Run a job, and set its final state."""
        try:
            job.state = await self._run(job)
        finally:
            with self._idle:
                self._unfinished -= 1
                self._idle.notify_all()

    async def _run(self, job: Job) -> State:
        """Wait for a permit, run the model, write the result, and return the final state."""
        try:
            with self._time_limit(job.invocation.ttl) as limit:
                async with limit:
                    await self._permits.acquire()
        except TimeoutError:
            default = _EXPIRED if job.invocation.is_routed else None
            text = self.expired_text if self.expired_text is not None else default
            if text is not None:
                self._fail(job.invocation, ModelFailure(text))
            return "expired"
        job.state = "running"
        try:
            response = await self._inference(job.invocation)
        except ModelFailure as failure:
            self._fail(job.invocation, failure)
            return "failed"
        finally:
            self._permits.release()
        self.store.put(job.invocation.output_location, response.body, response.content_type)
        return "completed"

    async def _inference(self, invocation: Invocation) -> ModelResponse:
        """Read the input, unless it was inline, run the model, and return its output."""
        request = invocation.request
        if invocation.input_location is not None:
            request = evolve(request, body=self._input(invocation.input_location))
        return await self.invoke(request, invocation.timeout)

    async def invoke(self, request: ModelRequest, timeout: float) -> ModelResponse:
        """Run the model immediately, without waiting for a permit, and return its output.

        Args:
            request: The input.
            timeout: The maximum time that the model may take, in seconds.

        Raises:
            ModelFailure: The model failed, or did not respond within *timeout* seconds.
        """
        try:
            with self._time_limit(timeout) as limit:
                async with limit:
                    return await self.run(request)
        except TimeoutError:
            raise ModelFailure(
                f"The model did not respond within {timeout:g} seconds.", status_code=0
            ) from None

    def _input(self, location: str) -> bytes:
        """Return the content of the object at the input location.

        As in production, a missing input is detected only when the model is about to run.
        """
        bucket, key = split_location(location)
        stored = self.store.read(bucket, key)
        if stored is None:
            raise ModelFailure(f"Could not download the input {location}: NoSuchKey")
        return stored.body

    def _fail(self, invocation: Invocation, failure: ModelFailure) -> None:
        """Write the failure object, if there is a failure location."""
        if invocation.failure_location is not None:
            self.store.put(invocation.failure_location, failure.body, failure.content_type)

    @contextmanager
    def _time_limit(self, seconds: float) -> Generator[asyncio.Timeout]:
        """Yield a timeout that `advance` can shorten."""
        limit = asyncio.timeout(seconds)
        self._limits.add(limit)
        try:
            yield limit
        finally:
            self._limits.discard(limit)
