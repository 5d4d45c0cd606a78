"""Tests of a call's timeout.

They test what the timeout includes, that it ends a call even if the server never finishes its
response, and its effect on a credential refresh.
"""

from contextlib import suppress
from threading import Event

import anyio
import anyio.lowlevel
import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    CredentialProviderError,
    Invocation,
    ParamValidationError,
    Response,
    RuntimeClientError,
    TransportError,
    WaitTimeoutError,
)
from tests.runtime_client.clients import KINDS, often
from tests.runtime_client.loopback import Loopback, response
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    NO_SUCH_KEY,
    REGION,
    ScriptedIO,
    accepted,
    core,
    run,
)

LARGE = b"x" * 128_001
STORED = Response(200, {"content-length": "1"})
UPLOADED = {"input_prefix": "s3://bucket/in/"}
CALLS = {
    "invoke": lambda client, **more: client.invoke_endpoint_async("e", body=b"x", **more),
    "submit": lambda client, **more: client.submit("e", LARGE, **UPLOADED, **more),
    "model": lambda client, **more: client.invoke_endpoint("e", b"x", **more),
    "router": lambda client, **more: client.invoke_inference_router("r", "t", b"x", **more),
    "job of a router": lambda client, **more: client.invoke_inference_router_async(
        "r", "t", input_location="s3://bucket/key", **more
    ),
    "put": lambda client, **more: client.put_object("s3://bucket/key", b"x", **more),
    "get": lambda client, **more: client.get_object("s3://bucket/key", **more),
    "head": lambda client, **more: client.head_object("s3://bucket/key", **more),
}


def both_services(_io, sent):
    """Respond as SageMaker or as S3, where a job's output and error objects do not exist."""
    if ".s3." not in sent.origin:
        return accepted()
    return NO_SUCH_KEY if "/out/" in sent.url or "/err/" in sent.url else STORED


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Use an environment without this machine's AWS settings."""


# ---- what the timeout includes


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("of_client", "of_call", "deadline"),
    [(None, None, None), (None, 5, 1005), (30, None, 1030), (30, 5, 1005), (5, 30.5, 1030.5)],
)
def test_deadline(call, of_client, of_call, deadline):
    """All requests of a call have the same deadline, which results from the call's timeout or, if
    the call has no timeout, from the client's timeout. Without either timeout, there is no
    deadline.
    """
    io = ScriptedIO(both_services, latency=1.0)
    given = {} if of_call is None else {"timeout": of_call}
    run(call(core(io, timeout=of_client), **given))
    assert {sent.deadline for sent in io.sent} == {deadline}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_retries_are_included(call):
    """A call's timeout includes all attempts and the pauses between them."""
    io = ScriptedIO(lambda *_: Response(429, ()), latency=1.0, random=1.0)
    with pytest.raises(RuntimeClientError) as caught:
        run(call(core(io, max_attempts=50), timeout=8))
    assert (caught.value.attempts, io.slept) == (3, [1.0, 2.0])
    assert io.elapsed == 6.0


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_slow_credentials_provider(call):
    """If the credentials provider uses up the timeout, the call ends before anything is sent."""
    io = ScriptedIO([])

    def slow():
        io.elapsed += 7.0
        return CREDENTIALS

    with pytest.raises(TransportError, match="timeout elapsed before") as caught:
        run(call(core(io, slow), timeout=7))
    assert (caught.value.possibly_accepted, io.sent) == (False, [])


def test_upload_that_uses_up_the_time():
    """If the upload uses up the timeout of `submit` or `infer`, no job is queued."""
    for operation in ("submit", "infer"):
        io = ScriptedIO(both_services, latency=5.0)
        with pytest.raises(TransportError) as caught:
            run(getattr(core(io), operation)("e", LARGE, timeout=5, **UPLOADED))
        assert ([sent.request.method for sent in io.sent], io.elapsed) == (["PUT"], 5.0)
        assert caught.value.invocation is None


def test_infer_has_one_timeout():
    """In `infer`, the upload, the job request and the wait share one timeout.

    Only the requests of the final poll may be sent after the timeout.
    """
    io = ScriptedIO(both_services, latency=1.0)
    with pytest.raises(WaitTimeoutError) as caught:
        run(core(io).infer("e", LARGE, timeout=10, **UPLOADED))
    assert caught.value.invocation.inference_id == "theirs"
    assert {sent.deadline for sent in io.sent if sent.elapsed < 10} == {1010.0}
    assert 10.0 <= io.elapsed < 11.1


def test_infer_whose_job_uses_up_the_time():
    """If the upload and the job request use up the timeout of `infer`, the wait consists only of
    the final poll, and the error contains the job's handle.
    """
    io = ScriptedIO(both_services, latency=2.5)
    with pytest.raises(WaitTimeoutError) as caught:
        run(core(io).infer("e", LARGE, timeout=5, **UPLOADED))
    assert caught.value.invocation.output_location
    assert 5.0 <= io.elapsed < 6.1


def test_job_that_may_be_queued():
    """If the timeout elapses after a job request was sent but before the response, the error
    contains the inference ID of the job that may be queued.
    """
    io = ScriptedIO(both_services, latency=9.0)
    with pytest.raises(TransportError) as caught:
        run(core(io).invoke_endpoint_async("e", body=b"x", inference_id="mine", timeout=2))
    assert (caught.value.possibly_accepted, caught.value.inference_id) == (True, "mine")
    assert io.elapsed == 2.0


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", b""], ids=repr)
@pytest.mark.parametrize(
    "call",
    [*CALLS.values(), lambda client, **more: client.infer("e", b"x", **more)],
    ids=[*CALLS, "infer"],
)
def test_invalid_timeout(call, timeout):
    """If a call's timeout is invalid, the call raises a ParamValidationError before anything is
    sent.
    """
    io = ScriptedIO([])
    with pytest.raises(ParamValidationError) as caught:
        run(call(core(io), timeout=timeout))
    assert caught.value.argument == "timeout"


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), "5"], ids=repr)
def test_invalid_timeout_setting(timeout):
    """If a client is created with an invalid timeout, its first call raises a ConfigError."""
    with pytest.raises(ConfigError, match="timeout must be"):
        run(core(ScriptedIO([]), timeout=timeout).head_object("s3://bucket/key"))


# ---- servers that never finish

DRIPS = {
    "single bytes": (b"HTTP/1.1 202 OK\r\nx-slow: ", [b"x"]),
    "informational heads": (b"", [b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"]),
    "header lines": (b"HTTP/1.1 202 OK\r\n", [b"x-a: 1\r\n"]),
    "the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", [b"x"]),
    "a chunk's head": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9;",
        [b"x"],
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        [b"x-a: 1\r\n"],
    ),
}
# These are the cases in which a call ends at its timeout: all combinations, except that a
# user-supplied blocking HTTP client ends on time only if the body is slow.
ENDING = [
    pytest.param(kind, drip, id=f"{kind_name}, {drip_name}")
    for kind_name, kind in KINDS.items()
    for drip_name, drip in DRIPS.items()
    if kind.is_async or kind.library is None or drip_name == "the body"
]


class Dripping:
    """A server that sends the beginning of a response, and then repeats the same pieces until the
    test stops the server.
    """

    def __init__(self, beginning, pieces, pace=0.02):
        self.stop = Event()
        self._beginning, self._pieces, self._pace = beginning, pieces, pace

    def __call__(self, _request, connection):
        with suppress(OSError):
            connection.sendall(self._beginning)
            while not self.stop.wait(self._pace):
                connection.sendall(b"".join(self._pieces))
        return b""


def pointed_at(server, **changes):
    """Return client arguments that make a test server the endpoint of SageMaker and S3."""
    return {
        "region": REGION,
        "credentials": CREDENTIALS,
        "endpoint_url": server.url,
        "router_endpoint_url": server.url,
        "s3_endpoint_url": server.url,
        "max_attempts": 1,
        **changes,
    }


@pytest.mark.parametrize(("driver", "drip"), ENDING, indirect=["driver"])
def test_server_that_drips(driver, drip):
    """A call ends at its timeout even if data keeps arriving, and the error's attributes show that
    the request was sent.
    """
    dripping = Dripping(*drip)
    with Loopback(dripping) as server:
        client = driver.client(**pointed_at(server))
        try:
            for timeout in (0.1, 1.0, 10.0):
                with pytest.raises(TransportError) as caught:
                    client.put_object("s3://bucket/key", b"x", timeout=timeout)
                was_sent = caught.value.possibly_accepted or caught.value.status_code == 200
                if (
                    was_sent
                ):  # on a busy machine, a short timeout may elapse before the request is sent
                    break
        finally:
            dripping.stop.set()
    assert was_sent


@pytest.mark.parametrize(("driver", "drip"), ENDING, indirect=["driver"])
def test_server_that_drips_without_a_timeout(driver, drip):
    """If no timeout is set, the read timeout still limits the total time for the head of a response
    and for a small body.
    """
    dripping = Dripping(*drip)
    with Loopback(dripping) as server:
        client = driver.client(**pointed_at(server, read_timeout=0.1, connect_timeout=0.1))
        try:
            with pytest.raises(TransportError):
                client.put_object("s3://bucket/key", b"x")
        finally:
            dripping.stop.set()


@pytest.mark.parametrize("name", ["model", "router", "job of a router"])
def test_slow_head_of_each_operation(plain_driver, name):
    """A call of a model or a router ends at its timeout.

    The error shows that the model may have run or that the job may be queued.
    """
    dripping = Dripping(*DRIPS["informational heads"])
    with Loopback(dripping) as server:
        client = plain_driver.client(**pointed_at(server))
        try:
            with pytest.raises(TransportError) as caught:
                CALLS[name](client, timeout=0.5)
        finally:
            dripping.stop.set()
    assert caught.value.possibly_accepted
    assert (caught.value.inference_id is not None) == (name == "job of a router")


@pytest.mark.parametrize("drip", ["informational heads", "header lines"])
def test_endless_head(plain_driver, drip):
    """If an endless response head arrives quickly, the call fails once the head is too large."""
    beginning, pieces = DRIPS[drip]
    flooding = Dripping(beginning, pieces * 1000, pace=0)
    with Loopback(flooding) as server:
        client = plain_driver.client(**pointed_at(server))
        try:
            with pytest.raises(TransportError, match="RemoteProtocolError"):
                client.invoke_endpoint_async("e", body=b"x")
        finally:
            flooding.stop.set()


def test_slow_object(plain_driver):
    """The read timeout applies to each piece of an object, so fetching the object may take longer
    than the read timeout in total.
    """
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", *[b"x"] * 6]

    def answer(_request, connection):
        for piece in pieces:
            connection.sendall(piece)
            Event().wait(0.1)

    with Loopback(answer) as server:
        client = plain_driver.client(**pointed_at(server, read_timeout=0.4))
        assert client.get_object("s3://bucket/key").body == b"xxxxxx"


def test_server_that_reads_nothing(plain_driver):
    """If the server reads an upload only very slowly, the call still ends at its timeout."""
    stop = Event()

    def listen_slowly(_request, connection):
        while not stop.wait(0.02) and connection.recv(60_000):
            pass
        return b""

    with Loopback(listen_slowly, buffered=False) as server:
        client = plain_driver.client(**pointed_at(server, read_timeout=20))
        try:
            with pytest.raises(TransportError):
                client.put_object("s3://bucket/key", bytes(1 << 26), timeout=0.5)
        finally:
            stop.set()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls_that_wait_for_a_connection(backend):
    """If all connections are in use until a call's timeout elapses, the error's `possibly_accepted`
    attribute is false, because the request was not sent.
    """
    stop, errors = Event(), []

    async def infer(client):
        try:
            await client.infer("e", b"x", timeout=0.5, schedule=often)
        except TransportError as error:
            errors.append(error)

    async def main(url):
        options = {"region": REGION, "credentials": CREDENTIALS, "endpoint_url": url}
        async with AsyncSageMakerRuntimeClient(**options, max_connections=2) as client:
            with suppress(TransportError):  # the first call loads the settings and imports modules
                await client.invoke_endpoint_async("e", body=b"x", timeout=0.01)
            async with anyio.create_task_group() as tasks:
                for _ in range(40):
                    tasks.start_soon(infer, client)
            stop.set()

    with Loopback(lambda *_: stop.wait(30) and b"") as server:
        anyio.run(main, server.url, backend=backend)
    assert len(errors) == 40
    assert 30 < len([error for error in errors if not error.possibly_accepted]) < 40


# ---- slow credentials in an event loop


class Keys:
    """A container credentials endpoint that does not respond until the test allows it."""

    BODY = b'{"AccessKeyId": "AKID", "SecretAccessKey": "canary-secret", "Token": "canary-token"}'

    def __init__(self):
        self.release = Event()

    def __call__(self, _request, _connection):
        self.release.wait(30)
        return response(self.BODY)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_shared_refresh(bare_environment, backend):
    """If a call's timeout elapses during a credential refresh, the call ends, but the refresh
    continues for the other calls that wait for it.
    """
    keys, found, errors = Keys(), [], []

    async def main(url):
        async with AsyncSageMakerRuntimeClient(region=REGION, s3_endpoint_url=url) as client:

            async def patient():
                found.append(await client.head_object("s3://bucket/key"))

            async def hasty():
                with pytest.raises(
                    TransportError, match="before credentials were available"
                ) as caught:
                    await client.head_object("s3://bucket/key", timeout=0.1)
                errors.append(caught.value)
                if len(errors) == 3:
                    keys.release.set()

            async with anyio.create_task_group() as tasks:
                for function in (patient, hasty, hasty, hasty):
                    tasks.start_soon(function)

    with Loopback(keys) as source, Loopback(lambda *_: response()) as s3:
        bare_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{source.url}/keys")
        anyio.run(main, s3.url, backend=backend)
        assert len(source.requests) == 1
    assert [one.location for one in found] == ["s3://bucket/key"]
    for error in errors:
        assert (
            error.retryable, error.possibly_accepted, error.status_code,
        ) == (True, False, None)  # fmt: skip


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("fails", [False, True], ids=["keys", "an error"])
def test_refresh_that_a_call_has_started(bare_environment, backend, fails):
    """A credential refresh continues after the timeout of the call that started it.

    The next call uses the new credentials or raises the provider's error.
    """
    keys = Keys()

    def answer(request, connection):
        data = keys(request, connection)
        return response(b"{}", 400) if fails else data

    async def main(url):
        async with AsyncSageMakerRuntimeClient(region=REGION, s3_endpoint_url=url) as client:
            with pytest.raises(TransportError, match="before credentials were available"):
                await client.head_object("s3://bucket/key", timeout=0.3)
            keys.release.set()
            if fails:
                with pytest.raises(CredentialProviderError):
                    await client.head_object("s3://bucket/key")
            else:
                assert await client.head_object("s3://bucket/key", timeout=30)
                assert await client.head_object("s3://bucket/key", timeout=30)

    with Loopback(answer) as source, Loopback(lambda *_: response()) as s3:
        bare_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{source.url}/keys")
        anyio.run(main, s3.url, backend=backend)
        assert fails or len(source.requests) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_during_a_refresh(backend):
    """If a call is cancelled, and no other call waits for the credential refresh that it started,
    the refresh is cancelled as well.
    """
    ended = []

    async def source():
        try:
            await anyio.sleep(60)
        finally:
            ended.append(True)

    async def main():
        async with AsyncSageMakerRuntimeClient(region=REGION, credentials=source) as client:
            with anyio.move_on_after(0.1):
                await client.head_object("s3://bucket/key", timeout=60)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            return list(ended)

    assert anyio.run(main, backend=backend) == [True]


def test_final_poll_after_slow_credentials(plain_driver):
    """The final poll of a wait has its full time even if loading the credentials has used up the
    timeout.
    """
    with Loopback(lambda *_: response(b"x")) as server:

        def slow():
            Event().wait(0.2)
            return CREDENTIALS

        client = plain_driver.client(**pointed_at(server, credentials=slow))
        assert client.wait(Invocation("id", "s3://bucket/out"), timeout=0).body == b"x"
