"""All queues of an emulator, and the waits of receivers for messages.

The methods of `Broker` may be called from any thread, because a test may write S3 objects in its
own thread.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from math import inf
from threading import Condition
from typing import TypeVar

from attrs import define, evolve, field, frozen

from .._faults import Faults
from .._reply import rejection
from .._settings import ACCOUNT
from .attributes import DEFAULTS, check_attributes, set_attributes
from .clock import Clock
from .drafts import Draft
from .messages import Message
from .queues import Queue

T = TypeVar("T")

MOST_QUEUES = 1000
_is_name = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo", re.ASCII).fullmatch


@frozen
class Reception:
    """The parameters of a request to receive messages.

    Attributes:
        most: The maximum number of messages.
        visibility_timeout: How long the messages are invisible, in seconds; None for the queue's
            setting.
        wait: The maximum time to wait for a message, in seconds; None for the queue's setting.
    """

    most: int = 1
    visibility_timeout: int | None = None
    wait: float | None = None


@define(eq=False)
class Broker:
    """The queues, keyed by name.

    Attributes:
        region: The region that the ARNs of queues contain.
        clock: Measures the time limits.
        faults: The faults, which may duplicate or lose messages.
        changed: The condition that protects all queues, and that is notified of changes.
    """

    region: str
    clock: Clock
    faults: Faults
    changed: Condition = field(factory=Condition, init=False)
    _queues: dict[str, Queue] = field(factory=dict[str, Queue], init=False)
    # Functions that wake the coroutines that wait for messages.
    _wakers: set[Callable[[], object]] = field(factory=set[Callable[[], object]], init=False)
    _is_closed: bool = field(default=False, init=False)

    def arn(self, name: str) -> str:
        """Return the ARN of a queue."""
        return f"arn:aws:sqs:{self.region}:{ACCOUNT}:{name}"

    def create(self, name: str, attributes: Mapping[str, str]) -> None:
        """Create a queue, unless a queue with this name and these attributes exists.

        Raises:
            RejectedRequestError: The name or an attribute is invalid, there are too many queues, or
                a queue with this name has different attributes.
        """
        is_fifo = attributes.get("FifoQueue") == "true"
        if not _is_name(name) or name.endswith(".fifo") != is_fifo:
            raise rejection(
                400,
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                "length; the name of a FIFO queue, which has the attribute FifoQueue=true, ends in "
                ".fifo",
            )
        with self.changed:
            self._check(name, attributes, is_fifo=is_fifo)
            if name in self._queues:
                self._check_same(name, attributes)
                return
            if len(self._queues) >= MOST_QUEUES:
                raise rejection(
                    403, "OverLimit", f"The emulator keeps at most {MOST_QUEUES} queues."
                )
            now = str(int(self.clock.now().timestamp()))
            queue = Queue(name, self.arn(name), dict(DEFAULTS), now, now)
            set_attributes(queue.attributes, attributes)
            self._queues[name] = queue

    def delete(self, name: str) -> None:
        """Delete a queue and its messages."""
        with self.changed:
            self.queue(name)
            del self._queues[name]
            self._wake()

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names of the queues whose names start with *prefix*."""
        with self.changed:
            return sorted(name for name in self._queues if name.startswith(prefix))

    def find(self, name: str) -> Queue | None:
        """Return a queue, which may be used only while `changed` is held; None if it is missing."""
        return self._queues.get(name)

    def queue(self, name: str) -> Queue:
        """Return a queue, which may be used only while `changed` is held.

        Raises:
            RejectedRequestError: There is no such queue.
        """
        queue = self._queues.get(name)
        if queue is None:
            raise rejection(400, "QueueDoesNotExist", "The specified queue does not exist.")
        return queue

    def use(self, name: str, action: Callable[[Queue], T]) -> T:
        """Call a function with a queue, wake all waiting receivers, and return the result."""
        with self.changed:
            result = action(self.queue(name))
            self._wake()
            return result

    def set_attributes(self, name: str, changes: Mapping[str, str]) -> None:
        """Change attributes of a queue.

        Raises:
            RejectedRequestError: There is no such queue, or an attribute is invalid.
        """

        def change(queue: Queue) -> None:
            self._check(name, changes, is_fifo=queue.is_fifo)
            if "FifoQueue" in changes:  # this attribute cannot be changed
                raise rejection(400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
            set_attributes(queue.attributes, changes)
            queue.modified = str(int(self.clock.now().timestamp()))

        self.use(name, change)

    def copies(self, operation: str) -> int:
        """Return how many times the next message is delivered, according to the faults."""
        fault = self.faults.take_delivery(operation)
        return 1 if fault is None else fault.copies

    def send(self, name: str, draft: Draft, copies: int = 1) -> Message:
        """Add a message to a queue.

        Args:
            name: The name of the queue.
            draft: The message.
            copies: How many times the message is added.

        Raises:
            RejectedRequestError: There is no such queue, or it does not accept the message.
        """
        now, sent = self.clock.seconds(), self.clock.milliseconds()
        return self.use(name, lambda queue: queue.send(draft, now, sent, copies))

    async def receive(self, name: str, reception: Reception) -> list[Message]:
        """Return messages of a queue as soon as any are available; an empty list after the wait.

        Raises:
            RejectedRequestError: There is no such queue.
        """
        loop, begun = asyncio.get_running_loop(), self.clock.seconds()
        while True:
            event = asyncio.Event()

            def wake(event: asyncio.Event = event) -> None:
                loop.call_soon_threadsafe(event.set)

            with self.changed:
                queue, now = self.queue(name), self.clock.seconds()
                wait = reception.wait
                if wait is None:
                    wait = queue.number("ReceiveMessageWaitTimeSeconds")
                received = self._receive(queue, reception, now)
                if received or now >= begun + wait or self._is_closed:
                    return received
                seconds = min(begun + wait, queue.next_visible(now)) - now
                self._wakers.add(wake)
            try:
                async with asyncio.timeout(None if seconds == inf else seconds):
                    await event.wait()
            except TimeoutError:
                pass
            finally:
                with self.changed:
                    self._wakers.discard(wake)

    def wake(self) -> None:
        """Wake all waiting receivers, because the clock was advanced."""
        with self.changed:
            self._wake()

    def close(self) -> None:
        """End all waits for messages."""
        with self.changed:
            self._is_closed = True
            self._wake()

    def _receive(self, queue: Queue, reception: Reception, now: float) -> list[Message]:
        """Return the messages that can be received now."""
        timeout = reception.visibility_timeout
        if timeout is None:
            timeout = queue.number("VisibilityTimeout")
        at = self.clock.milliseconds()
        return queue.receive(reception.most, timeout, now, at, self._bury_from(queue, now))

    def _bury_from(self, source: Queue, now: float) -> Callable[[str, Message], bool]:
        """Return the function that adds a message of *source* to its dead-letter queue."""

        def bury(arn: str, message: Message) -> bool:
            queue = self._queues.get(arn.rpartition(":")[2])
            if queue is None:
                return False
            system = {**message.system_attributes, "DeadLetterQueueSourceArn": source.arn}
            queue.add(evolve(message, visible_at=now, receipt="", system_attributes=system))
            self._wake()
            return True

        return bury

    def _check(self, name: str, attributes: Mapping[str, str], *, is_fifo: bool) -> None:
        """Check a queue's attributes: its dead-letter queue must be another queue of its kind."""

        def has_queue(arn: str) -> bool:
            queue = self._queues.get(arn.rpartition(":")[2])
            is_same_kind = queue is not None and queue.arn == arn and queue.is_fifo == is_fifo
            return is_same_kind and arn != self.arn(name)

        check_attributes(attributes, is_fifo=is_fifo, has_queue=has_queue)

    def _check_same(self, name: str, attributes: Mapping[str, str]) -> None:
        current = self._queues[name].attributes
        for attribute, value in attributes.items():
            if current.get(attribute) != value:
                raise rejection(
                    400,
                    "QueueNameExists",
                    "A queue already exists with the same name and a different value for attribute "
                    f"{attribute}",
                )

    def _wake(self) -> None:
        """Wake all threads and coroutines that wait for a change."""
        self.changed.notify_all()
        for wake in self._wakers:
            wake()
