"""Scripted I/O: scripted responses, a clock that advances only on demand, and a record of all requests.

`run` steps through the coroutines of the core, without an event loop, sockets or pauses.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from attrs import frozen

from sagemaker_runtime_client._core.operations import Core
from sagemaker_runtime_client._core.session import open_session
from sagemaker_runtime_client._errors import TransportError
from sagemaker_runtime_client._io.message import Request, Response
from sagemaker_runtime_client._io.on_threads import ThreadLock, sync_backend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._limits import RESPONSE, ResponseLimit
from sigv4 import Credentials, Payload, SignableRequest, as_provider, verify

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
CREDENTIALS = Credentials(
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "TOKEN//example"
)
REGION = "eu-west-1"


@frozen
class Sent:
    """A request that was sent.

    `at` is the correct time at which it was sent, and `elapsed` is the number of seconds since the
    start.
    """

    origin: str
    request: Request
    deadline: float | None
    at: datetime
    elapsed: float
    limit: ResponseLimit = RESPONSE
    connect_timeout: float | None = None
    read_timeout: float | None = None

    @property
    def url(self):
        return self.origin + self.request.path

    def header(self, name):
        """Return the value of a header that occurs at most once, or None; the case of *name* is
        ignored.
        """
        values = [value for known, value in self.request.headers if known.lower() == name.lower()]
        assert len(values) <= 1
        return values[0] if values else None

    def verify(self, service="sagemaker", region=REGION, credentials=CREDENTIALS, ahead=0.0):
        """Verify the signature as a service whose clock is *ahead* seconds ahead of the correct
        time does.
        """
        signable = SignableRequest(
            self.request.method, self.url, self.request.headers, Payload.of(self.request.body)
        )
        known = {credentials.access_key_id: credentials}
        return verify(
            signable,
            known,
            at=self.at + timedelta(seconds=ahead),
            service=service,
            region=region,
            tolerance=1,
        )


class ScriptedIO:
    """A scripted implementation of both `System` and `Transport`.

    Args:
        answers: Responses, errors and functions, each used once; or one function for all requests.
            A function receives this object and the `Sent`, and returns a response or an error.
        environ: The environment variables.
        latency: How many seconds each request takes.  A request fails when it reaches its deadline.
        clock_error: By how many seconds the local clock is wrong.
        random: The value that `random` returns.
        files: Keyed by path: the content of a file as bytes or a string, or an error that reading
            the file raises.
        processes: Keyed by program name: a `Finished`, an error, or a function that returns either.
    """

    def __init__(
        self,
        answers=(),
        environ=None,
        latency=0.0,
        clock_error=0.0,
        random=0.5,
        files=None,
        processes=None,
    ):
        self._answers = answers if isinstance(answers, Callable) else deque(answers)
        self.environ = {} if environ is None else environ
        self.latency = latency
        self.clock_error = timedelta(seconds=clock_error)
        self.elapsed = 0.0
        self.sent = []
        self.slept = []
        self.closed = False
        self._random = random
        self._uuids = 0
        self.files = {} if files is None else files
        self.processes = {} if processes is None else processes
        self.read = []
        self.ran = []
        self.life = 1
        self.begun = 0

    def home(self, user=""):
        return "/home/" + (user or "user")

    def generation(self):
        return self.life

    def lock(self):
        return ThreadLock()

    def backend(self):
        return sync_backend()

    @property
    def admission(self):
        return self

    def senders(self):
        return self

    def acquire_nowait(self):
        self.begun += 1
        return True

    def release(self):
        self.begun -= 1

    async def read_file(self, path, most):
        self.read.append(path)
        held = self.files.get(path)
        if isinstance(held, Exception):
            raise held
        return held.encode() if isinstance(held, str) else held

    async def write_file(self, path, data):
        self.files[path] = data

    async def run_process(self, arguments, most):
        self.ran.append(arguments)
        done = self.processes[arguments[0]]
        done = done(arguments) if isinstance(done, Callable) else done
        if isinstance(done, Exception):
            raise done
        return done

    def now(self):
        return self.right_time() + self.clock_error

    def right_time(self):
        """Return the correct time."""
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return 1000.0 + self.elapsed

    def random(self):
        return self._random

    def uuid(self):
        self._uuids += 1
        return f"00000000-0000-4000-8000-{self._uuids:012d}"

    async def sleep(self, seconds):
        assert seconds >= 0
        self.slept.append(seconds)
        self.elapsed += seconds

    async def credentials(self, provider, deadline):
        return provider.get()

    async def finish_by(self, deadline, function, *arguments):
        return await function(*arguments)

    async def close(self):
        self.closed = True

    async def prepare(self, origin, *, direct=False):
        """Do nothing; there is no module to load."""

    async def compute(self, _size, function, *arguments):
        return function(*arguments)

    async def send(self, origin, make, deadline, *, direct=False, limit=RESPONSE, **timeouts):
        request = make()
        if not isinstance(request.body, bytes):
            pieces = [piece async for piece in request.body.chunks()]
            request = request.replace(body=b"".join(pieces))
        sent = Sent(origin, request, deadline, self.right_time(), self.elapsed, limit, **timeouts)
        self.sent.append(sent)
        left = float("inf") if deadline is None else max(0.001, deadline - self.monotonic())
        self.elapsed += min(self.latency, left)
        if self.latency > left:
            raise dropped("ReadTimeout")
        answer = self._answers
        if not isinstance(answer, Callable):
            assert answer, f"one request more than the script has: {sent.url}"
            answer = answer.popleft()
        if isinstance(answer, Callable):
            answer = answer(self, sent)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def left(self):
        """The number of unused responses."""
        return len(self._answers)


class FakeS3:
    """A fake S3 that `ScriptedIO` calls for each request.

    Objects appear at set times, and faults last from one time to another.

    Args:
        listing: Whether the credentials allow ``s3:ListBucket``.  If not, the response for a
            missing key is a 403.
    """

    def __init__(self, listing=True):
        self._missing = NO_SUCH_KEY if listing else ACCESS_DENIED
        self._objects = {}
        self._faults = []

    def put(self, location, body=b"output", *, at=0.0, headers=(), written=None):
        """Create an object that appears *at* seconds after the start.

        Its Last-Modified is *written* seconds after the start, by default *at* seconds.
        """
        modified = START + timedelta(seconds=at if written is None else written)
        headers = [("Last-Modified", format_datetime(modified, usegmt=True)), *headers]
        self._objects.setdefault(location, []).append((at, Response(200, headers, body)))
        return self

    def respond(self, answer, since=0.0, until=float("inf"), location=None):
        """Respond with *answer* while the elapsed time is at least *since*, and less than *until*.

        If *location* is None, this applies to requests for any location.
        """
        self._faults.append((since, until, location, answer))
        return self

    def __call__(self, io, sent):
        bucket = sent.origin.removeprefix("https://").partition(".s3.")[0]
        location = f"s3://{bucket}{sent.request.path}"
        for since, until, place, answer in self._faults:
            if since <= sent.elapsed < until and place in {None, location}:
                return answer(io, sent) if isinstance(answer, Callable) else answer
        there = [found for at, found in self._objects.get(location, []) if at <= sent.elapsed]
        return there[-1] if there else self._missing


def s3_error(status, code, message="", headers=()):
    """Return an error response in S3's format."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(status, [("x-amz-request-id", "S3ID"), *headers], body.encode())


NO_SUCH_KEY = s3_error(404, "NoSuchKey", "The specified key does not exist.")
ACCESS_DENIED = s3_error(403, "AccessDenied", "Access Denied")


def hang(io, sent):
    """Accept the request and do not respond, so that the transport times out at the deadline or
    after a minute.
    """
    left = 60.0 if sent.deadline is None else sent.deadline - io.monotonic()
    io.elapsed += max(0.001, min(60.0, left))
    return dropped("ReadTimeout")


def dropped(message="ReadError", *, accepted=True, retryable=True):
    """Return the TransportError of a request that got no response."""
    error = TransportError(message)
    error.possibly_accepted = accepted
    error.retryable = retryable
    return error


def accepted(body=b'{"InferenceId":"theirs"}', status=202, **headers):
    """Return a successful response of InvokeEndpointAsync."""
    known = {
        "x-amzn-sagemaker-outputlocation": "s3://bucket/out/1.out",
        "x-amzn-sagemaker-failurelocation": "s3://bucket/err/1-error.out",
        "x-amzn-requestid": "R1",
    }
    return Response(status, known | headers, body)


def core(io, credentials=CREDENTIALS, **arguments):
    """Return a `Core` over *io* with a region, *credentials*, and the settings in *arguments*."""
    if not isinstance(credentials, Credentials):
        credentials = as_provider(credentials)
    return make_core(io, {"region": REGION, **arguments}, credentials)


def make_core(io, arguments, credentials):
    """Return a `Core` over *io* with the settings in *arguments*.

    If *credentials* is None, the default chain is used.
    """
    return Core(io, partial(open_session, io, lambda _config: io, arguments, credentials))


__all__ = [
    "ACCESS_DENIED",
    "CREDENTIALS",
    "NO_SUCH_KEY",
    "REGION",
    "START",
    "FakeS3",
    "ScriptedIO",
    "Sent",
    "accepted",
    "core",
    "dropped",
    "hang",
    "make_core",
    "run",
    "s3_error",
]
