"""A simulated event source mapping: it delivers the messages of a queue to execution environments.

Several environments run at the same time, each in its own thread.  Only one of the threads runs at
any moment, and a seed determines when another one continues, so each run of a test is the same.  An
environment may be killed at any of its steps: nothing of it has an effect after that.  Time is a
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
STEPS = 6 * BATCH  # of an invocation in which no function takes long
KILLED, STALLED, BROKEN = (
    0.15,
    0.0005,
    0.01,
)  # how likely these are, for a batch, a step and a claim
ROUNDS = 60


class KilledError(BaseException):
    """An execution environment was killed."""


@define(eq=False)
class Delivered:
    """A message of the queue.

    Attributes:
        message_id: Its id, which copies may share.
        body: Its text.
        job: What the message announces; None if it is noise.
        is_expected: Whether the message is acknowledged without being handled.
        visible: When it can be received.
        received: How often it was received.
    """

    message_id: str
    body: str
    job: str | None = None
    is_expected: bool = False
    visible: float = 0.0
    received: int = 0

    def record(self):
        """Return what Lambda passes for the message."""
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
    """Return what an event announces."""
    return event.key if isinstance(event, ObjectCreated) else event.inference_id


@define(eq=False)
class Delivery:
    """The queue, the time, and what happened.

    Attributes:
        random: The source of all randomness.
        make_claims: Returns new claims, with the clock that it gets.
        options: The options of the handler.
        messages: The messages that were not acknowledged.
        flaky: The jobs whose function raises an error, and how often.
        results: How often a job was handled, keyed by the job and by what the function learned.
        cut: How often an environment ended between the function's return and `done`, by job.
        faults: What must not happen, but did.
        running: The environments that handle a job at the moment.
        counts: How often other things happened.
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
        """Deliver the messages until only noise is left, or `ROUNDS` times."""
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
        """Let another thread run."""
        self._main.release()
        assert turn.acquire(timeout=60)

    def leave(self, turn):
        """End a thread."""
        self._turns.remove(turn)
        self._main.release()

    def receive(self):
        """Return up to ten visible messages, which are invisible from now on."""
        found = [message for message in self.messages if message.visible <= self.now]
        nearest = found[: 2 * BATCH]
        batch = self.random.sample(nearest, min(BATCH, len(nearest)))
        for message in batch:
            message.visible = self.now + VISIBILITY_TIMEOUT
            message.received += 1
        return batch

    def acknowledge(self, message):
        """Remove a message, which must have been handled."""
        if not (message.is_expected or (message.job and message.job in self.results)):
            self.faults.append(("acknowledged, but not handled", message.body))
        self.messages.remove(message)

    def extra(self):
        """Return how often jobs were handled more than once, by job."""
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
        """Acknowledge the messages that did not fail, as Lambda does."""
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
    """An execution environment, with its own client, which is the context of its invocations."""

    def __init__(self, delivery, turn):
        self._delivery, self._turn = delivery, turn
        self._claims, self._close = delivery.make_claims(lambda: delivery.now)
        self._handler = sqs_handler(claims=self, **delivery.options)(self._handle)
        self.returned, self.is_dead, self.deadline = set(), False, 0.0
        self._current = None

    def close(self):
        """Close the client."""
        self._close()

    def invoke(self, event):
        """Pass an event to the handler; the invocation may be killed at one of its steps."""
        self.returned.clear()
        self.deadline = self._delivery.now + FUNCTION_TIMEOUT
        is_killed = self._delivery.random.random() < KILLED
        self._left = self._delivery.random.randint(1, STEPS) if is_killed else 1 << 30
        return self._handler(event, self)

    def get_remaining_time_in_millis(self):
        """Return the time that the invocation has left."""
        return int((self.deadline - self._delivery.now) * 1000)

    def step(self):
        """Let others run, and end here if the environment is killed or its time is over."""
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
        """Handle an event: the function of the user."""
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

    # The methods of `Claims`.

    async def claim(self, key, seconds, /):
        """Claim a message."""
        self.step()
        self._break()
        claim = await self._claims.claim(key, seconds)
        self._delivery.counts[claim.state] += 1
        self.step()
        return claim

    async def done(self, claim, value, /):
        """Record that a message was handled."""
        self._delivery.cut[self._current] += 1
        self.step()
        self._break()
        await self._claims.done(claim, value)
        self._delivery.cut[self._current] -= 1
        self.step()

    async def release(self, claim, /):
        """Give up a claim."""
        self.step()
        self._break()
        await self._claims.release(claim)
        self.step()

    def _break(self):
        if self._delivery.random.random() < BROKEN:
            self._delivery.counts["errors of the store"] += 1
            raise OSError("no connection")


def copies(random, messages):
    """Return messages in random order, some of them often, with the same id or with another one."""
    found = random.sample(messages, len(messages))
    for message in messages:
        for number in range(random.choices([0, 1, 6], [88, 8, 4])[0]):
            suffix = random.choice(["", f"-{number}"])
            copy = Delivered(
                message.message_id + suffix, message.body, message.job, message.is_expected
            )
            # A copy is often delivered while the message is being handled.
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
    """Return what a message announces, without the help of the package; None if it is nothing."""
    with suppress(ValueError, KeyError, TypeError):
        document = json.loads(body)
        if "Message" in document:
            document = json.loads(document["Message"])
        if "Records" in document:
            return document["Records"][0]["s3"]["object"]["key"]
        return document["inferenceId"]
    return None
