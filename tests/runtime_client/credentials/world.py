"""A provider among real sockets and files, with variables, clock and pauses of the test's own."""

from datetime import UTC, datetime, timedelta

import anyio

from sagemaker_runtime_client._io.message import TransportOptions
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.system import AsyncIO, BlockingIO
from sagemaker_runtime_client._io.transport import AsyncTransport, BlockingTransport
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.profiles import parse_profiles
from sagemaker_runtime_client.credentials import Context
from sagemaker_runtime_client.credentials._chain import PROVIDERS

REGION = "eu-west-1"


class World:
    """
    One face, and what a provider finds there.

    Args:
        backend: The event loop's library; None for the blocking face.
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
        self.ahead = timedelta()
        self.slept = []
        self.limits = []
        self.elsewhere = {}
        self.unwritable = False
        self.asleep = lambda: None

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
                return await ask(PROVIDERS[name].create(Context(io, *given)))
            finally:
                await io.close()

        if self.backend is None:
            return run(load(_IO(self, BlockingIO(BlockingTransport(TransportOptions)))))
        return anyio.run(self._load_async, load, backend=self.backend)

    async def _load_async(self, load):
        return await load(_IO(self, AsyncIO(AsyncTransport(TransportOptions))))

    def now(self):
        return datetime.now(UTC) + self.ahead


class _IO:
    """The real `IO`, but for what belongs to the world."""

    def __init__(self, world, real):
        self._world = world
        self._real = real
        self.environ = world.environ

    def __getattr__(self, name):
        return getattr(self._real, name)

    def now(self):
        return self._world.now()

    def home(self, user=""):
        return str(self._world.home) + user

    async def sleep(self, seconds):
        self._world.slept.append(seconds)
        self._world.asleep()

    async def send(self, origin, make, deadline, **options):
        """Send, where an address that only AWS has stands for one of this machine."""
        if deadline is not None:
            self._world.limits.append(round(deadline - self._real.monotonic(), 1))
        where = self._world.elsewhere.get(origin, origin)
        return await self._real.send(where, make, deadline, **options)

    async def write_file(self, path, data):
        if self._world.unwritable:
            raise PermissionError(13, "Permission denied", path)
        await self._real.write_file(path, data)
