"""Test which clients the `http_client` argument accepts, and which parts of them are used."""

from contextlib import ExitStack
from importlib import import_module
from threading import Event

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    RuntimeClientError,
    SageMakerRuntimeClient,
    ServiceError,
    TransportError,
)
from tests.runtime_client.clients import (
    CREDENTIALS,
    KINDS,
    REGION,
    Driver,
    pointed_at,
    settings,
)
from tests.runtime_client.loopback import Loopback, always


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


class TestUserSupplied:
    """Calls through a user-supplied HTTP client."""

    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith("httpx")])
    def driver(self, request):
        with ExitStack() as stack:
            yield Driver(KINDS[request.param], stack)

    def test_only_its_connections_are_used(self, driver):
        """Only the connections of a user-supplied client are used, not its auth, headers, cookies,
        parameters, base URL or redirects, and the client is not closed.
        """
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
                assert caught.value.status_code == 307
            close = "aclose" if driver.kind.is_async else "close"
            getattr(client, close)()
            assert not http_client.is_closed
        # The HEAD request determines the region of the bucket.
        lines = ["GET /bucket/key HTTP/1.1", "HEAD /bucket HTTP/1.1"]
        assert [request.line for request in server.requests] == lines * 2
        for request in server.requests:
            names = {name.lower() for name, _ in request.headers}
            assert not names & {"x-mine", "cookie", "accept", "accept-encoding", "connection"}
            assert request.header("user-agent").startswith("sagemaker-runtime-client/")
            assert request.header("authorization").startswith("AWS4-HMAC-SHA256 ")
            request.verify(CREDENTIALS, "s3", REGION)

    def test_subclass(self, driver, emulator):
        """An instance of a subclass of an httpx client is accepted.

        After this instance is closed, calls raise a RuntimeClientError.
        """
        base = getattr(
            import_module(driver.kind.library), "AsyncClient" if driver.kind.is_async else "Client"
        )
        http_client = type("Mine", (base,), {})(verify=False, trust_env=False)
        client = driver.client(**settings(emulator), http_client=http_client)
        client.put_object("s3://bucket/key", b"x")
        driver.call(http_client.aclose if driver.kind.is_async else http_client.close)
        with pytest.raises(RuntimeClientError, match="http_client is closed") as caught:
            client.get_object("s3://bucket/key")
        assert not isinstance(caught.value, TransportError)
        assert not caught.value.possibly_accepted

    def test_time_limits(self, driver):
        """The read timeout of the SageMaker client applies, not the timeout of the user-supplied
        client.
        """
        with Loopback(lambda *_: Event().wait(2)) as server:
            http_client = driver.http_client(driver.kind.library, timeout=None, trust_env=False)
            client = driver.client(**pointed_at(server, read_timeout=0.05), http_client=http_client)
            with pytest.raises(TransportError, match="ReadTimeout"):
                client.get_object("s3://bucket/key")


@pytest.mark.parametrize(
    ("client_class", "kind"),
    [
        (SageMakerRuntimeClient, "httpx.AsyncClient"),
        (SageMakerRuntimeClient, "httpx2.AsyncClient"),
        (AsyncSageMakerRuntimeClient, "httpx.Client"),
        (AsyncSageMakerRuntimeClient, "httpx2.Client"),
        (SageMakerRuntimeClient, "http.client.HTTPConnection"),
        (AsyncSageMakerRuntimeClient, "http.client.HTTPConnection"),
    ],
)
def test_wrong_kind_of_client(client_class, kind):
    """The constructor rejects an `http_client` that is async instead of blocking or vice versa, or
    that is from another library.
    """
    module, _, name = kind.rpartition(".")
    wrong = object.__new__(getattr(import_module(module), name))
    wanted = "AsyncClient" if client_class is AsyncSageMakerRuntimeClient else "Client"
    with pytest.raises(ConfigError, match=f"must be httpx.{wanted} or httpx2.{wanted}, not {kind}"):
        client_class(http_client=wrong)
