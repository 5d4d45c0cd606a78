"""A provider among real sockets and files, with variables, clock and pauses of the test's own."""

import json
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from sagemaker_runtime_client import CredentialProviderError
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import async_backend, run
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._io.transport import Transport
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import parse_profiles
from sagemaker_runtime_client.credentials._chain import PROVIDERS
from tests.runtime_client.loopback import Loopback
from tests.runtime_client.scripted_io import REGION

# A key as a profile has it.
KEY = {"aws_access_key_id": "AKID", "aws_secret_access_key": "canary"}
# The variables that tell a provider where its service is.
_ENDPOINTS = {
    "assume-role": ("AWS_ENDPOINT_URL_STS",),
    "container": ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    "instance-metadata": ("AWS_EC2_METADATA_SERVICE_ENDPOINT",),
    "login": ("AWS_ENDPOINT_URL_SIGNIN",),
    "roles-anywhere": ("AWS_ENDPOINT_URL_ROLESANYWHERE",),
    "sso": ("AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"),
    "web-identity": ("AWS_ENDPOINT_URL_STS",),
}


class Harness:
    """
    One kind of client, and what a provider finds there.

    Args:
        backend: The event loop's library; None for the blocking client.
        home: The user's folder.

    Attributes:
        environ: The variables.
        ahead: By how much the clock is.
        slept: The pauses, which take no time.
        limits: How many seconds each request had that had a limit of its own.
        elsewhere: Which origin stands for which.
        unwritable: Whether no file can be written.
        asleep: What goes on during a pause.
    """

    def __init__(self, backend, home):
        self.backend = backend
        self.home = home
        self.environ = {"HOME": str(home)}
        self.clock_offset = timedelta()
        self.slept = []
        self.timeouts = []
        self.redirected = {}
        self.read_only = False
        self.on_sleep = lambda: None

    def load(
        self,
        name,
        config="",
        *,
        ask=lambda provider: provider.load(),
        credentials="",
        profile="default",
        explicit=False,
        mfa_token=None,
        key_passphrase=None,
        **arguments,
    ):
        """Return what the provider *name* loads, with these texts as the shared files."""
        profiles = parse_profiles(("config", config), ("credentials", credentials))
        settings = Config.resolve({"region": REGION, **arguments}, self.environ, profiles)

        async def load(io):
            try:
                given = (settings, profiles, profile, explicit, mfa_token, key_passphrase)
                return await ask(PROVIDERS[name].create(Context(io, io, *given)))
            finally:
                await io.close()

        if self.backend is None:
            return run(load(_IO(self, sync_backend)))
        return anyio.run(self._load_async, load, backend=self.backend)

    def load_from(self, service, name, config="", *, path="", **options):
        """Return what the provider *name* loads from *service*, and the requests that this got."""
        with Loopback(service) as server:
            service.url = server.url
            self.environ |= dict.fromkeys(_ENDPOINTS[name], server.url + path)
            return self.load(name, config, **options), server.requests

    def write(self, path, document):
        """Write a file of the AWS CLI's: a text as it is, anything else as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))

    async def _load_async(self, load):
        return await load(_IO(self, async_backend))

    def now(self):
        return datetime.now(UTC) + self.clock_offset


def caught_error(name, load, *arguments, **options):
    """Return the error of loading, which names the provider, and shows no secret."""
    with pytest.raises(CredentialProviderError) as caught:
        load(*arguments, **options)
    assert caught.value.provider == name
    assert "canary" not in str(caught.value)
    return caught.value


def lines(requests):
    """Return the method and target of each request."""
    return [f"{request.method} {request.target}" for request in requests]


class _IO:
    """The real `System` and `Transport`, but for what belongs to the harness."""

    def __init__(self, harness, backend):
        self._harness = harness
        self._system, self._transport = System(backend), Transport(backend)
        self.environ = harness.environ

    def __getattr__(self, name):
        return getattr(self._system, name)

    async def prepare(self, origin, *, direct):
        await self._transport.prepare(origin, direct=direct)

    async def close(self):
        await self._transport.close()

    def now(self):
        return self._harness.now()

    def home(self, user=""):
        return str(self._harness.home) + user

    async def sleep(self, seconds):
        self._harness.slept.append(seconds)
        self._harness.on_sleep()

    async def send(self, origin, make, deadline, **options):
        """Send, where an address that only AWS has stands for one of this machine."""
        if deadline is not None:
            self._harness.timeouts.append(round(deadline - self._system.monotonic(), 1))
        where = self._harness.redirected.get(origin, origin)
        return await self._transport.send(where, make, deadline, **options)

    async def write_file(self, path, data):
        if self._harness.read_only:
            raise PermissionError(13, "Permission denied", path)
        await self._system.write_file(path, data)
