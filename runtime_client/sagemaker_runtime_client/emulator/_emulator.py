"""The emulator, as its users see it."""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from secrets import choice, token_urlsafe
from string import ascii_uppercase, digits
from threading import Event
from types import TracebackType
from typing import Self

from sigv4 import Credentials

from ._app import Application, server_clock
from ._environment import TAKEN_BACK, no_proxy
from ._faults import Faults
from ._models import Model, echo, runner_of
from ._objects import ObjectStore, split_location
from ._queue import InvocationQueue, Job
from ._records import ReceivedRequest
from ._server import Server
from ._settings import Settings, utc_now

LOOPBACK = "127.0.0.1"
_GRACE = 5.0  # seconds that a model gets to notice that it is cancelled


def random_credentials() -> Credentials:
    """Return a key that looks like one and opens nothing."""
    access_key_id = "AKIA" + "".join(choice(ascii_uppercase + digits) for _ in range(16))
    return Credentials(access_key_id, token_urlsafe(30))


class Emulator:
    """
    SageMaker asynchronous inference on this machine: the runtime API, the S3 it needs, the queue.

    A context manager; between entering and leaving it listens on a socket of its own, in a
    thread of its own, and checks the signature of every request on the bytes that arrived.

    Args:
        model: What answers: a function of a `ModelRequest` that returns bytes, a text, (bytes,
            content type) or a `ModelResponse`, called in a thread of its own; ``"module:function"``;
            or the address of a model container.  By default the answer is the payload.
        endpoints: The names of the endpoints that exist; None if every name does.
        credentials: The one key that may sign; by default one made at random.
        region: The region that signatures must be scoped to.
        output_path: The endpoints' ``S3OutputPath``.
        failure_path: Their ``S3FailurePath``; None if they have none: then a failure leaves
            nothing behind, as in production.
        concurrency: How many invocations the model gets at a time; 0 holds the queue.
        expired_text: What the failure object of an invocation says that spent its
            ``RequestTTLSeconds`` in the queue; None writes no such object.
        strict_buckets: Whether a bucket must be created before it is used.
        clock: Tells the server's time, as an aware instant: for ``Date``, ``Last-Modified`` and
            signatures.  The queue's two limits run in real time, or faster by `advance`.
        host: The IPv4 address to listen on; keep it a loopback one.
        port: The port to listen on; 0 for a free one.

    Attributes:
        credentials: The key that may sign.
        region: The region.
        faults: The switches, `Faults`.
        objects: What S3 holds, an `ObjectStore`.

    Raises:
        ValueError: An argument makes no sense; the message says which.

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
        strict_buckets: bool = False,
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
            output_path=_s3_path("output_path", output_path),
            failure_path=failure_path and _s3_path("failure_path", failure_path),
            strict_buckets=strict_buckets,
            clock=clock,
        )
        now = server_clock(settings, self.faults)
        self.objects = ObjectStore(now)
        self._runner = runner_of(model)
        self._queue = InvocationQueue(
            self.objects, self._runner, _whole("concurrency", concurrency), expired_text
        )
        self._application = Application(settings, self.objects, self._queue, self.faults, now)
        self._address = (host, port)
        self._server: Server | None = None

    def __enter__(self) -> Self:
        """Listen; a free port is found now."""
        if self._server is not None:
            raise RuntimeError("an emulator is entered once; make another")
        self._server = Server(self._application, *self._address)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop at once: connections are closed, what is queued is dropped, models are cancelled."""
        self._running.stop()
        self._runner.join(_GRACE)

    @property
    def _running(self) -> Server:
        """The server, if there is one."""
        if self._server is None:
            raise RuntimeError("the emulator does not run: use it in a with statement")
        return self._server

    @property
    def url(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:49152``; for SageMaker and S3 alike."""
        return f"http://{self._address[0]}:{self._running.port}"

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables that point AWS SDKs, boto3 among them, past a proxy at this emulator."""
        variables = {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **TAKEN_BACK,
            **no_proxy(os.environ, self._address[0]),
        }
        if self.credentials.session_token is not None:
            variables["AWS_SESSION_TOKEN"] = self.credentials.session_token
        return variables

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The newest 10,000 requests that arrived, in the order of the answers; without secrets."""
        return tuple(self._application.received)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The invocations that were taken so far, in order, each with its state."""
        return tuple(self._queue.jobs)

    def set_concurrency(self, concurrency: int) -> None:
        """
        Change how many invocations the model gets at a time.

        Args:
            concurrency: From now on; 0 holds the queue, as an endpoint that is scaled to zero.
        """
        self._running.call(self._queue.limit, _whole("concurrency", concurrency))

    def advance(self, seconds: float) -> None:
        """
        Let everything that is queued or running be older, so that no test waits for hours.

        Only the queue's limits notice: ``RequestTTLSeconds`` and ``InvocationTimeoutSeconds``.

        Args:
            seconds: By how much.
        """
        self._running.call(self._queue.advance, seconds)

    def wait_idle(self, timeout: float = 10.0) -> None:
        """
        Wait until nothing is queued or running.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: Something still is.
        """
        if not self._queue.wait_idle(timeout):
            raise TimeoutError(f"an invocation is still on its way after {timeout:g} s")


def serve(
    model: Model = echo,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    credentials: Credentials | None = None,
    region: str = "us-east-1",
    endpoints: Collection[str] | None = None,
    strict_buckets: bool = False,
    ready: Callable[[Emulator], object] | None = None,
    stop: Event | None = None,
) -> None:
    """
    Run an emulator until Ctrl-C; for a command line.  Prints nothing.

    Args:
        model: As for `Emulator`.
        host: As for `Emulator`.
        port: As for `Emulator`.
        credentials: As for `Emulator`.
        region: As for `Emulator`.
        endpoints: As for `Emulator`.
        strict_buckets: As for `Emulator`.
        ready: Is called once with the emulator, when it listens: to print its address.
        stop: Ends it, once set.

    Raises:
        OSError: The address cannot be listened on.
        KeyboardInterrupt: Ctrl-C; the emulator has stopped.
    """
    with Emulator(
        model,
        host=host,
        port=port,
        credentials=credentials,
        region=region,
        endpoints=endpoints,
        strict_buckets=strict_buckets,
    ) as emulator:
        if ready is not None:
            ready(emulator)
        (stop or Event()).wait()


def _s3_path(name: str, path: str) -> str:
    """Return a path of an endpoint without its closing slash."""
    if not path.startswith("s3://") or not path.isascii() or not path.isprintable():
        raise ValueError(f"{name} must be like s3://bucket/prefix, not {path!r}")
    split_location(path)
    return path.rstrip("/")


def _whole(name: str, number: int) -> int:
    """Return a number that counts something."""
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, not {number}")
    return number
