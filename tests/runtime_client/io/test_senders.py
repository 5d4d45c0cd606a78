"""Which proxy a request goes through, if any: from the environment, or in a user-supplied client."""

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
    "its own": {"HTTPS_PROXY": "http://a:1"},
    "in small letters": {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"},
    "another scheme's": {"HTTP_PROXY": "http://a:1"},
    "of all schemes": {"ALL_PROXY": "socks://127.0.0.1:7897/"},
    "without a scheme": {"HTTPS_PROXY": "a:1"},
    "with slashes": {"HTTPS_PROXY": "//a:1"},
    "an empty one": {"HTTPS_PROXY": ""},
}
EXCEPTIONS = (
    *("", "*", "localhost", "localhost,127.0.0.1,::1,[::1]", "amazonaws.com", ".amazonaws.com"),
    *("AmazonAWS.com", "runtime.sagemaker.eu-west-1.amazonaws.com", "azonaws.com", " a , b "),
    *("fd00::/8", "10.0.0.0/8", "s3.example:9000", "s3.example:9001", "a@b:c", "[", "http://x"),
    *("*.amazonaws.com", "localhost amazonaws.com", "127.0.0.1", "0", "%", "\u20ac"),
)
# Variables that are of no use to a request for http://127.0.0.1.
OF_NO_USE = {
    "GNOME": {"ALL_PROXY": "socks://127.0.0.1:7897/", "all_proxy": "socks://127.0.0.1:7897/"},
    "IPv6": {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1,::1,[::1]"},
    "another scheme": {"HTTPS_PROXY": "canary://host:1", "NO_PROXY": "[,fd00::/8,a@b:c"},
    "excepted": {"HTTP_PROXY": "socks5://host:1", "NO_PROXY": "127.0.0.1"},
    "all excepted": {"HTTP_PROXY": "http://[", "NO_PROXY": "*"},
}
# Proxies that cannot be used, and what is said of them.
FORM = "cannot be used: write http://host:port"
UNUSABLE = {
    "http://user:can/ary@host": f" http://host in HTTP_PROXY {FORM}",
    "http://user:canary@host:x": f" in HTTP_PROXY {FORM}",
    "http://user:canary": f" in HTTP_PROXY {FORM}",
    "ftp://user:canary@host:1": f" ftp://host:1 in HTTP_PROXY {FORM}",
    "socks5://user:canary@host:1": r" socks5://host:1 .* pip install httpx\[socks\]",
}


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """No test here sees the machine's settings."""


class TestProxies:
    """A proxy, from the environment for a client of ours or in a client that is brought in."""

    @pytest.fixture(params=list(KINDS))
    def driver(self, request):
        with ExitStack() as stack:
            yield Driver(KINDS[request.param], stack)

    def client(self, driver, monkeypatch, url, bundle=None, **options):
        """Return a client that goes through the proxy at *url*."""
        if driver.kind.library is None:
            monkeypatch.setenv("HTTP_PROXY", url)
            monkeypatch.setenv("HTTPS_PROXY", url)
            return driver.client(**options, ca_bundle=bundle)
        verify = False if bundle is None else ssl.create_default_context(cafile=bundle)
        http_client = driver.http_client(driver.kind.library, proxy=url, verify=verify)
        return driver.client(**options, http_client=http_client)

    def test_forward(self, driver, monkeypatch, emulator):
        """Through a forward proxy signatures stay right, whatever it adds."""
        key = "s3://bucket/a b//ü%2F"
        with Loopback(forward) as proxy:
            client = self.client(driver, monkeypatch, proxy.url, **settings(emulator))
            client.put_object(key, b"x")
            assert client.get_object(key).body == b"x"
            assert client.infer("x", b"hi", timeout=10, schedule=often).body == b"HI"
        assert len(emulator.requests) == len(proxy.requests)
        assert {request.header("via") for request in emulator.requests} == {"1.1 loopback"}

    def test_tunnel(self, driver, monkeypatch, certificate):
        """Through a CONNECT proxy too, which learns the host and nothing more."""
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
        """A key with dot segments, which would go to the proxy itself, is refused with a reason."""
        bundle = certificate[0]
        with Loopback(always()) as proxy:
            url = f"{scheme}://127.0.0.1:9"
            options = {"region": REGION, "credentials": CREDENTIALS, "s3_endpoint_url": url}
            client = self.client(driver, monkeypatch, proxy.url, bundle, **options)
            with pytest.raises(ConfigError, match="dot segment cannot be sent through a proxy"):
                client.get_object("s3://bucket/a/../b")
        assert proxy.connections == 0

    def test_agent_of_this_machine(self, driver, emulator, monkeypatch):
        """A container's agent and its token are for no proxy, not even a brought-in client's."""
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
    def test_agent_and_a_transport_of_ones_own(self, emulator, monkeypatch, how, library):
        """A proxy is known as a client's transport too; a mount that is none is used."""
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
        """A proxy that will not connect is named, without its password; nothing was sent."""
        with Loopback(always(b"", 407)) as proxy:
            caught = self.refused(driver, monkeypatch, proxy.url, certificate)
        assert f"from https://127.0.0.1:9 through the proxy {proxy.url}: 407" in str(caught.value)
        assert "ProxyError" in str(caught.value)

    def test_proxy_that_is_not_there(self, driver, monkeypatch, certificate):
        """Where nobody listens it is the proxy that cannot be reached, not the service."""
        with refusing() as port:
            url = f"http://127.0.0.1:{port}"
            caught = self.refused(driver, monkeypatch, url, certificate)
        says = f"ConnectError from https://127.0.0.1:9 through the proxy {url}: "
        assert says in str(caught.value)

    def refused(self, driver, monkeypatch, url, certificate):
        """Return what is raised through a proxy that has a password."""
        url = url.replace("http://", "http://user:canary@")
        options = pointed_at(None, endpoint_url="https://127.0.0.1:9")
        client = self.client(driver, monkeypatch, url, certificate[0], **options)
        with pytest.raises(TransportError) as caught:
            client.invoke_endpoint_async("x", body=b"x")
        assert not caught.value.possibly_accepted
        return caught


class TestEnvironment:
    """What the variables mean: what they mean to boto3."""

    @pytest.mark.parametrize("exceptions", EXCEPTIONS)
    @pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES)
    def test_as_boto3(self, bare_environment, variables, exceptions):
        """The proxy is the one that boto3 takes, whatever the words of NO_PROXY are."""
        for name, value in {**variables, "NO_PROXY": exceptions}.items():
            bare_environment.setenv(name, value)
        for origin in ORIGINS:
            theirs = ProxyConfiguration(get_environ_proxies(f"{origin}/path")).proxy_url_for(origin)
            assert get_proxy(origin) == (theirs or "")

    @pytest.mark.parametrize("word", ["::1", "[::1]", "[::1]:8080", "localhost, ::1"])
    def test_ipv6(self, bare_environment, word):
        """An IPv6 host is excepted with brackets and, unlike in boto3, without."""
        bare_environment.setenv("HTTP_PROXY", "http://a:1")
        assert get_proxy("http://[::1]:8080") == "http://a:1"
        bare_environment.setenv("NO_PROXY", word)
        assert get_proxy("http://[::1]:8080") == ""
        assert get_proxy("http://[::2]:8080") == "http://a:1"

    @pytest.mark.parametrize("variables", OF_NO_USE.values(), ids=OF_NO_USE)
    def test_of_no_use(self, plain_driver, bare_environment, emulator, variables):
        """What is of no use to a request does not stop it."""
        for name, value in variables.items():
            bare_environment.setenv(name, value)
        client = plain_driver.client(**settings(emulator))
        assert client.infer("x", b"hi", timeout=10, schedule=often).body == b"HI"

    @pytest.mark.parametrize(("proxy", "message"), UNUSABLE.items())
    def test_proxy_that_cannot_be_used(self, plain_driver, monkeypatch, proxy, message):
        """The request that needs it says which proxy it is, without its password; others go on."""
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

    def test_schemes_have_their_own(self, plain_driver, monkeypatch, certificate):
        """One proxy for both schemes: a certificate is checked, whichever scheme came first."""
        with Loopback(tunnel) as proxy, Loopback(always(b"x"), certificate[1]) as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            client = plain_driver.client(**pointed_at(server, endpoint_url="http://127.0.0.1:9"))
            with pytest.raises(TransportError):
                client.invoke_endpoint_async("x", body=b"x")
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get_object("s3://bucket/key")
        assert server.requests == []
