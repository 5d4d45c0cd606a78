"""The public interface of the emulator."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from time import monotonic
from types import TracebackType
from typing import Self

from sigv4 import Credentials

from ._app import Application, server_clock
from ._environment import client_variables, no_proxy
from ._faults import Faults
from ._messaging.broker import Broker
from ._messaging.clock import Clock
from ._messaging.topics import Topics
from ._models.importing import make_runner
from ._models.values import Model, echo
from ._notifications.announcer import Announcer
from ._notifications.configuration import Notifications
from ._notifications.connecting import NotifyBy, connect, default_notifications
from ._notifications.functions import Handler
from ._notifications.sources import FunctionCall
from ._queue.jobs import Job
from ._queue.queue import InvocationQueue
from ._records import ReceivedRequest
from ._s3.objects import ObjectStore
from ._s3.storage import open_storage
from ._server import Server
from ._settings import (
    MAX_PART_SIZE,
    Settings,
    check_count,
    check_destinations,
    check_part_size,
    check_s3_path,
    random_credentials,
    utc_now,
)

LOOPBACK = "127.0.0.1"
_JOIN_TIMEOUT = 5.0  # seconds to wait for each model thread after its request is cancelled


class Emulator:
    """Emulates SageMaker inference on this machine: its APIs, S3, and notifications.

    Use it as a context manager.  Inside the ``with`` block, the emulator listens on a socket in a
    separate thread, and checks the signature of every request.

    Args:
        model: A function, the name of a function as ``"module:function"``, or the http(s) URL of a
            model container.  A function is called in a separate thread.  It accepts a
            `ModelRequest`, and returns bytes, str, an iterator of these, a pair (bytes or an
            iterator, content type) or a `ModelResponse`.  The default model returns the payload
            unchanged.
        endpoints: The names of the endpoints that exist.  With None, every endpoint exists.
        credentials: The only valid credentials; by default, random ones.
        region: The region that signatures must be scoped to.
        output_path: The endpoints' ``S3OutputPath``.
        failure_path: The endpoints' ``S3FailurePath``.  With None, a failed invocation leaves no
            object, as in production.
        concurrency: The maximum number of queued invocations that the model processes at a time; 0
            pauses the queue.
        expired_text: The content of the failure object for an invocation that spent its
            ``RequestTTLSeconds`` in the queue.  With None, an endpoint writes no such object, and
            an inference router writes one with a default text.
        destinations: For each routing target, the names of the endpoints that an inference router
            tries, in this order.  A routing target that is not listed is the name of its only
            endpoint.
        max_time_in_backlog: The routers' ``MaxTimeInBacklogSeconds``, after which a job is moved to
            the next destination.
        part_size: The maximum size of a part of a response stream, in bytes.  A larger part is
            split; parts are never joined.
        strict_buckets: Whether a bucket must be created before it is used.
        require_kms: Whether S3 rejects an upload that does not request encryption with KMS.
        data: A folder in which the S3 objects are stored, so that a later emulator finds them
            again.  It is created if it does not exist.  None stores the objects in memory.
        notifications: Which notifications the endpoints and S3 send.  By default, they send none,
            unless *notify* is specified; then every result or, if *notify_by* is ``s3``, every
            output and failure object is announced.
        notify: A function, or the name of a function as ``"module:function"``, that is called for
            notifications in the same way as by AWS Lambda: with the event and a context.  It is
            called in a separate thread; a call may take 30 seconds.  If it raises an exception, the
            emulator repeats the call as AWS would do; use `advance` to shorten the wait for the
            next call.
        notify_by: The service that calls *notify*: ``sns`` for each message to a topic, ``sqs`` for
            batches of up to 10 messages in a queue that is subscribed to all topics, or ``s3`` for
            each event notification about an object.
        clock: A function that returns the server's time as an aware datetime, for ``Date``,
            ``Last-Modified``, signatures and the expiry of sessions.  The time limits of
            invocations do not use this clock; see `advance`.
        host: The IPv4 address to listen on; use a loopback address.
        port: The port to listen on; 0 for any free port.

    Attributes:
        credentials: The only valid credentials.
        region: The region that signatures must be scoped to.
        faults: The faults to inject, a `Faults`.
        objects: The S3 objects, an `ObjectStore`.

    Raises:
        ValueError: An argument is invalid.  The message mentions the argument.
        OSError: The folder *data* cannot be created or written.
        ImportError: The module of *model* does not exist.
        AttributeError: The module of *model* has no such function.

    >>> with Emulator(model=lambda request: request.body.upper()) as emulator:
    ...     emulator.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        model: Model = echo,
        *,
        endpoints: Collection[str] | None = None,
        credentials: Credentials | None = None,
        region: str = "us-east-1",
        output_path: str = "s3://sagemaker-emulator/async-endpoint-outputs",
        failure_path: str | None = "s3://sagemaker-emulator/async-endpoint-failures",
        concurrency: int = 4,
        expired_text: str | None = None,
        destinations: Mapping[str, Sequence[str]] | None = None,
        max_time_in_backlog: float = 900.0,
        part_size: int = MAX_PART_SIZE,
        strict_buckets: bool = False,
        require_kms: bool = False,
        data: str | os.PathLike[str] | None = None,
        notifications: Notifications | None = None,
        notify: Handler | str | None = None,
        notify_by: NotifyBy = "sns",
        clock: Callable[[], datetime] = utc_now,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self.credentials = random_credentials() if credentials is None else credentials
        self.region = region
        self.faults = Faults()
        settings = Settings(
            credentials=self.credentials,
            region=region,
            endpoints=None if endpoints is None else frozenset(endpoints),
            output_path=check_s3_path("output_path", output_path),
            failure_path=failure_path and check_s3_path("failure_path", failure_path),
            destinations=check_destinations(destinations or {}),
            max_time_in_backlog=max_time_in_backlog,
            part_size=check_part_size(part_size),
            strict_buckets=strict_buckets,
            require_kms=require_kms,
            clock=clock,
        )
        now = server_clock(settings, self.faults)
        self.objects = ObjectStore(now, open_storage(data))
        self._runner = make_runner(model)
        self._queue = InvocationQueue(
            self.objects, self._runner, check_count("concurrency", concurrency), expired_text
        )
        self._clock = Clock(now)
        self._broker = Broker(region, self._clock, self.faults)
        topics = Topics(self._broker)
        paths = [path for path in (settings.output_path, settings.failure_path) if path]
        chosen = notifications or default_notifications(has_function=notify is not None)
        announcer = Announcer(chosen, topics, paths)
        self._functions = connect(notify, notify_by, announcer)
        self._queue.announce = announcer.announce_result
        self.objects.call_on_write(announcer.announce_object)
        self._application = Application(
            settings, self.objects, self._queue, self.faults, topics, now
        )
        self._address = (host, port)
        self._server: Server | None = None

    def __enter__(self) -> Self:
        """Start listening.

        Raises:
            RuntimeError: The emulator has already been entered.
            OSError: The address is in use or not available.
        """
        if self._server is not None:
            raise RuntimeError("an Emulator can be entered only once: create a new one")
        self._server = Server(self._application, *self._address)
        self._server.call(self._functions.start)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop: close all connections, drop queued invocations and cancel running ones.

        This method waits at most 5 seconds for each function that is still running.
        """
        self._running.close(self._functions.aclose)
        self._running.stop()
        self._runner.join(_JOIN_TIMEOUT)
        self._functions.join(_JOIN_TIMEOUT)
        self.objects.close()

    @property
    def _running(self) -> Server:
        """The running server.  Raises RuntimeError if the emulator has not been entered."""
        if self._server is None:
            raise RuntimeError("the emulator is not running: use it in a with statement")
        return self._server

    @property
    def url(self) -> str:
        """The URL of all emulated services, such as ``http://127.0.0.1:49152``."""
        return f"http://{self._address[0]}:{self._running.port}"

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables that make AWS SDKs such as boto3 use this emulator without a proxy."""
        return client_variables(self.url, self.region, self.credentials) | no_proxy(
            os.environ, self._address[0]
        )

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Records of the newest 10,000 requests, without secrets, in the order of the responses."""
        return tuple(self._application.received)

    @property
    def function_calls(self) -> tuple[FunctionCall, ...]:
        """The newest 1,000 calls of *notify*, in the order in which they ended."""
        return tuple(self._functions.calls)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The accepted invocations with their states, in the order of acceptance."""
        return tuple(self._queue.jobs)

    def set_concurrency(self, concurrency: int, *, endpoint: str | None = None) -> None:
        """Change the maximum number of queued invocations that the model processes at a time.

        Args:
            concurrency: The new maximum; 0 pauses the queue, like an endpoint scaled to zero.
            endpoint: The name of an endpoint, which has its own maximum from now on.  None changes
                the common maximum of all other endpoints.

        Raises:
            ValueError: *concurrency* is negative.
            RuntimeError: The emulator is not running.
        """
        self._running.call(self._queue.limit, check_count("concurrency", concurrency), endpoint)

    def advance(self, seconds: float) -> None:
        """Make invocations and messages older, so that a test need not wait for a time limit.

        This affects only the time limits of invocations and of queued messages.  Those of
        invocations are ``RequestTTLSeconds``, ``InvocationTimeoutSeconds``,
        ``MaxTimeInBacklogSeconds``, and the limits of 60 seconds for a synchronous and 480 seconds
        for a streamed invocation.  Those of messages include ``VisibilityTimeout``.

        Args:
            seconds: The number of seconds to add to the age of each invocation and message.

        Raises:
            RuntimeError: The emulator is not running.
        """
        self._running.call(self._queue.advance, seconds)
        self._clock.advanced += seconds
        self._broker.wake()
        self._functions.wake()

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Wait until no asynchronous invocation and no call of *notify* is pending or running.

        A failed call that is to be repeated later is not pending.

        Args:
            timeout: The maximum time to wait, in seconds.

        Raises:
            TimeoutError: An invocation or a call is still pending or running after *timeout*
                seconds.
        """
        until = monotonic() + timeout
        while True:
            if not self._queue.wait_idle(until - monotonic()):
                raise TimeoutError(f"invocations are still queued or running after {timeout:g} s")
            if not self._functions.wait_idle(until):
                raise TimeoutError(f"calls of notify are still due or running after {timeout:g} s")
            if self._queue.is_idle:  # a call may have queued another invocation
                return
