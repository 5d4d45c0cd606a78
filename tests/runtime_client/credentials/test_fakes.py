"""Tests of the fake services with botocore: the fakes must accept what AWS's own code sends.

Each test runs botocore in a separate process with its own home folder.  For ``aws login``, botocore
requires awscrt.
"""

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sigv4 import Credentials
from tests.runtime_client.credentials import test_assume_role, test_login, test_sso
from tests.runtime_client.credentials.fakes import IMDS, ROLE, SSO, STS, Container, SignIn
from tests.runtime_client.loopback import Loopback

PROGRAM = """
import botocore.session, json
c = botocore.session.Session().get_credentials().get_frozen_credentials()
print(json.dumps([c.access_key, c.secret_key, c.token]))
"""


def run_botocore(fake, home, environ, config=""):
    """Return the access key ID that botocore finds.

    The text ``URL`` in the values of *environ* is replaced by the URL of *fake*.
    """
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(config)
    with Loopback(fake) as server:
        fake.url = server.url
        environ = {name: value.replace("URL", server.url) for name, value in environ.items()}
        environ |= {"HOME": str(home), "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = Credentials(*json.loads(done.stdout))
    assert fake.issued[found.access_key_id] == found
    return found.access_key_id


def test_botocore_assume_role(tmp_path):
    """The fake STS accepts botocore's signature of AssumeRole."""
    fake = STS(test_assume_role.ME)
    environ = {"AWS_ENDPOINT_URL_STS": "URL"}
    assert run_botocore(fake, tmp_path, environ, test_assume_role.CONFIG) == "ASIASTS1"


def test_botocore_web_identity(tmp_path):
    """The fake STS accepts the web identity token that botocore sends."""
    (tmp_path / "token").write_text("canary-web-token")
    environ = {
        "AWS_ENDPOINT_URL_STS": "URL",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": ROLE,
    }
    assert run_botocore(STS(), tmp_path, environ) == "ASIASTS1"


@pytest.mark.parametrize("seconds", [3600, 60], ids=["fresh", "refreshed"])
def test_botocore_sso(blocking, seconds):
    """The fake IAM Identity Center accepts the access token and the refresh token that botocore
    sends.
    """
    test_sso.log_in(blocking, test_sso.token(seconds))
    environ = {"AWS_ENDPOINT_URL_SSO": "URL", "AWS_ENDPOINT_URL_SSO_OIDC": "URL"}
    assert run_botocore(SSO(), blocking.home, environ, test_sso.CONFIG) == "ASIASSO1"
    # botocore writes the same fields as this client, and this client can read them.
    written = json.loads(test_sso.cache(blocking).read_text())
    assert set(written) == set(test_sso.token())
    assert test_sso.load(blocking, _knowing(written))[0].secret_access_key == "canary-secret-SSO-1"


def _knowing(written):
    """Return a fake IAM Identity Center that accepts the token in *written*."""
    sso = SSO()
    sso.access_token = written["accessToken"]
    return sso


def test_botocore_login(blocking):
    """The fake sign-in service accepts botocore's DPoP proof."""
    key = ec.generate_private_key(ec.SECP256R1())
    test_login.log_in(blocking, test_login.token(key, -1))
    fake = SignIn(key.public_key())
    environ = {"AWS_ENDPOINT_URL_SIGNIN": "URL"}
    assert run_botocore(fake, blocking.home, environ, test_login.CONFIG) == "ASIALOGIN1"
    assert len(fake.proofs) == 1
    # This client can read what botocore writes.
    credentials, requests = test_login.load(blocking, fake)
    assert (credentials.secret_access_key, requests) == ("canary-secret-LOGIN-1", [])


def test_botocore_container(tmp_path):
    """The fake container agent accepts the token that botocore sends."""
    fake = Container()
    fake.token = "canary"
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "URL/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": fake.token,
    }
    assert run_botocore(fake, tmp_path, environ) == "ASIAECS1"


def test_botocore_instance_metadata(tmp_path):
    """The fake metadata service accepts botocore's requests."""
    environ = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "URL/"}
    assert run_botocore(IMDS(), tmp_path, environ) == "ASIAIMDS1"
