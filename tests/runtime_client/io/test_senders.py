"""Test which proxy is used for a request: one from the environment, or that of a user-supplied
client.
"""

import json
import ssl
from contextlib import ExitStack
from importlib import import_module
from traceback import format_exception

import pytest
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies

from sagemaker_runtime_client import ConfigError, SageMakerRuntimeClient, TransportError
from sagemaker_runtime_client._io.proxies import get_proxy
from tests.runtime_client.clients import (
    CREDENTIALS,
    KINDS,
    REGION,
    Driver,
    often,
    pointed_at,
    settings,
)
from tests.runtime_client.loopback import Loopback, always, forward, refusing, tunnel

ORIGIN = "https://runtime.sagemaker.eu-west-1.amazonaws.com"
ORIGINS = (
    *(ORIGIN, "https://s3.example:9000", "https://127.0.0.1:8443", "https://localhost"),
    *("http://127.0.0.1:8080", "https://amazonaws.com", "https://[fd00::1]:8443"),
)
VARIABLES = {
    "none": {},
    "https": {"HTTPS_PROXY": "http://a:1"},
    "lower case": {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"},
    "another scheme": {"HTTP_PROXY": "http://a:1"},
    "all schemes": {"ALL_PROXY": "socks://127.0.0.1:7897/"},
    "without a scheme": {"HTTPS_PROXY": "a:1"},
    "with slashes": {"HTTPS_PROXY": "//a:1"},
    "empty": {"HTTPS_PROXY": ""},
}
EXCEPTIONS = (
    *("", "*", "localhost", "localhost,127.0.0.1,::1,[::1]", "amazonaws.com", ".amazonaws.com"),
    *("AmazonAWS.com", "runtime.sagemaker.eu-west-1.amazonaws.com", "azonaws.com", " a , b "),
    *("fd00::/8", "10.0.0.0/8", "s3.example:9000", "s3.example:9001", "a@b:c", "[", "http://x"),
    *("*.amazonaws.com", "localhost amazonaws.com", "127.0.0.1", "0", "%", "\u20ac"),
)
# Proxy variables that must not affect a request to http://127.0.0.1.
INAPPLICABLE = {
    "GNOME": {"ALL_PROXY": "socks://127.0.0.1:7897/", "all_proxy": "socks://127.0.0.1:7897/"},
    "IPv6": {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1,::1,[::1]"},
    "another scheme": {"HTTPS_PROXY": "canary://host:1", "NO_PROXY": "[,fd00::/8,a@b:c"},
    "excepted": {"HTTP_PROXY": "socks5://host:1", "NO_PROXY": "127.0.0.1"},
    "all excepted": {"HTTP_PROXY": "http://[", "NO_PROXY": "*"},
}
# Proxy URLs that cannot be used, and a pattern for the error message of each.
FORM = "cannot be used: use http://host:port"
UNUSABLE = {
    "http://user:can/ary@host": f" http://host in HTTP_PROXY {FORM}",
    "http://user:canary@host:x": f" in HTTP_PROXY {FORM}",
    "http://user:canary": f" in HTTP_PROXY {FORM}",
    "ftp://user:canary@host:1": f" ftp://host:1 in HTTP_PROXY {FORM}",
    "socks5://user:canary@host:1": r" socks5://host:1 .* pip install 'httpx\[socks\]'",
}


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


class TestProxies:
    """Requests through a proxy from the environment or through that of a user-supplied client."""

    @pytest.fixture(params=list(KINDS))
    def driver(self, request):
        with ExitStack() as stack:
            yield Driver(KINDS[request.param], stack)

    def client(self, driver, monkeypatch, url, bundle=None, **options):
        """Return a client that sends its requests through the proxy at *url*."""
        if driver.kind.library is None:
            monkeypatch.setenv("HTTP_PROXY", url)
            monkeypatch.setenv("HTTPS_PROXY", url)
            return driver.client(**options, ca_bundle=bundle)
        verify = False if bundle is None else ssl.create_default_context(cafile=bundle)
        http_client = driver.http_client(driver.kind.library, proxy=url, verify=verify)
        return driver.client(**options, http_client=http_client)

    def test_forward(self, driver, monkeypatch, emulator):
        """Signatures stay valid if requests pass through a forward proxy that adds headers."""
        key = "s3://bucket/a b//ü%2F"
        with Loopback(forward) as proxy:
            client = self.client(driver, monkeypatch, proxy.url, **settings(emulator))
            client.put_object(key, b"x")
            assert client.get_object(key).body == b"x"
            assert client.infer("x", b"hi", timeout=10, schedule=often).body == b"HI"
        assert len(emulator.requests) == len(proxy.requests)
        assert {request.header("via") for request in emulator.requests} == {"1.1 loopback"}

    def test_tunnel(self, driver, monkeypatch, certificate):
        """A request through a CONNECT proxy reaches the server, and the proxy gets only the host
        and port.
        """
        bundle, tls = certificate
        with Loopback(always(b"x"), tls) as server, Loopback(tunnel) as proxy:
            client = self.client(driver, monkeypatch, proxy.url, bundle, **pointed_at(server))
            assert client.get_object("s3://bucket/a b//ü%2F").body == b"x"
        (seen,) = proxy.requests
        assert seen.line == f"CONNECT {server.address} HTTP/1.1"
        assert {name.lower() for name, _ in seen.headers} <= {"host", "accept"}
        server.requests[0].verify(CREDENTIALS, "s3", REGION, "https")

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_dot_segments(self, driver, monkeypatch, certificate, scheme):
        """If a key contains dot segments, `get_object` raises a ConfigError instead of sending the
        request through an HTTP proxy.
        """
        bundle = certificate[0]
        with Loopback(always()) as proxy:
            url = f"{scheme}://127.0.0.1:9"
            options = {"region": REGION, "credentials": CREDENTIALS, "s3_endpoint_url": url}
            client = self.client(driver, monkeypatch, proxy.url, bundle, **options)
            with pytest.raises(ConfigError, match="cannot be requested through an HTTP proxy"):
                client.get_object("s3://bucket/a/../b")
        assert proxy.connections == 0

    def test_agent_on_this_machine(self, driver, emulator, monkeypatch):
        """A request to a container's credentials agent is not sent through a proxy, because the
        request contains a token.
        """
        keys = {
            "AccessKeyId": emulator.environ["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": emulator.environ["AWS_SECRET_ACCESS_KEY"],
        }
        with Loopback(always(json.dumps(keys).encode())) as agent, Loopback(forward) as proxy:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-token")
            options = {**settings(emulator), "credentials": None}
            client = self.client(driver, monkeypatch, proxy.url, **options)
            client.invoke_endpoint_async("x", body=b"x")
        assert [request.target for request in agent.requests] == ["/keys"]
        assert [len(proxy.requests), len(emulator.requests)] == [1, 1]

    @pytest.mark.parametrize("how", ["transport", "mount"])
    @pytest.mark.parametrize("library", ["httpx", "httpx2"])
    def test_agent_and_a_custom_transport(self, emulator, monkeypatch, how, library):
        """For requests to the credentials agent, a proxy that is the user-supplied client's
        transport is bypassed, but a mounted transport that is not a proxy is used.
        """
        keys = {
            "AccessKeyId": emulator.environ["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": emulator.environ["AWS_SECRET_ACCESS_KEY"],
        }
        httpx = import_module(library)
        with Loopback(always(json.dumps(keys).encode())) as agent, Loopback(forward) as proxy:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
            if how == "transport":
                options = {"transport": httpx.HTTPTransport(proxy=proxy.url)}
            else:
                mounted = httpx.MockTransport(lambda _: httpx.Response(200, json=keys))
                options = {"mounts": {agent.url: mounted}}
            with httpx.Client(**options) as http_client:
                arguments = {**settings(emulator), "credentials": None}
                with SageMakerRuntimeClient(**arguments, http_client=http_client) as client:
                    client.invoke_endpoint_async("x", body=b"x")
        assert [len(one.requests) == 1 for one in (agent, proxy)] == [how == "transport"] * 2
        assert len(emulator.requests) == 1

    def test_proxy_that_refuses(self, driver, monkeypatch, certificate):
        """If a proxy refuses to connect to the host, the error contains the proxy's URL without the
        password, and states that no job was accepted.
        """
        with Loopback(always(b"", 407)) as proxy:
            caught = self.refused(driver, monkeypatch, proxy.url, certificate)
        assert f"from https://127.0.0.1:9 through the proxy {proxy.url}: 407" in str(caught.value)
        assert "ProxyError" in str(caught.value)

    def test_proxy_that_is_not_there(self, driver, monkeypatch, certificate):
        """If nothing listens at the proxy's address, the error contains the proxy's URL without the
        password.
        """
        with refusing() as port:
            url = f"http://127.0.0.1:{port}"
            caught = self.refused(driver, monkeypatch, url, certificate)
        message = f"ConnectError from https://127.0.0.1:9 through the proxy {url}: "
        assert message in str(caught.value)

    def refused(self, driver, monkeypatch, url, certificate):
        """Invoke an endpoint through a proxy URL with a password, and return the error; check that
        it states that no job was accepted.
        """
        url = url.replace("http://", "http://user:canary@")
        options = pointed_at(None, endpoint_url="https://127.0.0.1:9")
        client = self.client(driver, monkeypatch, url, certificate[0], **options)
        with pytest.raises(TransportError) as caught:
            client.invoke_endpoint_async("x", body=b"x")
        assert not caught.value.possibly_accepted
        return caught


class TestEnvironment:
    """The proxy variables in the environment have the same meaning as in boto3."""

    @pytest.mark.parametrize("exceptions", EXCEPTIONS)
    @pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES)
    def test_as_boto3(self, bare_environment, variables, exceptions):
        """For each combination of proxy variables and NO_PROXY, `get_proxy` chooses the same proxy
        as botocore.
        """
        for name, value in {**variables, "NO_PROXY": exceptions}.items():
            bare_environment.setenv(name, value)
        for origin in ORIGINS:
            expected = ProxyConfiguration(get_environ_proxies(f"{origin}/path")).proxy_url_for(
                origin
            )
            assert get_proxy(origin) == (expected or "")

    @pytest.mark.parametrize("word", ["::1", "[::1]", "[::1]:8080", "localhost, ::1"])
    def test_ipv6(self, bare_environment, word):
        """In NO_PROXY, an IPv6 address may be in brackets or, unlike in boto3, without brackets."""
        bare_environment.setenv("HTTP_PROXY", "http://a:1")
        assert get_proxy("http://[::1]:8080") == "http://a:1"
        bare_environment.setenv("NO_PROXY", word)
        assert get_proxy("http://[::1]:8080") == ""
        assert get_proxy("http://[::2]:8080") == "http://a:1"

    @pytest.mark.parametrize("variables", INAPPLICABLE.values(), ids=INAPPLICABLE)
    def test_inapplicable(self, plain_driver, bare_environment, emulator, variables):
        """If a proxy variable does not apply to a request, the request succeeds, even if the value
        is invalid.
        """
        for name, value in variables.items():
            bare_environment.setenv(name, value)
        client = plain_driver.client(**settings(emulator))
        assert client.infer("x", b"hi", timeout=10, schedule=often).body == b"HI"

    @pytest.mark.parametrize(("proxy", "message"), UNUSABLE.items())
    def test_proxy_that_cannot_be_used(self, plain_driver, monkeypatch, proxy, message):
        """If a proxy cannot be used, only the requests that need the proxy fail, and the error does
        not contain the password.
        """
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with Loopback(always(b"{}", 202)) as server:
            options = pointed_at(server, s3_endpoint_url="http://s3.example:9")
            client = plain_driver.client(**options)
            for _ in range(2):
                with pytest.raises(ConfigError, match=f"^the proxy{message}") as caught:
                    client.get_object("s3://bucket/key")
                assert "ary" not in "".join(format_exception(caught.value))
                client.invoke_endpoint_async("x", body=b"x")
        assert len(server.requests) == 2

    def test_one_proxy_for_both_schemes(self, plain_driver, monkeypatch, certificate):
        """If http and https share a proxy, the certificate of an https server is checked even after
        an http request.
        """
        with Loopback(tunnel) as proxy, Loopback(always(b"x"), certificate[1]) as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            client = plain_driver.client(**pointed_at(server, endpoint_url="http://127.0.0.1:9"))
            with pytest.raises(TransportError):
                client.invoke_endpoint_async("x", body=b"x")
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get_object("s3://bucket/key")
        assert server.requests == []
