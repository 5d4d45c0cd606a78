"""Tests of encrypted private keys for IAM Roles Anywhere, and of their passphrases."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from sagemaker_runtime_client import CredentialProviderError, default_chain
from tests.runtime_client.credentials.conftest import issue
from tests.runtime_client.credentials.fakes import RolesAnywhere
from tests.runtime_client.credentials.test_roles_anywhere import config, error, load, settings
from tests.runtime_client.loopback import Loopback

PASSPHRASE = "canary ä phrase "
FORMATS = {"PKCS#8": PrivateFormat.PKCS8, "legacy": PrivateFormat.TraditionalOpenSSL}


@pytest.fixture
def service(root):
    """A fake service that trusts the root certificate."""
    return RolesAnywhere(root.certificate)


@pytest.fixture(params=FORMATS)
def values(request, tmp_path, root):
    """The provider's settings, with a private key encrypted as PKCS#8 or in the legacy format."""
    leaf = issue("machine", ec.generate_private_key(ec.SECP256R1()), root)
    values = settings(tmp_path, leaf)
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    key = leaf.key.private_bytes(Encoding.PEM, FORMATS[request.param], encryption)
    (tmp_path / "leaf.key").write_bytes(key)
    assert (b"Proc-Type: 4,ENCRYPTED" in key) == (request.param == "legacy")
    return values


@pytest.fixture
def leaf(root):
    """A certificate whose key is not encrypted."""
    return issue("machine", ec.generate_private_key(ec.SECP256R1()), root)


def file_setting(tmp_path, text):
    """Write a passphrase file, and return its setting."""
    path = tmp_path / "passphrase"
    path.write_bytes(text)
    return {"roles_anywhere_private_key_passphrase_file": str(path)}


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nanother line\n"])
def test_file(blocking, service, values, tmp_path, end):
    """The first line of the passphrase file, including any spaces, is the passphrase."""
    values |= file_setting(tmp_path, f"{PASSPHRASE}{end}".encode())
    assert load(blocking, service, values).access_key_id == "ASIARA1"


def test_variable(blocking, service, values, tmp_path):
    """An environment variable can set the path of the passphrase file."""
    for name, value in file_setting(tmp_path, PASSPHRASE.encode()).items():
        blocking.environ[name.upper()] = value
    assert load(blocking, service, values).access_key_id == "ASIARA1"


@pytest.mark.parametrize("is_async", [False, True])
def test_function(harness, service, values, tmp_path, is_async):
    """The function key_passphrase receives the key's path, may be async, and takes precedence over
    the passphrase file.
    """
    paths = []

    def passphrase(path):
        paths.append(path)
        return PASSPHRASE

    async def passphrase_async(path):
        return passphrase(path)

    values |= file_setting(tmp_path, b"wrong")
    function = passphrase_async if is_async else passphrase
    assert load(harness, service, values, key_passphrase=function).access_key_id == "ASIARA1"
    assert paths == [str(tmp_path / "leaf.key")]


def test_chain(bare_environment, service, values, tmp_path):
    """`default_chain` decrypts the key with the passphrase that key_passphrase returns."""
    (tmp_path / "config").write_text(config(values))
    bare_environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with Loopback(service) as server:
        bare_environment.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", server.url)
        with default_chain(region="eu-west-1", key_passphrase=lambda _: PASSPHRASE) as chain:
            assert chain.get().access_key_id == "ASIARA1"


def test_key_that_is_not_encrypted(blocking, service, leaf, tmp_path):
    """A key that is not encrypted is accepted even if a passphrase file is configured."""
    values = settings(tmp_path, leaf) | file_setting(tmp_path, b"canary")
    assert load(blocking, service, values, key_passphrase=None).access_key_id == "ASIARA1"


def test_no_passphrase(blocking, service, values, tmp_path):
    """Without a passphrase, the error mentions the key and both ways to supply a passphrase."""
    assert error(blocking, service, values).message == (
        f"the private key file {tmp_path / 'leaf.key'} is encrypted: set "
        "roles_anywhere_private_key_passphrase_file, or pass a function as key_passphrase= to "
        "default_chain"
    )


@pytest.mark.parametrize("wrong", ["canary", "canary" * 999])
@pytest.mark.parametrize("way", ["file", "function"])
def test_wrong_passphrase(blocking, service, values, tmp_path, way, wrong):
    """A wrong passphrase causes an error that mentions the key and the passphrase's source."""
    options = {"key_passphrase": lambda _: wrong} if way == "function" else {}
    if way == "file":
        values |= file_setting(tmp_path, wrong.encode())
    message = error(blocking, service, values, **options).message
    assert message.startswith(
        f"the private key file {tmp_path / 'leaf.key'} cannot be decrypted with "
    )
    source = (
        "returned by key_passphrase" if way == "function" else f"from {tmp_path / 'passphrase'}"
    )
    assert message.endswith(f"the passphrase {source}")
    assert "canary" not in message


@pytest.mark.parametrize("result", [None, 5, b"canary"], ids=str)
def test_function_that_returns_no_str(blocking, service, values, tmp_path, result):
    """If key_passphrase returns anything but a str, the error does not show the returned value."""
    message = error(blocking, service, values, key_passphrase=lambda _: result).message
    path = tmp_path / "leaf.key"
    assert f"key_passphrase must return a str for the private key file {path}" == message


def test_function_that_fails(blocking, service, values):
    """If key_passphrase raises an exception, the error shows only the exception's class.

    A RuntimeClientError is passed on unchanged.
    """

    def fail(_path):
        raise ValueError("no")

    def refuse(_path):
        raise CredentialProviderError("no terminal", provider="roles-anywhere")

    says = error(blocking, service, values, key_passphrase=fail).message
    assert says == "the key_passphrase function raised ValueError"
    assert error(blocking, service, values, key_passphrase=refuse).message == "no terminal"


@pytest.mark.parametrize(
    ("text", "says"), [(None, "does not exist"), (b"", "is empty"), (b"\xff", "is not UTF-8 text")]
)
def test_invalid_file(blocking, service, values, tmp_path, text, says):
    """If the passphrase file is missing, empty or not text, the error mentions the file."""
    values |= file_setting(tmp_path, text or b"")
    if text is None:
        (tmp_path / "passphrase").unlink()
    message = error(blocking, service, values).message
    assert f"the passphrase file {tmp_path / 'passphrase'} {says}" == message
