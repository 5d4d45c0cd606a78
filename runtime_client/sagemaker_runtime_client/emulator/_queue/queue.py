"""The queue of accepted invocations, which determines their order, concurrency and time limits.

The queue runs in the server's event loop.  Other threads only read its state.
"""

import asyncio
from threading import Condition, Event
from weakref import WeakSet

from attrs import define, evolve, field

from .._models.output import Runner, read_whole
from .._models.values import ModelFailure, ModelRequest, ModelResponse, model_timeout
from .._s3.objects import ObjectStore, split_location
from .deadline import Deadline
from .jobs import Invocation, Job, State
from .permits import Permits

# The emulator's failure texts for an invocation of an inference router.  AWS does not document the
# texts that a router writes.
_EXPIRED = "The request expired in the queue after RequestTTLSeconds."
_NOT_TAKEN = "No destination took the request within MaxTimeInBacklogSeconds."
# If a model fails with one of these statuses, an inference router tries the next destination.
CAPACITY_STATUSES = frozenset({429, 503})
# Bounds the memory for an endless output; an asynchronous endpoint accepts inputs of up to 1 GB.
_MAX_OUTPUT_SIZE = 1024**3


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
    _permits: Permits = field(init=False)
    _permits_by_endpoint: dict[str, Permits] = field(factory=dict[str, Permits], init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)
    _deadlines: WeakSet[Deadline] = field(factory=WeakSet[Deadline], init=False)
    _idle: Condition = field(factory=Condition, init=False)
    _unfinished: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._permits = Permits(self.concurrency)

    def put(self, invocation: Invocation) -> None:
        """Queue an invocation."""
        job = Job(invocation, destination=invocation.destinations[0])
        with self._idle:
            self.jobs.append(job)
            self._unfinished += 1
        task = asyncio.create_task(self._process(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def limit(self, concurrency: int, endpoint: str | None = None) -> None:
        """Set the maximum number of queued invocations that run at a time; 0 pauses the queue.

        Args:
            concurrency: The new maximum.
            endpoint: The endpoint whose maximum is set; None for all that have none of their own.
        """
        permits = self._permits
        if endpoint is not None:
            permits = self._permits_by_endpoint.setdefault(endpoint, Permits(concurrency))
        permits.limit = concurrency
        permits.grant()

    def has_capacity(self, endpoint: str) -> bool:
        """Return whether an endpoint can run an invocation now.

        Only an endpoint with a maximum of its own can lack the capacity, because the common maximum
        does not apply to synchronous invocations.
        """
        permits = self._permits_by_endpoint.get(endpoint)
        return permits is None or permits.is_free

    def deadline(self, seconds: float) -> Deadline:
        """Return a new deadline, which `advance` makes earlier."""
        deadline = Deadline(seconds)
        self._deadlines.add(deadline)
        return deadline

    def advance(self, seconds: float) -> None:
        """Make all queued and running invocations *seconds* older, including synchronous ones."""
        for deadline in self._deadlines:
            deadline.advance(seconds)

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
        """Try each destination, write the result, and return the final state.

        An inference router leaves a destination that does not take the job in time, or that lacks
        the capacity for it.  An endpoint is its own only destination, which it never leaves.
        """
        invocation = job.invocation
        ttl = self.deadline(invocation.ttl)
        failure = ModelFailure(_NOT_TAKEN)
        for job.destination in invocation.destinations:
            job.state = "queued"
            permits = self._permits_by_endpoint.get(job.destination, self._permits)
            try:
                async with ttl.enforced(), self.deadline(invocation.max_backlog).enforced():
                    await permits.acquire()
            except TimeoutError:
                if ttl.has_passed:
                    self._expire(invocation)
                    return "expired"
                continue
            job.state = "running"
            try:
                head, body = await self._inference(job)
            except ModelFailure as error:
                failure = error
                if failure.status_code not in CAPACITY_STATUSES:
                    break
            else:
                self.store.put(invocation.output_location, body, head.content_type)
                return "completed"
            finally:
                permits.release()
        self._fail(invocation, failure)
        return "failed"

    async def _inference(self, job: Job) -> tuple[ModelResponse, bytes]:
        """Read the input, unless it was inline, run the model, and return its output."""
        invocation = job.invocation
        request = evolve(invocation.request, endpoint_name=job.destination, cancelled=Event())
        if invocation.input_location is not None:
            request = evolve(request, body=self._input(invocation.input_location))
        return await self.invoke(request, invocation.timeout, _MAX_OUTPUT_SIZE)

    async def invoke(
        self, request: ModelRequest, timeout: float, max_size: int
    ) -> tuple[ModelResponse, bytes]:
        """Run the model immediately, without waiting for a permit, and return its output.

        Args:
            request: The input.
            timeout: The maximum time that the model may take, in seconds.
            max_size: The maximum size of the output, in bytes.

        Returns:
            The head and the body of the output.

        Raises:
            ModelFailure: The model failed, did not respond within *timeout* seconds, or its output
                is too large.
        """
        try:
            async with self.deadline(timeout).enforced():
                output = await self.run(request)
                return output.head, await read_whole(output, max_size)
        except TimeoutError:
            raise model_timeout(timeout) from None

    def _input(self, location: str) -> bytes:
        """Return the content of the object at the input location.

        As in production, a missing input is detected only when the model is about to run.
        """
        bucket, key = split_location(location)
        stored = self.store.read(bucket, key)
        if stored is None:
            raise ModelFailure(f"Could not download the input {location}: NoSuchKey")
        return stored.body

    def _expire(self, invocation: Invocation) -> None:
        """Write the failure object of an expired invocation, if there is a text for it."""
        default = _EXPIRED if invocation.is_routed else None
        text = default if self.expired_text is None else self.expired_text
        if text is not None:
            self._fail(invocation, ModelFailure(text))

    def _fail(self, invocation: Invocation, failure: ModelFailure) -> None:
        """Write the failure object, if there is a failure location."""
        if invocation.failure_location is not None:
            self.store.put(invocation.failure_location, failure.body, failure.content_type)
