"""The queue of accepted invocations, which determines their order, concurrency and time limits.

The queue runs in the server's event loop.  Other threads only read its state.
"""

import asyncio
from collections.abc import Callable
from threading import Condition, Event
from weakref import WeakSet

from attrs import define, evolve, field

from .._models.output import Runner, read_whole
from .._models.values import ModelFailure, ModelRequest, ModelResponse, model_timeout
from .._s3.objects import ObjectStore, split_location
from .deadline import Deadline
from .jobs import Invocation, Job, State
from .outcomes import Outcome
from .permits import Permits

# The emulator's failure texts for an invocation of an inference router.  AWS does not document the
# texts that a router writes.
_EXPIRED = "The request expired in the queue after RequestTTLSeconds."
_NOT_TAKEN = "No destination took the request within MaxTimeInBacklogSeconds."
# If a model fails with one of these statuses, an inference router tries the next destination.
CAPACITY_STATUSES = frozenset({429, 503})
# Bounds the memory for an endless output; an asynchronous endpoint accepts inputs of up to 1 GB.
_MAX_OUTPUT_SIZE = 1024**3


def _ignore(outcome: Outcome) -> None:
    """Do nothing with an outcome."""


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
        announce: A function that is called with each outcome of an invocation, after the result was
            written.
        jobs: All accepted invocations, in the order of acceptance.
    """

    store: ObjectStore
    run: Runner
    concurrency: int
    expired_text: str | None
    announce: Callable[[Outcome], object] = field(default=_ignore)
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
            endpoint: The endpoint whose own maximum is set; None for the endpoints without their
                own maximum.
        """
        permits = self._permits
        if endpoint is not None:
            permits = self._permits_by_endpoint.setdefault(endpoint, Permits(concurrency))
        permits.limit = concurrency
        permits.grant()

    def has_capacity(self, endpoint: str) -> bool:
        """Return whether an endpoint can run an invocation now.

        Only an endpoint with its own maximum can lack capacity, because the common maximum does not
        apply to synchronous invocations.
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

    @property
    def is_idle(self) -> bool:
        """Whether no invocation is queued or running."""
        return self._unfinished == 0

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no invocation is queued or running, for at most *timeout* seconds.

        Do not call this method in the event loop's thread, which it would block.

        Returns:
            False if an invocation is still queued or running after *timeout* seconds, otherwise
            True.
        """
        with self._idle:
            return self._idle.wait_for(lambda: self.is_idle, timeout)

    async def aclose(self) -> None:
        """Cancel all queued and running invocations, and release the model's resources."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.run.aclose()

    async def _process(self, job: Job) -> None:
        """Run a job, set its final state, and announce how it ended."""
        try:
            outcomes: list[Outcome] = []
            job.state = await self._run(job, outcomes)
            for outcome in outcomes:
                self.announce(outcome)
        finally:
            with self._idle:
                self._unfinished -= 1
                self._idle.notify_all()

    async def _run(self, job: Job, outcomes: list[Outcome]) -> State:
        """Try each destination, write the result, and return the final state.

        An inference router moves a job to the next destination if the current one does not start
        the job within the time limit, or lacks the capacity for it.  A job of an endpoint has only
        this endpoint as its destination, and is never moved.

        Args:
            job: The job.
            outcomes: The list to which the outcome at each endpoint and at the router is added.
        """
        invocation = job.invocation
        ttl = self.deadline(invocation.ttl)
        failure = ModelFailure(_NOT_TAKEN, status_code=0)
        for job.destination in invocation.destinations:
            job.state = "queued"
            permits = self._permits_by_endpoint.get(job.destination, self._permits)
            try:
                async with ttl.enforced(), self.deadline(invocation.max_backlog).enforced():
                    await permits.acquire()
            except TimeoutError:
                if ttl.has_passed:
                    self._expire(job, outcomes)
                    return "expired"
                continue
            job.state = "running"
            try:
                head, body = await self._inference(job)
            except ModelFailure as error:
                failure = error
                outcomes.append(_failed(job, failure, is_of_router=False))
                if failure.status_code not in CAPACITY_STATUSES:
                    break
            else:
                self.store.put(invocation.output_location, body, head.content_type)
                outcomes += [
                    Outcome(
                        invocation=invocation,
                        endpoint_name=job.destination,
                        is_of_router=is_of_router,
                        content_type=head.content_type,
                        body=body,
                    )
                    for is_of_router in (False, True)[: 1 + invocation.is_routed]
                ]
                return "completed"
            finally:
                permits.release()
        self._fail(job, failure, outcomes)
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
            raise ModelFailure(f"Could not download the input {location}: NoSuchKey", status_code=0)
        return stored.body

    def _expire(self, job: Job, outcomes: list[Outcome]) -> None:
        """Write the failure object of an expired invocation, if there is a text for it."""
        default = _EXPIRED if job.invocation.is_routed else None
        text = default if self.expired_text is None else self.expired_text
        if text is not None:
            failure = ModelFailure(text, status_code=0)
            if not job.invocation.is_routed:
                outcomes.append(_failed(job, failure, is_of_router=False))
            self._fail(job, failure, outcomes)

    def _fail(self, job: Job, failure: ModelFailure, outcomes: list[Outcome]) -> None:
        """Write the failure object, if there is a failure location.

        The outcome at a router is added to *outcomes*; the outcome at an endpoint is already there.
        """
        if job.invocation.failure_location is not None:
            self.store.put(job.invocation.failure_location, failure.body, failure.content_type)
        if job.invocation.is_routed:
            outcomes.append(_failed(job, failure, is_of_router=True))


def _failed(job: Job, failure: ModelFailure, *, is_of_router: bool) -> Outcome:
    return Outcome(
        invocation=job.invocation,
        endpoint_name=job.destination,
        is_of_router=is_of_router,
        body=failure.body,
        failure=failure,
    )
