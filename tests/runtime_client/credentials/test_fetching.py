"""Tests of credential files that are incomplete, missing or too large."""

import json
from hashlib import sha1, sha256

import pytest

from sagemaker_runtime_client import CredentialProviderError, Response
from sagemaker_runtime_client._limits import CREDENTIALS_FILE_SIZE
from sagemaker_runtime_client.credentials import open_context
from sagemaker_runtime_client.credentials._chain import search
from tests.runtime_client.credentials.fakes import ROLE
from tests.runtime_client.scripted_io import (
    REGION,
    FakeS3,
    ScriptedIO,
    accepted,
    core,
    make_core,
    run,
)

HOME = "/home/user"
CONFIG = f"{HOME}/.aws/config"
START = "https://corp.awsapps.com/start"
SSO = f"""[default]
sso_region = eu-west-1
sso_start_url = {START}
sso_account_id = 123456789012
sso_role_name = r
"""
SSO_CACHE = f"{HOME}/.aws/sso/cache/{sha1(START.encode()).hexdigest()}.json"
LOGIN_CACHE = f"{HOME}/.aws/login/cache/{sha256(b'me').hexdigest()}.json"
KEYS = {"accessKeyId": "A", "secretAccessKey": "canary", "sessionToken": "t"}
IDENTITY = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": ROLE}
CONTAINER = {
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
}
LOGIN = {
    "accessToken": {**KEYS, "expiresAt": "2999-01-01T00:00:00Z"},
    "clientId": "c",
    "refreshToken": "canary",
    "dpopKey": "k",
}
# For each provider: the environment variables, the content of the config file, the path of the file
# with the cached credentials or the token, and the complete content of that file.
PROVIDERS = {
    "sso": (
        {},
        SSO,
        SSO_CACHE,
        json.dumps({"accessToken": "canary", "expiresAt": "2999-01-01T00:00:00Z"}),
    ),
    "login": ({}, "[default]\nlogin_session = me\n", LOGIN_CACHE, json.dumps(LOGIN)),
    "web-identity": (IDENTITY, "", "/token", "canary"),
    "container": (CONTAINER, "", "/token", "canary"),
}
BROKEN = {"empty": "", "blank": "\n", "half": '{"accessToken": "cana'}
CASES = [
    pytest.param(provider, fault, id=f"{provider}-{fault}")
    for provider in PROVIDERS
    for fault in BROKEN
    if fault != "half" or provider in {"sso", "login"}
]


def cloud(_io, sent):
    """Respond as the AWS services and the container agent do."""
    if "portal.sso" in sent.origin:
        keys = {"roleCredentials": {**KEYS, "expiration": 32472144000000}}
        return Response(200, {}, json.dumps(keys).encode())
    if "sts." in sent.origin:
        keys = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>canary</SecretAccessKey>"
        keys += "<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
        name = "AssumeRoleWithWebIdentity"
        text = f"<{name}Result><Credentials>{keys}</Credentials></{name}Result>"
        return Response(200, {}, f"<{name}Response>{text}</{name}Response>".encode())
    keys = {"AccessKeyId": "A", "SecretAccessKey": "canary", "Token": "t"}
    return Response(200, {}, json.dumps({**keys, "Expiration": "2999-01-01T00:00:00Z"}).encode())


class Rewritten(ScriptedIO):
    """A system in which another program completes the provider's file after *complete_at* seconds."""

    def __init__(self, provider, content, complete_at, responses=cloud):
        environ, config, self.path, self.whole = PROVIDERS[provider]
        super().__init__(responses, dict(environ), files={CONFIG: config})
        self.content, self.complete_at = content, complete_at

    async def read_file(self, path, most):
        if path == self.path:
            self.files[path] = self.whole if self.elapsed >= self.complete_at else self.content
        return await super().read_file(path, most)


def load(io):
    """Return the credentials that the chain finds."""
    return run(search(run(open_context(io, lambda _config: io, {"region": REGION})))).credentials


@pytest.mark.parametrize(
    ("provider", "fault"), [*CASES, *[(provider, "missing") for provider in PROVIDERS]]
)
def test_file_that_is_being_rewritten(provider, fault):
    """A file that is empty, incomplete or absent for 150 ms is read again until it is complete."""
    io = Rewritten(provider, BROKEN.get(fault), 0.15)
    assert load(io).access_key_id == "A"
    assert io.slept == [0.05, 0.1]


@pytest.mark.parametrize(("provider", "fault"), CASES)
def test_file_that_stays_broken(provider, fault):
    """A file that stays incomplete causes a retryable error that does not show the file's content."""
    with pytest.raises(CredentialProviderError) as caught:
        load(Rewritten(provider, BROKEN[fault], 9.0))
    assert (caught.value.provider, caught.value.retryable) == (provider, True)
    assert (
        "is not a complete JSON object" if fault == "half" else "is empty"
    ) in caught.value.message
    assert "cana" not in str(caught.value)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_file_that_is_missing(provider):
    """A file that stays absent causes an error that is not retryable."""
    with pytest.raises(CredentialProviderError, match="does not exist") as caught:
        load(Rewritten(provider, None, 9.0))
    assert not caught.value.retryable


@pytest.mark.parametrize("fault", BROKEN)
def test_a_wait_continues(fault):
    """If the SSO cache stays incomplete for 5 s, `wait` continues and then returns the output."""
    s3 = FakeS3().put("s3://bucket/out/1.out", b"output")

    def respond(io, sent):
        return s3(io, sent) if ".s3." in sent.origin else cloud(io, sent)

    invocation = run(core(ScriptedIO([accepted()])).invoke_endpoint_async("e", body=b"x"))
    io = Rewritten("sso", BROKEN[fault], 5.0, respond)
    output = run(make_core(io, {"region": REGION}, None).wait(invocation, timeout=60))
    assert output.body == b"output"
    assert 5 <= io.elapsed < 10


@pytest.mark.parametrize("provider", PROVIDERS)
def test_file_that_is_too_large(provider):
    """A file larger than a mebibyte is rejected, and the error states the limit."""

    class Endless(Rewritten):
        async def read_file(self, path, most):
            if path == self.path:
                assert most == CREDENTIALS_FILE_SIZE
                raise OSError(27, f"more than {most:,} bytes")
            return await super().read_file(path, most)

    with pytest.raises(CredentialProviderError, match="cannot be read: more than 1,048,576 bytes"):
        load(Endless(provider, "", 0.0))
