"""What loads the context of providers, when it is first asked for."""

from collections.abc import Mapping
from typing import Any

from .._io.generation import importing
from .._io.message import TransportOptions
from .._io.system import IO
from ._provider import Context, KeyPassphrase, MFAToken


class LazyContext:
    """
    A context that is loaded when it is first asked for, and then kept.

    Args:
        io: The outside world.
        arguments: As for `Context.load`.
        mfa_token: As for `Context.load`.
        key_passphrase: As for `Context.load`.
    """

    def __init__(
        self,
        io: IO,
        arguments: Mapping[str, Any],
        mfa_token: MFAToken | None = None,
        key_passphrase: KeyPassphrase | None = None,
    ) -> None:
        self._io = io
        self._given = (arguments, mfa_token, key_passphrase)
        self._loaded: Context | None = None
        self._options = TransportOptions()
        self._begin()

    def _begin(self) -> None:
        """Have a free lock: at first, and in a new generation, in which it may have been left taken."""
        self._generation = self._io.generation()
        self._lock = self._io.lock()

    async def __call__(self) -> Context:
        """Return the context.  Of many that ask at the same time one reads the files for all."""
        return self._loaded or await self._load()

    async def _load(self) -> Context:
        """Load it, unless somebody else has done so in the meantime."""
        if self._generation != self._io.generation():
            self._begin()
        lock = self._lock
        await lock.acquire()
        try:
            if self._loaded is None:
                context = await Context.load(self._io, *self._given)
                self._options = context.config.transport_options  # before the instance is asked
                self._loaded = await _with_instance_region(context)
            return self._loaded
        finally:
            lock.release()

    @property
    def transport_options(self) -> TransportOptions:
        """What a client of our own is opened with; nothing is sent before the settings are known."""
        return self._options


async def _with_instance_region(context: Context) -> Context:
    """Return a context with the instance's region, if that is asked for and nothing else names one."""
    config = context.config
    if config.region is not None or not config.region_from_instance:
        return context
    with importing():
        from ._instance_metadata import InstanceMetadataProvider
    region = await InstanceMetadataProvider(context, "instance-metadata").region()
    return context._replace(config=config.with_region(region))
