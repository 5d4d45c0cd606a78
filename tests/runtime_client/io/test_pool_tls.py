"""Test the TLS connections of the pool."""

import ssl

import httpx
import pytest

from tests.runtime_client.loopback import Loopback, always
from tests.runtime_client.pools import counts, limited


class TestTLS:
    def test_trusted(self, make, certificate):
        """If the server's certificate is trusted, https requests succeed.

        The TLS context is created only once, and only for https.
        """
        bundle, tls = certificate
        made = []

        def verify():
            made.append(ssl.create_default_context(cafile=bundle))
            return made[0]

        with (
            Loopback(always(b"hi"), tls) as server,
            Loopback(always()) as plain,
        ):
            pool = make(verify=verify, limits=limited(1))
            pool.get(plain.url)
            assert made == []
            for url in (server.url, plain.url, server.url):
                pool.get(url)
            assert len(made) == 1
        assert server.connections == 2

    @pytest.mark.parametrize(
        ("verify", "url"), [(True, "127.0.0.1"), (None, "localhost")], ids=["unknown", "other name"]
    )
    def test_distrusted(self, make, certificate, verify, url):
        """If the server's certificate is untrusted or for another host, connecting fails, and no
        request is sent.
        """
        bundle, tls = certificate
        with Loopback(always(b"hi"), tls) as server:
            pool = make(verify=verify or ssl.create_default_context(cafile=bundle))
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                pool.get(server.url.replace("127.0.0.1", url))
            assert counts(pool.transport) == (0, 0, 0, 0)
        assert server.requests == []

    def test_unverified(self, make, certificate):
        """With `verify=False`, any certificate is accepted, as in httpx."""
        with Loopback(always(b"hi"), certificate[1]) as server:
            assert make(verify=False).get(server.url).content == b"hi"

    def test_no_http2(self, make, certificate):
        """The pool does not offer HTTP/2 in the TLS handshake, so that HTTP/1.1 is used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0], certificate[0].replace("ca.pem", "key.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Loopback(always(b"hi"), context) as server:
            assert make(verify=False).get(server.url).http_version == "HTTP/1.1"
