"""Tests that assume roles on MiniStack, a server that verifies every signature.

The temporary credentials of each role then sign S3 requests, which MiniStack accepts.
"""

import boto3
import pytest

from sagemaker_runtime_client import CredentialProviderError, SageMakerRuntimeClient
from sigv4 import Credentials
from tests.runtime_client.credentials.harness import REGION

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"}]}'
BUCKET = "for-roles"  # other tests have buckets on the same server
ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@pytest.fixture(scope="module")
def account(ministack):
    """A user's credentials and the ARNs of two new roles. The fixture also creates a bucket."""
    options = {
        "region_name": REGION,
        "endpoint_url": ministack.url,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    iam = boto3.client("iam", **options)
    roles = []
    for name in ("first", "second"):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ALLOW)
        roles.append(role["Arn"])
    boto3.client("s3", **options).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return ministack.user, *roles


def put(ministack, credentials):
    """Write and read an object with *credentials*, and return what was read."""
    with SageMakerRuntimeClient(
        region=REGION, credentials=credentials, s3_endpoint_url=ministack.url
    ) as client:
        client.put_object(f"s3://{BUCKET}/key", b"body")
        return client.get_object(f"s3://{BUCKET}/key").body


def keys(credentials):
    """Return credentials as lines of a profile."""
    return (
        f"aws_access_key_id = {credentials.access_key_id}\n"
        f"aws_secret_access_key = {credentials.secret_access_key}\n"
    )


def test_assume_role(harness, ministack, account):
    """The temporary credentials of a role are valid for S3 and contain the role's account ID."""
    me, first, _ = account
    harness.environ["AWS_ENDPOINT_URL_STS"] = ministack.url
    credentials = harness.load(
        "assume-role",
        f"[default]\nrole_arn = {first}\nsource_profile = me\nrole_session_name = s\n"
        f"[profile me]\n{keys(me)}",
    )
    assert credentials.account_id == first.split(":")[4]
    assert put(ministack, credentials) == b"body"


def test_chain_of_roles(harness, ministack, account):
    """A role is assumed with the credentials of another role."""
    me, first, second = account
    harness.environ["AWS_ENDPOINT_URL_STS"] = ministack.url
    credentials = harness.load(
        "assume-role",
        f"[default]\nrole_arn = {second}\nsource_profile = first\n"
        f"[profile first]\nrole_arn = {first}\nsource_profile = me\n[profile me]\n{keys(me)}",
    )
    assert put(ministack, credentials) == b"body"


def test_web_identity(harness, ministack, account, tmp_path):
    """A web identity token is exchanged for credentials that are valid for S3."""
    _, first, _ = account
    token = tmp_path / "token"
    token.write_text("e30.eyJpc3MiOiJodHRwczovL2V4YW1wbGUiLCJzdWIiOiJtZSJ9.e30")
    harness.environ |= {
        "AWS_ENDPOINT_URL_STS": ministack.url,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ROLE_ARN": first,
    }
    assert put(ministack, harness.load("web-identity")) == b"body"


def test_wrong_key(harness, ministack, account):
    """The server rejects a request that is signed with a wrong secret key, so it verifies
    signatures.
    """
    me, first, _ = account
    harness.environ["AWS_ENDPOINT_URL_STS"] = ministack.url
    wrong = Credentials(me.access_key_id, "canary-wrong-secret")
    with pytest.raises(CredentialProviderError) as caught:
        harness.load(
            "assume-role",
            f"[default]\nrole_arn = {first}\nsource_profile = me\n[profile me]\n{keys(wrong)}",
        )
    assert caught.value.code == "SignatureDoesNotMatch"
    assert "canary" not in str(caught.value)
