"""Tests of credentials from IAM Roles Anywhere."""

import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from sagemaker_runtime_client import CredentialProviderError
from tests.runtime_client.credentials.conftest import issue, pem
from tests.runtime_client.credentials.fakes import ACCOUNT, ROLE, RolesAnywhere, as_json
from tests.runtime_client.credentials.harness import caught_error
from tests.runtime_client.loopback import Loopback, response

ANCHOR = f"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:trust-anchor/a"
PROFILE = f"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:profile/p"


@pytest.fixture
def service(root):
    """A fake service that trusts the root certificate."""
    return RolesAnywhere(root.certificate)


@pytest.fixture(scope="session")
def leaf(root):
    """A certificate for a P-256 key, issued by the root."""
    return issue("machine", ec.generate_private_key(ec.SECP256R1()), root)


def settings(folder, leaf, *chain, **changes):
    """Write the certificate and the key to files, and return the settings; None as a value omits a
    setting.
    """
    (folder / "leaf.pem").write_bytes(leaf.certificate_pem)
    (folder / "leaf.key").write_bytes(leaf.key_pem)
    values = {
        "trust_anchor_arn": ANCHOR,
        "profile_arn": PROFILE,
        "role_arn": ROLE,
        "certificate": folder / "leaf.pem",
        "private_key": folder / "leaf.key",
    }
    if chain:
        (folder / "chain.pem").write_bytes(b"".join(issued.certificate_pem for issued in chain))
        values["intermediates"] = folder / "chain.pem"
    values |= changes
    return {
        f"roles_anywhere_{name}": str(value) for name, value in values.items() if value is not None
    }


def config(values):
    """Return the settings as the text of a config file."""
    return "[default]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


def load(harness, service, values, **options):
    """Load credentials from *service*."""
    return harness.load_from(service, "roles-anywhere", config(values), **options)[0]


def error(harness, service, values, **options):
    """Return the error that loading raises."""
    return caught_error("roles-anywhere", load, harness, service, values, **options)


def test_profile(harness, service, leaf, tmp_path):
    """The profile's settings are sent in a request that is signed with the certificate's private
    key.
    """
    credentials = load(harness, service, settings(tmp_path, leaf))
    ((query, body, algorithm),) = service.received
    assert query == {"trustAnchorArn": ANCHOR, "profileArn": PROFILE, "roleArn": ROLE}
    assert body == {"durationSeconds": 3600}
    assert algorithm == "AWS4-X509-ECDSA-SHA256"
    assert credentials.secret_access_key == "canary-secret-RA-1"
    assert credentials.session_token == "canary-token-RA-1"
    assert (credentials.expiration, credentials.account_id) == (service.ends, ACCOUNT)


def test_variables(harness, service, leaf, tmp_path):
    """All settings, including duration and session name, can also be environment variables."""
    values = settings(tmp_path, leaf, session_duration="900", role_session_name="me")
    harness.environ |= {name.upper(): value for name, value in values.items()}
    assert load(harness, service, {}).access_key_id == "ASIARA1"
    assert service.received[0][1] == {"durationSeconds": 900, "roleSessionName": "me"}


def test_explicit_profile(blocking, service, leaf, tmp_path):
    """If an argument selects the profile, the variables are ignored."""
    blocking.environ |= {name.upper(): value for name, value in settings(tmp_path, leaf).items()}
    assert load(blocking, service, {}, explicit=True) is None


@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1], ids=lambda curve: curve.name)
def test_curves(blocking, service, root, tmp_path, curve):
    """Keys on the curves P-384 and P-521 can sign the request."""
    leaf = issue("machine", ec.generate_private_key(curve()), root)
    assert load(blocking, service, settings(tmp_path, leaf)) is not None


def test_rsa(harness, service, root, rsa_key, tmp_path):
    """With an RSA key, the request is signed with the algorithm for RSA."""
    load(harness, service, settings(tmp_path, issue("machine", rsa_key, root)))
    assert service.received[0][2] == "AWS4-X509-RSA-SHA256"


@pytest.mark.parametrize("location", ["own file", "file of the certificate"])
def test_intermediates(harness, service, intermediate, tmp_path, location):
    """Intermediate certificates are sent, from their own file or from the certificate's file."""
    leaf = issue("machine", ec.generate_private_key(ec.SECP256R1()), intermediate)
    if location == "own file":
        values = settings(tmp_path, leaf, intermediate)
    else:
        values = settings(tmp_path, leaf)
        with (tmp_path / "leaf.pem").open("ab") as file:
            file.write(intermediate.certificate_pem)
    assert load(harness, service, values).access_key_id == "ASIARA1"


def test_older_key_format(blocking, service, leaf, tmp_path):
    """A key in OpenSSL's older format is accepted."""
    values = settings(tmp_path, leaf)
    (tmp_path / "leaf.key").write_bytes(
        leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    assert load(blocking, service, values) is not None


def test_each_attempt_is_signed(harness, service, leaf, tmp_path):
    """Temporary failures are retried, and each attempt is signed."""
    service.faults += [response(status=503), b""]
    assert load(harness, service, settings(tmp_path, leaf)).access_key_id == "ASIARA1"
    assert len(harness.slept) == 2


def test_files_are_read_each_time(blocking, service, leaf, root, tmp_path):
    """A renewed certificate is used for the next load."""
    values = settings(tmp_path, leaf)
    load(blocking, service, values)
    settings(tmp_path, issue("machine", ec.generate_private_key(ec.SECP256R1()), root))
    assert load(blocking, service, values).access_key_id == "ASIARA2"


def test_region(blocking, service, leaf, tmp_path):
    """The endpoint and the signature use the region of the trust anchor instead of the client's
    region.
    """
    service.faults.append(
        lambda request: as_json({"message": request.header("authorization")}, 403)
    )
    with Loopback(service) as server:
        blocking.redirected["https://rolesanywhere.eu-west-1.amazonaws.com"] = server.url
        values = config(settings(tmp_path, leaf))
        with pytest.raises(CredentialProviderError) as caught:
            blocking.load("roles-anywhere", values, region="us-east-1")
    assert "/eu-west-1/rolesanywhere/aws4_request" in caught.value.message


def test_not_configured(harness, service):
    """Without Roles Anywhere settings, the provider returns None, even if role_arn is set."""
    assert load(harness, service, {"role_arn": ROLE}) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"certificate": None, "profile_arn": None},
            "IAM Roles Anywhere requires roles_anywhere_profile_arn, roles_anywhere_certificate: "
            "set them in profile default, or as environment variables in upper case",
            id="missing",
        ),
        pytest.param(
            {"trust_anchor_arn": "x"},
            "roles_anywhere_trust_anchor_arn is not a valid ARN",
            id="no anchor",
        ),
        pytest.param(
            {"role_arn": "a:b:c:d:e:f"}, "roles_anywhere_role_arn is not a valid ARN", id="no role"
        ),
        pytest.param(
            {"profile_arn": PROFILE.replace("west-1", "west-2")},
            "roles_anywhere_trust_anchor_arn is in region eu-west-1 but roles_anywhere_profile_arn "
            "is in eu-west-2: both must be in the same region",
            id="two regions",
        ),
        *[
            pytest.param(
                {"session_duration": text},
                "roles_anywhere_session_duration must be 900 to 43200 seconds",
                id=f"duration {text}",
            )
            for text in ("899", "43201", "1h", "\u0663600")
        ],
    ],
)
def test_invalid_settings(blocking, service, leaf, tmp_path, *, changes, message):
    """If a setting is missing or malformed, the error mentions the setting, and nothing is sent."""
    assert error(blocking, service, settings(tmp_path, leaf, **changes)).message == message
    assert not service.received


def other_key(_leaf):
    """Return a new private key, which matches no certificate, as PEM."""
    return pem(ec.generate_private_key(ec.SECP256R1()))


def ed25519_key(_leaf):
    """Return an Ed25519 key as PEM."""
    return pem(ed25519.Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "leaf.pem", None, "the certificate file {} does not exist", id="no certificate"
        ),
        pytest.param(
            "leaf.pem", b"x", "the certificate file {} does not contain a PEM", id="rubbish"
        ),
        pytest.param("leaf.key", None, "the private key file {} does not exist", id="no key"),
        pytest.param(
            "leaf.key", b"x", "the private key file {} does not contain a", id="rubbish as key"
        ),
        pytest.param(
            "leaf.key",
            ed25519_key,
            "the private key file {} must contain an RSA or EC key",
            id="Ed25519",
        ),
        pytest.param("leaf.key", other_key, "the private key {} does not match", id="other key"),
        pytest.param("chain.pem", None, "the intermediates file {} does not exist", id="no chain"),
        pytest.param(
            "chain.pem",
            b"x",
            "the intermediates file {} does not contain PEM certificates",
            id="rubbish as chain",
        ),
    ],
)
def test_invalid_files(harness, service, leaf, intermediate, tmp_path, *, name, content, message):
    """If a file is missing, malformed or of the wrong kind, the error mentions the file, and
    nothing is sent.
    """
    values = settings(tmp_path, leaf, intermediate)
    path = tmp_path / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content(leaf))
    assert error(harness, service, values).message.startswith(message.format(path))
    assert not service.received


@pytest.mark.parametrize("name", ["certificate", "private_key"])
@pytest.mark.parametrize("scheme", ["pkcs11", "PKCS11"])
def test_pkcs11(blocking, service, leaf, tmp_path, name, scheme):
    """A PKCS#11 URI is rejected by an error that suggests an alternative."""
    values = settings(tmp_path, leaf, **{name: f"{scheme}:token=t;object=o?pin-value=canary"})
    message = error(blocking, service, values).message
    assert message.startswith(f"roles_anywhere_{name} is a PKCS#11 URI, which is not supported: ")
    assert "canary" not in message


def test_certificate_that_expired(blocking, service, root, tmp_path):
    """An expired certificate causes an error that shows the certificate's validity period."""
    leaf = issue("machine", ec.generate_private_key(ec.SECP256R1()), root, days=-1)
    message = error(blocking, service, settings(tmp_path, leaf)).message
    assert f"the certificate {tmp_path / 'leaf.pem'} is valid only from" in message
    assert message.endswith("UTC: renew it, or correct the clock of this machine")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 404),
        ("ValidationException", 400),
    ],
)
def test_refusal(harness, service, leaf, tmp_path, *, code, status):
    """An error from the service is reported with its code."""
    service.faults.append(as_json({"message": "no"}, status, {"x-amzn-errortype": code}))
    caught = error(harness, service, settings(tmp_path, leaf))
    assert caught.message == f"CreateSession for {ROLE} failed: no"
    assert (caught.code, caught.status_code) == (code, status)


@pytest.mark.parametrize(
    "document", [[], {}, {"credentialSet": []}, {"credentialSet": ["x"]}, {"credentialSet": [{}]}]
)
def test_malformed_response(blocking, service, leaf, tmp_path, document):
    """A response without credentials causes a retryable error."""
    service.faults.append(as_json(document, 201))
    caught = error(blocking, service, settings(tmp_path, leaf))
    assert caught.message.startswith("the response to CreateSession is missing accessKeyId,")
    assert caught.retryable


def test_without_cryptography(blocking, service, leaf, tmp_path, monkeypatch):
    """If cryptography cannot be imported, the error mentions that package."""
    values = settings(tmp_path, leaf)
    for name in list(sys.modules):
        if name.startswith("cryptography"):
            monkeypatch.setitem(sys.modules, name, None)
    assert "requires the cryptography package" in error(blocking, service, values).message
