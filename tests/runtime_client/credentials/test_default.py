"""Tests of the provider chain: its order, its use as a credentials provider, and how it is closed."""

from threading import Event

import anyio
import httpx
import pytest

from sagemaker_runtime_client import (
    ConfigError,
    CredentialProviderError,
    NoCredentialsError,
    Response,
    SageMakerRuntimeClient,
    default_chain,
)
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials import _default as module
from sagemaker_runtime_client.credentials._chain import ORDER, resolve_source, search
from sigv4 import CredentialsProvider, Signer, SigV4
from sigv4.httpx_auth import SigV4Auth
from tests.runtime_client.credentials.fakes import Container
from tests.runtime_client.credentials.harness import KEY
from tests.runtime_client.loopback import Loopback
from tests.runtime_client.scripted_io import ScriptedIO, accepted, dropped, make_core, run

CONFIG, CREDENTIALS_FILE = "/home/user/.aws/config", "/home/user/.aws/credentials"
STATIC = "aws_access_key_id = {0}\naws_secret_access_key = canary-{0}\n"
ENVIRON = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "canary"}


@pytest.fixture
def home(home):
    """A home folder with two profiles."""
    text = f"[default]\n{STATIC.format('AKIDDEFAULT')}[other]\n{STATIC.format('AKIDOTHER')}"
    (home / ".aws" / "credentials").write_text(text, "utf-8")
    (home / ".aws" / "config").write_text("[profile other]\nregion = eu-north-1\n", "utf-8")
    return home


def test_order():
    """The providers are tried in the documented order, and six of them can be used for a
    source_profile.
    """
    assert [spec.name for spec in ORDER] == [
        *("environment", "assume-role", "web-identity", "sso", "shared-credentials-file"),
        *("login", "process", "config-file", "roles-anywhere", "container", "instance-metadata"),
    ]
    assert [spec.name for spec in ORDER if spec.usable_as_source_profile] == [
        *("web-identity", "sso", "shared-credentials-file", "login", "process", "config-file")
    ]


@pytest.mark.parametrize("spec", ORDER, ids=lambda spec: spec.name)
def test_providers_are_importable(spec):
    """Each provider can be imported, and has the name that the chain lists."""
    assert spec.create(context(ScriptedIO())).name == spec.name


@pytest.mark.usefixtures("home")
def test_provider_of_signatures():
    """The chain supplies the credentials for a blocking httpx client."""
    seen = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(200))
    with default_chain() as chain, httpx.Client(transport=transport) as client:
        auth = SigV4Auth(Signer(SigV4("execute-api", "eu-west-1")), chain)
        client.get("https://example.com/", auth=auth)
        assert isinstance(chain, CredentialsProvider)
    assert "Credential=AKIDDEFAULT/" in seen[0].headers["authorization"]


@pytest.mark.usefixtures("home")
@pytest.mark.anyio
async def test_provider_of_signatures_async():
    """The chain supplies the credentials for an async httpx client, on asyncio and trio."""
    seen = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(200))
    async with default_chain() as chain, httpx.AsyncClient(transport=transport) as client:
        auth = SigV4Auth(Signer(SigV4("execute-api", "eu-west-1")), chain)
        await client.get("https://example.com/", auth=auth)
    assert "Credential=AKIDDEFAULT/" in seen[0].headers["authorization"]


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
@pytest.mark.anyio
async def test_requests_use_the_client(home, monkeypatch, is_async):
    """If an http_client is passed, providers send their requests through it, and the chain leaves
    it open.
    """
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/creds")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "none"))
    body = b'{"AccessKeyId":"AKIDBOX","SecretAccessKey":"s","Token":"t",'
    body += b'"Expiration":"2999-01-01T00:00:00Z","AccountId":"123456789012"}'
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(body)))
    client = (httpx.AsyncClient if is_async else httpx.Client)(transport=transport)
    chain = default_chain(client)
    found = await chain.aget() if is_async else chain.get()
    assert (found.access_key_id, found.account_id) == ("AKIDBOX", "123456789012")
    await chain.aclose()
    assert not client.is_closed
    await client.aclose() if is_async else client.close()


@pytest.mark.anyio
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
async def test_connections_are_closed(monkeypatch, is_async):
    """A connection of the chain stays open until the chain is closed."""
    agent, after = Container(), []

    def respond(request, connection):
        connection.sendall(agent.respond(request))
        after.append(connection.recv(1))  # returns no data when the chain closes the connection

    with Loopback(respond) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        chain = default_chain()
        found = await chain.aget() if is_async else chain.get()
        assert (found.access_key_id, after) == ("ASIAECS1", [])
        await chain.aclose() if is_async else chain.close()
        while not after:
            await anyio.lowlevel.checkpoint()
    assert after == [b""]


@pytest.mark.usefixtures("home")
def test_closed_while_it_is_opened(monkeypatch):
    """A chain that is closed during its first call leaves no connection open."""
    after = Event()
    original = module.open_context

    async def closing(*arguments):
        context = await original(*arguments)
        chain.close()
        return context

    def respond(request, connection):
        connection.sendall(Container().respond(request))
        if connection.recv(1) == b"":
            after.set()

    monkeypatch.setattr(module, "open_context", closing)
    with Loopback(respond) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        chain = default_chain()
        assert chain.get().access_key_id == "ASIAECS1"
        assert after.wait(10)


def test_invalid_client():
    """An http_client that is not an httpx client is rejected immediately."""
    with pytest.raises(ConfigError, match=r"must be httpx\.Client or httpx2\.Client, not str"):
        default_chain("http://proxy")


@pytest.mark.usefixtures("home")
def test_profile_argument(monkeypatch):
    """An argument that selects a profile takes precedence over credentials in environment
    variables, but AWS_PROFILE does not.
    """
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert default_chain().get().access_key_id == "AKIDENV"
    assert default_chain(profile="other").get().access_key_id == "AKIDOTHER"
    with pytest.raises(ConfigError, match="profile 'none' is neither in"):
        default_chain(profile="none").get()


def test_client_uses_the_profile():
    """A client uses the region and credentials of the profile, and reads the files only once."""
    files = {CONFIG: "[profile p]\nregion = eu-north-1\n", CREDENTIALS_FILE: "[p]\n" + STATIC}
    files[CREDENTIALS_FILE] = files[CREDENTIALS_FILE].format("AKIDP")
    io = ScriptedIO([accepted(), accepted()], ENVIRON, files=files)
    client = make_core(io, {"profile": "p"}, None)
    for _ in range(2):
        run(client.invoke_endpoint_async("e", input_location="s3://b/k"))
    assert "Credential=AKIDP/20261122/eu-north-1/" in io.sent[1].header("authorization")
    assert io.read == [CONFIG, CREDENTIALS_FILE]
    assert SageMakerRuntimeClient(profile="p")


def test_region_of_the_instance():
    """The instance's region is used only if region_from_instance is true and no region is set."""
    responses = [Response(200, {}, b"token"), Response(200, {}, b"ap-south-1"), accepted()]
    io = ScriptedIO(responses, ENVIRON)
    client = make_core(io, {"region_from_instance": True}, None)
    run(client.invoke_endpoint_async("e", input_location="s3://b/k"))
    assert io.sent[1].url == "http://169.254.169.254/latest/meta-data/placement/region"
    assert io.sent[2].origin == "https://runtime.sagemaker.ap-south-1.amazonaws.com"
    io = ScriptedIO([], ENVIRON)
    with pytest.raises(ConfigError, match="no region"):
        run(make_core(io, {}, None).invoke_endpoint_async("e", input_location="s3://b/k"))
    io = ScriptedIO([accepted()], {**ENVIRON, "AWS_REGION": "eu-west-1"})
    client = make_core(io, {"region_from_instance": True}, None)
    run(client.invoke_endpoint_async("e", input_location="s3://b/k"))


@pytest.mark.parametrize("off", [True, False], ids=["disabled", "silent"])
def test_no_region_of_the_instance(off):
    """If the metadata service is disabled or unreachable, the missing region causes a ConfigError."""
    responses = [] if off else [dropped(accepted=False)]
    io = ScriptedIO(responses, {"AWS_EC2_METADATA_DISABLED": "true"} if off else {})
    with pytest.raises(ConfigError, match="no region"):
        run(
            make_core(io, {"region_from_instance": True}, None).invoke_endpoint_async(
                "e", input_location="s3://b/k"
            )
        )
    assert io.left == 0


def context(io, *, explicit=False, **section):
    """Return a context with one profile, ``default``, that contains the settings *section*."""
    return Context(io, io, Config(), Profiles({"default": section}), explicit=explicit)


def test_an_error_ends_the_search():
    """If a configured provider raises an error, `search` raises it and tries no other provider."""
    io = ScriptedIO(environ={"AWS_ACCESS_KEY_ID": "AKID"})
    skipped = []
    with pytest.raises(CredentialProviderError, match="AWS_SECRET_ACCESS_KEY is not") as caught:
        run(search(context(io, credential_process="vault"), skipped))
    assert (caught.value.provider, skipped, io.ran) == ("environment", [], [])


def test_skipped():
    """`search` appends each provider without credentials to *skipped*, with the reason."""
    skipped = []
    io = ScriptedIO(environ=ENVIRON)
    found = run(search(context(io, explicit=True, **KEY), skipped))
    assert found.spec.name == "config-file"
    assert "canary" not in repr(found)
    assert [(spec.name, spec.reason) for spec in skipped[:2]] == [
        ("environment", "profile default was selected explicitly"),
        ("assume-role", "profile default has no role_arn"),
    ]


def test_nothing_found():
    """If no provider has credentials, the error lists the reason for each provider."""
    io = ScriptedIO(environ={"AWS_EC2_METADATA_DISABLED": "true"})
    with pytest.raises(NoCredentialsError, match=r"process \(profile default has no credential_pr"):
        run(search(Context(io, io, Config({"ec2_metadata_disabled": True}), Profiles())))
    assert run(resolve_source(context(io), None)) is None


def test_resolve_source():
    """`resolve_source` returns the static credentials that the source profile contains."""
    assert run(resolve_source(context(ScriptedIO(), **KEY), None)).access_key_id == "AKID"


def test_mfa(home):
    """The chain calls the user-supplied function to obtain the code of the MFA device."""
    text = "[profile role]\nrole_arn = r\nsource_profile = default\nmfa_serial = device\n"
    (home / ".aws" / "config").write_text(text, "utf-8")
    serials = []
    chain = default_chain(profile="role", mfa_token=lambda serial: serials.append(serial) or "")
    with pytest.raises(CredentialProviderError, match="the MFA code of device device must be"):
        chain.get()
    assert serials == ["device"]
