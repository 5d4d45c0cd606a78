"""
Roles against a server that nobody here wrote, and which checks every signature.

Its temporary keys then sign a request to S3, which it accepts.
"""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest

from sagemaker_runtime_client import CredentialProviderError, SageMakerRuntimeClient
from sigv4 import Credentials
from tests.runtime_client.credentials.world import REGION

SERVER = Path(sys.prefix) / "servers" / "bin" / "ministack"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"}]}'
ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    """Start the server on a free port of 127.0.0.1, and return its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
    }
    folder = tmp_path_factory.mktemp("ministack")
    url = f"http://127.0.0.1:{port}"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([SERVER], cwd=folder, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            _await(process, f"{url}/_localstack/health")
            yield url
        finally:
            process.terminate()


def _await(process, url):
    """Wait until the server answers, or ends."""
    for _ in range(1200):
        with suppress(OSError), urlopen(url, timeout=5):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    raise AssertionError("ministack does not answer")


@pytest.fixture(scope="session")
def account(ministack):
    """A user with a key, two roles and a bucket; return the key, and the roles' ARNs."""
    options = {
        "region_name": REGION,
        "endpoint_url": ministack,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    iam = boto3.client("iam", **options)
    iam.create_user(UserName="me")
    iam.put_user_policy(UserName="me", PolicyName="all", PolicyDocument=ALLOW)
    key = iam.create_access_key(UserName="me")["AccessKey"]
    roles = []
    for name in ("first", "second"):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ALLOW)
        roles.append(role["Arn"])
    boto3.client("s3", **options).create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"]), *roles


def put(ministack, credentials):
    """Write and read an object with *credentials*; return what was read."""
    with SageMakerRuntimeClient(
        region=REGION, credentials=credentials, s3_endpoint_url=ministack
    ) as client:
        client.put_object("s3://bucket/key", b"body")
        return client.get_object("s3://bucket/key").body


def keys(credentials):
    """Return a key as lines of a profile."""
    return (
        f"aws_access_key_id = {credentials.access_key_id}\n"
        f"aws_secret_access_key = {credentials.secret_access_key}\n"
    )


def test_assume_role(world, ministack, account):
    """A role's temporary keys are good for S3, in the role's account."""
    me, first, _ = account
    world.environ["AWS_ENDPOINT_URL_STS"] = ministack
    credentials = world.load(
        "assume-role",
        f"[default]\nrole_arn = {first}\nsource_profile = me\nrole_session_name = s\n"
        f"[profile me]\n{keys(me)}",
    )
    assert first.split(":")[4] == credentials.account_id
    assert b"body" == put(ministack, credentials)


def test_chain_of_roles(world, ministack, account):
    """A role is assumed with the keys of another role."""
    me, first, second = account
    world.environ["AWS_ENDPOINT_URL_STS"] = ministack
    credentials = world.load(
        "assume-role",
        f"[default]\nrole_arn = {second}\nsource_profile = first\n"
        f"[profile first]\nrole_arn = {first}\nsource_profile = me\n[profile me]\n{keys(me)}",
    )
    assert b"body" == put(ministack, credentials)


def test_web_identity(world, ministack, account, tmp_path):
    """A token of an identity provider buys keys that are good for S3."""
    _, first, _ = account
    token = tmp_path / "token"
    token.write_text("e30.eyJpc3MiOiJodHRwczovL2V4YW1wbGUiLCJzdWIiOiJtZSJ9.e30")
    world.environ |= {
        "AWS_ENDPOINT_URL_STS": ministack,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ROLE_ARN": first,
    }
    assert b"body" == put(ministack, world.load("web-identity"))


def test_wrong_key(world, ministack, account):
    """A wrong secret is refused, and the refusal told: the server does check."""
    me, first, _ = account
    world.environ["AWS_ENDPOINT_URL_STS"] = ministack
    wrong = Credentials(me.access_key_id, "canary-wrong-secret")
    with pytest.raises(CredentialProviderError) as caught:
        world.load(
            "assume-role",
            f"[default]\nrole_arn = {first}\nsource_profile = me\n[profile me]\n{keys(wrong)}",
        )
    assert "SignatureDoesNotMatch" == caught.value.code
    assert "canary" not in str(caught.value)
