"""Test that requests arrive byte for byte as signed, and that responses are returned as sent."""

from threading import Event
from urllib.parse import quote, unquote_to_bytes

import pytest

from sagemaker_runtime_client import (
    ServiceError,
    TransportError,
)
from sagemaker_runtime_client._limits import ERROR
from tests.runtime_client.clients import (
    CREDENTIALS,
    REGION,
    pointed_at,
)
from tests.runtime_client.loopback import PATIENCE, Loopback, always, refusing, response

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
    """Before each test, remove the environment variables that a client reads."""


class TestWhatIsSent:
    @pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
    def test_keys(self, driver, key):
        """An object key arrives in the path of the request, encoded once, and the path that arrives
        is the one that was signed.
        """
        with Loopback(always(b"<body/>")) as server:
            client = driver.client(**pointed_at(server))
            assert client.get_object(f"s3://bucket/{key}").body == b"<body/>"
            client.put_object(f"s3://bucket/{key}", b"content", metadata={"a": "b  c"})
        for request in server.requests:
            assert request.target == f"/bucket/{quote(key, safe='/-._~')}"
            assert f"/bucket/{key}".encode() == unquote_to_bytes(request.target)
            request.verify(CREDENTIALS, "s3", REGION)
        assert [request.method for request in server.requests] == ["GET", "PUT"]

    @pytest.mark.parametrize("name", ["a", "My-Endpoint-1", "x" * 63])
    @pytest.mark.parametrize(
        "path",
        ["", "/", "/base", "/a/../b", "/a//b", "/a%2Fb%20", "/{a}|b'()*"],
        ids=["none", "slash", "plain", "dots", "slashes", "encoded", "odd characters"],
    )
    def test_endpoints(self, plain_driver, name, path):
        """The endpoint name and the path of the endpoint URL arrive exactly as they were signed."""
        with Loopback(always(b"{}", 202)) as server:
            client = plain_driver.client(**pointed_at(server, endpoint_url=server.url + path))
            client.invoke_endpoint_async(name, body=b"x", custom_attributes="a  b, c")
            client.invoke_endpoint_async(name, input_location="s3://bucket/ü")
        for request in server.requests:
            expected = f"{path.rstrip('/')}/endpoints/{name}/async-invocations"
            assert request.target == expected
            request.verify(CREDENTIALS, "sagemaker", REGION)
        assert len(server.requests) == 2

    def test_host_in_capitals(self, driver):
        """If the host name in a URL contains capital letters, the Host header that arrives is the
        one that was signed.
        """
        with Loopback(always(b"{}", 202)) as server:
            url = server.url.replace("127.0.0.1", "LocalHost")
            client = driver.client(**pointed_at(server, endpoint_url=url))
            client.invoke_endpoint_async("x", body=b"x")
        server.requests[0].verify(CREDENTIALS, "sagemaker", REGION)

    def test_nothing_else(self, driver):
        """A request has only the headers of this package, of the signature and of HTTP, and each
        header occurs once.
        """
        with Loopback(always(b"{}", 202)) as server:
            client = driver.client(**pointed_at(server))
            client.invoke_endpoint_async("x", body=b"x", content_type="text/csv")
        assert {name.lower() for name, _ in server.requests[0].headers} == {
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
        }
        assert len(server.requests[0].headers) == 10

    def test_connection_is_kept(self, driver):
        """Consecutive requests use the same connection, even after error responses."""
        with Loopback(
            lambda request, _: response(b"", 404 if "HEAD" in request.line else 200)
        ) as server:
            client = driver.client(**pointed_at(server))
            for _ in range(3):
                client.get_object("s3://bucket/key")
                with pytest.raises(ServiceError):
                    client.head_object("s3://bucket/key")
        assert {request.connection for request in server.requests} == {0}
        assert len(server.requests) == 6


class TestWhatComesBack:
    def test_no_content_is_decoded(self, driver):
        """`get_object` returns a body as it was stored, even if it has a Content-Encoding."""
        with Loopback(always(b"no gzip at all", headers={"Content-Encoding": "gzip"})) as server:
            client = driver.client(**pointed_at(server))
            assert client.get_object("s3://bucket/key").body == b"no gzip at all"

    def test_endless_error(self, driver):
        """The body of an error response is read only up to a limit; then the connection is closed."""
        with Loopback(always(b"x" * (4 * ERROR.size), 503)) as server:
            client = driver.client(**pointed_at(server))
            for _ in range(2):
                with pytest.raises(ServiceError) as caught:
                    client.invoke_endpoint_async("x", body=b"x")
        assert len(caught.value.message) <= 2048
        assert [request.connection for request in server.requests] == [0, 1]

    def test_header_of_any_bytes(self, driver):
        """Header values are decoded as UTF-8, with replacement characters for invalid bytes."""

        def answer(_request, _connection):
            return response(b"", 200, {"x-amz-meta-a": "ü"}).replace(
                b"X\r", b"X\r\nx-amz-meta-b: \xff\r"
            )

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server))
            metadata = client.get_object("s3://bucket/key").metadata
        assert metadata == {"a": "ü", "b": "\ufffd"}

    @pytest.mark.parametrize(
        "answer",
        [b"", b"HTTP/1.1 200", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
        ids=["none", "half a head", "another protocol"],
    )
    def test_no_answer(self, driver, answer):
        """If the server sends no valid HTTP response, a TransportError states that the job may have
        been accepted.
        """

        def once(_request, connection):
            connection.sendall(answer)

        with Loopback(once) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(
                TransportError, match=f"^RemoteProtocolError from {server.url}"
            ) as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert (
            caught.value.possibly_accepted,
            caught.value.retryable,
            caught.value.attempts,
        ) == (True, True, 1)

    def test_invalid_location(self, driver):
        """If the server redirects to an invalid URL, the call raises a TransportError or a
        ServiceError, depending on the HTTP client, and nothing more is sent.
        """
        with Loopback(always(b"", 307, {"Location": "http://a:x/"})) as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises((TransportError, ServiceError), match=r"Invalid URL|307"):
                client.invoke_endpoint_async("x", body=b"x")
        assert len(server.requests) == 1

    def test_connection_refused(self, driver):
        """If a connection is refused, the request is retried, and the error states that no job was
        accepted.
        """
        with refusing() as port:
            url = f"http://127.0.0.1:{port}"
            client = driver.client(**pointed_at(None, endpoint_url=url, max_attempts=2))
            with pytest.raises(TransportError, match="ConnectError") as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert (caught.value.attempts, caught.value.possibly_accepted) == (2, False)
        assert not hasattr(caught.value, "__notes__")

    def test_invalid_host_name(self, plain_driver):
        """If a host name is too long to be looked up, a TransportError is raised."""
        client = plain_driver.client(
            region=REGION,
            credentials=CREDENTIALS,
            endpoint_url=f"http://{'a' * 70}.example",
            max_attempts=1,
        )
        with pytest.raises(TransportError, match="ConnectError") as caught:
            client.invoke_endpoint_async("x", body=b"x")
        assert not caught.value.possibly_accepted

    def test_dropped_while_idle(self, driver):
        """If the server closes an idle connection, the next request opens a new one."""
        gone = Event()

        def answer(_request, connection):
            connection.sendall(response(b"x"))
            gone.set()

        with Loopback(answer) as server:
            client = driver.client(**pointed_at(server, max_attempts=2))
            for _ in range(3):
                assert client.get_object("s3://bucket/key").body == b"x"
                assert gone.wait(PATIENCE)
        assert [request.connection for request in server.requests][:3] == [0, 1, 2]
