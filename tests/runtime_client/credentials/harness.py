"""A harness that runs a provider with real sockets and files, while the test sets the variables,
the clock and the pauses.
"""

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

# The settings of a profile with static credentials.
KEY = {"aws_access_key_id": "AKID", "aws_secret_access_key": "canary"}
# These variables set the endpoint of each provider's service.
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
    """Loads credentials from a provider for one kind of client.

    Args:
        backend: The async library; None for the blocking client.
        home: The home folder.

    Attributes:
        environ: The environment variables.
        clock_offset: How far the clock is ahead of the real time.
        slept: The pauses that the provider requested.  Each pause ends immediately.
        timeouts: The remaining seconds of each request that has a deadline.
        redirected: For each redirected origin, the origin to which its requests are sent instead.
        read_only: Whether writing a file fails.
        on_sleep: A function that is called at each pause.
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
        """Return what the provider *name* loads with the given text of the shared files."""
        profiles = parse_profiles(("config", config), ("credentials", credentials))
        settings = Config.resolve({"region": REGION, **arguments}, self.environ, profiles)

        async def load(io):
            try:
                context = Context(
                    io, io, settings, profiles, profile, explicit, mfa_token, key_passphrase
                )
                return await ask(PROVIDERS[name].create(context))
            finally:
                await io.close()

        if self.backend is None:
            return run(load(_IO(self, sync_backend)))
        return anyio.run(self._load_async, load, backend=self.backend)

    def load_from(self, service, name, config="", *, path="", **options):
        """Load credentials with *service* as the provider's service; return them and the received
        requests.
        """
        with Loopback(service) as server:
            service.url = server.url
            self.environ |= dict.fromkeys(_ENDPOINTS[name], server.url + path)
            return self.load(name, config, **options), server.requests

    def write(self, path, document):
        """Write a cache file of the AWS CLI. A document that is not a str is converted to JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))

    async def _load_async(self, load):
        return await load(_IO(self, async_backend))

    def now(self):
        return datetime.now(UTC) + self.clock_offset


def caught_error(name, load, *arguments, **options):
    """Return the error that *load* raises. It must contain the provider *name* and no secret."""
    with pytest.raises(CredentialProviderError) as caught:
        load(*arguments, **options)
    assert caught.value.provider == name
    assert "canary" not in str(caught.value)
    return caught.value


def lines(requests):
    """Return the method and target of each request."""
    return [f"{request.method} {request.target}" for request in requests]


class _IO:
    """The real `System` and `Transport`, with the clock, pauses and redirects of the harness."""

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
        """Send the request to a fake service if the test redirects the request's origin."""
        if deadline is not None:
            self._harness.timeouts.append(round(deadline - self._system.monotonic(), 1))
        target = self._harness.redirected.get(origin, origin)
        return await self._transport.send(target, make, deadline, **options)

    async def write_file(self, path, data):
        if self._harness.read_only:
            raise PermissionError(13, "Permission denied", path)
        await self._system.write_file(path, data)
