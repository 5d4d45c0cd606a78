"""Notifications: processes that handle them are killed with SIGKILL at random moments.

Each process is an execution environment of a Lambda function, with claims in S3.  Every message is
delivered until it is acknowledged, and a quarter of the jobs have a second message.  The clock of
the environments runs faster, so that claims of killed environments expire during the attack.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _row import Row

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.handlers import S3Claims, sqs_handler
from sigv4 import Credentials

JOBS = 500
ENVIRONMENTS = 4
KILLED = 0.2  # the probability that an invocation is killed
SECONDS = 45.0
FASTER = 40.0  # how many times faster the clock of the environments runs
QUEUE = "arn:aws:sqs:us-east-1:111122223333:results"


def fast_time() -> float:
    """Return the time by the clock of the environments."""
    return time.time() * FASTER


class Context:
    """The context of an invocation, which may last for 60 seconds by the clock of the environments."""

    def __init__(self) -> None:
        self._end = fast_time() + 60.0

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left."""
        return int((self._end - fast_time()) * 1000)


def work(url: str, key: str, secret: str, journal: str) -> None:
    """Run an execution environment: handle the event in each line of standard input."""
    client = SageMakerRuntimeClient(
        region="us-east-1",
        credentials=Credentials(key, secret),
        endpoint_url=url,
        s3_endpoint_url=url,
    )
    file = os.open(journal, os.O_WRONLY | os.O_APPEND)

    @sqs_handler(claims=S3Claims(client, "s3://claims/", clock=fast_time))
    def handler(event: Any) -> None:
        os.write(file, f"{event.inference_id}\n".encode())

    for line in sys.stdin:
        print(json.dumps(handler(json.loads(line), Context())), flush=True)


class Queue:
    """A queue of messages that have not been acknowledged, which also counts what went wrong."""

    def __init__(self, journal: Path) -> None:
        numbers = [*range(JOBS), *random.sample(range(JOBS), JOBS // 4)]
        self.left = [f"job-{number}" for number in numbers]
        random.shuffle(self.left)
        self.kills, self.unhandled = 0, 0
        self._journal, self._lock = journal, threading.Lock()
        self._in_flight = 0
        self._ends = time.monotonic() + SECONDS

    def receive(self) -> list[str]:
        """Return up to ten messages, or none if all are acknowledged or the attack's time is over."""
        while time.monotonic() < self._ends:
            with self._lock:
                if self.left:
                    batch, self.left = self.left[:10], self.left[10:]
                    self._in_flight += len(batch)
                    return batch
                if not self._in_flight:
                    return []
            time.sleep(0.01)
        return []

    def settle(self, batch: list[str], failed: list[int]) -> None:
        """Return the failed messages to the queue, and check that the acknowledged ones were
        handled.
        """
        with self._lock:
            self._in_flight -= len(batch)
            self.left += [batch[number] for number in failed]
            handled = self.handled()
            acknowledged = [job for number, job in enumerate(batch) if number not in failed]
            self.unhandled += sum(job not in handled for job in acknowledged)
        if len(failed) == len(batch):
            time.sleep(0.1)  # all messages of the batch failed, probably because they are claimed

    def handled(self) -> Counter[str]:
        """Return how often each job was handled, keyed by job."""
        return Counter(self._journal.read_text().split())


def record(number: int, job: str) -> dict[str, Any]:
    """Return the record that Lambda passes for the message about a job."""
    notification = {
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": "my-endpoint"},
        "responseParameters": {"outputLocation": f"s3://outputs/{job}.out"},
        "inferenceId": job,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
    }
    return {
        "messageId": str(number),
        "body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)}),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
    }


def deliver(queue: Queue, command: list[str]) -> None:
    """Pass batches of messages to a process; kill it at random, and then start another one."""
    process = None
    while batch := queue.receive():
        if process is None:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert process.stdin is not None
        assert process.stdout is not None
        records = [record(number, job) for number, job in enumerate(batch)]
        process.stdin.write(json.dumps({"Records": records}) + "\n")
        process.stdin.flush()
        is_killed = random.random() < KILLED
        if is_killed:
            time.sleep(random.uniform(0.0, 0.1))
            process.kill()
        answer = process.stdout.readline()
        if answer:
            failures = json.loads(answer)["batchItemFailures"]
            queue.settle(batch, [int(one["itemIdentifier"]) for one in failures])
        else:
            queue.settle(batch, list(range(len(batch))))
        if is_killed:
            queue.kills += 1
            process.communicate()
            process = None
    if process is not None:
        process.communicate()


def run() -> Iterator[Row]:
    """Deliver notifications to processes that are killed, and count lost and repeated jobs."""
    from sagemaker_runtime_client.emulator import Emulator

    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        journal = Path(folder) / "journal"
        journal.touch()
        queue = Queue(journal)
        keys = emulator.credentials
        command = [sys.executable, __file__, emulator.url]
        command += [keys.access_key_id, keys.secret_access_key, str(journal)]
        threads = [
            threading.Thread(target=deliver, args=(queue, command)) for _ in range(ENVIRONMENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        handled = queue.handled()
    again = handled.total() - len(handled)
    yield Row("messages acknowledged, but not handled", queue.unhandled, 0, "messages")
    missing = {f"job-{number}" for number in range(JOBS)} - set(handled) - set(queue.left)
    yield Row(f"of {JOBS:,} jobs lost", len(missing), 0, "jobs")
    yield Row("messages left at the end", len(queue.left), 0, "messages")
    yield Row(f"jobs handled again after {queue.kills} kills", again, queue.kills, "jobs")


if __name__ == "__main__":
    work(*sys.argv[1:])
