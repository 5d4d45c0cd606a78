"""The only place that knows httpx: what it sends, what it makes of failures, time limits, TLS, proxies."""

import asyncio
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from threading import Barrier, Event
from time import monotonic, sleep
from urllib.parse import quote, unquote_to_bytes

import anyio
import pytest
from cryptography import x509

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    RuntimeClientError,
    SageMakerRuntimeClient,
    ServiceError,
    TransportError,
    WaitTimeoutError,
)
from sagemaker_runtime_client._inference.invocation import Invocation
from sagemaker_runtime_client._io.message import Request
from sagemaker_runtime_client._io.tls import _amazon_context, _context, tls_context
from sagemaker_runtime_client._limits import ERROR
from tests.runtime_client.faces import (
    CREDENTIALS,
    KINDS,
    REGION,
    Driver,
    Kind,
    often,
    pointed_at,
    settings,
    unread_body,
)
from tests.runtime_client.loopback import Loopback, always, certify, response

KEYS = {
    "every character to U+00FF": "".join(map(chr, range(256))),
    "dots inside": "a/../b",
    "dot in front": "./x",
    "dots in front": "../x",
    "dots behind": "x/..",
    "nothing but a dot": ".",
    "two slashes": "//x",
    "slashes inside and behind": "a///b//",
    "encoded slash": "a%2Fb%2f%zz%",
    "encoded dots": "%2E%2E/x",
    "unicode": "ü/€/𝄞/e\u0301",
    "question and fragment": "a?b=c&d#e",
    "brackets": '[a]{b}|^`\\"<>',
    "bare in httpx": "'()*!$&,;=:@+ ~",
    "like an address": "http://example.com:1/x",
}


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """No test here sees the machine's settings."""


class TestWhatIsSent:
    @pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
    def test_keys(self, driver, key):
        """The raw target that arrives is the key, encoded once, and what was signed."""
        with Loopback(always(b"<body/>")) as server:
            client = driver.client(**pointed_at(server))
            assert b"<body/>" == client.get_object(f"s3://bucket/{key}").body
            client.put_object(f"s3://bucket/{key}", b"content", metadata={"a": "b  c"})
        for request in server.requests:
            assert f"/bucket/{quote(key, safe='/-._~')}" == request.target
            assert f"/bucket/{key}".encode() == unquote_to_bytes(request.target)
            request.verify(CREDENTIALS, "s3", REGION)
        assert ["GET", "PUT"] == [request.method for request in server.requests]

    @pytest.mark.parametrize("name", ["a", "My-Endpoint-1", "x" * 63])
    @pytest.mark.parametrize(
        "path",
        ["", "/", "/base", "/a/../b", "/a//b", "/a%2Fb%20", "/{a}|b'()*"],
        ids=["none", "slash", "plain", "dots", "slashes", "encoded", "odd characters"],
    )
    def test_endpoints(self, plain_driver, name, path):
        """The endpoint's name and an endpoint URL's own path arrive as they were signed."""
        with Loopback(always(b"{}", 202)) as server:
            client = plain_driver.client(**pointed_at(server, endpoint_url=server.url + path))
            client.invoke_endpoint_async(name, body=b"x", custom_attributes="a  b, c")
            client.invoke_endpoint_async(name, input_location="s3://bucket/ü")
        for request in server.requests:
            expected = f"{path.rstrip('/')}/endpoints/{name}/async-invocations"
            assert expected == request.target
            request.verify(CREDENTIALS, "sagemaker", REGION)
        assert 2 == len(server.requests)

    def test_host_in_capitals(self, driver):
        """A host is signed as it is sent, whatever its case."""
        with Loopback(always(b"{}", 202)) as server:
            url = server.url.replace("127.0.0.1", "LocalHost")
            client = driver.client(**pointed_at(server, endpoint_url=url))
            client.invoke_endpoint_async("x", body=b"x")
        server.requests[0].verify(CREDENTIALS, "sagemaker", REGION)

    def test_nothing_else(self, driver):
        """The headers are ours, those of the signature, and those that HTTP needs; each once."""
        with Loopback(always(b"{}", 202)) as server:
            client = driver.client(**pointed_at(server))
            client.invoke_endpoint_async("x", body=b"x", content_type="text/csv")
        assert {
            "host",
            "content-length",
            "user-agent",
            "x-amzn-sagemaker-content-type",
            "x-amzn-sagemaker-inference-id",
            "amz-sdk-invocation-id",
            "amz-sdk-request",
            "x-amz-date",
            "x-amz-security-token",
            "authorization",
        } == {name.lower() for name, _ in server.requests[0].headers}
        assert len(server.requests[0].headers) == 10

    def test_connection_is_kept(self, driver):
        """Requests one after the other share a connection, after errors too."""
        with Loopback(
            lambda request, _: response(b"", 404 if "HEAD" in request.line else 200)
        ) as server:
            client = driver.client(**pointed_at(server))
            for _ in range(3):
                client.get_object("s3://bucket/key")
                with pytest.raises(ServiceError):
                    client.head_object("s3://bucket/key")
        assert {0} == {request.connection for request in server.requests}
        assert 6 == len(server.requests)


class TestWhatComesBack:
    def test_no_content_is_decoded(self, driver):
        """A body is what was stored, not what its content encoding would make of it."""
        with Loopback(always(b"no gzip at all", headers={"Content-Encoding": "gzip"})) as server:
            client = driver.client(**pointed_at(server))
            assert b"no gzip at all" == client.get_object("s3://bucket/key").body

    @unread_body
    def test_endless_error(self, driver):
        """An error's body is read up to a limit; the rest is left, and the connection given up."""
        with Loopback(always(b"x" * (4 * ERROR.size), 503)) as server:
            client = driver.client(**pointed_at(server))
            for _ in range(2):
                with pytest.raises(ServiceError) as caught:
                    client.invoke_endpoint_async("x", body=b"x")
        assert len(caught.value.message) <= 2048
        assert [0, 1] == [request.connection for request in server.requests]

    def test_header_of_any_bytes(self, driver):
        """A header's bytes are text in UTF-8, and what is none does no harm."""

        def answer(_request, _connection):
            return response(b"", 200, {"x-amz-meta-a": "ü"}).replace(
                b"X\r", b"X\r\nx-amz-meta-b: \xff\r"
            )

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server))
            metadata = client.get_object("s3://bucket/key").metadata
        assert {"a": "ü", "b": "\ufffd"} == metadata

    @pytest.mark.parametrize(
        "answer",
        [b"", b"HTTP/1.1 200", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
        ids=["none", "half a head", "another protocol"],
    )
    def test_no_answer(self, driver, answer):
        """What is no HTTP answer is an error of ours, and the job may be queued."""

        def once(_request, connection):
            connection.sendall(answer)

        with Loopback(once) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(
                TransportError, match=f"^RemoteProtocolError from {server.url}"
            ) as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert (True, True, 1) == (
            caught.value.may_have_been_taken,
            caught.value.retryable,
            caught.value.attempts,
        )

    def test_location_that_is_none(self, driver):
        """A redirect to no address is refused: by httpx as no answer, by httpx2 as what it is."""
        with Loopback(always(b"", 307, {"Location": "http://a:x/"})) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises((TransportError, ServiceError), match=r"Invalid URL|307"):
                client.invoke_endpoint_async("x", body=b"x")
        assert 1 == len(server.requests)

    def test_nobody_listens(self, driver):
        """A refused connection is tried again, and certainly took no job."""
        with Loopback(always()) as server:
            url = server.url
        client = driver.client(**pointed_at(server, endpoint_url=url, max_attempts=2))
        with pytest.raises(TransportError, match="ConnectError") as caught:
            client.invoke_endpoint_async("x", body=b"x")
        assert (2, False) == (caught.value.attempts, caught.value.may_have_been_taken)
        assert not hasattr(caught.value, "__notes__")

    def test_name_that_is_none(self, plain_driver):
        """A host that no resolver would be asked for is one that cannot be reached."""
        client = plain_driver.client(
            region=REGION,
            credentials=CREDENTIALS,
            endpoint_url=f"http://{'a' * 70}.example",
            max_attempts=1,
        )
        with pytest.raises(TransportError, match="ConnectError") as caught:
            client.invoke_endpoint_async("x", body=b"x")
        assert not caught.value.may_have_been_taken

    def test_dropped_while_idle(self, driver):
        """A connection that the server dropped while it was idle costs nothing but a new one."""
        gone = Event()

        def answer(_request, connection):
            connection.sendall(response(b"x"))
            gone.set()

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server, max_attempts=2))
            for _ in range(3):
                assert b"x" == client.get_object("s3://bucket/key").body
                assert gone.wait(1)
        assert [0, 1, 2] == [request.connection for request in server.requests][:3]


# What is raised before anything of a request is on the wire.
BEFORE_SENDING = {
    "ConnectError",
    "ConnectTimeout",
    "InvalidURL",
    "LocalProtocolError",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}
# What another attempt may mend.
PASSING = {
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "NetworkError",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "SSEError",
    "TimeoutException",
    "TransportError",
    "WriteError",
    "WriteTimeout",
}
WITHOUT_MESSAGE = {"RequestNotRead", "ResponseNotRead", "StreamClosed", "StreamConsumed"}


def exceptions(library):
    """Return the names of all that a library may raise."""
    module = import_module(library)
    found = [getattr(module, name) for name in module.__all__]
    return [one.__name__ for one in found if isinstance(one, type) and issubclass(one, Exception)]


def made(httpx, name):
    """Return an exception of httpx, by its name."""
    kind = getattr(httpx, name)
    if name in WITHOUT_MESSAGE:
        return kind()
    if name == "HTTPStatusError":
        return kind("why", request=httpx.Request("GET", "http://x"), response=httpx.Response(500))
    return kind("why")


def raising(httpx, error, *, in_body=False):
    """Return a transport of httpx, for either colour, that raises."""

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            raise error

        async def __aiter__(self):
            yield b"half"
            raise error

    class Raising(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, _request):
            if not in_body:
                raise error
            return httpx.Response(200, stream=Body())

        async def handle_async_request(self, request):
            return self.handle_request(request)

    return Raising()


class TestExceptions:
    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    @pytest.mark.parametrize(
        ("library", "name"),
        [
            (library, name)
            for library in ("httpx", "httpx2")
            for name in exceptions(library)
            if name != "HTTPStatusError"  # which has an answer
        ],
    )
    def test_each(self, library, name, is_async):
        """Whatever httpx raises is a TransportError that says whether a job may be queued."""
        httpx = import_module(library)
        error = self.raised(httpx, raising(httpx, made(httpx, name)), is_async)
        assert isinstance(error, TransportError)
        assert str(error).startswith(f"{name} from http://127.0.0.1:9")
        assert (name not in BEFORE_SENDING) == error.may_have_been_taken
        assert (name in PASSING) == error.retryable

    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("ReadError", "the answer broke off"),
            ("RemoteProtocolError", "the answer broke off"),
            ("ReadTimeout", "the answer broke off"),
            ("DecodingError", "DecodingError from"),
            ("StreamClosed", "StreamClosed from"),
        ],
    )
    def test_in_the_body(self, name, what, is_async):
        """What is raised while a body comes in is an error too, where the whole of it counts."""
        httpx = import_module("httpx")
        transport = raising(httpx, made(httpx, name), in_body=True)
        error = self.raised(httpx, transport, is_async)
        assert isinstance(error, TransportError)
        assert str(error).startswith(what)

    def test_without_a_message(self):
        """An exception that says nothing is known by its name."""
        httpx = import_module("httpx")
        error = self.raised(httpx, raising(httpx, httpx.ReadTimeout("")), is_async=False)
        assert "ReadTimeout from http://127.0.0.1:9" == str(error)

    def test_of_others(self):
        """What is none of httpx's is not ours to translate."""
        httpx = import_module("httpx")
        error = self.raised(httpx, raising(httpx, ZeroDivisionError()), is_async=False)
        assert ZeroDivisionError is type(error)

    @staticmethod
    def raised(httpx, transport, is_async):
        """Return what reading an object raises."""
        options = {
            "region": REGION,
            "credentials": CREDENTIALS,
            "s3_endpoint_url": "http://127.0.0.1:9",
            "max_attempts": 1,
        }

        async def awaited():
            async with httpx.AsyncClient(transport=transport, verify=False) as http_client:
                client = AsyncSageMakerRuntimeClient(http_client=http_client, **options)
                await client.get_object("s3://bucket/key")

        with pytest.raises(Exception) as caught:  # noqa: PT012 (which one is the question)
            if is_async:
                asyncio.run(awaited())
            with httpx.Client(transport=transport, verify=False) as http_client:
                client = SageMakerRuntimeClient(http_client=http_client, **options)
                client.get_object("s3://bucket/key")
        return caught.value


class TestBroughtIn:
    """A client that is brought in is borrowed."""

    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith("httpx")])
    def driver(self, request):
        with ExitStack() as stack:
            yield Driver(KINDS[request.param], stack)

    def test_only_its_connections_are_used(self, driver):
        """Its auth, headers, cookies, parameters, address and redirects are not; nor is it closed."""
        with Loopback(always(b"", 307, {"Location": "/elsewhere", "Set-Cookie": "a=b"})) as server:
            http_client = driver.http_client(
                driver.kind.library,
                auth=("user", "password"),
                headers={"x-mine": "1", "user-agent": "mine", "accept": "text/html"},
                cookies={"session": "1"},
                params={"page": "1"},
                base_url="http://127.0.0.1:9/base/",
                follow_redirects=True,
            )
            client = driver.client(**pointed_at(server), http_client=http_client)
            for _ in range(2):
                with pytest.raises(ServiceError) as caught:
                    client.get_object("s3://bucket/key")
                assert 307 == caught.value.status_code
            close = "aclose" if driver.kind.is_async else "close"
            getattr(client, close)()
            assert not http_client.is_closed
        lines = ["GET /bucket/key HTTP/1.1", "HEAD /bucket HTTP/1.1"]  # where is the bucket, then?
        assert lines * 2 == [request.line for request in server.requests]
        for request in server.requests:
            names = {name.lower() for name, _ in request.headers}
            assert not names & {"x-mine", "cookie", "accept", "accept-encoding", "connection"}
            assert request.header("user-agent").startswith("sagemaker-runtime-client/")
            assert request.header("authorization").startswith("AWS4-HMAC-SHA256 ")
            request.verify(CREDENTIALS, "s3", REGION)

    def test_a_class_of_ones_own(self, driver, emulator):
        """A class derived from theirs is as good."""
        base = getattr(
            import_module(driver.kind.library), "AsyncClient" if driver.kind.is_async else "Client"
        )
        http_client = type("Mine", (base,), {})(verify=False, trust_env=False)
        client = driver.client(**settings(emulator), http_client=http_client)
        client.put_object("s3://bucket/key", b"x")
        driver.call(http_client.aclose if driver.kind.is_async else http_client.close)
        with pytest.raises(RuntimeClientError, match="brought in is closed") as caught:
            client.get_object("s3://bucket/key")
        assert not isinstance(caught.value, TransportError)
        assert not caught.value.may_have_been_taken

    def test_time_limits(self, driver):
        """The time limits are ours."""
        with Loopback(lambda *_: Event().wait(2)) as server:
            http_client = driver.http_client(driver.kind.library, timeout=None, trust_env=False)
            client = driver.client(**pointed_at(server, read_timeout=0.05), http_client=http_client)
            with pytest.raises(TransportError, match="ReadTimeout"):
                client.get_object("s3://bucket/key")


@pytest.mark.parametrize(
    ("face", "kind"),
    [
        (SageMakerRuntimeClient, "httpx.AsyncClient"),
        (SageMakerRuntimeClient, "httpx2.AsyncClient"),
        (AsyncSageMakerRuntimeClient, "httpx.Client"),
        (AsyncSageMakerRuntimeClient, "httpx2.Client"),
        (SageMakerRuntimeClient, "http.client.HTTPConnection"),
        (AsyncSageMakerRuntimeClient, "http.client.HTTPConnection"),
    ],
)
def test_wrong_kind_of_client(face, kind):
    """A client of the other colour, or of another library, is refused at once."""
    module, _, name = kind.rpartition(".")
    wrong = object.__new__(getattr(import_module(module), name))
    wanted = "AsyncClient" if face is AsyncSageMakerRuntimeClient else "Client"
    with pytest.raises(ConfigError, match=f"must be httpx.{wanted} or httpx2.{wanted}, not {kind}"):
        face(http_client=wrong)


class TestTime:
    def test_server_that_never_answers(self, driver):
        """A server that says nothing costs the read timeout, and no more."""
        with Loopback(lambda *_: Event().wait(2)) as server:
            client = driver.client(**pointed_at(server, read_timeout=0.05))
            start = monotonic()
            with pytest.raises(TransportError, match="ReadTimeout") as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert monotonic() - start < 1
        assert caught.value.may_have_been_taken

    def test_waiting_for_a_server_that_never_answers(self, plain_driver):
        """A wait ends at its deadline, and names the trouble as its cause."""
        with Loopback(lambda *_: Event().wait(2)) as server:
            client = plain_driver.client(**pointed_at(server, read_timeout=0.05))
            invocation = Invocation("id", "s3://bucket/out")
            start = monotonic()
            with pytest.raises(WaitTimeoutError) as caught:
                client.wait(invocation, timeout=0.1, schedule=often)
        assert monotonic() - start < 1
        assert isinstance(caught.value.__cause__, TransportError)

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_credentials_are_not_cut_off(self, backend):
        """A wait's deadline cuts off no source of credentials, whose old token may be used up by then."""

        async def slow():
            await anyio.sleep(0.3)
            return CREDENTIALS

        with Loopback(always(b"x")) as server, ExitStack() as stack:
            driver = Driver(Kind(is_async=True, backend=backend), stack)
            client = driver.client(**pointed_at(server, credentials=slow))
            invocation = Invocation("id", "s3://bucket/out")
            assert b"x" == client.wait(invocation, timeout=0, schedule=often).body

    @unread_body
    def test_dribbled_body(self, driver):
        """A body that comes byte by byte ends at the deadline, in the middle; its answer is incomplete."""
        answer, seconds = self.dribbled(driver, b"HTTP/1.1 200 X\r\nContent-Length: 999\r\n\r\n")
        assert (200, False) == (answer.status, answer.complete)
        assert 0 < len(answer.body) < 999
        assert 0.09 <= seconds < 5

    def test_silence_in_a_body(self, driver):
        """A body that stops coming ends with the deadline too, before the read timeout."""
        answer, seconds = self.dribbled(
            driver, b"HTTP/1.1 200 X\r\nContent-Length: 999\r\n\r\nhalf", pace=30
        )
        assert (b"half", False) == (answer.body, answer.complete)
        assert 0.09 <= seconds < 5

    def test_body_that_comes_after_the_deadline(self, driver):
        """An output that is there at the deadline, but not all of it, is read on."""

        def answer(_request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nout")
            sleep(0.3)
            connection.sendall(b"put")

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server))
            invocation = Invocation("id", "s3://bucket/out")
            assert b"output" == client.wait(invocation, timeout=0.1, schedule=often).body

    # Nothing ends what blocks in a client that is not ours.
    @pytest.mark.parametrize(
        "driver",
        [
            pytest.param(kind, id=name)
            for name, kind in KINDS.items()
            if kind.is_async or kind.library is None
        ],
        indirect=True,
    )
    def test_dribbled_head(self, driver):
        """A wait ends in time even if a server sends the head of its answer byte by byte."""
        stop = Event()

        def answer(_request, connection):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000:
                if stop.wait(0.02):
                    return
                connection.sendall(bytes([byte]))

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server))
            start = monotonic()
            with pytest.raises(WaitTimeoutError) as caught:
                client.wait(Invocation("id", "s3://bucket/out"), timeout=0.2, schedule=often)
            seconds = monotonic() - start
            stop.set()
        assert isinstance(caught.value.__cause__, TransportError)
        assert seconds < 2

    def test_too_late(self, driver):
        """After the deadline a request is sent only if its answer comes at once."""
        with Loopback(lambda *_: Event().wait(2)) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(TransportError):
                self.send(driver, client, server, deadline=monotonic() - 1)

    def dribbled(self, driver, head, pace=0.01):
        """Return the answer of a server that dribbles, and the seconds that it took."""
        stop = Event()

        def answer(_request, connection):
            connection.sendall(head)
            while not stop.wait(pace):
                connection.sendall(b"x")

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server))
            start = monotonic()
            found = self.send(driver, client, server, deadline=start + 0.1)
            seconds = monotonic() - start
            stop.set()
        return found, seconds

    @staticmethod
    def send(driver, client, server, deadline):
        """Send a request over a client's own transport, and return the answer."""
        transport = client.itself._core._io._transport
        return driver.call(transport.send, server.url, lambda: Request("GET", "/"), deadline)


class TestTLS:
    @pytest.fixture(autouse=True)
    def _fresh(self):
        """A bundle is read once a process; here once a test."""
        _context.cache_clear()
        _amazon_context.cache_clear()

    @pytest.mark.parametrize("how", ["argument", "path", "AWS_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_bundle(self, plain_driver, certificate, monkeypatch, how):
        """A server is trusted whose certificate is in the bundle that is named."""
        bundle, tls = certificate
        argument = {"argument": bundle, "path": Path(bundle)}.get(how)
        if argument is None:
            monkeypatch.setenv(how, bundle)
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=argument))
            assert b"x" == client.get_object("s3://bucket/../key").body
        server.requests[0].verify(CREDENTIALS, "s3", REGION, "https")

    VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

    @pytest.mark.parametrize("name", VARIABLES)
    def test_variables(self, certificate, bare_environment, hashed, name):
        """Each of the variables that boto3 and httpx know names certificates to trust."""
        bundle, tls = certificate
        bare_environment.setenv(name, str(hashed) if name.endswith("DIR") else bundle)
        self.get(tls)

    def test_bundle_beside_the_instances_region(self, plain_driver, certificate, bare_environment):
        """That the instance is asked first, for its region, takes nothing from the settings."""
        bundle, tls = certificate
        with Loopback(always(b"eu-west-1")) as imds, Loopback(always(b"x"), tls) as server:
            bare_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url)
            bare_environment.setenv("AWS_CA_BUNDLE", bundle)
            options = pointed_at(server, region=None, region_from_instance=True)
            assert b"x" == plain_driver.client(**options).get_object("s3://bucket/key").body
        assert 2 == len(imds.requests)

    def test_bundle_that_is_a_folder(self, certificate, hashed):
        """A bundle may be a folder of certificates by their hashes, as requests has it."""
        self.get(certificate[1], ca_bundle=str(hashed))

    @pytest.mark.parametrize("first", ["AWS_CA_BUNDLE", "the profile", "REQUESTS_CA_BUNDLE"])
    def test_order_of_bundles(self, certificate, bare_environment, tmp_path, first):
        """AWS_CA_BUNDLE wins over the profile, that over REQUESTS_CA_BUNDLE, that over SSL_CERT_FILE."""
        bundle, tls = certificate
        order = ["AWS_CA_BUNDLE", "the profile", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]
        config = tmp_path / "config"
        config.write_text("[default]\n")
        bare_environment.setenv("AWS_CONFIG_FILE", str(config))
        for name in order[order.index(first) :]:
            path = bundle if name == first else "/nowhere"
            if name == "the profile":
                config.write_text(f"[default]\nca_bundle = {path}\n")
            else:
                bare_environment.setenv(name, path)
        self.get(tls)

    @pytest.fixture
    def hashed(self, certificate, tmp_path):
        """A folder as OpenSSL looks things up in: certificates by the hash of their subject's name."""
        pem = Path(certificate[0]).read_bytes()
        name = x509.load_pem_x509_certificate(pem).subject.public_bytes()[2:]  # less its own head
        number = int.from_bytes(sha1(name, usedforsecurity=False).digest()[:4], "little")
        (tmp_path / f"{number:08x}.0").write_bytes(pem)
        return tmp_path

    @staticmethod
    def get(tls, **options):
        """Get an object from a TLS server with a client of ours."""
        _context.cache_clear()
        with (
            Loopback(always(b"x"), tls) as server,
            SageMakerRuntimeClient(**pointed_at(server, **options)) as client,
        ):
            assert b"x" == client.get_object("s3://bucket/key").body
        _context.cache_clear()  # the next test has another environment

    def test_folder(self, monkeypatch, tmp_path):
        """A folder of certificates takes the place of those that certifi has."""
        assert len(tls_context(None).get_ca_certs()) > 50
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        assert [] == tls_context(None).get_ca_certs()

    def test_certifi_of_a_distribution(self, certificate, monkeypatch, tmp_path):
        """Where certifi has no bundle of its own, as Debian's, that which it names is read."""
        import_module("certifi")  # the real one, which is put back
        (tmp_path / "certifi").mkdir()
        code = f"def where():\n    return {certificate[0]!r}\n"
        (tmp_path / "certifi" / "__init__.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "certifi")
        assert 1 == len(tls_context(None).get_ca_certs())

    def test_unknown_certificate(self, plain_driver, certificate):
        """A server with another certificate gets no request, and no second try."""
        with Loopback(always(b"x"), certificate[1]) as server:
            client = plain_driver.client(**pointed_at(server, max_attempts=3))
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert (1, False, False) == (
            caught.value.attempts,
            caught.value.may_have_been_taken,
            caught.value.retryable,
        )
        assert [] == server.requests

    def test_brought_in_client_has_its_own(self, certificate):
        """A client that was brought in trusts whom it trusts; our bundle is not for it."""
        bundle, tls = certificate
        httpx = import_module("httpx")
        with (
            Loopback(always(b"x"), tls) as server,
            httpx.Client(verify=ssl.create_default_context(cafile=bundle)) as trusting,
            httpx.Client() as wary,
        ):
            options = pointed_at(server, ca_bundle="/nowhere")
            client = SageMakerRuntimeClient(**options, http_client=trusting)
            assert b"x" == client.get_object("s3://bucket/key").body
            client = SageMakerRuntimeClient(**options, http_client=wary)
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get_object("s3://bucket/key")

    def test_made_once(self, certificate):
        """What a bundle makes is made once, for all clients."""
        bundle, tls = certificate
        with Loopback(always(b"x"), tls) as server:
            for _ in range(2):
                with SageMakerRuntimeClient(**pointed_at(server, ca_bundle=bundle)) as client:
                    client.get_object("s3://bucket/key")

            async def awaited():
                options = pointed_at(server, ca_bundle=bundle)
                async with AsyncSageMakerRuntimeClient(**options) as client:
                    await client.get_object("s3://bucket/key")

            asyncio.run(awaited())
        assert 1 == _context.cache_info().misses
        assert tls_context(bundle) is tls_context(bundle)

    def test_amazon_first(self, plain_driver, tmp_path):
        """Of a bundle that has Amazon's authorities no others are loaded for a server of theirs."""
        bundle, tls = self.bundle(tmp_path, Amazon=1, other=1)["Amazon"]
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle))
            assert b"x" == client.get_object("s3://bucket/key").body
        assert (1, 0) == (server.connections, _context.cache_info().misses)

    def test_all_in_the_end(self, plain_driver, tmp_path):
        """From the first server of another authority on, the whole bundle counts."""
        servers = self.bundle(tmp_path, Amazon=1, other=1)
        bundle, tls = servers["other"]
        with Loopback(always(b"x", headers={"Connection": "close"}), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle))
            for _ in range(3):
                assert b"x" == client.get_object("s3://bucket/key").body
        assert (4, 1) == (server.connections, _context.cache_info().misses)
        assert 3 == len(server.requests)

    def test_other_faults(self, plain_driver, tmp_path):
        """A certificate with another fault than its authority is refused at once."""
        bundle, tls = self.bundle(tmp_path, Amazon=-1, other=1)["Amazon"]
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle, max_attempts=1))
            with pytest.raises(TransportError, match="certificate has expired"):
                client.get_object("s3://bucket/key")
        assert (1, 0) == (server.connections, _context.cache_info().misses)

    def test_storm(self, tmp_path):
        """Threads that meet such a server at the same time all get through."""
        bundle, tls = self.bundle(tmp_path, Amazon=1, other=1)["other"]
        together = Barrier(8, timeout=10)

        def get(_number):
            together.wait()
            return client.get_object("s3://bucket/key").body

        with (
            Loopback(always(b"x"), tls) as server,
            SageMakerRuntimeClient(**pointed_at(server, ca_bundle=bundle)) as client,
            ThreadPoolExecutor(8) as threads,
        ):
            assert [b"x"] * 8 == list(threads.map(get, range(8)))

    @staticmethod
    def bundle(folder, **authorities):
        """Return, by authority, one bundle of them all and the TLS of a server of that one."""
        made = {}
        for name, hours in authorities.items():
            (folder / name).mkdir()
            made[name] = certify(folder / name, name, hours)
        bundle = folder / "bundle.pem"
        bundle.write_text("\n".join(Path(path).read_text() for path, _ in made.values()))
        return {name: (str(bundle), tls) for name, (_, tls) in made.items()}

    def test_not_needed_for_http(self, plain_driver):
        """Where nothing is encrypted no certificates are read, however wrong their path."""
        with Loopback(always(b"x")) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle="/nowhere"))
            assert b"x" == client.get_object("s3://bucket/key").body
        assert 0 == _context.cache_info().misses

    @pytest.mark.parametrize(
        ("content", "why"),
        [(None, "No such file or directory"), ("no certificate", ".+")],
        ids=["missing", "malformed"],
    )
    def test_unreadable_bundle(self, plain_driver, tmp_path, content, why):
        """A bundle that cannot be read is a setting's fault, and the message names it."""
        bundle = tmp_path / "ca.pem"
        if content is not None:
            bundle.write_text(content)
        client = plain_driver.client(
            region=REGION, credentials=CREDENTIALS, ca_bundle=str(bundle), endpoint_url="https://x"
        )
        with pytest.raises(ConfigError, match=f"the CA bundle {bundle} cannot be read: {why}$"):
            client.invoke_endpoint_async("x", body=b"x")

    def test_unreadable_file_of_the_environment(self, monkeypatch):
        """So is one that the environment names."""
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
        with pytest.raises(ConfigError, match="the CA bundle /nowhere cannot be read: No such"):
            tls_context(None)
