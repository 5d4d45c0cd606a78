"""Test which certificates are accepted, and the errors for CA bundles that cannot be read."""

import os
import pwd
import re
import ssl
import sys
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from botocore.httpsession import create_urllib3_context

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client._io.tls import _amazon_context, _context, context_makers, tls_context
from tests.runtime_client.certificates import issue
from tests.runtime_client.loopback import Loopback, response


@pytest.fixture(autouse=True)
def _fresh(bare_environment):  # noqa: ARG001 (no test sees the machine's settings)
    """Before each test, clear the cached TLS contexts, which would otherwise be shared by all
    tests.
    """
    _context.cache_clear()
    _amazon_context.cache_clear()


@pytest.fixture
def _as_in_python_3_13(monkeypatch):
    """Make the default TLS context as strict as in Python 3.13, even on older Python versions."""
    create = ssl.create_default_context

    def strict(*arguments, **options):
        context = create(*arguments, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


@pytest.mark.usefixtures("_as_in_python_3_13", "all_names_here")
class TestRules:
    @pytest.mark.parametrize("number", [0, 1], ids=["for AWS", "for all"])
    @pytest.mark.parametrize("is_given", [False, True], ids=["certifi", "a bundle"])
    def test_as_botocore(self, tmp_path, number, is_given):
        """A TLS context has the same verification flags as in botocore, even with the defaults of
        Python 3.13.
        """
        bundle = issue(tmp_path)[0] if is_given else None
        context = context_makers(bundle)[number]()
        assert create_urllib3_context().verify_flags == context.verify_flags
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)

    def test_no_key_identifier(self, make, tmp_path):
        """A certificate without an Authority Key Identifier is accepted, because many companies
        issue such certificates.
        """
        bundle, tls = issue(tmp_path)
        with Loopback(lambda *_: response(b"hi"), tls) as server:
            url = server.url.replace("127.0.0.1", "host.example")
            assert make(verify=context_makers(bundle)).get(url).content == b"hi"

    @pytest.mark.parametrize(
        ("host", "hours", "fault"),
        [("host.example", -1, "expired"), ("other.example", 1, "Hostname mismatch")],
        ids=["expired", "other name"],
    )
    def test_refused(self, make, tmp_path, host, hours, fault):
        """A certificate that has expired or is for another host is rejected."""
        bundle, tls = issue(tmp_path, host, hours)
        with Loopback(lambda *_: response(b"hi"), tls) as server:
            url = server.url.replace("127.0.0.1", "host.example")
            with pytest.raises(httpx.ConnectError, match=fault):
                make(verify=context_makers(bundle)).get(url)
        assert server.requests == []


def block(data):
    """Return *data* in the format of a PEM certificate."""
    text = b64encode(data).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


DAMAGED = {
    "Amazon's, cut off": block(b"0\x82\x01\x01 Amazon"),
    "Amazon's, garbage": block(b"Amazon"),
    "garbage": block(b"other"),
    "no base64": "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
}


def refused(bundle):
    """Check that no TLS context can be created from a bundle, and that the error contains the path
    and a reason.
    """
    for make in context_makers(str(bundle)):
        with pytest.raises(ConfigError, match=re.escape(f"{bundle} cannot be read: ")) as caught:
            make()
        assert "None" not in str(caught.value)


@pytest.mark.parametrize("text", ["", *DAMAGED.values()], ids=["empty", *DAMAGED])
def test_damaged_bundle(tmp_path, text):
    """If a CA bundle contains no valid certificate, a ConfigError is raised."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(text)
    refused(bundle)


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damaged_among_others(tmp_path, text):
    """If a CA bundle contains a damaged certificate before or after a valid one, a ConfigError is
    raised.
    """
    bundle = tmp_path / "bundle.pem"
    whole = Path(issue(tmp_path)[0]).read_text()
    for both in (text + whole, whole + text):
        bundle.write_text(both)
        _context.cache_clear()
        _amazon_context.cache_clear()
        refused(bundle)


def test_users_folder(tmp_path, monkeypatch):
    """The path of a CA bundle may begin with ``~`` or ``~user``, which is replaced by the user's
    home directory.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    user = pwd.getpwuid(os.getuid())
    for written, meant in (("~", str(tmp_path)), (f"~{user.pw_name}", user.pw_dir)):
        with pytest.raises(ConfigError, match=f"{meant}/no-such.pem cannot be read"):
            tls_context(f"{written}/no-such.pem")


def test_damaged_certifi(tmp_path, monkeypatch):
    """If the certifi bundle is damaged, the error states that the CA bundle of certifi cannot be
    read.
    """
    (tmp_path / "certifi").mkdir()
    (tmp_path / "certifi" / "__init__.py").write_text("")
    (tmp_path / "certifi" / "cacert.pem").write_text(DAMAGED["garbage"])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "certifi", raising=False)
    for make in context_makers(None):
        with pytest.raises(ConfigError, match=r"^the CA bundle of certifi cannot be read: ."):
            make()
