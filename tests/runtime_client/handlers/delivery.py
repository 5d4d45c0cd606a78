"""A simulated event source mapping, which delivers the messages of a queue to Lambda environments.

Several execution environments run concurrently, each in its own thread.  Only one of the threads
runs at any moment, and a seed determines which one runs next, so each run of a test is the same.
An environment may be killed at any of its steps, and has no effect after that.  The time is a
number that the steps increase.
"""

import json
from collections import Counter, defaultdict
from contextlib import suppress
from threading import Semaphore, Thread

from attrs import define, field

from sagemaker_runtime_client.events import Failed, ObjectCreated
from sagemaker_runtime_client.handlers import sqs_handler
from tests.runtime_client.handlers.lambda_events import QUEUE, failed_ids

BATCH = 10
FUNCTION_TIMEOUT = 60.0
VISIBILITY_TIMEOUT = 6 * FUNCTION_TIMEOUT
ENVIRONMENTS = 3
STEPS = 6 * BATCH  # an invocation whose functions return quickly has about as many steps
KILLED, STALLED, BROKEN = (
    0.15,
    0.0005,
    0.01,
)  # probabilities: that an invocation is killed, that a step stalls, and that a call of the claims fails
ROUNDS = 60


class KilledError(BaseException):
    """This error ends an invocation whose execution environment was killed."""


@define(eq=False)
class Delivered:
    """A message in the queue.

    Attributes:
        message_id: The message ID, which copies of the message may share.
        body: The body as text.
        job: The name of the job that the message announces; None if it announces no job.
        is_expected: Whether the handler must acknowledge the message without handling it.
        visible: The time from which the message can be received.
        received: How often the message has been received.
    """

    message_id: str
    body: str
    job: str | None = None
    is_expected: bool = False
    visible: float = 0.0
    received: int = 0

    def record(self):
        """Return the record that Lambda passes for the message."""
        return {
            "messageId": self.message_id,
            "receiptHandle": "handle",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.received)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
            "awsRegion": "eu-west-1",
        }


def identify(event):
    """Return the name of the job that an event announces."""
    return event.key if isinstance(event, ObjectCreated) else event.inference_id


@define(eq=False)
class Delivery:
    """The simulated queue and clock, and a record of what the handlers did.

    Attributes:
        random: The source of all randomness.
        make_claims: A function that gets a clock, and returns claims and a function that closes
            them.
        options: The options of `sqs_handler`.
        messages: The messages that have not been acknowledged.
        flaky: How often the function still raises an error for a job, keyed by job.
        results: How often each job was handled, keyed by the job, and by the event's type and
            reason.
        cut: How often an environment ended between the function's return and `done`, keyed by job.
        faults: What happened although it must not happen.
        running: The environment that is handling a job, keyed by job.
        counts: How often claims, injected errors and killed invocations occurred.
    """

    random: object
    make_claims: object
    options: dict
    messages: list
    flaky: Counter = field(factory=Counter)
    now: float = 1e9
    results: defaultdict = field(factory=lambda: defaultdict(Counter))
    cut: Counter = field(factory=Counter)
    faults: list = field(factory=list)
    running: dict = field(factory=dict)
    counts: Counter = field(factory=Counter)
    _main: Semaphore = field(factory=lambda: Semaphore(0))
    _turns: list = field(factory=list)

    def run(self):
        """Deliver the messages until none that announces a job is left, or for at most `ROUNDS`
        rounds.
        """
        for _ in range(ROUNDS):
            self._run_threads()
            self.now += VISIBILITY_TIMEOUT
            if all(message.job is None for message in self.messages):
                return

    def _run_threads(self):
        self._turns = [Semaphore(0) for _ in range(ENVIRONMENTS)]
        workers = [Worker(self, turn) for turn in self._turns]
        threads = [Thread(target=worker.work, daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        while self._turns:
            self.random.choice(self._turns).release()
            assert self._main.acquire(timeout=60)
        for thread in threads:
            thread.join()

    def pause(self, turn):
        """Let another thread run until it is this thread's turn again."""
        self._main.release()
        assert turn.acquire(timeout=60)

    def leave(self, turn):
        """Remove an ending thread from the threads that take turns."""
        self._turns.remove(turn)
        self._main.release()

    def receive(self):
        """Return up to ten visible messages, and hide them for the visibility timeout."""
        found = [message for message in self.messages if message.visible <= self.now]
        nearest = found[: 2 * BATCH]
        batch = self.random.sample(nearest, min(BATCH, len(nearest)))
        for message in batch:
            message.visible = self.now + VISIBILITY_TIMEOUT
            message.received += 1
        return batch

    def acknowledge(self, message):
        """Remove a message, and record a fault if it should have been handled but was not."""
        if not (message.is_expected or (message.job and message.job in self.results)):
            self.faults.append(("acknowledged, but not handled", message.body))
        self.messages.remove(message)

    def extra(self):
        """Return how often each job was handled in addition to the first time, keyed by job."""
        return Counter({job: n.total() - 1 for job, n in self.results.items() if n.total() > 1})


class Worker:
    """A thread that starts execution environments and passes batches of messages to them."""

    def __init__(self, delivery, turn):
        self.delivery, self.turn = delivery, turn
        self.environment = None

    def work(self):
        """Process batches until no message is visible."""
        self.turn.acquire()
        try:
            while batch := self.delivery.receive():
                self._invoke(batch)
        except BaseException as error:
            self.delivery.faults.append(repr(error))
            raise
        finally:
            if self.environment is not None:
                self.environment.close()
            self.delivery.leave(self.turn)

    def _invoke(self, batch):
        if self.environment is None:
            self.environment = Environment(self.delivery, self.turn)
        event = json.loads(json.dumps({"Records": [message.record() for message in batch]}))
        try:
            response = self.environment.invoke(event)
        except KilledError:
            self.environment.close()
            self.environment = None
            self.delivery.counts["killed invocations"] += 1
            return
        self._settle(batch, failed_ids(response))

    def _settle(self, batch, failures):
        """Acknowledge the messages that are not reported as failed, as Lambda does."""
        ids = [message.message_id for message in batch]
        jobs = [message.job for message in batch]
        if not set(failures) <= set(ids):
            self.delivery.faults.append(("unknown id", failures))
        for message in batch:
            if message.message_id not in failures:
                self.delivery.acknowledge(message)
            elif message.job in self.environment.returned and jobs.count(message.job) == 1:
                self.delivery.faults.append(("handled, but not acknowledged", message.body))


class Environment:
    """An execution environment; it is also its invocations' context and its handler's claims."""

    def __init__(self, delivery, turn):
        self._delivery, self._turn = delivery, turn
        self._claims, self._close = delivery.make_claims(lambda: delivery.now)
        self._handler = sqs_handler(claims=self, **delivery.options)(self._handle)
        self.returned, self.is_dead, self.deadline = set(), False, 0.0
        self._current = None

    def close(self):
        """Close the environment's client."""
        self._close()

    def invoke(self, event):
        """Pass an event to the handler; a random choice determines whether a step kills the
        invocation.
        """
        self.returned.clear()
        self.deadline = self._delivery.now + FUNCTION_TIMEOUT
        is_killed = self._delivery.random.random() < KILLED
        self._left = self._delivery.random.randint(1, STEPS) if is_killed else 1 << 30
        return self._handler(event, self)

    def get_remaining_time_in_millis(self):
        """Return the time that the invocation has left, in milliseconds."""
        return int((self.deadline - self._delivery.now) * 1000)

    def step(self):
        """Let other threads run; raise `KilledError` if the environment was killed or its time is
        over.
        """
        if not self.is_dead:
            self._delivery.now += self._delivery.random.uniform(0.0, 0.05)
            if self._delivery.random.random() < STALLED:
                self._delivery.now += FUNCTION_TIMEOUT
            self._delivery.pause(self._turn)
            self._left -= 1
            self.is_dead = self._left <= 0 or self._delivery.now >= self.deadline
        if self.is_dead:
            raise KilledError

    def _handle(self, event):
        """Handle an event in place of a user's function."""
        job, running = identify(event), self._delivery.running
        other = running.get(job)
        if other is not None and not other.is_dead and self._delivery.now < other.deadline:
            self._delivery.faults.append(("handled by two at the same time", job))
        running[job] = self
        try:
            for _ in range(self._delivery.random.choice([1, 1, 10])):
                self.step()
            if self._delivery.flaky[job]:
                self._delivery.flaky[job] -= 1
                self._delivery.counts["errors of the function"] += 1
                raise RuntimeError(job)
        finally:
            if running.get(job) is self:
                del running[job]
        reason = event.reason if isinstance(event, Failed) else None
        self._delivery.results[job][type(event).__name__, reason] += 1
        self.returned.add(job)
        self._current = job

    # The following methods implement `Claims`.

    async def claim(self, key, seconds, /):
        """Claim a key in the store, unless an injected error occurs."""
        self.step()
        self._break()
        claim = await self._claims.claim(key, seconds)
        self._delivery.counts[claim.state] += 1
        self.step()
        return claim

    async def done(self, claim, value, /):
        """Record in the store that the message was handled, unless an injected error occurs."""
        self._delivery.cut[self._current] += 1
        self.step()
        self._break()
        await self._claims.done(claim, value)
        self._delivery.cut[self._current] -= 1
        self.step()

    async def release(self, claim, /):
        """Release a claim in the store, unless an injected error occurs."""
        self.step()
        self._break()
        await self._claims.release(claim)
        self.step()

    def _break(self):
        if self._delivery.random.random() < BROKEN:
            self._delivery.counts["errors of the store"] += 1
            raise OSError("no connection")


def copies(random, messages):
    """Return the messages in random order, with copies of some of them.

    A copy has either the message ID of the original or a new one.
    """
    found = random.sample(messages, len(messages))
    for message in messages:
        for number in range(random.choices([0, 1, 6], [88, 8, 4])[0]):
            suffix = random.choice(["", f"-{number}"])
            copy = Delivered(
                message.message_id + suffix, message.body, message.job, message.is_expected
            )
            # A copy is placed close to its message, so that both are often delivered at the same
            # time.
            found.insert(found.index(message) + random.randint(0, BATCH), copy)
    return found


def drain(sqs, url):
    """Receive and delete all messages of a queue through boto3, and return them."""
    found = []
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += received
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(received)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return found


def announced(body):
    """Return the job that a message announces, or None; the package's own parser is not used."""
    with suppress(ValueError, KeyError, TypeError):
        document = json.loads(body)
        if "Message" in document:
            document = json.loads(document["Message"])
        if "Records" in document:
            return document["Records"][0]["s3"]["object"]["key"]
        return document["inferenceId"]
    return None
