"""Test which file or directory of trusted certificates is used, and when it is read."""

import asyncio
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from threading import Barrier

import pytest
from cryptography import x509

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    SageMakerRuntimeClient,
    TransportError,
)
from sagemaker_runtime_client._io.tls import _amazon_context, _context, tls_context
from tests.runtime_client.clients import (
    CREDENTIALS,
    REGION,
    pointed_at,
)
from tests.runtime_client.loopback import Loopback, always, certify


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


class TestTLS:
    @pytest.fixture(autouse=True)
    def _fresh(self):
        """Before each test, clear the cached TLS contexts, which would otherwise be shared by all
        tests.
        """
        _context.cache_clear()
        _amazon_context.cache_clear()

    @pytest.mark.parametrize("how", ["argument", "path", "AWS_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_bundle(self, plain_driver, certificate, monkeypatch, how):
        """A server is trusted if its certificate is in the CA bundle from the `ca_bundle` argument
        or from an environment variable.
        """
        bundle, tls = certificate
        argument = {"argument": bundle, "path": Path(bundle)}.get(how)
        if argument is None:
            monkeypatch.setenv(how, bundle)
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=argument))
            assert client.get_object("s3://bucket/../key").body == b"x"
        server.requests[0].verify(CREDENTIALS, "s3", REGION, "https")

    VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

    @pytest.mark.parametrize("name", VARIABLES)
    def test_variables(self, certificate, bare_environment, hashed, name):
        """If any environment variable from which boto3 or httpx takes a CA bundle is set, the
        client uses that bundle.
        """
        bundle, tls = certificate
        bare_environment.setenv(name, str(hashed) if name.endswith("DIR") else bundle)
        self.get(tls)

    def test_bundle_beside_the_instances_region(self, plain_driver, certificate, bare_environment):
        """The CA bundle from AWS_CA_BUNDLE is also used if the region comes from the instance
        metadata.
        """
        bundle, tls = certificate
        with Loopback(always(b"eu-west-1")) as imds, Loopback(always(b"x"), tls) as server:
            bare_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url)
            bare_environment.setenv("AWS_CA_BUNDLE", bundle)
            options = pointed_at(server, region=None, region_from_instance=True)
            assert plain_driver.client(**options).get_object("s3://bucket/key").body == b"x"
        assert len(imds.requests) == 2

    def test_bundle_that_is_a_folder(self, certificate, hashed):
        """As in requests, a CA bundle may be a directory whose files are named after the hashes of
        the certificates' subjects.
        """
        self.get(certificate[1], ca_bundle=str(hashed))

    @pytest.mark.parametrize("first", ["AWS_CA_BUNDLE", "the profile", "REQUESTS_CA_BUNDLE"])
    def test_order_of_bundles(self, certificate, bare_environment, tmp_path, first):
        """The order of precedence is AWS_CA_BUNDLE, the profile, REQUESTS_CA_BUNDLE, SSL_CERT_FILE."""
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
        """A directory with one certificate in OpenSSL's format: the file is named after the hash of
        the certificate's subject.
        """
        pem = Path(certificate[0]).read_bytes()
        subject = x509.load_pem_x509_certificate(pem).subject
        name = subject.public_bytes()[2:]  # without the header of the outer DER sequence
        number = int.from_bytes(sha1(name, usedforsecurity=False).digest()[:4], "little")
        (tmp_path / f"{number:08x}.0").write_bytes(pem)
        return tmp_path

    @staticmethod
    def get(tls, **options):
        """Start a server with the TLS context *tls*, and get an object from it with a new blocking
        client.
        """
        _context.cache_clear()
        with (
            Loopback(always(b"x"), tls) as server,
            SageMakerRuntimeClient(**pointed_at(server, **options)) as client,
        ):
            assert client.get_object("s3://bucket/key").body == b"x"
        _context.cache_clear()  # the next test has other environment variables

    def test_folder(self, monkeypatch, tmp_path):
        """If SSL_CERT_DIR is set, the certificates in this directory replace those of the certifi
        bundle.
        """
        assert len(tls_context(None).get_ca_certs()) > 50
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        assert tls_context(None).get_ca_certs() == []

    def test_certifi_of_a_distribution(self, certificate, monkeypatch, tmp_path):
        """If certifi contains no bundle, as on Debian, the file at the path from `certifi.where` is
        read.
        """
        import_module("certifi")  # import the real module first, so that monkeypatch can restore it
        (tmp_path / "certifi").mkdir()
        code = f"def where():\n    return {certificate[0]!r}\n"
        (tmp_path / "certifi" / "__init__.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "certifi")
        assert len(tls_context(None).get_ca_certs()) == 1

    def test_unknown_certificate(self, plain_driver, certificate):
        """If a server's certificate is untrusted, no request is sent to the server, and the call is
        not retried.
        """
        with Loopback(always(b"x"), certificate[1]) as server:
            client = plain_driver.client(**pointed_at(server, max_attempts=3))
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert (
            caught.value.attempts,
            caught.value.possibly_accepted,
            caught.value.retryable,
        ) == (1, False, False)
        assert server.requests == []

    def test_user_supplied_client_has_its_own_context(self, certificate):
        """A user-supplied HTTP client uses its own TLS settings; `ca_bundle` does not apply to it."""
        bundle, tls = certificate
        httpx = import_module("httpx")
        with (
            Loopback(always(b"x"), tls) as server,
            httpx.Client(verify=ssl.create_default_context(cafile=bundle)) as trusting,
            httpx.Client() as wary,
        ):
            options = pointed_at(server, ca_bundle="/nowhere")
            client = SageMakerRuntimeClient(**options, http_client=trusting)
            assert client.get_object("s3://bucket/key").body == b"x"
            client = SageMakerRuntimeClient(**options, http_client=wary)
            with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get_object("s3://bucket/key")

    def test_made_once(self, certificate):
        """All blocking and async clients with the same CA bundle share one TLS context."""
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
        assert _context.cache_info().misses == 1
        assert tls_context(bundle) is tls_context(bundle)

    def test_amazon_first(self, plain_driver, tmp_path):
        """If a server's certificate is from an Amazon authority, only the bundle's certificates of
        Amazon authorities are loaded.
        """
        bundle, tls = self.bundle(tmp_path, Amazon=1, other=1)["Amazon"]
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle))
            assert client.get_object("s3://bucket/key").body == b"x"
        assert (server.connections, _context.cache_info().misses) == (1, 0)

    def test_all_in_the_end(self, plain_driver, tmp_path):
        """If a server's certificate is from another authority, the client loads the whole bundle
        and connects again. Later connections use the whole bundle immediately.
        """
        servers = self.bundle(tmp_path, Amazon=1, other=1)
        bundle, tls = servers["other"]
        with Loopback(always(b"x", headers={"Connection": "close"}), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle))
            for _ in range(3):
                assert client.get_object("s3://bucket/key").body == b"x"
        assert (server.connections, _context.cache_info().misses) == (4, 1)
        assert len(server.requests) == 3

    def test_other_faults(self, plain_driver, tmp_path):
        """An expired certificate from an Amazon authority is rejected immediately; the whole bundle
        is not loaded.
        """
        bundle, tls = self.bundle(tmp_path, Amazon=-1, other=1)["Amazon"]
        with Loopback(always(b"x"), tls) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle=bundle, max_attempts=1))
            with pytest.raises(TransportError, match="certificate has expired"):
                client.get_object("s3://bucket/key")
        assert (server.connections, _context.cache_info().misses) == (1, 0)

    def test_storm(self, tmp_path):
        """If eight threads need the whole bundle at the same time, all their calls succeed."""
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
            assert list(threads.map(get, range(8))) == [b"x"] * 8

    @staticmethod
    def bundle(folder, **authorities):
        """Create a CA bundle that contains one certificate for each authority.

        *authorities* maps the name of each authority to the number of hours for which its
        certificate is valid. Return a dict that maps each name to the path of the bundle and to the
        TLS context of a server that uses the authority's certificate.
        """
        made = {}
        for name, hours in authorities.items():
            (folder / name).mkdir()
            made[name] = certify(folder / name, name, hours)
        bundle = folder / "bundle.pem"
        bundle.write_text("\n".join(Path(path).read_text() for path, _ in made.values()))
        return {name: (str(bundle), tls) for name, (_, tls) in made.items()}

    def test_not_needed_for_http(self, plain_driver):
        """A request over plain HTTP reads no certificates, so it succeeds even if the bundle is
        missing.
        """
        with Loopback(always(b"x")) as server:
            client = plain_driver.client(**pointed_at(server, ca_bundle="/nowhere"))
            assert client.get_object("s3://bucket/key").body == b"x"
        assert _context.cache_info().misses == 0

    @pytest.mark.parametrize(
        ("content", "why"),
        [(None, "No such file or directory"), ("no certificate", ".+")],
        ids=["missing", "malformed"],
    )
    def test_unreadable_bundle(self, plain_driver, tmp_path, content, why):
        """If the CA bundle is missing or malformed, the call raises a ConfigError that contains the
        path of the bundle.
        """
        bundle = tmp_path / "ca.pem"
        if content is not None:
            bundle.write_text(content)
        client = plain_driver.client(
            region=REGION, credentials=CREDENTIALS, ca_bundle=str(bundle), endpoint_url="https://x"
        )
        with pytest.raises(ConfigError, match=f"the CA bundle {bundle} cannot be read: {why}$"):
            client.invoke_endpoint_async("x", body=b"x")

    def test_unreadable_file_of_the_environment(self, monkeypatch):
        """If an environment variable contains the path of a missing CA bundle, a ConfigError with
        this path is raised.
        """
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
        with pytest.raises(ConfigError, match="the CA bundle /nowhere cannot be read: No such"):
            tls_context(None)
