"""Tests of clients that `with_options` returns: what they change, and what they share."""

import gc
from threading import Event

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ClientOptions,
    Response,
    SageMakerRuntimeClient,
    ServiceError,
    Settings,
    TransportError,
)
from tests.runtime_client.clients import opened, pointed_at, settings
from tests.runtime_client.loopback import Loopback, response
from tests.runtime_client.scripted_io import ScriptedIO, accepted, core, run, s3_error

CLIENTS = (SageMakerRuntimeClient, AsyncSageMakerRuntimeClient)
OK = Response(200, {}, b"")
ERROR = Response(500, {}, b"{}")
LOCATION = "s3://bucket/key"
DEFAULTS = sorted(ClientOptions.__optional_keys__ - Settings.__optional_keys__)

# For each operation that sends one request: its positional arguments, its keyword arguments, and
# the read timeout that it needs.
OPERATIONS = {
    "invoke_endpoint_async": (("e",), {"body": b"x"}, 60.0),
    "submit": (("e", b"x"), {}, 60.0),
    "invoke_endpoint": (("e", b"x"), {}, 70.0),
    "invoke_inference_router": (("r", "t", b"x"), {}, 170.0),
    "invoke_inference_router_async": (("r", "t"), {"input_location": LOCATION}, 60.0),
    "put_object": ((LOCATION, b"x"), {}, 60.0),
    "get_object": ((LOCATION,), {}, 60.0),
    "head_object": ((LOCATION,), {}, 60.0),
}
each_operation = pytest.mark.parametrize("name", OPERATIONS)
each_call = pytest.mark.parametrize("name", [*OPERATIONS][:5])


def call(client, name, **more):
    """Call an operation of a `Core`, and return its result."""
    positional, named, _ = OPERATIONS[name]
    return run(getattr(client, name)(*positional, **named, **more))


class TestSettings:
    @each_operation
    def test_time_limits(self, name):
        """The time limits that are passed to `with_options` apply to every operation of the new
        client, and the original client keeps its own time limits.
        """
        io = ScriptedIO(lambda *_: OK)
        client = core(io)
        derived = client.with_options(timeout=5, connect_timeout=1, read_timeout=2)
        for each in (derived, client):
            call(each, name)
        limits = [(sent.deadline, sent.connect_timeout, sent.read_timeout) for sent in io.sent]
        assert limits == [(1005.0, 1.0, 2.0), (None, 10.0, OPERATIONS[name][2])]

    @each_operation
    def test_timeout_of_a_call(self, name):
        """The argument `timeout` of an operation takes precedence over the client's timeout."""
        io = ScriptedIO([OK])
        call(core(io, timeout=9).with_options(timeout=5), name, timeout=7)
        assert io.sent[0].deadline == 1007.0

    @each_operation
    def test_inherited_time_limits(self, name):
        """If a time limit is None or is not passed to `with_options`, the original client's time
        limit applies.
        """
        io = ScriptedIO([OK])
        client = core(io, timeout=9, connect_timeout=8, read_timeout=7)
        call(client.with_options(timeout=None, max_attempts=1), name)
        sent = io.sent[0]
        assert (sent.deadline, sent.connect_timeout, sent.read_timeout) == (1009.0, 8.0, 7.0)

    @each_operation
    def test_longer_read_timeouts(self, name):
        """If `with_options` does not set the read timeout, each operation keeps the read timeout
        that it needs.
        """
        io = ScriptedIO([OK])
        call(core(io).with_options(timeout=900, connect_timeout=1), name)
        assert io.sent[0].read_timeout == OPERATIONS[name][2]

    def test_max_attempts(self):
        """The option `max_attempts` applies to the new client, but not to the original client."""
        io = ScriptedIO(lambda *_: ERROR)
        client = core(io)
        found = []
        for each in (client, client.with_options(max_attempts=5)):
            with pytest.raises(ServiceError) as caught:
                call(each, "get_object")
            found.append(caught.value.attempts)
        assert found == [3, 5]

    def test_retry_ambiguous(self):
        """With ``retry_ambiguous=False``, the new client does not retry an attempt that the service
        may have accepted.
        """
        io = ScriptedIO([ERROR])
        with pytest.raises(ServiceError) as caught:
            call(core(io).with_options(retry_ambiguous=False), "invoke_endpoint_async")
        assert (caught.value.attempts, caught.value.possibly_accepted) == (1, True)

    def test_app_id(self):
        """The User-Agent header of each request contains the `app_id` of the client that sends the
        request.
        """
        io = ScriptedIO([OK, OK])
        client = core(io, app_id="one")
        call(client.with_options(app_id="two"), "get_object")
        call(client, "get_object")
        agents = [sent.header("user-agent").rpartition(" ")[2] for sent in io.sent]
        assert agents == ["app/two", "app/one"]

    def test_checksums(self):
        """The checksum options of the new client apply to its uploads and downloads, but not to
        those of the original client.
        """
        io = ScriptedIO([OK] * 4)
        client = core(io)
        derived = client.with_options(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        for each in (client, derived):
            call(each, "put_object")
            call(each, "get_object")
        names = [{name for name, _ in sent.request.headers} for sent in io.sent]
        found = [any("checksum" in name for name in each) for each in names]
        assert found == [True, True, False, False]

    def test_derived_twice(self):
        """A client that is derived from a derived client has the options of both.

        An option that is None changes nothing.
        """
        io = ScriptedIO([OK])
        client = core(io).with_options(timeout=5, read_timeout=2, content_type="a/b", accept="c/d")
        derived = client.with_options(timeout=6, accept="e/f", content_type=None)
        call(derived, "invoke_endpoint")
        (sent,) = io.sent
        assert (sent.deadline, sent.read_timeout) == (1006.0, 2.0)
        assert (named(sent)["Content-Type"], named(sent)["Accept"]) == ("a/b", "e/f")

    def test_no_chain(self):
        """After 2,000 successive derivations, the last client refers to the original client, not to
        its predecessor.
        """
        io = ScriptedIO([OK])
        client = derived = core(io)
        for number in range(2000):
            derived = derived.with_options(timeout=number + 1)
        assert derived._owner is client
        call(derived, "get_object")
        assert io.sent[0].deadline == 3000.0


VALUES = {
    "content_type": ("text/csv", "Content-Type"),
    "accept": ("text/html", "Accept"),
    "custom_attributes": ("trace=1", "Custom-Attributes"),
    "s3_output_path_extension": ("a/b", "S3OutputPathExtension"),
    "request_ttl_seconds": (60, "RequestTTLSeconds"),
    "invocation_timeout_seconds": (9, "InvocationTimeoutSeconds"),
}


def named(sent):
    """Return the headers of a request, without the prefix ``X-Amzn-SageMaker-`` in their names."""
    headers = sent.request.headers
    return {name.removeprefix("X-Amzn-SageMaker-"): value for name, value in headers}


class TestDefaults:
    def test_all(self):
        """The table `VALUES` contains every argument for which `with_options` can set a default."""
        assert sorted(VALUES) == DEFAULTS

    @each_call
    def test_defaults(self, name):
        """Each operation uses the defaults for the arguments that it accepts, and the original
        client has no defaults.
        """
        io = ScriptedIO([accepted(), accepted()])
        client = core(io)
        defaults = {argument: value for argument, (value, _) in VALUES.items()}
        for each in (client.with_options(**defaults), client):
            call(each, name)
        queues = name not in {"invoke_endpoint", "invoke_inference_router"}
        common = {"content_type", "accept", "custom_attributes"}
        expected = {
            header: str(value)
            for argument, (value, header) in VALUES.items()
            if queues or argument in common
        }
        names = {header for _, header in VALUES.values()}
        sent = [
            {key: value for key, value in named(each).items() if key in names} for each in io.sent
        ]
        assert sent == [expected, {}]

    @each_call
    def test_arguments(self, name):
        """An argument that is passed to an operation takes precedence over the default unless it is
        None.
        """
        io = ScriptedIO([accepted(), accepted()])
        client = core(io).with_options(content_type="text/csv")
        for value in ("text/html", None):
            call(client, name, content_type=value)
        types = [named(sent)["Content-Type"] for sent in io.sent]
        assert types == ["text/html", "text/csv"]

    def test_upload(self):
        """`submit` uploads a payload with the default content type, but `put_object` ignores that
        default.
        """
        io = ScriptedIO([OK, accepted(), OK])
        client = core(io).with_options(content_type="text/csv")
        run(client.submit("e", b"x", inline=False, input_prefix="s3://bucket/in/"))
        call(client, "put_object")
        assert [io.sent[number].header("content-type") for number in (0, 2)] == ["text/csv", None]

    def test_secrets(self):
        """If the service repeats the default custom attributes, the error does not contain them."""
        io = ScriptedIO([Response(400, {}, b'{"message":"bad canary-secret"}')])
        with pytest.raises(ServiceError) as caught:
            call(core(io).with_options(custom_attributes="canary-secret"), "invoke_endpoint")
        assert caught.value.message == "bad ..."


class TestShared:
    @pytest.mark.parametrize("derived_first", [False, True])
    @pytest.mark.parametrize("name", ["get_object", "submit", "invoke_inference_router_async"])
    def test_quota(self, name, derived_first):
        """The original client and the derived client share one retry quota for each service."""
        io = ScriptedIO(lambda *_: ERROR)
        client = core(io, max_attempts=36)
        clients = [client, client.with_options(timeout=100_000)]
        found = []
        for each in reversed(clients) if derived_first else clients:
            with pytest.raises(ServiceError) as caught:
                call(each, name)
            found.append((caught.value.attempts, getattr(caught.value, "__notes__", [])))
        note = "not retried: this client has used up its retry quota"
        assert [attempts for attempts, _ in found] == [36, 1]
        assert note in found[1][1]

    def test_new_generation(self):
        """After a fork, the original client and the derived client share one new retry quota."""
        io = ScriptedIO(lambda *_: ERROR)
        client = core(io, max_attempts=36)
        derived = client.with_options(timeout=100_000)
        found = []
        for each, io.life in ((client, 1), (derived, 1), (derived, 2), (client, 2)):
            with pytest.raises(ServiceError) as caught:
                call(each, "get_object")
            found.append(caught.value.attempts)
        assert found == [36, 1, 36, 1]

    def test_rate_limiter(self):
        """In the adaptive mode, throttling of one client slows down the other one."""
        throttled = Response(429, {"x-amzn-errortype": "ThrottlingException"}, b"{}")
        io = ScriptedIO([throttled, *[OK] * 20])
        client = core(io, retry_mode="adaptive", max_attempts=1)
        with pytest.raises(ServiceError):
            call(client, "get_object")
        assert io.slept == []
        derived = client.with_options(timeout=1000)
        for _ in range(20):
            call(derived, "get_object")
        assert io.slept != []

    def test_clock(self):
        """If one client corrects its clock, the correction also applies to the other client."""

        def answer(io, sent):
            skewed = abs((io.now() - io.right_time()).total_seconds()) > 300
            date = sent.header("x-amz-date")
            right = f"{io.right_time():%Y%m%dT%H%M%SZ}"
            if skewed and date != right:
                headers = {"date": f"{io.right_time():%a, %d %b %Y %H:%M:%S GMT}"}
                code = {"x-amzn-errortype": "InvalidSignatureException"}
                return Response(403, {**headers, **code}, b"{}")
            return accepted()

        io = ScriptedIO(answer, clock_error=-3600)
        client = core(io)
        derived = client.with_options(timeout=60)
        attempts = [call(each, "submit").attempts for each in (derived, client, derived)]
        assert attempts == [2, 1, 1]

    def test_credentials(self):
        """The original client and the derived client share one credentials provider and one
        transport.
        """
        io = ScriptedIO([OK, OK])
        io.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
        client = core(io)
        derived = client.with_options(timeout=60)
        for each in (derived, client):
            call(each, "get_object")
        sessions = [each._session.value for each in (derived, client)]
        assert sessions[0]._auth is sessions[1]._auth
        assert sessions[0].transport is sessions[1].transport

    def test_files(self):
        """The shared files are read once, for both clients."""
        io = ScriptedIO([OK, OK])
        client = core(io)
        call(client.with_options(timeout=60), "get_object")
        read = list(io.read)
        call(client, "get_object")
        assert io.read == read

    def test_bucket_region(self):
        """After one client has found the region of a bucket, both clients use that region."""
        moved = s3_error(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "us-east-2")])
        io = ScriptedIO([moved, OK, OK])
        client = core(io)
        for each in (client.with_options(timeout=60), client):
            call(each, "get_object")
        regions = [sent.origin.split(".")[2] for sent in io.sent]
        assert regions == ["eu-west-1", "us-east-2", "us-east-2"]

    @pytest.mark.parametrize("class_", CLIENTS)
    def test_no_cycle(self, class_):
        """A derived client is freed without the garbage collector as soon as nothing refers to it."""
        client = class_(region="eu-west-1")
        client.with_options()
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                client.with_options(timeout=5)
            assert gc.collect() == 0
        finally:
            gc.enable()


def close(client):
    """Close a client through its driver."""
    (client.aclose if client.driver.kind.is_async else client.close)()


def derive(client, **options):
    """Return a driven client that is derived from *client* with other options."""
    return type(client)(client.driver, client.itself.with_options(**options))


class TestConnections:
    def test_shared(self, driver):
        """The original client and the derived client use one connection, even with a user-supplied
        HTTP client.
        """
        with Loopback(lambda *_: response(b"x")) as server:
            client = driver.client(**pointed_at(server))
            for each in (client, derive(client, timeout=60), client, derive(client)):
                assert each.get_object(LOCATION).body == b"x"
        assert [request.connection for request in server.requests] == [0] * 4

    def test_closing_the_derived_client(self, plain_driver):
        """Closing a derived client does not close the shared connection."""
        with Loopback(lambda *_: response(b"x")) as server:
            client = plain_driver.client(**pointed_at(server))
            derived = derive(client, timeout=60)
            for each in (derived, client, derived):
                each.get_object(LOCATION)
                close(derived)
        assert [request.connection for request in server.requests] == [0] * 3

    def test_context(self, plain_driver, emulator):
        """Leaving the ``with`` statement of a derived client does not close the shared connection."""
        client = plain_driver.client(**settings(emulator)).itself

        async def awaited():
            async with client.with_options(timeout=60) as entered:
                await entered.put_object(LOCATION, b"")

        def blocking():
            with client.with_options(timeout=60) as entered:
                entered.put_object(LOCATION, b"")

        plain_driver.call(awaited if plain_driver.kind.is_async else blocking)
        assert opened(client) == 1

    @pytest.mark.parametrize("is_used", [False, True], ids=["before a call", "after a call"])
    def test_closing_the_original(self, plain_driver, is_used):
        """After the original client has been closed, both clients open a new connection for each
        request.
        """
        with Loopback(lambda *_: response(b"x")) as server:
            client = plain_driver.client(**pointed_at(server))
            derived = derive(client, timeout=60)
            if is_used:
                derived.get_object(LOCATION)
            close(client)
            for each in (derived, client, derived):
                each.get_object(LOCATION)
        connections = [request.connection for request in server.requests]
        assert connections == list(range(len(connections)))
        assert len(connections) == 3 + is_used

    def test_read_timeout(self, plain_driver):
        """A read timeout of a derived client ends its call, but not a call of the original client."""
        is_over = Event()

        def answer(_request, _connection):
            if not is_over.is_set():
                is_over.wait(10)
                return b""
            return response(b"x")

        with Loopback(answer) as server:
            client = plain_driver.client(**pointed_at(server))
            with pytest.raises(TransportError, match="ReadTimeout"):
                derive(client, read_timeout=0.05).get_object(LOCATION)
            is_over.set()
            assert client.get_object(LOCATION).body == b"x"
